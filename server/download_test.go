//go:build !js

package server_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

// When the last download is saved, the bytes go at once, and not before.
func TestSpent(t *testing.T) {
	h := newHost(t)
	content := sealed(100)
	l := h.create(100, func(c *api.CreateShare) { c.MaxDownloads = 2 })
	manifest := h.send(l, content)
	for left, ticket := range []string{h.mustTake(l), h.mustTake(l)} {
		if h.objects(l, manifest, content) != 2 {
			t.Fatalf("bytes are gone after %d downloads of 2", left)
		}
		h.want(h.do("DELETE", l.path+"/downloads/current", ticket, nil), 204, "")
	}
	if h.objects(l, manifest, content) != 0 {
		t.Error("bytes of a spent share remain")
	}
}

func TestIdleLeaseEnds(t *testing.T) {
	h := newHost(t)
	l := h.create(100, func(c *api.CreateShare) { c.MaxDownloads, c.Lifetime = 1, 30*86400 })
	content := sealed(100)
	manifest := h.send(l, content)
	ticket := h.mustTake(l)
	for range 3 {
		h.pass(20 * time.Hour)
		h.want(h.do("GET", l.path+"/content", ticket, nil), 200, "")
		h.sweep()
	}
	h.pass(25 * time.Hour)
	h.sweep()
	h.want(h.do("GET", l.path+"/content", ticket, nil), 404, api.CodeNotFound)
	if h.objects(l, manifest, content) != 0 {
		t.Error("bytes remain")
	}
}

// Who follows an upload asks for news with the ticket. So the only download of a share stays theirs, however long the sender rests.
func TestFollowerKeepsLease(t *testing.T) {
	h := newHost(t)
	content := sealed(3*partSize + 100)
	l := h.create(3*partSize+100, func(c *api.CreateShare) { c.MaxDownloads, c.Lifetime = 1, 30*86400 })
	ticket := h.mustTake(l)
	for n := range 3 {
		h.want(h.put(l, fmt.Sprintf("parts/%d", n+1), content[n*partSize:(n+1)*partSize]), 204, "")
		h.pass(20 * time.Hour)
		h.want(h.do("GET", l.path+"/parts", ticket, nil), 200, "")
		h.sweep()
	}
	h.send(l, content)
	h.sweep()
	h.want(h.do("GET", l.path+"/parts/4", ticket, nil), 200, "")
}

func (h *host) sweep() {
	h.t.Helper()
	if err := h.srv.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestExpiry(t *testing.T) {
	h := newHost(t)
	content := sealed(100)
	l, open := h.create(100), h.create(2*partSize)
	manifest := h.send(l, content)
	part := sealed(partSize)
	h.want(h.put(open, "parts/1", part), 204, "")
	ticket := h.mustTake(l)
	h.pass(3599 * time.Second)
	h.want(h.do("GET", l.path, l.access, nil), 200, "")
	h.pass(time.Second)
	for _, a := range []answer{h.do("GET", l.path, l.access, nil), h.do("GET", l.path+"/content", ticket, nil),
		h.do("GET", l.path+"/manifest", l.bearer, nil), h.do("PATCH", l.path, l.owner, api.UpdateShare{})} {
		h.want(a, 404, api.CodeNotFound)
	}
	h.sweep()
	if h.objects(l, manifest, content) != 0 || h.objects(open, nil, part) != 1 {
		t.Error("the sweep took the wrong bytes")
	}
	h.pass(22 * time.Hour)
	h.want(h.put(open, "parts/2", part), 204, "") // postpones
	h.pass(23 * time.Hour)
	h.sweep()
	h.want(h.do("GET", open.path, open.owner, nil), 200, "")
	h.pass(2 * time.Hour)
	h.sweep()
	h.want(h.do("GET", open.path, open.owner, nil), 404, api.CodeNotFound)
	if h.objects(open, nil, part) != 0 {
		t.Error("an abandoned upload remains")
	}
}

// Who never completes and sends a byte a day cannot keep bytes here for ever: what may live for a month at most, once it is
// complete, is not kept longer by not completing it.
func TestEndlessUpload(t *testing.T) {
	h := newHost(t)
	began := h.clock()
	l := h.create(api.MaxParts * partSize)
	first := sealed(partSize)
	h.want(h.put(l, "parts/1", first), 204, "")
	for n := 2; h.objects(l, nil, first) == 1; n++ {
		if n > 60 {
			t.Fatalf("an upload goes on for %v", h.clock().Sub(began))
		}
		h.pass(23 * time.Hour)
		h.put(l, fmt.Sprintf("parts/%d", n), []byte("x"))
		h.sweep()
	}
	if age := h.clock().Sub(began); age < 30*24*time.Hour {
		t.Errorf("an upload was given up after %v", age)
	}
}

// More than a batch.
func TestSweepMany(t *testing.T) {
	h := newHost(t)
	for range 120 {
		h.create(10)
	}
	h.pass(25 * time.Hour)
	h.sweep()
	if ids, err := h.meta.Doomed(t.Context(), h.clock().Unix(), 0, 200); err != nil || len(ids) != 0 {
		t.Errorf("%d remain, %v", len(ids), err)
	}
}

func TestRevoke(t *testing.T) {
	h := newHost(t)
	content := sealed(100)
	l := h.create(100)
	manifest := h.send(l, content)
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	if h.objects(l, manifest, content) != 0 {
		t.Error("bytes remain")
	}
}

// Ten tries at once, and one more each minute, whoever had the last.
func TestTriesComeBack(t *testing.T) {
	h := newHost(t)
	l := h.create(100, func(c *api.CreateShare) { c.Password = true })
	h.send(l, sealed(100))
	access, err := base64.RawURLEncoding.DecodeString(l.access)
	if err != nil {
		t.Fatal(err)
	}
	guess := enc(append(access, make([]byte, api.TokenSize)...))
	for _, step := range []struct {
		tries int
		then  time.Duration
	}{{10, time.Minute}, {1, time.Minute}, {1, 10 * time.Minute}, {10, 0}} {
		h.want(h.do("GET", l.path+"/manifest", l.bearer, nil), 200, "")
		for range step.tries {
			h.want(h.do("GET", l.path+"/manifest", guess, nil), 401, api.CodeWrongPassword)
		}
		a := h.want(h.do("GET", l.path+"/manifest", guess, nil), 429, api.CodeTooManyTries)
		if p := a.problem(t); p.RetryAfter != 60 {
			t.Errorf("the next try is in %d seconds", p.RetryAfter)
		}
		h.pass(step.then)
	}
}

func TestLogTellsNothing(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.LongPoll = 0 })
	l := h.create(100)
	h.send(l, sealed(100))
	ticket := h.mustTake(l)
	h.do("GET", l.path+"/parts?wait=1&seen=424242", ticket, nil)
	h.do("GET", l.path, "wrong", nil)
	h.do("DELETE", l.path, l.owner, nil)
	out := h.log.String()
	for _, secret := range []string{l.id, l.access, l.bearer, l.owner, ticket, "424242", "127.0.0.1"} {
		if strings.Contains(out, secret) {
			t.Errorf("log tells %q", secret)
		}
	}
	if !strings.Contains(out, "route=/api/v1/shares/{id}/parts/{n} status=204") {
		t.Errorf("log lacks the route:\n%s", out)
	}
}
