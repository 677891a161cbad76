//go:build !js

package server_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// What a crash leaves between the bytes and their record goes an hour later, and nothing else does.
func TestSweepOrphans(t *testing.T) {
	h := newHost(t)
	content, orphan := sealed(100), sealed(100)
	l := h.create(100)
	manifest := h.send(l, content)
	key := store.Key{Share: l.id, N: 1, Digest: sha256.Sum256(orphan)}
	if err := h.blobs.Put(t.Context(), key, bytes.NewReader(orphan), 100, ""); err != nil {
		t.Fatal(err)
	}
	sweep := func() {
		t.Helper()
		if err := h.srv.SweepOrphans(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if h.objects(l, manifest, content)+h.objects(l, nil, orphan) != 3 {
		t.Fatal("a young orphan is gone; its writer may still be at work")
	}
	h.pass(61 * time.Minute) // the share expired, but its record is there until the other sweep
	sweep()
	if h.objects(l, nil, orphan) != 0 || h.objects(l, manifest, content) != 2 {
		t.Error("the sweep took the wrong bytes")
	}
}

// TestSweepSparesForeignParts: what belongs to other records is nobody's orphan here, however old it is.
func TestSweepSparesForeignParts(t *testing.T) {
	h := newHost(t)
	theirs := sealed(100)
	key := store.Key{Share: "9fK2mQ7xLr0aVb3T", N: 1, Digest: sha256.Sum256(theirs)}
	if err := h.blobs.Put(t.Context(), key, bytes.NewReader(theirs), 100, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.blobs.Mark(t.Context(), "that of others"); err != nil {
		t.Fatal(err)
	}
	h.pass(48 * time.Hour)
	if err := h.srv.SweepOrphans(t.Context()); !errors.Is(err, store.ErrForeign) {
		t.Errorf("error %v", err)
	}
	if r, err := h.blobs.Open(t.Context(), key, 0, 100); err != nil {
		t.Errorf("a part is gone: %v", err)
	} else {
		r.Close()
	}
}

// What was put into an open share and never recorded is not an orphan yet: its sender comes back, sends the same part again, and has
// to find it there whatever a sweep has seen before. When the share is complete, what is no part of it goes.
func TestSweepSparesOpenShares(t *testing.T) {
	h := newHost(t)
	content, loser := sealed(100), sealed(100)
	l := h.create(100)
	for _, data := range [][]byte{content, loser} {
		key := store.Key{Share: l.id, N: 1, Digest: sha256.Sum256(data)}
		if err := h.blobs.Put(t.Context(), key, bytes.NewReader(data), 100, ""); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(2 * time.Hour)
	for i, want := range []int{2, 1} {
		if err := h.srv.SweepOrphans(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.objects(l, nil, content) + h.objects(l, nil, loser); got != want {
			t.Errorf("sweep %d left %d objects, want %d", i, got, want)
		}
		if i == 0 {
			h.send(l, content)
		}
	}
}
