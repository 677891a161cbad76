package storetest

import (
	"context"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// metaReservePart: what is reserved is counted once, becomes a part without more room, and keeps other bytes out of its place.
func metaReservePart(t *testing.T, m store.Meta) {
	s := create(t, m)
	reserve := func(id string, p store.Part, most int64) (store.Part, bool, error) {
		t.Helper()
		return m.ReservePart(t.Context(), id, p, now, most)
	}
	reserved := func(p, want store.Part, stored bool, most int64) {
		t.Helper()
		got, is, err := reserve(s.ID, p, most)
		must(t, err)
		wantEqual(t, "what is there", got, want)
		wantEqual(t, "whether it is stored", is, stored)
	}
	added := func(p, want store.Part, most int64) {
		t.Helper()
		got, err := m.AddPart(t.Context(), s.ID, p, now, now+abandon, most)
		must(t, err)
		wantEqual(t, "part", got, want)
	}
	one, two := store.Part{N: 1, Size: 100, Digest: newHash()}, store.Part{N: 2, Size: 10, Digest: newHash()}
	other := store.Part{N: 1, Size: 100, Digest: newHash()}

	_, _, err := reserve(newID(), one, 0)
	wantErr(t, "part of an unknown share", err, store.ErrNotFound)
	_, _, err = reserve(s.ID, one, 99)
	wantErr(t, "a byte too many", err, store.ErrOverTotal)
	wantUsage(t, m, 0)
	reserved(one, one, false, 100)
	reserved(one, one, false, 100)
	reserved(other, one, false, 100)
	wantUsage(t, m, 100)
	is, err := m.Reservation(t.Context(), s.ID, 1)
	must(t, err)
	wantEqual(t, "reservation", is, one)
	_, err = m.Reservation(t.Context(), s.ID, 2)
	wantErr(t, "what is not reserved", err, store.ErrNotFound)
	_, err = m.Part(t.Context(), s.ID, 1)
	wantErr(t, "what is no more than reserved", err, store.ErrNotFound)
	_, err = m.AddPart(t.Context(), s.ID, two, now, now+abandon, 109)
	wantErr(t, "part where the room is reserved", err, store.ErrOverTotal)

	added(other, one, 0)
	_, err = m.Part(t.Context(), s.ID, 1)
	wantErr(t, "part that was kept out", err, store.ErrNotFound)
	added(one, one, 1) // however much there may be by now
	added(one, one, 1)
	_, err = m.Reservation(t.Context(), s.ID, 1)
	wantErr(t, "reservation of what is a part", err, store.ErrNotFound)
	wantUsage(t, m, 100)
	reserved(one, one, true, 0)
	reserved(other, one, true, 0)
	added(two, two, 110) // without a reservation
	reserved(two, two, true, 0)
	wantUsage(t, m, 110)

	three := store.Part{N: 3, Size: 5, Digest: newHash()}
	reserved(three, three, false, 0)
	wantUsage(t, m, 115)
	sums, err := m.Totals(t.Context(), now)
	must(t, err)
	wantEqual(t, "bytes of all", sums.Bytes, 115)
	must(t, m.Remove(t.Context(), s.ID, now))
	_, _, err = reserve(s.ID, three, 0)
	wantErr(t, "part of a removed share", err, store.ErrNotFound)
	must(t, m.Forget(t.Context(), s.ID))
	wantUsage(t, m, 0)

	s = create(t, m)
	add(t, m, s.ID, 7, 100)
	_, err = m.Complete(t.Context(), s.ID, 100, 1, now)
	must(t, err)
	_, _, err = reserve(s.ID, two, 0)
	wantErr(t, "part of a complete share", err, store.ErrNotOpen)
}

// metaReservePartRacing: one of many is reserved, and counted.
func metaReservePartRacing(t *testing.T, m store.Meta) {
	s := create(t, m)
	got := make([]store.Part, 32)
	race(len(got), func(i int) {
		p := store.Part{N: 1, Size: 10, Digest: newHash()}
		var err error
		if i%4 == 0 {
			got[i], err = m.AddPart(context.Background(), s.ID, p, now, now+abandon, 0)
		} else {
			got[i], _, err = m.ReservePart(context.Background(), s.ID, p, now, 0)
		}
		if err != nil {
			t.Errorf("reserve: %v", err)
		}
	})
	for _, p := range got {
		wantEqual(t, "winner", p, got[0])
	}
	wantUsage(t, m, 10)
}
