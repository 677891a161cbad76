package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// calls are all calls about a share, with the tokens that they take.
func (u *upload) calls(ticket token) []struct{ method, path, right, contentType, body string } {
	digest := `{"ticket":"` + ticket.hash.String() + `"}`
	const octets, js = "application/octet-stream", "application/json"
	return []struct{ method, path, right, contentType, body string }{
		{"PUT", "/manifest", "owner", octets, string(u.manifest)},
		{"PUT", "/parts/1", "owner", octets, string(u.part(1))},
		{"GET", "/parts", "owner ticket", "", ""},
		{"POST", "/complete", "owner", js, `{"size":1000,"parts":1}`},
		{"GET", "", "owner access reader", "", ""},
		{"GET", "/manifest", "reader", "", ""},
		{"POST", "/downloads", "reader", js, digest},
		{"GET", "/parts/1", "ticket", "", ""},
		{"GET", "/content", "ticket", "", ""},
		{"PATCH", "", "owner", js, `{"lifetime":3600}`},
		{"DELETE", "/downloads/current", "ticket", "", ""},
		{"DELETE", "", "owner", "", ""},
	}
}

// TestWrongTokens: with anything but the right token a share answers to every call as one that never was.
func TestWrongTokens(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"))
	u, other, ticket := newUpload(1000), newUpload(1000), newToken()
	d.send(t, u, 0)
	d.send(t, other, 0)
	unknown := *u
	unknown.id = "AAAAAAAAAAAAAAAA"
	if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatalf("download: %v %v", a, err)
	}
	wrongReader := base64.RawURLEncoding.EncodeToString(append(bytes.Clone(u.access.raw), other.reader.raw...))
	wrongAccess := base64.RawURLEncoding.EncodeToString(append(bytes.Clone(other.access.raw), u.reader.raw...))
	tokens := map[string]string{"none": "", "random": newToken().text, "short": "AAAA", "not base64": "!!!", "other's owner": other.owner.text,
		"other's reader": other.readerText(), "owner": u.owner.text, "access": u.access.text, "reader": u.readerText(), "reader alone": u.reader.text,
		"ticket": ticket.text, "ticket's hash": ticket.hash.String(), "owner's hash": u.owner.hash.String(),
		"wrong reader": wrongReader, "wrong access": wrongAccess, "trailing": u.owner.text + "A", "two": u.owner.text + " " + u.owner.text}
	secret(wrongReader, wrongAccess)
	for _, c := range u.calls(ticket) {
		want, err := d.call(c.method, unknown.path(c.path), u.owner.text, []byte(c.body), c.contentType)
		if err != nil || want.code() != api.CodeNotFound {
			t.Fatalf("%s %s of an unknown share: %v %v", c.method, c.path, want, err)
		}
		for name, text := range tokens {
			right := strings.Contains(" "+c.right+" ", " "+name+" ")
			// The state needs the access token alone and does not look at what follows it.
			if right || c.path == "" && c.method == "GET" && name == "wrong reader" {
				continue
			}
			a, err := d.call(c.method, u.path(c.path), text, []byte(c.body), c.contentType)
			if err != nil || a.status != want.status || !bytes.Equal(a.body, want.body) {
				t.Errorf("%s %s with token %q: %v %v", c.method, c.path, name, a, err)
			}
		}
	}
	d.wantWhole(t, u, ticket) // nothing of this did anything
	if s := d.state(t, u); s.Taken == nil || *s.Taken != 1 {
		t.Errorf("taken: %v", s.Taken)
	}
}

// TestNothingToTell: neither the log at its most talkative nor the data folder has a token, and the log no id or query either.
func TestNothingToTell(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	u, ticket := newUpload(1000), newToken()
	d.send(t, u, 0)
	canary := "canary" + newToken().text[:12]
	secret(canary, u.readerText())
	for _, c := range u.calls(ticket) {
		for _, bearer := range []string{newToken().text, u.access.text, u.readerText(), ticket.text, u.owner.text} {
			if c.method == "DELETE" {
				continue
			}
			for _, query := range []string{"?q=" + canary, "?wait=0&seen=" + canary} {
				if _, err := d.call(c.method, u.path(c.path)+query, bearer, []byte(c.body), c.contentType); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, path := range []string{"/" + canary, "/d/" + u.id + "?" + canary, "/api/" + canary, "/api/v1/shares/" + canary, "/%2e%2e/" + canary} {
		if _, err := d.call("GET", path, canary, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.call("CANARY"+strings.ToUpper(canary), "/", "", nil, ""); err != nil {
		t.Fatal(err)
	}
	secret("CANARY" + strings.ToUpper(canary))
	d.askAndHangUp(t, u, ticket, 0) // errors of connections have their own ways into a log
	time.Sleep(50 * time.Millisecond)
	if text := d.text(); strings.Count(text, "\n") < 50 {
		t.Errorf("the log says too little for this test to mean anything:\n%s", text)
	}
	d.kill() // so that the database's log is there to look at
	var all []byte
	err := filepath.Walk(data, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(all, u.owner.hash[:]) {
		t.Error("the data folder is not where this test looks")
	}
	for name, k := range map[string]token{"owner": u.owner, "access": u.access, "reader": u.reader, "ticket": ticket} {
		for _, form := range []string{string(k.raw), k.text, hex.EncodeToString(k.raw)} {
			if bytes.Contains(all, []byte(form)) {
				t.Errorf("the data folder has the %s token", name)
			}
		}
	}
}
