//go:build !js

package store_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

func newParts(t *testing.T) store.Blobs {
	t.Helper()
	b, err := disk.Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func newRecords(t *testing.T) store.Meta {
	t.Helper()
	m, err := sqlite.Open(filepath.Join(t.TempDir(), "meta.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func addShare(t *testing.T, m store.Meta) {
	t.Helper()
	if _, err := m.Create(t.Context(), store.Share{ID: "9fK2mQ7xLr0aVb3T", State: store.Open, PartSize: 1 << 20, Expires: 1 << 40}); err != nil {
		t.Fatal(err)
	}
}

// TestMatch: what was used together goes together, and with nothing else.
func TestMatch(t *testing.T) {
	want := func(what string, b store.Blobs, m store.Meta, want error) {
		t.Helper()
		for range 2 {
			if err := store.Match(t.Context(), b, m); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
	}
	parts, records := newParts(t), newRecords(t)
	want("both new", parts, records, nil)
	want("new records", parts, newRecords(t), store.ErrForeign)
	want("new parts", newParts(t), records, nil)
	otherParts, otherRecords := newParts(t), newRecords(t)
	want("others", otherParts, otherRecords, nil)
	want("records of others", parts, otherRecords, store.ErrForeign)
	want("parts of others", otherParts, records, store.ErrForeign)
	addShare(t, otherRecords)
	want("records of others, with a share", parts, otherRecords, store.ErrForeign)
	want("as before", parts, records, nil)

	old := newRecords(t) // of before there were marks
	addShare(t, old)
	want("a copy of the records from long ago", parts, old, nil)
	want("and as before", parts, records, nil)
}

// TestMatchRacing: servers that begin with the same stores at the same moment do not take each other's mark for a foreign one.
func TestMatchRacing(t *testing.T) {
	for range 20 {
		parts, records := newParts(t), newRecords(t)
		begin := make(chan struct{})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				<-begin
				if err := store.Match(t.Context(), parts, records); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
	}
}
