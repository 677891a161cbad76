package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/internal/link"
)

// A reader is somebody who has a link and no browser.
type reader struct {
	s        *site
	id       string
	fragment string
	link     link.Link
	keys     *link.Keys
}

func (s *site) reader(t *testing.T, text, password string) reader {
	t.Helper()
	u, err := url.Parse(text)
	must(t, err)
	l, err := link.Parse(u.Fragment)
	must(t, err)
	keys, err := l.Unlock(password)
	must(t, err)
	return reader{s, path.Base(u.Path), u.Fragment, l, keys}
}

// call asks the server itself, not through the tap.
func (r reader) call(t *testing.T, method, below, token string, body any) (int, []byte) {
	t.Helper()
	var b io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		must(t, err)
		b = bytes.NewReader(j)
	}
	req, err := http.NewRequest(method, r.url(below), b)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := anyCertificate.Do(req)
	must(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, answer
}

// anyCertificate is a client that takes a server's own.
var anyCertificate = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

func (r reader) url(below string) string {
	return r.s.scheme + "://" + r.s.addr + "/api/v1/shares/" + r.id + below
}

// share is the state of the share; ok is false when it is gone.
func (r reader) share(t *testing.T) (share api.Share, ok bool) {
	t.Helper()
	status, body := r.call(t, "GET", "", r.link.Access().String(), nil)
	if status == http.StatusNotFound {
		return share, false
	}
	if status != http.StatusOK {
		t.Fatalf("share: %d %s", status, body)
	}
	must(t, json.Unmarshal(body, &share))
	return share, true
}

// take takes a download and returns its ticket.
func (r reader) take(t *testing.T) string {
	t.Helper()
	ticket := link.NewToken()
	if status, body := r.call(t, "POST", "/downloads", r.keys.Bearer(), map[string]string{"ticket": ticket.Hash()}); status != http.StatusOK {
		t.Fatalf("download: %d %s", status, body)
	}
	return ticket.String()
}

// content fetches the sealed content with curl, in two pieces, into a file.
func (r reader) content(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "content.age")
	ticket := r.take(t)
	config := filepath.Join(t.TempDir(), "curl") // where other users of the machine do not see the ticket
	must(t, os.WriteFile(config, []byte(`header = "Authorization: Bearer `+ticket+`"`), 0o600))
	command(t, nil, "curl", "--silent", "--show-error", "--fail", "--config", config, "--range", "0-4999", "--output", file, r.url("/content"))
	command(t, nil, "curl", "--silent", "--show-error", "--fail", "--config", config, "--continue-at", "-", "--output", file, r.url("/content"))
	return file
}

// identity asks the command-line program for the age identity and returns the path of a file that holds it.
func (r reader) identity(t *testing.T, password string) string {
	t.Helper()
	key := command(t, nil, "env", "SEALPOST_PASSWORD="+password, filepath.Join(programs, "sealpost"), "key", "https://sealpost.example/d/"+r.id+"#"+r.fragment)
	if strings.TrimSpace(string(key)) != r.keys.Identity {
		t.Fatalf("sealpost key printed something else than the identity")
	}
	file := filepath.Join(t.TempDir(), "key.txt")
	must(t, os.WriteFile(file, key, 0o600))
	return file
}
