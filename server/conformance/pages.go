package conformance

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

// testDocuments: the pages, in the language that there is, for whoever asks.
func testDocuments(c *check) {
	for _, document := range []struct{ path, mark string }{
		{"/", `data-page="upload"`},
		{"/?later=1", `data-page="upload"`},
		{"/d/AAAAAAAAAAAAAAAA", `data-page="download"`},
		{"/d/x", `data-page="download"`},
		{"/how", `data-page="how"`},
		{"/mine", `data-page="mine"`},
	} {
		a := c.want(c.do("GET", document.path, "", nil), http.StatusOK)
		if a.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(string(a.body), document.mark) {
			c.Errorf("%s: %v", a, a.header)
		}
		if got := a.header.Get("Cache-Control"); got != "no-cache" {
			c.Errorf("%s: Cache-Control is %q: a page must be asked for each time", document.path, got)
		}
		if a.header.Get("Content-Language") == "" || !strings.Contains(a.header.Get("Vary"), "Accept-Language") {
			c.Errorf("%s: the language is not told: %v", document.path, a.header)
		}
		if !strings.Contains(string(a.body), `data-build="`+c.config.Build+`"`) {
			c.Errorf("%s is not of the build %q", document.path, c.config.Build)
		}
		again := c.do("GET", document.path, "", nil, "If-None-Match", a.header.Get("ETag"))
		if again.status != http.StatusNotModified || len(again.body) != 0 {
			c.Errorf("asked whether it has changed: %s", again)
		}
		head := c.do("HEAD", document.path, "", nil)
		if head.status != http.StatusOK || len(head.body) != 0 || !sameHeader(head.header, a.header) {
			c.Errorf("%s\n%v\ndiffers from\n%v", head, head.header, a.header)
		}
	}
	for _, language := range []string{"xx", "xx;q=1, *;q=0.5", "en-GB", "nonsense;;q"} {
		a := c.want(c.do("GET", "/", "", nil, "Accept-Language", language), http.StatusOK)
		if a.header.Get("Content-Language") != "en" {
			c.Errorf("in %q: %v", language, a.header)
		}
	}
}

// address is what a page or a module names that it loads.
var address = regexp.MustCompile(`(?:src|href)="(/?b/[^"#?]+)"`)

// testAssets: all that the pages load is of their build, and may be kept for ever.
func testAssets(c *check) {
	assets := map[string]bool{}
	for _, document := range []string{"/", "/d/x", "/how", "/mine"} {
		for _, m := range address.FindAllStringSubmatch(string(c.do("GET", document, "", nil).body), -1) {
			assets["/"+strings.TrimPrefix(m[1], "/")] = true
		}
	}
	prefix := "/b/" + c.config.Build + "/"
	for _, name := range []string{"bin/wasm_exec.js", "bin/engine.wasm", "worker/sw.js"} {
		assets[prefix+name] = true
	}
	if len(assets) < 5 {
		c.Fatalf("the pages load only %v", assets)
	}
	types := map[string]string{".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm",
		".svg": "image/svg+xml", ".png": "image/png"}
	for name := range assets {
		a := c.want(c.do("GET", name, "", nil, "Accept-Encoding", "identity"), http.StatusOK)
		kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
		if want := types[path.Ext(name)]; want != "" && kind != want {
			c.Errorf("%s is %q", name, kind)
		}
		if !strings.HasPrefix(name, prefix) {
			c.Errorf("%s is not of the build %q", name, c.config.Build)
		}
		if got := a.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			c.Errorf("%s: Cache-Control is %q", name, got)
		}
		again := c.do("GET", name, "", nil, "Accept-Encoding", "identity", "If-None-Match", a.header.Get("ETag"))
		if again.status != http.StatusNotModified {
			c.Errorf("asked whether it has changed: %s", again)
		}
		c.wantCompressed(name, a.body)
	}
	sw := c.want(c.do("GET", prefix+"worker/sw.js", "", nil), http.StatusOK)
	if sw.header.Get("Service-Worker-Allowed") != "/" || !strings.Contains(sw.header.Get("Content-Security-Policy"), "'self'") {
		c.Errorf("the service worker: %v", sw.header)
	}
}

// wantCompressed checks that who takes gzip gets the same bytes.
func (c *check) wantCompressed(name string, want []byte) {
	c.Helper()
	a := c.want(c.do("GET", name, "", nil, "Accept-Encoding", "gzip"), http.StatusOK)
	switch coding := a.header.Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(a.body))
		if err == nil {
			a.body, err = io.ReadAll(r)
		}
		if err != nil || !strings.Contains(a.header.Get("Vary"), "Accept-Encoding") {
			c.Errorf("%s compressed: %v, %v", name, err, a.header)
		}
	default:
		c.Errorf("%s is encoded as %q", name, coding)
	}
	if !bytes.Equal(a.body, want) {
		c.Errorf("%s is not the same when it was compressed", name)
	}
}

// testNoPages: where there is no page there is nothing of use to anyone, and nothing of what was asked for. It is not to be kept, but
// for the folders of this build, in which there will never be more than there is.
func testNoPages(c *check) {
	build := c.config.Build
	for _, name := range []string{
		"/d/", "/d/a/b", "/how/", "/mine/", "/mine.html", "/how/x", "/how.html", "/index.html", "/en/index.html", "/.env", "/nothing<script>alert(1)</script>", "/..%2f..%2fetc/passwd",
		"/b/", "/b/" + build, "/b/" + build + "/", "/b/" + build + "/nothing.js", "/b/" + build + "/bin/.gitkeep",
		"/b/0000000000000000/js/upload.js",
	} {
		a := c.do("GET", name, "", nil)
		kept := strings.Contains(a.header.Get("Cache-Control"), "immutable") && path.Dir(name) != "/b/"+build+"/bin"
		if a.status != http.StatusNotFound || strings.Contains(string(a.body), "script") || a.header.Get("ETag") != "" || kept {
			c.Errorf("%s: %v", a, a.header)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		c.want(c.do(method, "/", "", nil), http.StatusMethodNotAllowed, http.StatusNotFound)
	}
}
