package main_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// TestTraversal: no id, part number or page leads to a file, whoever asks, and none is made.
func TestTraversal(t *testing.T) {
	dir := t.TempDir()
	const canary = "canary, beside what may be served"
	data := filepath.Join(dir, "data")
	d := start(t, data)
	for _, name := range []string{filepath.Join(dir, "canary"), filepath.Join(data, "canary"), filepath.Join(data, "blobs", "canary")} {
		if err := os.WriteFile(name, []byte(canary), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u, ticket := newUpload(1000), newToken()
	d.send(t, u, 0)
	if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatal(a, err)
	}
	before := files(t, dir)
	for _, path := range traversals(u.id) {
		for _, bearer := range []string{u.owner.text, u.readerText(), ticket.text} {
			for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "POST"} {
				head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
					"Content-Digest: sha-256=:K6fBKrOX4S4I8jIghgrL9PUdyHlHAsTZjtTmLOxwOzM=:\r\nContent-Length: 4\r\nConnection: close\r\n\r\n{\"\"}",
					method, path, bearer)
				answers := d.raw(t, head)
				if len(answers) != 1 {
					t.Fatalf("%s %s: %d answers", method, path, len(answers))
				}
				switch a := answers[0]; {
				case a.status != http.StatusNotFound && a.status != http.StatusBadRequest && a.status != http.StatusMethodNotAllowed:
					t.Errorf("%s %s: %s", method, path, a)
				case bytes.Contains(a.body, []byte(canary)), bytes.Contains(a.body, []byte("root:")), a.header.Get("Location") != "":
					t.Errorf("%s %s leads somewhere: %s", method, path, a)
				}
			}
		}
	}
	if after := files(t, dir); !slices.Equal(before, after) {
		t.Errorf("there were\n%q\nand now there are\n%q", before, after)
	}
	d.wantWhole(t, u, ticket)
}

// traversals are paths that lead to a file, or past a check, where somebody decodes, cleans or joins what they should not.
func traversals(id string) (all []string) {
	ups := []string{"..", "../canary", "../../canary", "..%2fcanary", "..%2f..%2fcanary", "%2e%2e/canary", "%2e%2e%2fcanary", "..%5ccanary", "..\\canary",
		"..%252fcanary", "..;/canary", "....//canary", "%c0%ae%c0%ae/canary", "..%c0%afcanary", "%00", "..%00/canary", ".", "./canary",
		"/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd", "C:%5cWindows", "~root", "canary%00", "..%0d%0acanary",
		"../../../../../../../../etc/passwd", "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"}
	for _, up := range ups {
		all = append(all,
			"/"+up, "/d/"+up+"/x", "/b/"+up, "/b/x/"+up, "/static/"+up, "/en/"+up,
			"/api/v1/shares/"+up, "/api/v1/shares/"+up+"/manifest", "/api/v1/shares/"+id[:2]+"%2f"+id+"/"+up,
			"/api/v1/shares/"+id+"/"+up, "/api/v1/shares/"+id+"/parts/"+up, "/api/v1/shares/"+id+"/parts/1/"+up,
			"/api/v1/shares/"+up+id+"/manifest", "/api/v1/shares/"+id+up+"/manifest")
	}
	for _, n := range []string{"0", "01", "+1", "-1", "1.0", "1e0", "0x1", "1%20", "%201", "1%00", "%ef%bc%91", "4097", "9223372036854775808",
		"18446744073709551617", strings.Repeat("0", 1000) + "1", "1%2f..%2f1", "1;n=1", "1%0a", "*", "{n}"} {
		all = append(all, "/api/v1/shares/"+id+"/parts/"+n)
	}
	return all
}

// files lists all below a folder but what a database makes beside itself.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !strings.Contains(e.Name(), "meta.db") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestWrongTokens: ten thousand wrong tokens, from the same address and as the server is configured by default, keep nobody who has the
// right one from anything, and find nothing.
func TestWrongTokens(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-miss-rate", "300")
	u, locked := newUpload(3*smallPart+1), newUpload(100)
	d.send(t, u, 0)
	d.send(t, locked, 0)
	var misses, limited, holders atomic.Int64
	var strangers sync.WaitGroup
	const lanes, each, batch = 20, 500, 100
	rests := []struct{ method, rest string }{{"GET", ""}, {"GET", "/manifest"}, {"GET", "/parts"}, {"GET", "/parts/1"}, {"GET", "/content"},
		{"PUT", "/parts/1"}, {"DELETE", ""}, {"DELETE", "/downloads/current"}, {"POST", "/downloads"}, {"POST", "/complete"}, {"PATCH", ""}}
	done := make(chan struct{})
	began := time.Now()
	for lane := range lanes {
		strangers.Go(func() {
			for range long(1, 10) * each / batch {
				var text strings.Builder
				for i := range batch {
					wrong := make([]byte, api.TokenSize*(1+i%2))
					rand.Read(wrong)
					call := rests[(lane+i)%len(rests)]
					fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", call.method, u.path(call.rest),
						base64.RawURLEncoding.EncodeToString(wrong))
				}
				answers := d.raw(t, text.String()+last)
				if len(answers) != batch+1 {
					t.Errorf("%d answers to %d requests", len(answers), batch+1)
					return
				}
				for _, a := range answers[:batch] {
					switch {
					case a.status == http.StatusNotFound && a.code() == api.CodeNotFound:
						misses.Add(1)
					case a.status == http.StatusTooManyRequests && a.code() == api.CodeTooManyRequests && a.header.Get("Retry-After") != "":
						limited.Add(1)
					default:
						t.Errorf("a wrong token: %v", a)
					}
				}
			}
		})
	}
	go func() {
		strangers.Wait()
		close(done)
	}()
	var slowest time.Duration
	for attacked := true; attacked; holders.Add(1) {
		select {
		case <-done:
			attacked = false // once more, when all of it is over
		default:
		}
		began := time.Now()
		d.wantWhole(t, u, newToken())
		d.state(t, u)
		slowest = max(slowest, time.Since(began))
		other := newUpload(100)
		d.send(t, other, 1)
		if t.Failed() {
			break
		}
	}
	strangers.Wait()
	t.Logf("%d misses and %d too many in %v; meanwhile %d holders, the slowest in %v", misses.Load(), limited.Load(), time.Since(began),
		holders.Load(), slowest)
	if n := misses.Load(); n < 300 || n > 300+10*int64(time.Since(began)/time.Second+1) {
		t.Errorf("%d strangers were told that there is nothing; of 300 in a minute", n)
	}
	if holders.Load() < 2 {
		t.Error("no holder asked while there were strangers")
	}
	if s := d.state(t, u); s.State != api.StateReady || *s.Taken != holders.Load() {
		t.Errorf("after all, the share is %+v", s)
	}
}

// TestOversized: whatever is longer than anyone needs is refused, or taken for what it is, and costs the server nothing.
func TestOversized(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-trusted-proxies", "127.0.0.1")
	u, ticket := newUpload(1000), newToken()
	d.send(t, u, 0)
	if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatal(a, err)
	}
	many := func(text string, bytes int) string { return strings.Repeat(text, bytes/len(text)) }
	get := func(path string, lines ...string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + ticket.text + "\r\n" + strings.Join(append(lines, "", ""), "\r\n")
	}
	post := func(path, bearer, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, bearer, len(body), body)
	}
	const most = 14 << 10 // of the 16 KiB that a head may have
	content := u.path("/content")
	for _, test := range []struct{ name, text, want string }{
		{"path", get("/" + many("a", most)), "404 last"},
		{"path of slashes", get(many("/", most)), "404 last"},
		{"path of dots", get(many("/..", most)), "404 last"},
		{"path of escapes", get(many("/%2e%2e", most)), "404 last"},
		{"path of an API", get("/api/v1/shares/" + many("A", most)), "404 last"},
		{"number of a part", get(u.path("/parts/" + many("1", most))), "404 last"},
		{"download page", get("/d/" + many("a", most)), "200 last"},
		{"query", get(u.path("/parts?wait=0&seen=0&" + many("a&", most))), "200 last"},
		{"wait", get(u.path("/parts?seen=0&wait=" + many("9", most))), "400 last"},
		{"same wait many times", get(u.path("/parts?" + many("wait=0&seen=0&", most))), "200 last"},
		{"path that no head has room for", get("/" + many("a", 100_000)), "431"},
		{"header that no head has room for", get("/", "X: "+many("a", 100_000)), "431"},
		{"headers that no head has room for", get("/", many("X: a\r\n", 100_000)+"X: a"), "431"},
		{"name of a header", get(content, many("X", most)+": x"), "200 last"},
		{"many headers", get(content, many("X: a\r\n", most)+"X: a"), "200 last"},
		{"method", many("A", most) + " / HTTP/1.1\r\nHost: x\r\n\r\n", "405 last"},
		{"version", "GET / HTTP/" + many("1", most) + "\r\nHost: x\r\n\r\n", "400"},
		{"host", "GET /healthz HTTP/1.1\r\nHost: " + many("x", most) + "\r\n\r\n", "200 last"},
		{"token", "GET " + content + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + many("A", most) + "\r\n\r\n", "404 last"},
		{"languages", get("/", "Accept-Language: "+many("a-b;q=0.1,", most)), "200 last"},
		{"one language", get("/", "Accept-Language: "+many("a-", most)), "200 last"},
		{"encodings", get("/", "Accept-Encoding: "+many("a;q=0.1,", most)), "200 last"},
		{"tags", get("/", "If-None-Match: "+many(`"a",`, most)), "200 last"},
		{"hops", get(u.path("/manifest"), "X-Forwarded-For: "+many("127.0.0.1,", most)), "404 last"},
		{"length", get("/healthz", "Content-Length: "+many("9", most)), "400"},

		{"ranges", get(content, "Range: bytes="+many("0-0,", most)+"1-1"), "200 last"},
		{"ranges that overlap", get(content, "Range: bytes="+many("0-,", most)+"0-"), "200 last"},
		{"many headers of ranges", get(content, many("Range: bytes=0-0\r\n", most)+"X: x"), "206 last"},
		{"first of a range", get(content, "Range: bytes="+many("9", most)+"-"), "416 last"},
		{"last of a range", get(content, "Range: bytes=0-"+many("9", most)), "206 last"},
		{"end of a range", get(content, "Range: bytes=-"+many("9", most)), "206 last"},
		{"condition of a range", get(content, "Range: bytes=0-0", "If-Range: "+many("a", most)), "200 last"},

		{"JSON", post("/api/v1/shares", "", many(" ", api.MaxJSONBody+1)), "413 last"},
		{"JSON of a megabyte", post("/api/v1/shares", "", many(" ", 1<<20)), "413"},
		{"JSON in depth", post("/api/v1/shares", "", many("[", 10_001)), "400 last"},
		{"JSON in whole depth", post("/api/v1/shares", "", many("[", 10_001)+many("]", 10_001)), "400 last"},
		{"an unknown member in depth", post("/api/v1/shares", "", `{"x":`+many(`{"x":`, 50_000)+"1"+many("}", 10_000)+"}"), "400 last"},
		{"many members", post("/api/v1/shares", "", "{"+many(`"size":1,`, 60_000)+`"size":1}`), "400 last"},
		{"a number", post("/api/v1/shares", "", `{"size":`+many("9", 60_000)+"}"), "400 last"},
		{"an exponent", post("/api/v1/shares", "", `{"size":1e999999999}`), "400 last"},
		{"a string", post("/api/v1/shares", "", `{"owner":"`+many("A", 60_000)+`"}`), "400 last"},
		{"escapes", post("/api/v1/shares", "", `{"owner":"`+many(`\u0000`, 60_000)+`"}`), "400 last"},
	} {
		if got := statuses(d.raw(t, test.text+last)); got != test.want {
			t.Errorf("%s: answered %q, want %q", test.name, got, test.want)
		}
	}
	open := newUpload(1000)
	if err := d.create(open, 0); err != nil {
		t.Fatal(err)
	}
	for name, digest := range map[string]string{
		"digest":         "sha-256=:" + many("A", most) + ":",
		"unknown digest": many("a", most) + "=:AAAA:",
		"many digests":   many("md5=:AAAA:,", most) + "sha-256=:AAAA:",
		"same digests":   many("sha-256=:AAAA:,", most),
	} {
		head := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Digest: %s\r\nContent-Length: %d\r\n\r\n%s",
			open.path("/parts/1"), open.owner.text, digest, len(open.content), open.content)
		if got := statuses(d.raw(t, head+last)); got != "400 last" {
			t.Errorf("%s: answered %q", name, got)
		}
	}
	d.wantWhole(t, u, ticket)
}
