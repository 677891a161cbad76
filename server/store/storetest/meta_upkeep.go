package storetest

import (
	"maps"
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// metaRecords: what hangs on a share is counted, whatever has become of it.
func metaRecords(t *testing.T, m store.Meta) {
	want := func(what string, want store.Record) {
		t.Helper()
		got, err := m.Record(t.Context(), want.ID)
		must(t, err)
		wantEqual(t, what, got, want)
	}
	_, err := m.Record(t.Context(), newID())
	wantErr(t, "unknown record", err, store.ErrNotFound)

	want("empty share", store.Record{Share: create(t, m)})
	open := create(t, m)
	add(t, m, open.ID, 7, 100)
	want("open share", store.Record{Share: open, Stored: 1, Bytes: 107})

	s := ready(t, m)
	one, two := newHash(), newHash()
	for _, ticket := range []store.Hash{one, two, one} {
		if s, err = m.TakeDownload(t.Context(), s.ID, ticket, now); err != nil {
			t.Fatal(err)
		}
	}
	_, err = m.FinishDownload(t.Context(), s.ID, one, now, now)
	must(t, err)
	report(t, m, s.ID, now, "one")
	report(t, m, s.ID, now, "two")
	r := store.Record{Share: s, Stored: 4, Bytes: 7 + 3*partSize + 10, Tickets: 2, Leases: 1, Reports: 2}
	want("ready share", r)
	must(t, m.Remove(t.Context(), s.ID, now))
	r.State = store.Removed
	want("removed share", r)
	must(t, m.Forget(t.Context(), s.ID, now))
	_, err = m.Record(t.Context(), s.ID)
	wantErr(t, "forgotten record", err, store.ErrNotFound)
}

// metaRecordsPages: every share comes by once, in the same order each time, whatever becomes of others meanwhile.
func metaRecordsPages(t *testing.T, m store.Meta) {
	all := map[string]store.Record{}
	for range 11 {
		s := ready(t, m)
		all[s.ID] = store.Record{Share: s, Stored: 4, Bytes: 7 + 3*partSize + 10}
	}
	walk := func(limit int, then func(store.Record)) (ids []string) {
		t.Helper()
		after := ""
		for {
			page, err := m.Records(t.Context(), after, limit)
			must(t, err)
			if len(page) > limit {
				t.Fatalf("got %d records, more than the limit", len(page))
			}
			if len(page) == 0 {
				return ids
			}
			for _, r := range page {
				ids = append(ids, r.ID)
				then(r)
			}
			after = page[len(page)-1].ID
		}
	}
	order := walk(4, func(r store.Record) { wantEqual(t, "record", r, all[r.ID]) })
	if !slices.Equal(slices.Sorted(slices.Values(order)), slices.Sorted(maps.Keys(all))) {
		t.Errorf("got %v, want %v", order, all)
	}
	if got := walk(1000, func(store.Record) {}); !slices.Equal(got, order) {
		t.Errorf("the order was %v and is %v", order, got)
	}
	got := walk(1, func(r store.Record) { // each goes when it was told of
		must(t, m.Remove(t.Context(), r.ID, now))
		must(t, m.Forget(t.Context(), r.ID, now))
	})
	if !slices.Equal(got, order) {
		t.Errorf("while they go, got %v, want %v", got, order)
	}
}

func metaTotals(t *testing.T, m store.Meta) {
	want := func(what string, at int64, want store.Totals) {
		t.Helper()
		got, err := m.Totals(t.Context(), at)
		must(t, err)
		wantEqual(t, what, got, want)
	}
	want("nothing", now, store.Totals{})
	add(t, m, create(t, m).ID, 7, 100)
	create(t, m)
	s, removed := ready(t, m), ready(t, m)
	report(t, m, s.ID, now, "one")
	must(t, m.Remove(t.Context(), removed.ID, now))
	const whole = 7 + 3*partSize + 10
	want("totals", now, store.Totals{Open: 2, Ready: 1, Removed: 1, Bytes: 107 + 2*whole, Reports: 1})
	want("totals when one has expired", s.Expires, store.Totals{Open: 2, Removed: 2, Bytes: 107 + 2*whole, Reports: 1})
	must(t, m.Forget(t.Context(), removed.ID, now))
	want("totals after one was forgotten", s.Expires-1, store.Totals{Open: 2, Ready: 1, Bytes: 107 + whole, Reports: 1})
}
