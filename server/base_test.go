//go:build !js

package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

// Below a base path everything is as at the root of a host, and beside it there is nothing.
func TestBasePath(t *testing.T) {
	pages, err := server.Pages(map[string][]byte{"en/index.html": []byte("index"), "en/download.html": []byte("download"),
		"b/x/worker/sw.js": []byte("sw")}, "/a/send")
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, func(c *server.Config) { c.BasePath, c.Pages = "/a/send", pages })
	in, l := terms(100)
	a := h.want(h.do("POST", "/a/send/api/v1/shares", "", in), 201, "")
	l.id = into[api.Share](t, a).ID
	l.path = "/a/send/api/v1/shares/" + l.id
	if got := a.header.Get("Location"); got != l.path {
		t.Errorf("the share is at %q", got)
	}
	content := sealed(100)
	h.send(l, content)
	if a := h.do("GET", l.path+"/content", h.mustTake(l), nil); string(a.body) != string(content) {
		t.Errorf("got %d", a.status)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.srv.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	for path, want := range map[string]string{"/a/send/": "index", "/a/send/d/x": "download", "/a/send/b/x/worker/sw.js": "sw", "/a/send/healthz": "ok\n"} {
		if w := get(path); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if scope := get("/a/send/b/x/worker/sw.js").Header().Get("Service-Worker-Allowed"); scope != "/a/send/" {
		t.Errorf("the service worker is for %q", scope)
	}
	for _, path := range []string{"/", "/d/x", "/healthz", "/a/sendx", "/a/sendx/", "/a/", "/b/x/worker/sw.js", "/api/v1/config", "/a/send/a/send/"} {
		if w := get(path); w.Code != http.StatusNotFound || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get("/a/send?x"); w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "/a/send/" {
		t.Errorf("without its slash: %d %s", w.Code, w.Header().Get("Location"))
	}
}
