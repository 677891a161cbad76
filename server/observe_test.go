//go:build !js

package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

// recorder writes down what an Observer is told.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Answered(a server.Answer) {
	damaged := map[bool]string{true: " damaged"}[a.Damaged]
	r.add("%s %s %d %s cut=%t%s", a.Method, a.Route, a.Status, a.Problem, a.Cut, damaged)
	if a.Took < 0 || a.Took > time.Minute {
		r.add("took %v", a.Took)
	}
}

func (r *recorder) Swept(what string, removed int, err error) {
	r.add("swept %s %d %t", what, removed, err == nil)
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// take returns what was told since the last time. The answer reaches the client before the observer hears of it.
func (r *recorder) take(n int) string {
	for range 1000 {
		r.mu.Lock()
		if len(r.lines) >= n {
			break
		}
		r.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return strings.Join(lines, "\n")
}

func TestObserver(t *testing.T) {
	seen := &recorder{}
	pages, err := server.Pages(map[string][]byte{"en/index.html": []byte("<p>"), "en/download.html": []byte("<p>")}, "")
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, func(c *server.Config) {
		c.Observer, c.Pages = seen, pages
		c.MissLimiter = &counting{max: 2, keys: map[string]int{}}
	})
	want := func(lines ...string) {
		t.Helper()
		if got := seen.take(len(lines)); got != strings.Join(lines, "\n") {
			t.Errorf("told\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
		}
	}
	content := sealed(100)
	l := h.create(100)
	want("POST /api/v1/shares 201  cut=false")
	h.put(l, "parts/1", make([]byte, 100))
	want("PUT /api/v1/shares/{id}/parts/{n} 422 not-sealed cut=false")
	h.send(l, content)
	want("PUT /api/v1/shares/{id}/manifest 204  cut=false", "PUT /api/v1/shares/{id}/parts/{n} 204  cut=false",
		"POST /api/v1/shares/{id}/complete 200  cut=false")
	for _, path := range []string{"/", "/d/" + l.id, "/" + l.id, "/api/" + l.id} {
		h.do("GET", path, l.access, nil)
	}
	want("GET page 200  cut=false", "GET page 200  cut=false", "GET asset 404  cut=false", "GET /api 404 not-found cut=false")
	h.do("CANARY", "/healthz", "", nil)
	h.do("HEAD", "/healthz", "", nil)
	want("other /healthz 405 method-not-allowed cut=false", "HEAD /healthz 200  cut=false")
	for range 3 {
		h.do("GET", l.path, "", nil)
	}
	want("GET /api/v1/shares/{id} 404 not-found cut=false", "GET /api/v1/shares/{id} 404 not-found cut=false",
		"GET /api/v1/shares/{id} 429 too-many-requests cut=false")

	ticket := h.mustTake(l)
	h.meta.Remove(t.Context(), l.id, h.clock().Unix()) // its bytes are there until a sweep, but nobody gets them
	h.do("GET", l.path+"/content", ticket, nil)
	want("POST /api/v1/shares/{id}/downloads 200  cut=false", "GET /api/v1/shares/{id}/content 429 too-many-requests cut=false")
	h.sweep()
	want("swept shares 1 true", "swept reservations 0 true", "swept reports 0 true", "swept charges 0 true")
	if err := h.srv.SweepOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("swept orphans 0 true")
}

func TestRequestNames(t *testing.T) {
	n := 0
	h := newHost(t, func(c *server.Config) {
		c.RequestID = func() string { n++; return fmt.Sprintf("OWN%d", n) }
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	name := func(path, given string) string {
		t.Helper()
		return strings.Join(h.do("GET", path, "", nil, "X-Request-Id", given).header.Values("X-Request-Id"), ", ")
	}
	uuid := "0b51d4a3-9a5f-4b0e-8d4e-2f1f6f7f9d10"
	for _, given := range []string{uuid, strings.Repeat("0aF", 6), strings.Repeat("f", 64)} {
		if got := name("/api/v1/config", given); got != given {
			t.Errorf("%s became %s", given, got)
		}
	}
	l := h.create(10)
	for _, given := range []string{"", strings.Repeat("f", 15), strings.Repeat("f", 65), l.id, l.owner, uuid + " ", uuid + "\tx", "ООО" + uuid} {
		if got := name("/api/v1/config", given); !strings.HasPrefix(got, "OWN") && got != strings.TrimSpace(given) {
			t.Errorf("%q became %q", given, got)
		}
	}
	name(l.path, uuid)
	if line := "request=" + uuid + " method=GET route=/api/v1/shares/{id} status=404"; !strings.Contains(h.log.String(), line) {
		t.Errorf("the log does not have %q:\n%s", line, h.log.String())
	}
	if strings.Contains(h.log.String(), l.id) || strings.Contains(h.log.String(), l.owner) {
		t.Errorf("log:\n%s", h.log.String())
	}

	far := newHost(t, func(c *server.Config) { c.RequestID = func() string { return "OWN" } })
	if a := far.do("GET", "/api/v1/config", "", nil, "X-Request-Id", uuid); a.header.Get("X-Request-Id") != "OWN" {
		t.Errorf("a stranger named a request %q", a.header.Get("X-Request-Id"))
	}
	none := newHost(t)
	if a := none.do("GET", "/api/v1/config", "", nil, "X-Request-Id", uuid); a.header.Get("X-Request-Id") != "" {
		t.Error("a name that nobody asked for")
	}
}

func TestNetworks(t *testing.T) {
	h := newHost(t, func(c *server.Config) {
		c.LogNetworks = true
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for addr, want := range map[string]string{
		"198.51.100.77": "198.51.100.0/24", "2001:db8:1:2:3::4": "2001:db8:1::/48", "::ffff:203.0.113.9": "203.0.113.0/24"} {
		h.do("GET", "/api/v1/config", "", nil, "X-Forwarded-For", addr)
		if out := h.log.String(); !strings.Contains(out, "network="+want) || strings.Contains(out, addr) {
			t.Errorf("%s: the log has no %s, or more:\n%s", addr, want, out)
		}
	}
	plain := newHost(t)
	plain.do("GET", "/api/v1/config", "", nil)
	if out := plain.log.String(); strings.Contains(out, "network") || strings.Contains(out, "127.0.0") {
		t.Errorf("log:\n%s", out)
	}
}

// While an instance closes it takes no new shares, and whoever spreads requests is told; the rest goes on.
func TestClosing(t *testing.T) {
	closing, trouble := false, error(nil)
	h := newHost(t, func(c *server.Config) {
		c.Closing = func() bool { return closing }
		c.Ready = func(context.Context) error { return trouble }
	})
	content := sealed(100)
	l := h.create(100)
	if a := h.do("GET", "/readyz", "", nil); a.status != 200 || string(a.body) != "ok\n" {
		t.Errorf("ready: %d %q", a.status, a.body)
	}
	closing, trouble = true, errors.New("canary")
	if a := h.want(h.do("GET", "/readyz", "", nil), 503, api.CodeUnavailable); strings.Contains(string(a.body), "canary") {
		t.Errorf("said %s", a.body)
	}
	in, _ := terms(10)
	if a := h.want(h.do("POST", "/api/v1/shares", "", in), 503, api.CodeUnavailable); a.header.Get("Retry-After") != "5" {
		t.Errorf("retry after %q", a.header.Get("Retry-After"))
	}
	h.send(l, content)
	ticket := h.mustTake(l)
	if a := h.do("GET", l.path+"/content", ticket, nil); a.status != http.StatusOK {
		t.Errorf("content: %d", a.status)
	}
	h.want(h.do("GET", "/healthz", "", nil), 200, "")
}
