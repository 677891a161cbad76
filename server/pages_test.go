//go:build !js

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

// newPages returns a host that serves files, and a function that gets an address from it.
func newPages(t *testing.T, files map[string]string) (*host, func(path string, header ...string) answer) {
	site := map[string][]byte{}
	for name, data := range files {
		site[name] = []byte(data)
	}
	pages, err := server.Pages(site, "")
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, func(c *server.Config) { c.Pages = pages })
	return h, func(path string, header ...string) answer {
		return h.do("GET", path, "", nil, append([]string{"Accept-Encoding", "identity"}, header...)...)
	}
}

func TestPages(t *testing.T) {
	h, get := newPages(t, map[string]string{
		"en/index.html": "upload", "en/download.html": "download", "en/how.html": "how", "en/mine.html": "mine", "b/1/worker/sw.js": "worker", "b/1/bin/engine.wasm": "engine",
		"b/1/bin/engine.wasm.br": "br", "b/1/bin/engine.wasm.gz": "gz", "b/1/bin/.gitkeep": "", ".env": "x", "b/1/worker/engine.d.ts": "x", "b/1/worker/upload.js": "worker",
	})
	const forever = "public, max-age=31536000, immutable"
	for path, want := range map[string][3]string{
		"/": {"upload", "text/html; charset=utf-8", "no-cache"}, "/d/abc": {"download", "text/html; charset=utf-8", "no-cache"},
		"/how":                 {"how", "text/html; charset=utf-8", "no-cache"},
		"/mine":                {"mine", "text/html; charset=utf-8", "no-cache"},
		"/b/1/worker/sw.js":    {"worker", "text/javascript; charset=utf-8", forever},
		"/b/1/bin/engine.wasm": {"engine", "application/wasm", forever}, "/b/1/worker/upload.js": {"worker", "text/javascript; charset=utf-8", forever},
	} {
		a := get(path)
		policy := "trusted-types" // binds documents and workers; nothing else is to be rendered at all
		if path == "/b/1/bin/engine.wasm" {
			policy = "sandbox; default-src 'none'"
		}
		if a.status != 200 || string(a.body) != want[0] || a.header.Get("Content-Type") != want[1] ||
			a.header.Get("Cache-Control") != want[2] || !strings.Contains(a.header.Get("Content-Security-Policy"), policy) {
			t.Errorf("%s: %d %q %v", path, a.status, a.body, a.header)
		}
		if again := get(path, "If-None-Match", "W/"+a.header.Get("ETag")); again.status != http.StatusNotModified || len(again.body) != 0 {
			t.Errorf("%s: %d instead of 304", path, again.status)
		}
	}
	if get("/b/1/worker/sw.js").header.Get("Service-Worker-Allowed") != "/" {
		t.Error("service worker has no scope")
	}
	for _, path := range []string{"/d/", "/d/a/b", "/how/", "/how.html", "/mine/", "/mine.html", "/en/mine", "/b/1/bin", "/b/1/bin/", "/b/1/bin/.gitkeep", "/b/2/bin/engine.wasm", "/bin/engine.wasm",
		"/en/index.html", "/.env", "/b/1/worker/engine.d.ts", "/../x", "/nothing<script>"} {
		if a := get(path); a.status != 404 || string(a.body) != "Not Found\n" || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %q %v", path, a.status, a.body, a.header)
		}
	}
	if a := h.do("POST", "/", "", nil); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
	h.want(h.do("GET", "/api/x", "", nil), 404, api.CodeNotFound)
	if _, err := server.Pages(map[string][]byte{"index.html": []byte("x")}, ""); err == nil {
		t.Error("a site without a language is served")
	}
}

// A server of the API alone has nothing else, but tells whoever watches over it that it is there.
func TestNoPages(t *testing.T) {
	h := newHost(t)
	for _, path := range []string{"/", "/d/x", "/api", "//api/v1/config"} {
		if a := h.want(h.do("GET", path, "", nil), 404, api.CodeNotFound); a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", path, a.header)
		}
	}
	if a := h.do("GET", "/healthz", "", nil); a.status != 200 || string(a.body) != "ok\n" {
		t.Errorf("health: %v", a)
	}
	h.want(h.do("POST", "/healthz", "", nil), 405, api.CodeMethodNotAllowed)
}

func TestEncodings(t *testing.T) {
	_, get := newPages(t, map[string]string{"en/index.html": "page", "en/index.html.br": "page.br", "x.wasm": "engine", "x.wasm.br": "br", "x.wasm.gz": "gz"})
	etags := map[string]bool{}
	for accept, want := range map[string]string{
		"br, gzip": "br", "gzip, br": "br", "gzip": "gz", "gzip;q=0, br;q=0": "engine", "br; q=0, gzip; q=0.5": "gz", "zstd": "engine",
		"BR": "br", "br;q=x": "engine",
	} {
		a := get("/x.wasm", "Accept-Encoding", accept)
		if string(a.body) != want || a.header.Get("Vary") != "Accept-Encoding" || a.header.Get("Content-Type") != "application/wasm" {
			t.Errorf("%s: %q %v", accept, a.body, a.header)
		}
		etags[a.header.Get("ETag")] = true
	}
	if len(etags) != 3 {
		t.Errorf("%d ETags for 3 forms", len(etags))
	}
	if a := get("/", "Accept-Encoding", "br"); string(a.body) != "page.br" ||
		strings.Join(a.header.Values("Vary"), ", ") != "Accept-Language, Accept-Encoding" {
		t.Errorf("page: %q %v", a.body, a.header)
	}
}

func TestLanguages(t *testing.T) {
	_, get := newPages(t, map[string]string{
		"de/index.html": "de", "en/index.html": "en", "pt-BR/index.html": "pt-BR", "he/index.html": "he", "he/download.html": "he download",
	})
	for accept, want := range map[string]string{
		"": "en", "*": "en", "fr": "en", "de": "de", "DE-at": "de", "fr, he;q=0.9, de;q=0.8": "he", "pt": "pt-BR", "pt-PT;q=0.3": "pt-BR",
		"de;q=0, he;q=0.1": "he", "en;q=0.5,de;q=0.5": "en", "de;q=nonsense": "en", "en-GB,en;q=0.9,de;q=0.8": "en", "d": "en", "-": "en", ",;,": "en",
	} {
		a := get("/", "Accept-Language", accept)
		if string(a.body) != want || a.header.Get("Content-Language") != want || a.header.Get("Vary") != "Accept-Language" {
			t.Errorf("%q: %q %v", accept, a.body, a.header)
		}
	}
	if a := get("/d/abc", "Accept-Language", "he"); string(a.body) != "he download" {
		t.Errorf("download: %q", a.body)
	}
}
