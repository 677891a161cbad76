package storetest

import (
	"context"
	"strconv"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// marked is either store.
type marked interface {
	Mark(ctx context.Context, mark string) (string, error)
}

// marks: the first mark stays, whoever else comes with one.
func marks(t *testing.T, s marked, reopen func() marked) {
	want := func(what string, s marked, leave, want string) {
		t.Helper()
		got, err := s.Mark(t.Context(), leave)
		must(t, err)
		wantEqual(t, what, got, want)
	}
	want("no mark", s, "", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Mark(ctx, "cancelled"); err == nil {
		t.Error("Mark worked with a cancelled context")
	}
	want("still none", s, "", "")

	got := make([]string, 8)
	race(len(got), func(i int) {
		mark, err := s.Mark(t.Context(), "mark "+strconv.Itoa(i))
		if err != nil {
			t.Error(err)
		}
		got[i] = mark
	})
	for _, mark := range got {
		wantEqual(t, "mark of one of many", mark, got[0])
	}
	want("another mark", s, "another", got[0])
	want("the mark", s, "", got[0])
	if reopen != nil {
		want("the mark later on", reopen(), "another", got[0])
	}
}

// blobsMark: the mark is no object, and no sweep takes it.
func blobsMark(t *testing.T, b store.Blobs) {
	var reopen func() marked
	if r, ok := b.(reopensBlobs); ok {
		reopen = func() marked { return r.Reopen(t) }
	}
	marks(t, b, reopen)
	if lister, ok := b.(store.Lister); ok {
		must(t, lister.List(t.Context(), func(o store.Object) error {
			t.Errorf("listed %+v", o)
			return nil
		}))
	}
	n, err := b.Sweep(t.Context(), future(), func(context.Context, store.Key) (bool, error) { return false, nil })
	must(t, err)
	wantEqual(t, "swept", n, 0)
	if mark, err := b.Mark(t.Context(), ""); err != nil || mark == "" {
		t.Errorf("after a sweep the mark is %q, %v", mark, err)
	}
}

func metaMark(t *testing.T, m store.Meta) {
	var reopen func() marked
	if r, ok := m.(reopensMeta); ok {
		reopen = func() marked { return r.Reopen(t) }
	}
	marks(t, m, reopen)
}
