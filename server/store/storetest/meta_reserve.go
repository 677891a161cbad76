package storetest

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// metaReservePart: what is reserved is counted once, becomes a part without more room, and keeps other bytes out of its place.
func metaReservePart(t *testing.T, m store.Meta) {
	s := create(t, m)
	reserve := func(id string, p store.Part, most int64) (store.Part, bool, error) {
		t.Helper()
		return m.ReservePart(t.Context(), id, p, now, now+60, most)
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
	is, err = m.Reservation(t.Context(), s.ID, 3)
	must(t, err)
	wantEqual(t, "reservation of a removed share", is, three)
	must(t, m.Forget(t.Context(), s.ID, now+60))
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
			got[i], _, err = m.ReservePart(context.Background(), s.ID, p, now, now+60, 0)
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

// reserve reserves p until a time, and wants that to be what is reserved.
func reserve(t *testing.T, m store.Meta, id string, p store.Part, until int64) {
	t.Helper()
	got, stored, err := m.ReservePart(t.Context(), id, p, now, until, 0)
	must(t, err)
	wantEqual(t, "reservation", got, p)
	wantEqual(t, "whether it is stored", stored, false)
}

// runOut wants nothing but these parts of a share to have run out.
func runOut(t *testing.T, m store.Meta, at int64, id string, want ...store.Part) {
	t.Helper()
	all, err := m.RunOut(t.Context(), at, 1000)
	must(t, err)
	slices.SortFunc(all, func(a, b store.Reservation) int { return cmp.Compare(a.Part.N, b.Part.N) })
	var got []store.Part
	for _, r := range all {
		wantEqual(t, "share of what has run out", r.Share, id)
		got = append(got, r.Part)
	}
	if !slices.Equal(got, want) {
		t.Errorf("run out at %d: got %v, want %v", at-now, got, want)
	}
}

// metaRunOut: a reservation that has run out is there until it is released, and one that is made use of, or made anew, does not run out.
func metaRunOut(t *testing.T, m store.Meta) {
	s := create(t, m)
	release := func(p store.Part, at int64) {
		t.Helper()
		must(t, m.ReleasePart(t.Context(), store.Reservation{Share: s.ID, Part: p}, at))
	}
	one, two, three := store.Part{N: 1, Size: partSize, Digest: newHash()}, store.Part{N: 2, Size: 10, Digest: newHash()}, store.Part{N: 3, Size: 5, Digest: newHash()}
	other := store.Part{N: 2, Size: 10, Digest: newHash()}
	reserve(t, m, s.ID, one, now+10)
	reserve(t, m, s.ID, two, now+20)
	reserve(t, m, s.ID, three, now+20)
	runOut(t, m, now+9, s.ID)
	runOut(t, m, now+10, s.ID, one)
	_, err := m.AddPart(t.Context(), s.ID, one, now+11, now+abandon, partSize+15)
	must(t, err) // it stood until somebody looked after it
	runOut(t, m, now+19, s.ID)
	runOut(t, m, now+20, s.ID, two, three)

	reserve(t, m, s.ID, two, now+40)
	reserve(t, m, s.ID, two, now+30) // a request that was late
	got, _, err := m.ReservePart(t.Context(), s.ID, other, now, now+100, 0)
	must(t, err)
	wantEqual(t, "what is reserved", got, two)
	runOut(t, m, now+39, s.ID, three)
	runOut(t, m, now+40, s.ID, two, three)

	release(two, now+39)
	release(other, now+40)
	release(one, now+40)
	release(store.Part{N: 2, Size: 9, Digest: two.Digest}, now+40)
	wantUsage(t, m, partSize+15)
	for range 2 {
		release(two, now+40)
		wantUsage(t, m, partSize+5)
	}
	runOut(t, m, now+40, s.ID, three)
	_, err = m.AddPart(t.Context(), s.ID, two, now+40, now+abandon, partSize+14)
	wantErr(t, "part whose room is gone", err, store.ErrOverTotal)
	reserve(t, m, s.ID, other, now+60)
	_, err = m.AddPart(t.Context(), s.ID, other, now+40, now+abandon, 1)
	must(t, err)
	wantUsage(t, m, partSize+15)

	_, err = m.AddPart(t.Context(), s.ID, store.Part{Size: 7}, now, now+abandon, 0)
	must(t, err)
	_, err = m.Complete(t.Context(), s.ID, partSize+10, 2, now)
	must(t, err)
	runOut(t, m, now+60, s.ID, three) // for which no part came
	must(t, m.Remove(t.Context(), s.ID, now))
	release(three, now+60)
	wantUsage(t, m, partSize+22)
	runOut(t, m, now+60, "")

	s = create(t, m)
	reserve(t, m, s.ID, one, now+10)
	runOut(t, m, now+abandon-1, s.ID, one)
	runOut(t, m, now+abandon, "")
}

// metaRunOutLimit: those that nobody can look after for now do not stand in the way of the others.
func metaRunOutLimit(t *testing.T, m store.Meta) {
	s := create(t, m)
	for n := range int64(20) {
		reserve(t, m, s.ID, store.Part{N: n + 1, Size: 1, Digest: newHash()}, now+10)
	}
	seen := map[int64]bool{}
	for range 200 {
		all, err := m.RunOut(t.Context(), now+10, 5)
		must(t, err)
		wantEqual(t, "reservations", len(all), 5)
		for _, r := range all {
			seen[r.Part.N] = true
		}
	}
	wantEqual(t, "reservations in all", len(seen), 20)
}

// metaReleasePartRacing: whatever happens to a reservation that has run out, its bytes are counted once, or not at all.
func metaReleasePartRacing(t *testing.T, m store.Meta) {
	for range 10 {
		s, p := create(t, m), store.Part{N: 1, Size: 10, Digest: newHash()}
		reserve(t, m, s.ID, p, now+10)
		race(8, func(i int) {
			var err error
			switch {
			case i%4 == 3:
				_, err = m.AddPart(context.Background(), s.ID, p, now+20, now+abandon, 0)
			case i == 0:
				_, _, err = m.ReservePart(context.Background(), s.ID, p, now+20, now+30, 0)
			default:
				err = m.ReleasePart(context.Background(), store.Reservation{Share: s.ID, Part: p}, now+20)
			}
			if err != nil {
				t.Errorf("racing call: %v", err)
			}
		})
		_, err := m.Part(t.Context(), s.ID, 1)
		must(t, err)
		sums, err := m.Totals(t.Context(), now)
		must(t, err)
		wantUsage(t, m, sums.Bytes)
	}
}

// metaForgetReserved: where bytes may still come, a removed share waits, and counts. It is to be purged at once, and again after that.
func metaForgetReserved(t *testing.T, m store.Meta) {
	one, two := store.Part{N: 1, Size: 100, Digest: newHash()}, store.Part{N: 2, Size: 10, Digest: newHash()}
	for what, use := range map[string]func(id string){
		"put and told of": func(id string) {
			for _, p := range []store.Part{one, two} {
				_, err := m.AddPart(t.Context(), id, p, now, now+abandon, 0)
				must(t, err)
			}
		},
		"not told of": func(string) {},
		"released": func(id string) {
			must(t, m.ReleasePart(t.Context(), store.Reservation{Share: id, Part: two}, now+20))
			_, err := m.AddPart(t.Context(), id, two, now, now+abandon, 0)
			must(t, err)
		},
	} {
		s := create(t, m)
		want := func(at int64, ids ...string) {
			t.Helper()
			wantUsage(t, m, 110)
			if got := doomed(t, m, at, now); !slices.Equal(got, ids) {
				t.Errorf("%s: doomed at %d: got %v, want %v", what, at-now, got, ids)
			}
		}
		reserve(t, m, s.ID, two, now+20)
		reserve(t, m, s.ID, one, now+30)
		reserve(t, m, s.ID, one, now+10) // which is late
		use(s.ID)
		want(now)
		must(t, m.Remove(t.Context(), s.ID, now))
		for range 2 {
			want(now, s.ID)
		}
		for _, at := range []int64{now, now + 29} {
			must(t, m.Forget(t.Context(), s.ID, at))
			want(now)
			want(now + 29)
			r, err := m.Record(t.Context(), s.ID)
			must(t, err)
			wantEqual(t, "state", r.State, store.Removed)
		}
		want(now+30, s.ID)
		sums, err := m.Totals(t.Context(), now)
		must(t, err)
		wantEqual(t, "totals", sums, store.Totals{Removed: 1, Bytes: 110})
		must(t, m.Forget(t.Context(), s.ID, now+30))
		wantUsage(t, m, 0)
		_, err = m.Record(t.Context(), s.ID)
		wantErr(t, what, err, store.ErrNotFound)
	}

	s := create(t, m) // of which another part is kept out: nobody was told how to put that
	_, err := m.AddPart(t.Context(), s.ID, one, now, now+abandon, 0)
	must(t, err)
	_, _, err = m.ReservePart(t.Context(), s.ID, store.Part{N: 1, Size: 100, Digest: newHash()}, now, now+30, 0)
	must(t, err)
	_, _, err = m.ReservePart(t.Context(), s.ID, two, now, now+30, 1)
	wantErr(t, "part for which there is no room", err, store.ErrOverTotal)
	must(t, m.Remove(t.Context(), s.ID, now))
	must(t, m.Forget(t.Context(), s.ID, now))
	wantUsage(t, m, 0)
}

// metaDoomedWaiting: shares that wait do not hide others, however many they are.
func metaDoomedWaiting(t *testing.T, m store.Meta) {
	for range 25 {
		s := create(t, m)
		reserve(t, m, s.ID, store.Part{N: 1, Size: 1, Digest: newHash()}, now+30)
		must(t, m.Remove(t.Context(), s.ID, now))
		must(t, m.Forget(t.Context(), s.ID, now))
	}
	var want []string
	for range 5 {
		s := create(t, m)
		must(t, m.Remove(t.Context(), s.ID, now))
		want = append(want, s.ID)
	}
	slices.Sort(want)
	got, err := m.Doomed(t.Context(), now, now, 5)
	must(t, err)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := doomed(t, m, now+30, now); len(got) != 30 {
		t.Errorf("got %d when the wait is over, want 30", len(got))
	}
}
