//go:build !js

package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// bucket is where clients of a host put parts by themselves, which is its Blobs. It signs nothing: whether a request still lasts is for the
// test to know.
type bucket struct{ store.Blobs }

func (bucket) Origin() string { return "https://bucket.example" }

func (bucket) PutRequest(context.Context, store.Key, int64, time.Duration) (store.Request, error) {
	return store.Request{Method: "PUT", URL: "https://bucket.example/part"}, nil
}

func (bucket) GetRequest(context.Context, store.Key, time.Duration) (store.Request, error) {
	return store.Request{Method: "GET", URL: "https://bucket.example/part"}, nil
}

func (b bucket) Confirm(ctx context.Context, key store.Key, _ int64, _ string) error {
	r, err := b.Open(ctx, key, 0, 1)
	if err == nil {
		r.Close()
	}
	return err
}

// newDirectHost is one that keeps most bytes at most, and sends clients to its bucket.
func newDirectHost(t *testing.T, most int64) *host {
	return newHost(t, func(c *server.Config) { c.MaxTotalSize, c.Direct = most, bucket{c.Blobs} })
}

// reserve asks for the request by which part n goes past the server, confirm says that it was made.
func (h *host) reserve(l link, n string, data []byte) answer {
	h.t.Helper()
	return h.do("POST", l.path+"/parts/"+n+"/direct", l.owner, api.DirectPart{Size: int64(len(data)), Digest: sha256.Sum256(data)})
}

func (h *host) confirm(l link, n string, data []byte) answer {
	h.t.Helper()
	return h.do("PUT", l.path+"/parts/"+n+"/direct", l.owner, api.DirectPart{Size: int64(len(data)), Digest: sha256.Sum256(data)})
}

// past puts part n into the bucket.
func (h *host) past(l link, n int64, data []byte) {
	h.t.Helper()
	key := store.Key{Share: l.id, N: n, Digest: sha256.Sum256(data)}
	if err := h.blobs.Put(h.t.Context(), key, bytes.NewReader(data), int64(len(data)), ""); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) wantUsage(want int64) {
	h.t.Helper()
	if got, err := h.meta.Usage(h.t.Context()); got != want || err != nil {
		h.t.Errorf("usage is %d, %v, want %d", got, err, want)
	}
}

// What is reserved may come through the server instead: its room is there, however little there is beside.
func TestReservedThroughServer(t *testing.T) {
	h := newDirectHost(t, 2*partSize+100)
	l := h.create(2*partSize + 50)
	one, two, three := sealed(partSize), sealed(partSize), sealed(50)
	h.want(h.put(l, "manifest", sealed(100)), 204, "")
	h.want(h.reserve(l, "1", one), 200, "")
	h.want(h.reserve(l, "2", two), 200, "")
	h.want(h.put(l, "parts/3", three), 507, api.CodeOverTotal)
	h.want(h.put(l, "parts/2", one), 409, api.CodePartConflict) // another one is reserved there
	h.want(h.put(l, "parts/1", one), 204, "")
	h.want(h.put(l, "parts/2", two), 204, "")
	h.wantUsage(2*partSize + 100)
}

// Room for parts that never come is given back, a little after they could still have come. Then others have it, and who is late after all
// needs room anew.
func TestReservationsRunOut(t *testing.T) {
	h := newDirectHost(t, 2*partSize)
	l, other := h.create(2*partSize), h.create(partSize)
	one, two, theirs := sealed(partSize), sealed(partSize), sealed(partSize)
	h.want(h.reserve(l, "1", one), 200, "")
	h.want(h.reserve(l, "2", two), 200, "")
	h.want(h.reserve(other, "1", theirs), 507, api.CodeOverTotal)
	h.pass(15 * time.Minute) // what was begun at the last moment is under way
	h.sweep()
	h.wantUsage(2 * partSize)
	h.want(h.reserve(l, "1", one), 200, "") // once more
	h.pass(5 * time.Minute)
	h.sweep()
	h.wantUsage(partSize)
	h.want(h.put(other, "parts/1", theirs), 204, "")
	h.want(h.confirm(l, "2", two), 409, api.CodeNotReady)
	h.past(l, 2, two) // from a line that is as slow as that
	h.want(h.confirm(l, "2", two), 507, api.CodeOverTotal)
	h.want(h.do("DELETE", other.path, other.owner, nil), 204, "")
	h.want(h.confirm(l, "2", two), 204, "")
	h.pass(15 * time.Minute)
	h.sweep()
	h.wantUsage(partSize)
	h.want(h.put(l, "parts/1", one), 204, "")
}

// Bytes that came, and that nobody told of, count for as long as they are there: as parts that are yet to be, and then until they are
// deleted.
func TestUntoldBytesCount(t *testing.T) {
	h := newDirectHost(t, 3*partSize)
	l := h.create(2*partSize + 10)
	one, two, three := sealed(100), sealed(partSize), sealed(10)
	manifest := sealed(100)
	h.want(h.put(l, "manifest", manifest), 204, "")
	for n, data := range map[string][]byte{"2": two, "3": three} {
		h.want(h.reserve(l, n, data), 200, "")
	}
	h.past(l, 2, two)
	h.past(l, 3, three)
	for range 3 {
		h.pass(time.Hour)
		h.sweep()
		h.wantUsage(partSize + 110)
	}
	h.want(h.put(l, "parts/1", one), 204, "")
	h.want(h.complete(l, 100, 1), 200, "") // so much for the others
	h.sweep()
	h.wantUsage(partSize + 210) // as somebody may just have told of them
	h.pass(21 * time.Minute)
	h.sweep()
	h.wantUsage(200)
	if h.objects(l, manifest, one, two, three) != 2 {
		t.Error("other bytes remain than those of the share")
	}
}

// Whoever was told how to put parts can do so for a while, though the share is revoked: so its room is not given to others before that, and
// what came is deleted then.
func TestRevokedKeepsRoom(t *testing.T) {
	h := newDirectHost(t, 2*partSize+100)
	l := h.create(2 * partSize)
	one, two := sealed(partSize), sealed(partSize)
	h.want(h.reserve(l, "1", one), 200, "")
	h.pass(time.Minute)
	h.want(h.reserve(l, "2", two), 200, "")
	h.past(l, 1, one)
	h.past(l, 2, two)
	h.want(h.confirm(l, "1", one), 204, "")
	other := h.create(100)
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	if h.objects(l, nil, one, two) != 0 {
		t.Error("bytes remain")
	}
	in, _ := terms(101)
	h.past(l, 1, one) // once more, as nothing is in its place now
	for range 15 {
		h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeOverTotal)
		h.want(h.reserve(l, "1", one), 404, api.CodeNotFound)
		h.pass(time.Minute)
		h.sweep()
		h.wantUsage(2 * partSize)
	}
	h.past(l, 2, two)
	h.pass(5 * time.Minute)
	h.sweep()
	h.wantUsage(0)
	if h.objects(l, nil, one, two) != 0 {
		t.Error("bytes remain that came when the share was gone")
	}
	if _, err := h.meta.Record(t.Context(), l.id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the record is there: %v", err)
	}
	h.want(h.put(other, "parts/1", sealed(100)), 204, "")
	h.want(h.do("DELETE", other.path, other.owner, nil), 204, "")
	h.wantUsage(0) // at once, as all of it came through the server
}

// countedBlobs count whose bytes were deleted.
type countedBlobs struct {
	store.Blobs
	deleted int
}

func (c *countedBlobs) DeleteShare(ctx context.Context, id string) error {
	c.deleted++
	return c.Blobs.DeleteShare(ctx, id)
}

// More shares than a batch that wait to be purged again: they are left alone until then, and no others wait behind them.
func TestSweepWaiting(t *testing.T) {
	blobs := &countedBlobs{}
	h := newHost(t, func(c *server.Config) {
		blobs.Blobs, c.Direct = c.Blobs, bucket{c.Blobs}
		c.Blobs = blobs
	})
	remove := func(l link) {
		t.Helper()
		if err := h.meta.Remove(t.Context(), l.id, h.clock().Unix()); err != nil {
			t.Fatal(err)
		}
	}
	for range 120 {
		l := h.create(10)
		h.want(h.reserve(l, "1", sealed(10)), 200, "")
		remove(l)
	}
	sweep := func(want int) {
		t.Helper()
		blobs.deleted = 0
		h.sweep()
		if blobs.deleted != want {
			t.Errorf("the bytes of %d shares were deleted, want %d", blobs.deleted, want)
		}
	}
	sweep(120)
	h.wantUsage(1200)
	sweep(0)
	for range 3 {
		remove(h.create(10))
	}
	sweep(3)
	h.pass(20 * time.Minute)
	sweep(120)
	h.wantUsage(0)
	sweep(0)
}

// lateMeta has something happen right after it told what has run out.
type lateMeta struct {
	store.Meta
	then func()
}

func (m *lateMeta) RunOut(ctx context.Context, now int64, limit int) ([]store.Reservation, error) {
	all, err := m.Meta.RunOut(ctx, now, limit)
	m.then()
	return all, err
}

// What becomes a part at the last moment is one: a sweep that still takes it for none does nothing to it.
func TestReservationsRunOutTooLate(t *testing.T) {
	meta := &lateMeta{then: func() {}}
	h := newHost(t, func(c *server.Config) {
		meta.Meta, c.Meta, c.Direct = c.Meta, meta, bucket{c.Blobs}
	})
	l := h.create(100)
	manifest, content := sealed(100), sealed(100)
	h.want(h.put(l, "manifest", manifest), 204, "")
	h.want(h.reserve(l, "1", content), 200, "")
	h.past(l, 1, content)
	h.pass(time.Hour)
	meta.then = func() {
		h.want(h.confirm(l, "1", content), 204, "")
		h.want(h.complete(l, 100, 1), 200, "")
		meta.then = func() {}
	}
	h.sweep()
	if h.objects(l, manifest, content) != 2 {
		t.Error("a part is gone")
	}
	h.wantUsage(200)
}
