package main_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance"
)

// calls are all calls about a share.
func (u *upload) calls(ticket token) []struct{ method, path, contentType, body string } {
	digest := `{"ticket":"` + ticket.hash.String() + `"}`
	const octets, js = "application/octet-stream", "application/json"
	return []struct{ method, path, contentType, body string }{
		{"PUT", "/manifest", octets, string(u.manifest)},
		{"PUT", "/parts/1", octets, string(u.part(1))},
		{"GET", "/parts", "", ""},
		{"POST", "/complete", js, `{"size":1000,"parts":1}`},
		{"GET", "", "", ""},
		{"GET", "/manifest", "", ""},
		{"POST", "/downloads", js, digest},
		{"GET", "/parts/1", "", ""},
		{"GET", "/content", "", ""},
		{"POST", "/reports", octets, string(u.manifest)},
		{"PATCH", "", js, `{"lifetime":3600}`},
		{"DELETE", "/downloads/current", "", ""},
		{"DELETE", "", "", ""},
	}
}

// TestNothingToTell: neither the log at its most talkative nor the data folder has a token, and the log no id or query either.
func TestNothingToTell(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data, "-report-recipient", conformance.Recipient)
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
