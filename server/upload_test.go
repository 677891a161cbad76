//go:build !js

package server_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

func TestConfig(t *testing.T) {
	h := newHost(t)
	c := into[api.Config](t, h.want(h.do("GET", "/api/v1/config", "", nil), 200, ""))
	if c.Build != "test" || c.DefaultLifetime != 86400 ||
		c.MaxLifetime != 30*86400 || c.MaxDownloads != 100 || len(c.Lifetimes) != 7 {
		t.Errorf("unexpected: %+v", c)
	}
	for name, f := range map[string]func(*server.Config){
		"stores":   func(c *server.Config) { c.Blobs = nil },
		"log":      func(c *server.Config) { c.Log = nil },
		"budget":   func(c *server.Config) { c.Budget.Refill = -1 },
		"clock":    func(c *server.Config) { c.Now = nil },
		"unsorted": func(c *server.Config) { c.Lifetimes = []time.Duration{time.Hour, time.Minute} },
		"default":  func(c *server.Config) { c.DefaultLifetime = time.Second },
		"fraction": func(c *server.Config) { c.Lifetimes = []time.Duration{1500 * time.Millisecond} },
		"part":     func(c *server.Config) { c.PartSize = api.MaxPartSize + 1 },
		"share":    func(c *server.Config) { c.MaxShareSize = api.MaxParts*api.MaxPartSize + 1 },
	} {
		c := server.Config{Blobs: h.blobs, Meta: h.meta, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		if _, err := server.New(c); err != nil {
			t.Fatal(err)
		}
		f(&c)
		if _, err := server.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Of those who send different bytes for one part at once, one wins, and nothing is kept of the others'.
func TestRacingPuts(t *testing.T) {
	h := newHost(t)
	for range 5 {
		l := h.create(partSize)
		bodies := make([][]byte, 8)
		answers := make([]answer, len(bodies))
		var wg sync.WaitGroup
		for i := range bodies {
			bodies[i] = sealed(partSize)
			wg.Go(func() { answers[i] = h.put(l, "parts/1", bodies[i]) })
		}
		wg.Wait()
		var winner []byte
		for i, a := range answers {
			switch {
			case a.status == 204 && winner == nil:
				winner = bodies[i]
			case a.status != 409 || a.code() != api.CodePartConflict:
				t.Fatalf("answer %d: %d %s", i, a.status, a.body)
			}
		}
		if a := h.do("GET", l.path+"/parts/1", h.mustTake(l), nil); winner == nil || !bytes.Equal(a.body, winner) {
			t.Fatal("the winner's bytes are not the part")
		}
		kept := 0
		for _, b := range bodies {
			kept += h.objects(l, nil, b)
		}
		if kept != 1 {
			t.Errorf("%d objects are kept", kept)
		}
	}
}
