//go:build !js

package server_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

func TestRanges(t *testing.T) {
	h := newHost(t)
	const size = 2*partSize + 77
	content := sealed(size)
	l := h.create(size)
	manifest := h.send(l, content)
	ticket := h.mustTake(l)

	if a := h.do("GET", l.path+"/manifest", l.bearer, nil); !bytes.Equal(a.body, manifest) {
		t.Error("manifest differs")
	}
	part := h.want(h.do("GET", l.path+"/parts/2", ticket, nil), 200, "")
	if !bytes.Equal(part.body, content[partSize:2*partSize]) {
		t.Error("part 2 differs")
	}
	h.want(h.do("GET", l.path+"/parts/4", ticket, nil), 404, api.CodeNotFound)
	h.want(h.do("GET", l.path+"/parts/0", ticket, nil), 404, api.CodeNotFound)

	whole := h.want(h.do("GET", l.path+"/content", ticket, nil), 200, "")
	etag := whole.header.Get("ETag")
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="content.age"`,
		"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff",
		"Cache-Control": "no-store", "Accept-Ranges": "bytes", "Content-Length": fmt.Sprint(size),
	} {
		if got := whole.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if etag == "" || etag == part.header.Get("ETag") || !bytes.Equal(whole.body, content) {
		t.Error("whole content differs")
	}
	edges := []int{0, 1, partSize - 1, partSize, partSize + 1, 2*partSize - 1, 2 * partSize, size - 1, size}
	for _, from := range edges {
		for _, to := range edges {
			if from > to || from == size {
				continue
			}
			last := min(to, size-1)
			a := h.do("GET", l.path+"/content", ticket, nil, "Range", fmt.Sprintf("bytes=%d-%d", from, to))
			if a.status != 206 || !bytes.Equal(a.body, content[from:last+1]) ||
				a.header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", from, last, size) {
				t.Errorf("%d-%d: %d %s, %d bytes", from, to, a.status, a.header.Get("Content-Range"), len(a.body))
			}
		}
	}
	for _, test := range []struct {
		header   []string
		status   int
		from, to int
	}{
		{[]string{"Range", "bytes=-1"}, 206, size - 1, size},
		{[]string{"Range", "bytes=-99999999999999999999"}, 206, 0, size},
		{[]string{"Range", fmt.Sprintf("bytes=%d-", partSize)}, 206, partSize, size},
		{[]string{"Range", "bytes=0-99999999999999999999"}, 206, 0, size},
		{[]string{"Range", "bytes=0-0,2-3"}, 200, 0, size},
		{[]string{"Range", "bytes=3-2"}, 200, 0, size},
		{[]string{"Range", "bytes=-"}, 200, 0, size},
		{[]string{"Range", "bytes=+1-2"}, 200, 0, size},
		{[]string{"Range", "lines=0-1"}, 200, 0, size},
		{[]string{"Range", "bytes=1-2", "If-Range", etag}, 206, 1, 3},
		{[]string{"Range", "bytes=1-2", "If-Range", `"other"`}, 200, 0, size},
		{[]string{"Range", "bytes=1-2", "If-Range", "Wed, 21 Oct 2026 07:28:00 GMT"}, 200, 0, size},
	} {
		a := h.do("GET", l.path+"/content", ticket, nil, test.header...)
		if a.status != test.status || !bytes.Equal(a.body, content[test.from:test.to]) {
			t.Errorf("%v: %d, %d bytes", test.header, a.status, len(a.body))
		}
	}
	for _, r := range []string{fmt.Sprintf("bytes=%d-", size), "bytes=-0", "bytes=99999999999999999999-"} {
		a := h.want(h.do("GET", l.path+"/content", ticket, nil, "Range", r), 416, api.CodeBadRange)
		if a.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", size) || a.header.Get("ETag") != "" {
			t.Errorf("%s: %v", r, a.header)
		}
	}
	head := h.do("HEAD", l.path+"/content", ticket, nil, "Range", "bytes=1-2")
	if head.status != 200 || len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(size) {
		t.Errorf("HEAD: %d %v", head.status, head.header)
	}
	if sh := into[api.Share](t, h.do("GET", l.path, l.owner, nil)); *sh.Taken != 1 {
		t.Errorf("all of this took %d downloads", *sh.Taken)
	}
}

func TestExactDownloads(t *testing.T) {
	h := newHost(t)
	l := h.create(100)
	h.send(l, sealed(100))
	var wg sync.WaitGroup
	var got, spent atomic.Int32
	for range 50 {
		wg.Go(func() {
			ticket, _ := newToken()
			in := api.TakeDownload{Ticket: api.HashToken(ticket)}
			first := h.do("POST", l.path+"/downloads", l.bearer, in)
			again := h.do("POST", l.path+"/downloads", l.bearer, in) // its first answer was lost
			switch {
			case first.status == 200 && again.status == 200:
				got.Add(1)
			case first.code() == api.CodeNoDownloadsLeft && first.status == 410 && again.status == 410:
				spent.Add(1)
			default:
				t.Errorf("first %d %s, again %d %s", first.status, first.body, again.status, again.body)
			}
		})
	}
	wg.Wait()
	if got.Load() != 5 || spent.Load() != 45 {
		t.Errorf("%d got one, %d did not", got.Load(), spent.Load())
	}
	h.want(h.do("POST", l.path+"/downloads", l.bearer, api.TakeDownload{}), 400, api.CodeBadRequest)
}

func TestSpent(t *testing.T) {
	h := newHost(t)
	content := sealed(100)
	l := h.create(100, func(c *api.CreateShare) { c.MaxDownloads = 2 })
	manifest := h.send(l, content)
	first, second := h.mustTake(l), h.mustTake(l)
	finish := func(ticket string) answer { return h.do("DELETE", l.path+"/downloads/current", ticket, nil) }
	h.want(finish(first), 204, "")
	h.want(finish(first), 204, "")
	h.want(h.do("GET", l.path+"/content", second, nil), 200, "")
	_, unknown := newToken()
	h.want(finish(unknown), 404, api.CodeNotFound)
	if h.objects(l, manifest, content) != 2 {
		t.Fatal("bytes are gone too early")
	}
	h.want(finish(second), 204, "")
	h.want(finish(second), 404, api.CodeNotFound)
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

func TestTerms(t *testing.T) {
	h := newHost(t)
	l := h.create(100)
	h.send(l, sealed(100))
	n := func(v int64) *int64 { return &v }
	h.want(h.do("PATCH", l.path, l.owner, api.UpdateShare{Lifetime: n(30*86400 + 1)}), 400, api.CodeBadLifetime)
	h.want(h.do("PATCH", l.path, l.owner, api.UpdateShare{MaxDownloads: n(101)}), 400, api.CodeBadDownloads)
	sh := into[api.Share](t, h.want(h.do("PATCH", l.path, l.owner, api.UpdateShare{Lifetime: n(7200), MaxDownloads: n(0)}), 200, ""))
	if sh.Lifetime != 7200 || sh.Left != nil || sh.MaxDownloads != 0 || sh.Expires < sh.Now+7200-2 {
		t.Errorf("updated %+v", sh)
	}
	h.mustTake(l)
	h.mustTake(l)
	sh = into[api.Share](t, h.want(h.do("PATCH", l.path, l.owner, api.UpdateShare{MaxDownloads: n(1)}), 200, ""))
	if *sh.Left != 0 || *sh.Taken != 2 {
		t.Errorf("updated %+v", sh)
	}
	if sh := into[api.Share](t, h.do("GET", l.path, l.access, nil)); sh.Taken != nil {
		t.Error("a reader is told what was taken")
	}
}

func TestRevoke(t *testing.T) {
	h := newHost(t)
	content := sealed(100)
	l := h.create(100)
	manifest := h.send(l, content)
	ticket := h.mustTake(l)
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	h.want(h.do("DELETE", l.path, l.owner, nil), 404, api.CodeNotFound)
	h.want(h.do("GET", l.path+"/content", ticket, nil), 404, api.CodeNotFound)
	h.want(h.put(l, "parts/1", content), 404, api.CodeNotFound)
	if h.objects(l, manifest, content) != 0 {
		t.Error("bytes remain")
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
