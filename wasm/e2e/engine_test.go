package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/sealpost/sealpost/static"
)

// What may go over the wire, in bytes.
const (
	maxEngine     = 1_500_000
	maxFirstPaint = 60_000 // for all that a page needs before the engine, with every header
)

// TestEngineIsLight: the engine goes out precompressed, at most once per build.
func TestEngineIsLight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	site, err := static.Render(static.FS, "")
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

// TestFirstPaintIsLight: a page and all that its HTML asks for arrive in a few packets.
func TestFirstPaintIsLight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/", "/d/AAAAAAAAAAAAAAAA", "/mine"} {
		var wire atomic.Int64
		client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			return countedConn{c, &wire}, err
		}}}
		get := func(path string) string {
			t.Helper()
			req, err := http.NewRequest("GET", "http://"+s.addr+path, nil)
			must(t, err)
			req.Header.Set("Accept-Encoding", "gzip, deflate, br")
			resp, err := client.Do(req)
			must(t, err)
			defer resp.Body.Close()
			if resp.StatusCode != 200 || resp.Header.Get("Content-Encoding") != "br" {
				t.Fatalf("%s: %s with %v", path, resp.Status, resp.Header)
			}
			body, err := io.ReadAll(brotli.NewReader(resp.Body))
			must(t, err)
			return string(body)
		}
		// Whatever a module imports has a link of its own, which the tests of package static see to.
		// The touch icon is for who puts the page on a home screen; nothing else loads it.
		html := regexp.MustCompile(`<link rel="apple-touch-icon"[^>]*>`).ReplaceAllString(get(path), "")
		assets := regexp.MustCompile(`(?:src|href)="(/b/[^"]+)"`).FindAllStringSubmatch(html, -1)
		for _, asset := range assets {
			get(asset[1])
		}
		if len(assets) < 10 || wire.Load() > maxFirstPaint {
			t.Errorf("%s takes %d bytes for %d assets, more than %d", path, wire.Load(), len(assets), maxFirstPaint)
		}
		t.Logf("%s takes %d bytes for %d assets", path, wire.Load(), len(assets))
	}
}

// countedConn counts what arrives.
type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}
