//go:build !js

package server_test

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

var calls = []struct{ method, path, who string }{
	{"PUT", "/manifest", "owner"},
	{"PUT", "/parts/1", "owner"},
	{"POST", "/complete", "owner"},
	{"PATCH", "", "owner"},
	{"DELETE", "", "owner"},
	{"GET", "", "access owner reader"},
	{"GET", "/manifest", "reader"},
	{"POST", "/downloads", "reader"},
	{"GET", "/parts", "owner ticket"},
	{"GET", "/parts/1", "ticket"},
	{"GET", "/content", "ticket"},
	{"DELETE", "/downloads/current", "ticket"},
}

// Every call with every token that does not open it is answered as if there were no share: same status, headers and bytes.
func TestRefusalsLookAlike(t *testing.T) {
	h := newHost(t)
	l := h.create(100)
	h.send(l, sealed(100))
	ticket := h.mustTake(l)
	_, stranger := newToken()
	access, _ := base64.RawURLEncoding.DecodeString(l.access)
	_, err := base64.RawURLEncoding.DecodeString(stranger)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"none": "", "stranger": stranger, "short": "AAAA", "long": stranger + stranger + stranger, "not base64": "!!!!",
		"padded": stranger + "=", "access twice": enc(append(bytes.Clone(access), access...)),
		"access": l.access, "owner": l.owner, "reader": l.bearer, "ticket": ticket,
	}
	reference := h.do("GET", "/api/v1/shares/AAAAAAAAAAAAAAAA", stranger, nil)
	h.want(reference, 404, api.CodeNotFound)
	same := func(what string, a answer) {
		t.Helper()
		a.header.Del("Date")
		reference.header.Del("Date")
		if a.status != 404 || !bytes.Equal(a.body, reference.body) || !reflect.DeepEqual(a.header, reference.header) {
			t.Errorf("%s: %d %s\n%v", what, a.status, a.body, a.header)
		}
	}
	for _, c := range calls {
		for kind, token := range tokens {
			if strings.Contains(c.who, kind) || kind == "access twice" && c.path == "" && c.method == "GET" {
				continue
			}
			same(c.method+" "+c.path+" with "+kind, h.do(c.method, l.path+c.path, token, nil))
		}
		for _, id := range []string{"AAAAAAAAAAAAAAAA", "A", "AAAAAAAAAAAAAAA!", l.id + "A", "%2e%2e", l.id[:15] + "%00"} {
			same(c.method+" "+c.path+" of "+id, h.do(c.method, "/api/v1/shares/"+id+c.path, l.owner, nil))
		}
	}
	h.want(h.do("GET", l.path, l.bearer, nil), 200, "")
	h.want(h.do("GET", l.path, l.access, nil, "Authorization", "bearer "+l.access), 200, "")
}

func TestPassword(t *testing.T) {
	h := newHost(t)
	l := h.create(100, func(c *api.CreateShare) { c.Password = true })
	h.send(l, sealed(100))
	access, _ := base64.RawURLEncoding.DecodeString(l.access)
	guess := enc(append(bytes.Clone(access), make([]byte, 32)...))
	_, stranger := newToken()
	for range 20 { // the right password costs no try, nor does a stranger
		h.want(h.do("GET", l.path+"/manifest", l.bearer, nil), 200, "")
		h.want(h.do("GET", l.path+"/manifest", stranger+stranger, nil), 404, api.CodeNotFound)
		h.want(h.do("GET", l.path, guess, nil), 200, "")
	}
	for left := int64(9); left >= 0; left-- {
		a := h.want(h.do("GET", l.path+"/manifest", guess, nil), 401, api.CodeWrongPassword)
		if p := a.problem(t); p.TriesLeft == nil || *p.TriesLeft != left || a.header.Get("WWW-Authenticate") == "" {
			t.Fatalf("tries left: %s", a.body)
		}
	}
	a := h.want(h.do("POST", l.path+"/downloads", guess, api.TakeDownload{}), 429, api.CodeTooManyTries)
	if p := a.problem(t); p.RetryAfter < 1 || p.RetryAfter > 60 || a.header.Get("Retry-After") == "" {
		t.Errorf("retry after: %s", a.body)
	}
	h.pass(60 * time.Second)
	h.want(h.do("GET", l.path+"/manifest", l.bearer, nil), 200, "")
	h.want(h.do("GET", l.path+"/manifest", guess, nil), 401, api.CodeWrongPassword)
	h.want(h.do("GET", l.path+"/manifest", guess, nil), 429, api.CodeTooManyTries)
}

// A class that opens a link all at once knows the password, and is not taken for someone who guesses.
func TestPasswordInParallel(t *testing.T) {
	h := newHost(t)
	l := h.create(100, func(c *api.CreateShare) { c.Password = true })
	h.send(l, sealed(100))
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			if a := h.do("GET", l.path+"/manifest", l.bearer, nil); a.status != 200 {
				t.Errorf("right password: %d %s", a.status, a.code())
			}
		})
	}
	wg.Wait()
}

// counting allows max events for each key.
type counting struct {
	mu   sync.Mutex
	max  int
	keys map[string]int
}

func (c *counting) Allow(key string) (bool, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[key]++
	return c.keys[key] <= c.max, 1500 * time.Millisecond
}

func TestLimits(t *testing.T) {
	creates, misses := &counting{max: 2, keys: map[string]int{}}, &counting{max: 3, keys: map[string]int{}}
	h := newHost(t, func(c *server.Config) { c.CreateLimiter, c.MissLimiter = creates, misses })
	l := h.create(10)
	h.create(10)
	in, _ := terms(10)
	a := h.want(h.do("POST", "/api/v1/shares", "", in), 429, api.CodeTooManyRequests)
	if a.header.Get("Retry-After") != "2" || a.problem(t).RetryAfter != 2 {
		t.Errorf("retry after %s", a.body)
	}
	for range 3 {
		h.want(h.do("GET", l.path, "", nil), 404, api.CodeNotFound)
	}
	h.want(h.do("GET", l.path, "", nil), 429, api.CodeTooManyRequests)
	for range 10 {
		h.want(h.do("GET", l.path, l.access, nil), 200, "")
	}
}

func TestClientAddress(t *testing.T) {
	seen := &counting{keys: map[string]int{}, max: 1 << 30}
	h := newHost(t, func(c *server.Config) {
		c.CreateLimiter = seen
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	for _, test := range []struct {
		peer, forwarded, want string
	}{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.9", "192.0.2.1"}, // not a proxy
		{"10.0.0.1:5", "198.51.100.9", "198.51.100.9"},
		{"10.0.0.1:5", "203.0.113.7, 198.51.100.9", "198.51.100.9"}, // the left one is the client's invention
		{"10.0.0.1:5", "198.51.100.9, 10.9.9.9", "198.51.100.9"},
		{"10.0.0.1:5", "10.3.3.3", "10.3.3.3"},
		{"10.0.0.1:5", "198.51.100.9, junk", "10.0.0.1"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:5", "198.51.100.9:4711", "198.51.100.9"},
		{"[fd00::1]:5", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:ffff::1]:5", "", "2001:db8:1:2::/64"},
		{"2001:db8:1:2::9", "", "2001:db8:1:2::/64"}, // without a port, as on Workers
	} {
		clear(seen.keys)
		r := httptest.NewRequest("POST", "/api/v1/shares", nil)
		r.RemoteAddr = test.peer
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		h.srv.ServeHTTP(httptest.NewRecorder(), r)
		if seen.keys[test.want] != 1 {
			t.Errorf("%s via %q: %v, want %s", test.peer, test.forwarded, seen.keys, test.want)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	h := newHost(t)
	for _, path := range []string{"/api", "/api/", "/api/v2/config", "/api/v1/shares/", "/api/v1/nothing", "/", "//api/v1/config"} {
		a := h.want(h.do("GET", path, "", nil), 404, api.CodeNotFound)
		if a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", path, a.header)
		}
	}
	for path, allow := range map[string]string{
		"/api/v1/config": "GET, HEAD",
		"/api/v1/shares": "POST", "/api/v1/shares/x": "DELETE, GET, HEAD, PATCH",
		"/api/v1/shares/x/parts/1": "GET, HEAD, PUT",
		"/healthz":                 "GET, HEAD",
	} {
		if a := h.want(h.do("OPTIONS", path, "", nil), 405, api.CodeMethodNotAllowed); a.header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q", path, a.header.Get("Allow"))
		}
	}
	for _, path := range []string{"/api/v1/config", "/healthz"} {
		get, head := h.do("GET", path, "", nil), h.do("HEAD", path, "", nil)
		get.header.Del("Date")
		head.header.Del("Date")
		if head.status != 200 || len(head.body) != 0 || !reflect.DeepEqual(get.header, head.header) {
			t.Errorf("HEAD %s: %v", path, head)
		}
		if get.header.Get("Cache-Control") != "no-store" || get.header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("headers of %s: %v", path, get.header)
		}
	}
	if a := h.do("GET", "/healthz", "", nil); a.status != 200 || string(a.body) != "ok\n" {
		t.Errorf("health: %v", a)
	}
}

func TestPanic(t *testing.T) {
	h := newHost(t, func(c *server.Config) {
		c.CreateLimiter = panicking{}
	})
	h.want(h.do("POST", "/api/v1/shares", "", nil), 500, api.CodeInternal)
}

type panicking struct{}

func (panicking) Allow(string) (bool, time.Duration) { panic("a defect") }
