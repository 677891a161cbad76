package storetest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

func metaTakeDownload(t *testing.T, m store.Meta) {
	for _, make := range []func(*testing.T, store.Meta, ...func(*store.Share)) store.Share{create, ready} { // open and ready
		s := make(t, m, downloads(2))
		one, two, three := newHash(), newHash(), newHash()
		take := func(ticket store.Hash, taken int64) {
			t.Helper()
			got, err := m.TakeDownload(t.Context(), s.ID, ticket, now)
			must(t, err)
			s.Taken = taken
			wantEqual(t, "share", got, s)
		}
		take(one, 1)
		take(one, 1)
		take(two, 2)
		take(one, 2)
		take(two, 2)
		for range 2 {
			_, err := m.TakeDownload(t.Context(), s.ID, three, now)
			wantErr(t, "one too many", err, store.ErrSpent)
		}
		_, err := m.Ticket(t.Context(), s.ID, three, now)
		wantErr(t, "ticket that got none", err, store.ErrNotFound)
		_, err = m.Update(t.Context(), s.ID, store.Change{MaxDownloads: ptr(3)}, now)
		must(t, err)
		s.MaxDownloads = 3
		take(three, 3)
		_, err = m.Update(t.Context(), s.ID, store.Change{MaxDownloads: ptr(1)}, now)
		must(t, err)
		s.MaxDownloads = 1
		take(one, 3) // leases are kept
		_, err = m.TakeDownload(t.Context(), s.ID, newHash(), now)
		wantErr(t, "a limit lowered below what is taken", err, store.ErrSpent)
	}
	// The same ticket in another share is another lease.
	a, b, ticket := ready(t, m), ready(t, m), newHash()
	_, err := m.TakeDownload(t.Context(), a.ID, ticket, now)
	must(t, err)
	_, err = m.Ticket(t.Context(), b.ID, ticket, now)
	wantErr(t, "ticket of another share", err, store.ErrNotFound)
}

func metaTakeDownloadRacing(t *testing.T, m store.Meta) {
	s := ready(t, m, downloads(5))
	tickets := make([]store.Hash, 64)
	for i := range tickets {
		tickets[i] = newHash()
	}
	var leased atomic.Int64
	race(2*len(tickets), func(i int) { // each asks twice
		_, err := m.TakeDownload(context.Background(), s.ID, tickets[i/2], now)
		if err == nil {
			leased.Add(1)
		} else if !errors.Is(err, store.ErrSpent) {
			t.Errorf("take: %v", err)
		}
	})
	wantEqual(t, "answers with a lease", leased.Load(), 10)
	holders := 0
	for _, ticket := range tickets {
		if _, err := m.Ticket(t.Context(), s.ID, ticket, now); err == nil {
			holders++
		}
	}
	wantEqual(t, "leases", holders, 5)
	got, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "taken", got.Taken, 5)
}

func metaTakeDownloadAnyNumber(t *testing.T, m store.Meta) {
	s := ready(t, m, downloads(0))
	race(40, func(int) {
		if _, err := m.TakeDownload(context.Background(), s.ID, newHash(), now); err != nil {
			t.Errorf("take: %v", err)
		}
	})
	got, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "taken", got.Taken, 40)
}

func metaTicket(t *testing.T, m store.Meta) {
	s := ready(t, m)
	ticket := newHash()
	_, err := m.TakeDownload(t.Context(), s.ID, ticket, now)
	must(t, err)
	s.Taken = 1
	for at := now; at < now+lifetime; at += 50 {
		got, err := m.Ticket(t.Context(), s.ID, ticket, at)
		must(t, err)
		wantEqual(t, "ticket's share", got, s)
	}
	_, err = m.Ticket(t.Context(), s.ID, newHash(), now)
	wantErr(t, "unknown ticket", err, store.ErrNotFound)
}

func metaFinishDownload(t *testing.T, m store.Meta) {
	s := ready(t, m, downloads(2))
	tickets := []store.Hash{newHash(), newHash()}
	finish := func(ticket store.Hash, want bool) {
		t.Helper()
		spent, err := m.FinishDownload(t.Context(), s.ID, ticket, now, now-abandon)
		must(t, err)
		wantEqual(t, "spent", spent, want)
	}
	_, err := m.TakeDownload(t.Context(), s.ID, tickets[0], now)
	must(t, err)
	finish(tickets[0], false) // one left to take
	finish(tickets[0], false)
	_, err = m.Ticket(t.Context(), s.ID, tickets[0], now)
	wantErr(t, "finished ticket", err, store.ErrNotFound)
	_, err = m.FinishDownload(t.Context(), s.ID, tickets[1], now, now-abandon)
	wantErr(t, "finishing an unknown ticket", err, store.ErrNotFound)
	_, err = m.TakeDownload(t.Context(), s.ID, tickets[1], now)
	must(t, err)
	finish(tickets[0], false) // the other one runs
	got, err := m.TakeDownload(t.Context(), s.ID, tickets[0], now)
	must(t, err)
	wantEqual(t, "taken by a lease that was resumed", got.Taken, 2)
	_, err = m.Ticket(t.Context(), s.ID, tickets[0], now)
	must(t, err)
	finish(tickets[1], false)
	finish(tickets[0], true)
	// Spent and removed are one step: nobody is told of better terms, or of a resumed lease, that the removal then ends.
	for _, c := range byID {
		wantErr(t, c.name+" of a spent share", c.call(t.Context(), m, s.ID, now), store.ErrNotFound)
	}
	if ids := doomed(t, m, now, now-abandon); !slices.Contains(ids, s.ID) {
		t.Error("a spent share that was not purged is not listed")
	}

	s = create(t, m, downloads(1)) // open: never spent
	_, err = m.TakeDownload(t.Context(), s.ID, tickets[0], now)
	must(t, err)
	finish(tickets[0], false)
	s = ready(t, m, downloads(0)) // any number: neither
	_, err = m.TakeDownload(t.Context(), s.ID, tickets[0], now)
	must(t, err)
	finish(tickets[0], false)
}

func metaFinishDownloadIdle(t *testing.T, m store.Meta) {
	s := ready(t, m, downloads(2))
	one, two := newHash(), newHash()
	for _, ticket := range []store.Hash{one, two} {
		_, err := m.TakeDownload(t.Context(), s.ID, ticket, now)
		must(t, err)
	}
	_, err := m.FinishDownload(t.Context(), s.ID, newHash(), now+500, now+1000)
	wantErr(t, "finishing an unknown ticket when all leases are idle", err, store.ErrNotFound)
	_, err = m.Ticket(t.Context(), s.ID, two, now+400)
	must(t, err)
	for _, c := range []struct {
		idle int64
		want bool
	}{{now, false}, {now + 400 - 60, false}, {now + 401, true}} {
		spent, err := m.FinishDownload(t.Context(), s.ID, one, now+500, c.idle)
		must(t, err)
		wantEqual(t, "spent, the other lease being idle", spent, c.want)
	}
}

func metaTries(t *testing.T, m store.Meta) {
	s, other := ready(t, m), ready(t, m)
	b := store.Budget{Burst: 3, Refill: 10}
	try := func(right bool, at, want int64) {
		t.Helper()
		left, _, err := m.Try(t.Context(), s.ID, right, b, at)
		must(t, err)
		wantEqual(t, "tries left", left, want)
	}
	none := func(at, want int64) {
		t.Helper()
		for _, right := range []bool{false, true, false} { // not to be told apart, and asking costs nothing
			_, wait, err := m.Try(t.Context(), s.ID, right, b, at)
			wantErr(t, "try", err, store.ErrExhausted)
			wantEqual(t, "wait", wait, want)
		}
	}
	for range 10 {
		try(true, now, 3)
	}
	try(false, now, 2)
	try(false, now, 1)
	try(true, now, 1)
	try(false, now, 0)
	none(now, 10)
	none(now+9, 1)
	try(true, now+10, 1)
	try(false, now+10, 0)
	none(now+10, 10)
	try(false, now+35, 1) // two and a half came back
	try(false, now+35, 0)
	none(now+35, 5)
	try(false, now+40, 0)
	try(false, now+900, 2) // full again, and not more
	try(false, now+900, 1)
	try(false, now+900, 0)
	none(now+900, 10)
	try(true, now, 3) // the clock was set back: nobody is locked out until it is there again
	try(false, now, 2)
	left, _, err := m.Try(t.Context(), other.ID, false, b, now)
	must(t, err)
	wantEqual(t, "tries left of another share", left, 2)
}

func metaTriesRacing(t *testing.T, m store.Meta) {
	s := ready(t, m)
	b := store.Budget{Burst: 7, Refill: 10}
	race(40, func(int) {
		if _, _, err := m.Try(context.Background(), s.ID, true, b, now); err != nil {
			t.Errorf("right password: %v", err)
		}
	})
	var taken atomic.Int64
	race(40, func(int) {
		_, _, err := m.Try(context.Background(), s.ID, false, b, now)
		if err == nil {
			taken.Add(1)
		} else if !errors.Is(err, store.ErrExhausted) {
			t.Errorf("try: %v", err)
		}
	})
	wantEqual(t, "tries", taken.Load(), 7)
}

func metaDoomed(t *testing.T, m store.Meta) {
	open, done, gone := create(t, m), ready(t, m), ready(t, m)
	kept := ready(t, m, func(s *store.Share) { s.Lifetime = 10 * abandon })
	if ids := doomed(t, m, now, now-abandon); len(ids) != 0 {
		t.Errorf("doomed at first: %v", ids)
	}
	must(t, m.Remove(t.Context(), gone.ID, now))
	want := []string{gone.ID}
	for _, c := range []struct {
		at   int64
		more string
	}{{now, ""}, {now + lifetime - 1, ""}, {now + lifetime, done.ID}, {now + abandon - 1, ""}, {now + abandon, open.ID}} {
		if c.more != "" {
			want = append(want, c.more)
		}
		slices.Sort(want)
		for range 2 { // until it is forgotten
			if ids := doomed(t, m, c.at, now-abandon); !slices.Equal(ids, want) {
				t.Errorf("doomed at %d: got %v, want %v", c.at-now, ids, want)
			}
		}
	}
	// What Doomed has named stays removed, whatever a late clock says.
	_, err := m.Share(t.Context(), done.ID, now)
	wantErr(t, "doomed share", err, store.ErrNotFound)
	for _, id := range want {
		must(t, m.Forget(t.Context(), id, now))
	}
	if ids := doomed(t, m, now+abandon, now-abandon); len(ids) != 0 {
		t.Errorf("doomed after they were forgotten: %v", ids)
	}
	_, err = m.Share(t.Context(), kept.ID, now+abandon)
	must(t, err)
}

func metaDoomedSpent(t *testing.T, m store.Meta) {
	take := func(s store.Share, ticket store.Hash) {
		t.Helper()
		_, err := m.TakeDownload(t.Context(), s.ID, ticket, now)
		must(t, err)
	}
	finish := func(s store.Share, ticket store.Hash) {
		t.Helper()
		_, err := m.FinishDownload(t.Context(), s.ID, ticket, now, now-abandon)
		must(t, err)
	}
	ticket := newHash()
	finished := ready(t, m, downloads(1))
	take(finished, ticket)
	finish(finished, ticket)
	idle := ready(t, m, downloads(1))
	take(idle, ticket)
	left := ready(t, m, downloads(2))
	take(left, ticket)
	finish(left, ticket)
	open := create(t, m, downloads(1))
	take(open, ticket)
	finish(open, ticket)
	any := ready(t, m, downloads(0))
	take(any, ticket)
	finish(any, ticket)
	if ids := doomed(t, m, now, now); !slices.Equal(ids, []string{finished.ID}) {
		t.Errorf("doomed: got %v, want the finished one", ids)
	}
	if ids := doomed(t, m, now, now+1); !slices.Contains(ids, idle.ID) || len(ids) != 2 {
		t.Errorf("doomed: got %v, want the finished and the idle one", ids)
	}
	for _, s := range []store.Share{left, open, any} {
		_, err := m.Share(t.Context(), s.ID, now)
		must(t, err)
	}
	add(t, m, open.ID, 7, 10)
	_, err := m.Complete(t.Context(), open.ID, 10, 1, now)
	must(t, err)
	if ids := doomed(t, m, now, now); !slices.Contains(ids, open.ID) {
		t.Error("a share that was spent while open is not doomed when it is ready")
	}
}

func metaDoomedLimit(t *testing.T, m store.Meta) {
	const n = 25
	for range n {
		create(t, m)
	}
	seen := map[string]bool{}
	for {
		ids, err := m.Doomed(t.Context(), now+abandon, now, 10)
		must(t, err)
		if len(ids) > 10 {
			t.Errorf("got %d, more than the limit", len(ids))
		}
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			if seen[id] {
				t.Fatalf("%s is back after it was forgotten", id)
			}
			seen[id] = true
			must(t, m.Forget(t.Context(), id, now))
		}
	}
	wantEqual(t, "doomed in all", len(seen), n)
}

// metaDoomedDropsLeases of shares with any number of downloads, and of those alone: there they count.
func metaDoomedDropsLeases(t *testing.T, m store.Meta) {
	any, limited := ready(t, m, downloads(0)), ready(t, m, downloads(5))
	idle, busy := newHash(), newHash()
	for _, s := range []store.Share{any, limited} {
		for _, ticket := range []store.Hash{idle, busy} {
			_, err := m.TakeDownload(t.Context(), s.ID, ticket, now)
			must(t, err)
		}
		_, err := m.Ticket(t.Context(), s.ID, busy, now+500)
		must(t, err)
	}
	if ids := doomed(t, m, now+500, now+400); len(ids) != 0 {
		t.Errorf("doomed: %v", ids)
	}
	_, err := m.Ticket(t.Context(), any.ID, idle, now+500)
	wantErr(t, "idle ticket", err, store.ErrNotFound)
	_, err = m.Ticket(t.Context(), any.ID, busy, now+500)
	must(t, err)
	_, err = m.Ticket(t.Context(), limited.ID, idle, now+500)
	must(t, err)
	got, err := m.Share(t.Context(), any.ID, now)
	must(t, err)
	wantEqual(t, "taken", got.Taken, 2)
}

func metaForget(t *testing.T, m store.Meta) {
	s, other := ready(t, m), ready(t, m)
	_, err := m.TakeDownload(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	must(t, m.Forget(t.Context(), s.ID, now)) // not removed: nothing happens
	_, err = m.Ticket(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	must(t, m.Remove(t.Context(), s.ID, now))
	for range 2 {
		must(t, m.Forget(t.Context(), s.ID, now))
		parts, err := m.Parts(t.Context(), s.ID)
		if len(parts) != 0 || err != nil {
			t.Errorf("parts after forgetting: %v, error %v", parts, err)
		}
	}
	must(t, m.Forget(t.Context(), newID(), now))
	parts, err := m.Parts(t.Context(), other.ID)
	must(t, err)
	wantEqual(t, "parts of the share beside", len(parts), 5)
	again := newShare() // id and owner are free again
	again.ID, again.Owner = s.ID, s.Owner
	got, err := m.Create(t.Context(), again)
	must(t, err)
	wantEqual(t, "share", got, again)
	_, err = m.Ticket(t.Context(), s.ID, store.Hash{1}, now)
	wantErr(t, "ticket of the share that was forgotten", err, store.ErrNotFound)
}
