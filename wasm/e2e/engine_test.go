package e2e

import (
	"io"
	"net/http"
	"testing"

	"github.com/sealpost/sealpost/static"
)

// maxEngine is what the engine may weigh on the wire.
const maxEngine = 1_500_000

// TestEngineIsLight: the engine goes out precompressed, at most once per build.
func TestEngineIsLight(t *testing.T) {
	s := newSite(t)
	site, err := static.Render(static.FS)
	must(t, err)
	get := func(encoding, etag string) (*http.Response, int64) {
		t.Helper()
		req, err := http.NewRequest("GET", s.url+"/b/"+site.Build+"/bin/engine.wasm", nil)
		must(t, err)
		req.Header.Set("Accept-Encoding", encoding)
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		must(t, err)
		return resp, n
	}

	br, n := get("gzip, deflate, br, zstd", "")
	if br.StatusCode != 200 || br.Header.Get("Content-Encoding") != "br" || br.Header.Get("Content-Type") != "application/wasm" {
		t.Fatalf("got %s with %v", br.Status, br.Header)
	}
	if n > maxEngine {
		t.Errorf("the engine has %d bytes with brotli, more than %d", n, maxEngine)
	}
	t.Logf("the engine has %d bytes with brotli", n)
	etag := br.Header.Get("ETag")
	if again, n := get("br", etag); etag == "" || again.StatusCode != 304 || n != 0 {
		t.Errorf("with ETag %q: got %s and %d bytes", etag, again.Status, n)
	}
	if raw, m := get("identity", etag); raw.StatusCode != 200 || raw.Header.Get("Content-Encoding") != "" || m <= n ||
		raw.Header.Get("ETag") == etag {
		t.Errorf("without compression: got %s, %d bytes, ETag %q", raw.Status, m, raw.Header.Get("ETag"))
	}
}
