package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

func metaAddPart(t *testing.T, m store.Meta) {
	s := create(t, m)
	parts := add(t, m, s.ID, 7, 100, 100)
	high := store.Part{N: 4096, Size: 64 << 20, Digest: newHash()} // any order
	for range 2 {
		got, err := m.AddPart(t.Context(), s.ID, high, now, now+abandon, 0)
		must(t, err)
		wantEqual(t, "part", got, high)
	}
	for _, p := range []store.Part{{N: 1, Size: 100, Digest: newHash()}, {N: 1, Size: 99, Digest: parts[1].Digest}} {
		got, err := m.AddPart(t.Context(), s.ID, p, now, now+abandon, 0)
		must(t, err)
		wantEqual(t, "part that was first", got, parts[1])
	}
	want := append(parts, high)
	got, err := m.Parts(t.Context(), s.ID)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("parts: got %v, want %v", got, want)
	}
	for _, p := range want {
		got, err := m.Part(t.Context(), s.ID, p.N)
		must(t, err)
		wantEqual(t, "part", got, p)
	}
	for id, want := range map[string]int64{s.ID: int64(len(want)) - 1, newID(): 0} { // without the manifest
		count, err := m.CountParts(t.Context(), id)
		must(t, err)
		wantEqual(t, "number of parts", count, want)
	}
	_, err = m.Part(t.Context(), s.ID, 3)
	wantErr(t, "part that is missing", err, store.ErrNotFound)
	_, err = m.Part(t.Context(), newID(), 1)
	wantErr(t, "part of an unknown share", err, store.ErrNotFound)
	got, err = m.Parts(t.Context(), newID())
	if len(got) != 0 || err != nil {
		t.Errorf("parts of an unknown share: %v, error %v", got, err)
	}
	got, err = m.Parts(t.Context(), create(t, m).ID)
	if len(got) != 0 || err != nil {
		t.Errorf("parts of a new share: %v, error %v", got, err)
	}
}

func metaAddPartPostpones(t *testing.T, m store.Meta) {
	s := create(t, m)
	expiry := func() int64 {
		t.Helper()
		got, err := m.Share(t.Context(), s.ID, now)
		must(t, err)
		return got.Expires
	}
	part := func(n, at int64) {
		t.Helper()
		_, err := m.AddPart(t.Context(), s.ID, store.Part{N: n, Size: 1}, at, at+abandon, 0)
		must(t, err)
	}
	part(1, now+3600)
	if e := expiry(); e != now+abandon && e != now+3600+abandon {
		t.Errorf("expiry after an hour: %d", e-now)
	}
	part(2, now+50_000)
	wantEqual(t, "expiry after half a day", expiry(), now+50_000+abandon)
	part(2, now+60_000) // a repeated part is news from the sender too
	wantEqual(t, "expiry after a part was repeated", expiry(), now+60_000+abandon)
	part(3, now+10) // a request that was late
	wantEqual(t, "expiry, which never moves back", expiry(), now+60_000+abandon)
}

func metaAddPartRacing(t *testing.T, m store.Meta) {
	s := create(t, m)
	got := make([]store.Part, 32)
	race(len(got), func(i int) {
		var err error
		got[i], err = m.AddPart(context.Background(), s.ID, store.Part{N: 1, Size: int64(i), Digest: newHash()}, now, now+abandon, 0)
		if err != nil {
			t.Errorf("add: %v", err)
		}
	})
	want, err := m.Part(t.Context(), s.ID, 1)
	must(t, err)
	for _, p := range got {
		wantEqual(t, "winner", p, want)
	}
}

func metaComplete(t *testing.T, m store.Meta) {
	s := create(t, m)
	at := now + 500
	want := s
	want.State, want.Size, want.Parts, want.Completed, want.Expires = store.Ready, 3*partSize+10, 4, at, at+lifetime
	incomplete := func() {
		t.Helper()
		_, err := m.Complete(t.Context(), s.ID, 3*partSize+10, 4, at)
		wantErr(t, "completing what is not there", err, store.ErrIncomplete)
		got, err := m.Share(t.Context(), s.ID, at)
		must(t, err)
		wantEqual(t, "share that is not complete", got.State, store.Open)
	}
	incomplete()
	for _, p := range []store.Part{{N: 4, Size: 10}, {N: 2, Size: partSize}, {N: 0, Size: 7}, {N: 1, Size: partSize}} {
		_, err := m.AddPart(t.Context(), s.ID, p, now, now+abandon, 0)
		must(t, err)
		incomplete()
	}
	_, err := m.AddPart(t.Context(), s.ID, store.Part{N: 3, Size: partSize}, now, now+abandon, 0)
	must(t, err)
	for range 2 {
		got, err := m.Complete(t.Context(), s.ID, 3*partSize+10, 4, at)
		must(t, err)
		wantEqual(t, "complete share", got, want)
		at += 100 // the second answer is the first one
	}
	for _, c := range [][2]int64{{3*partSize + 9, 4}, {3*partSize + 10, 3}, {0, 0}} {
		_, err := m.Complete(t.Context(), s.ID, c[0], c[1], at)
		wantErr(t, "completing with other numbers", err, store.ErrConflict)
	}
	got, err := m.AddPart(t.Context(), s.ID, store.Part{N: 4, Size: 10}, at, at+abandon, 0)
	must(t, err)
	wantEqual(t, "part that a ready share has", got, store.Part{N: 4, Size: 10})
	_, err = m.AddPart(t.Context(), s.ID, store.Part{N: 5, Size: 10}, at, at+abandon, 0)
	wantErr(t, "part for a ready share", err, store.ErrNotOpen)
	after, err := m.Share(t.Context(), s.ID, at)
	must(t, err)
	wantEqual(t, "share, whose expiry parts do not postpone any more", after, want)
}

// metaCompleteSizes: every way in which parts do not add up.
func metaCompleteSizes(t *testing.T, m store.Meta) {
	for _, c := range []struct {
		what        string
		parts       []int64 // sizes, the manifest first; -1 is missing
		size, count int64
		ok          bool
	}{
		{"one byte", []int64{7, 1}, 1, 1, true},
		{"one full part less one", []int64{7, partSize - 1}, partSize - 1, 1, true},
		{"one full part", []int64{7, partSize}, partSize, 1, true},
		{"one full part and a byte", []int64{7, partSize, 1}, partSize + 1, 2, true},
		{"two full parts", []int64{7, partSize, partSize}, 2 * partSize, 2, true},
		{"nothing", []int64{7}, 0, 0, false},
		{"an empty part", []int64{7, 0}, 0, 1, false},
		{"an empty last part", []int64{7, partSize, 0}, partSize, 2, false},
		{"no manifest", []int64{-1, 10}, 10, 1, false},
		{"no first part", []int64{7, -1, 10}, partSize + 10, 2, false},
		{"no last part", []int64{7, partSize}, partSize + 10, 2, false},
		{"a part more", []int64{7, 10, 10}, 10, 1, false},
		{"a part more, with which the sum is right", []int64{7, partSize, 10, 10}, partSize + 20, 2, false},
		{"a part far above, with which the sum is right", []int64{7, 10, -1, -1, 5}, 15, 1, false},
		{"an empty part more", []int64{7, partSize, 10, 0}, partSize + 10, 2, false},
		{"a short part before the last", []int64{7, partSize - 1, 11}, partSize + 10, 2, false},
		{"a last part that is larger", []int64{7, partSize, partSize + 1}, 2*partSize + 1, 2, false},
		{"another size", []int64{7, partSize, 10}, partSize + 11, 2, false},
		{"another count", []int64{7, partSize, 10}, partSize + 10, 3, false},
		{"a count less", []int64{7, partSize, 10}, partSize + 10, 1, false},
		{"negative numbers", []int64{7, 10}, -10, -1, false},
	} {
		s := create(t, m)
		for n, size := range c.parts {
			if size >= 0 {
				_, err := m.AddPart(t.Context(), s.ID, store.Part{N: int64(n), Size: size}, now, now+abandon, 0)
				must(t, err)
			}
		}
		_, err := m.Complete(t.Context(), s.ID, c.size, c.count, now)
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case !c.ok:
			wantErr(t, c.what, err, store.ErrIncomplete)
		}
	}
}

// metaCompleteAgainstAddPart: a part is in the share before it is complete, or is refused.
func metaCompleteAgainstAddPart(t *testing.T, m store.Meta) {
	for range 10 {
		s := create(t, m)
		add(t, m, s.ID, 7, partSize, 10)
		race(8, func(i int) {
			if i%4 == 0 {
				_, err := m.Complete(context.Background(), s.ID, partSize+10, 2, now)
				if err != nil && !errors.Is(err, store.ErrIncomplete) {
					t.Errorf("complete: %v", err)
				}
				return
			}
			_, err := m.AddPart(context.Background(), s.ID, store.Part{N: 2 + int64(i), Size: 1}, now, now+abandon, 0)
			if err != nil && !errors.Is(err, store.ErrNotOpen) {
				t.Errorf("add: %v", err)
			}
		})
		got, err := m.Share(t.Context(), s.ID, now)
		must(t, err)
		parts, err := m.Parts(t.Context(), s.ID)
		must(t, err)
		if more := len(parts) > 3; more != (got.State == store.Open) {
			t.Errorf("the share is %s with %d parts", got.State, len(parts))
		}
	}
}

func metaCompleteAgainstRemove(t *testing.T, m store.Meta) {
	for range 10 {
		s := create(t, m)
		add(t, m, s.ID, 7, partSize, 10)
		race(6, func(i int) {
			var err error
			switch i % 3 {
			case 0:
				_, err = m.Complete(context.Background(), s.ID, partSize+10, 2, now)
			case 1:
				_, err = m.AddPart(context.Background(), s.ID, store.Part{N: 1, Size: partSize}, now, now+abandon, 0)
			case 2:
				err = m.Remove(context.Background(), s.ID, now)
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("racing call: %v", err)
			}
		})
		_, err := m.Share(t.Context(), s.ID, now)
		wantErr(t, "share after the race", err, store.ErrNotFound)
	}
}
