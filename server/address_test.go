//go:build !js

package server_test

import (
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

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
