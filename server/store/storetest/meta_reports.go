package storetest

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// many is a limit that no test reaches which is about something else.
var many = store.ReportLimit{Share: 1000, All: 1000}

// report adds a report.
func report(t *testing.T, m store.Meta, share string, at int64, sealed string) store.Report {
	t.Helper()
	r := store.Report{ID: newID(), Share: share, Received: at, Sealed: []byte(sealed)}
	must(t, m.AddReport(t.Context(), r, many))
	return r
}

// reports are all that there are, read few at a time.
func reports(t *testing.T, m store.Meta) (all []store.Report) {
	t.Helper()
	var last store.Report
	for {
		next, err := m.Reports(t.Context(), last, 3)
		must(t, err)
		if len(next) > 3 {
			t.Fatalf("got %d reports, more than the limit", len(next))
		}
		if len(next) == 0 {
			return all
		}
		all, last = append(all, next...), next[len(next)-1]
	}
}

func wantReports(t *testing.T, m store.Meta, want ...store.Report) {
	t.Helper()
	if got := reports(t, m); !reflect.DeepEqual(got, want) {
		t.Errorf("got reports %v, want %v", got, want)
	}
}

// metaAddReport: a report is there once, with every byte, also when its share is gone.
func metaAddReport(t *testing.T, m store.Meta) {
	s, other, open := ready(t, m), ready(t, m), create(t, m)
	wantReports(t, m)
	bytes := make([]byte, 64<<10)
	for i := range bytes {
		bytes[i] = byte(i * i >> 3)
	}
	r := report(t, m, s.ID, now, string(bytes))
	again := store.Report{ID: newID(), Share: s.ID, Received: now + 10, Sealed: r.Sealed}
	must(t, m.AddReport(t.Context(), again, many))
	must(t, m.AddReport(t.Context(), again, store.ReportLimit{Share: 1, All: 1})) // takes no room
	wantReports(t, m, r)
	second := report(t, m, other.ID, now+20, string(bytes)) // the same bytes about another share
	wantReports(t, m, r, second)
	err := m.AddReport(t.Context(), store.Report{ID: newID(), Share: open.ID, Received: now, Sealed: r.Sealed}, many)
	wantErr(t, "report of a share that is open", err, store.ErrNotFound)

	must(t, m.Remove(t.Context(), s.ID, now))
	must(t, m.Forget(t.Context(), s.ID, now))
	wantReports(t, m, r, second)
	err = m.AddReport(t.Context(), again, many)
	wantErr(t, "report of a share that is gone", err, store.ErrNotFound)
	got, err := m.Share(t.Context(), other.ID, now)
	must(t, err)
	wantEqual(t, "share that was reported", got, other)
}

func metaAddReportLimits(t *testing.T, m store.Meta) {
	s, other := ready(t, m), ready(t, m)
	add := func(id string, sealed string, limit store.ReportLimit) error {
		return m.AddReport(t.Context(), store.Report{ID: newID(), Share: id, Received: now, Sealed: []byte(sealed)}, limit)
	}
	for i := range 3 {
		must(t, add(s.ID, strconv.Itoa(i), store.ReportLimit{Share: 3, All: 3}))
	}
	wantErr(t, "one too many of a share", add(s.ID, "3", store.ReportLimit{Share: 3, All: 1000}), store.ErrEnough)
	wantErr(t, "one too many of a share and of all", add(s.ID, "3", store.ReportLimit{Share: 3, All: 3}), store.ErrEnough)
	wantErr(t, "one too many of all", add(other.ID, "0", store.ReportLimit{Share: 3, All: 3}), store.ErrAllReports)
	must(t, add(s.ID, "2", store.ReportLimit{Share: 3, All: 3}))
	wantEqual(t, "reports", len(reports(t, m)), 3)
	must(t, add(other.ID, "0", store.ReportLimit{Share: 3, All: 4}))
	must(t, add(s.ID, "3", store.ReportLimit{Share: 4, All: 1000}))
	wantEqual(t, "reports", len(reports(t, m)), 5)
}

// metaAddReportYields: where there are enough of all shares, the oldest ones whose share is gone make room for one that is to be kept, and for
// nothing else.
func metaAddReportYields(t *testing.T, m store.Meta) {
	long := func(s *store.Share) { s.Lifetime *= 5 }
	live, next, removed, forgotten, expired := ready(t, m, long), ready(t, m, long), ready(t, m, long), ready(t, m, long), ready(t, m)
	kept := []store.Report{report(t, m, live.ID, now, "live"), report(t, m, expired.ID, now+1, "a"), report(t, m, forgotten.ID, now+2, "b"),
		report(t, m, removed.ID, now+3, "c"), report(t, m, removed.ID, now+4, "d")}
	at := now + 5
	add := func(share, sealed string, limit store.ReportLimit) error {
		r := store.Report{ID: newID(), Share: share, Received: at, Sealed: []byte(sealed)}
		at++
		err := m.AddReport(t.Context(), r, limit)
		if err == nil {
			kept = append(kept, r)
		}
		return err
	}
	limit := store.ReportLimit{Share: 5, All: 5}
	wantErr(t, "one too many, while all shares are there", add(next.ID, "1", limit), store.ErrAllReports)
	for _, id := range []string{removed.ID, forgotten.ID} {
		must(t, m.Remove(t.Context(), id, at))
	}
	must(t, m.Forget(t.Context(), forgotten.ID, now))
	at = expired.Expires
	again := kept[0]
	again.ID, again.Received = newID(), at
	must(t, m.AddReport(t.Context(), again, limit))
	wantErr(t, "one too many of its share", add(live.ID, "another", store.ReportLimit{Share: 1, All: 5}), store.ErrEnough)
	wantErr(t, "report of a share that is gone", add(removed.ID, "e", limit), store.ErrNotFound)
	wantErr(t, "more than would make room", add(next.ID, "1", store.ReportLimit{Share: 5, All: 1}), store.ErrAllReports)
	wantReports(t, m, kept...)
	must(t, add(next.ID, "1", store.ReportLimit{Share: 5, All: 6})) // there is room
	wantReports(t, m, kept...)

	without := func(from int) { kept = append(kept[:1], kept[from:]...) }
	must(t, add(next.ID, "2", limit)) // a and b go: there was one more than may be
	without(3)
	wantReports(t, m, kept...)
	must(t, add(next.ID, "3", limit))
	without(2)
	wantReports(t, m, kept...)
	must(t, add(next.ID, "4", limit))
	without(2)
	wantReports(t, m, kept...)
	wantErr(t, "one too many, all shares being there", add(next.ID, "5", limit), store.ErrAllReports)
	wantReports(t, m, kept...)
}

// metaAddReportYieldsRacing: as many as make room, and each for one.
func metaAddReportYieldsRacing(t *testing.T, m store.Meta) {
	const n = 12
	gone, live := ready(t, m), make([]store.Share, n)
	for i := range n {
		live[i] = ready(t, m)
		report(t, m, gone.ID, now+int64(i), strconv.Itoa(i))
	}
	must(t, m.Remove(t.Context(), gone.ID, now))
	race(n, func(i int) {
		err := m.AddReport(context.Background(), store.Report{ID: newID(), Share: live[i].ID, Received: now + 100, Sealed: []byte{1}},
			store.ReportLimit{Share: 1, All: n})
		if err != nil {
			t.Errorf("add: %v", err)
		}
	})
	all := reports(t, m)
	wantEqual(t, "reports", len(all), n)
	for _, r := range all {
		if r.Share == gone.ID {
			t.Errorf("an old report is left, of second %d", r.Received-now)
		}
	}
}

// metaAddReportRacing: as many as a share may have, and the same one once.
func metaAddReportRacing(t *testing.T, m store.Meta) {
	s, other := ready(t, m), ready(t, m)
	var added atomic.Int64
	race(20, func(i int) {
		err := m.AddReport(context.Background(), store.Report{ID: newID(), Share: s.ID, Received: now, Sealed: []byte{byte(i)}},
			store.ReportLimit{Share: 7, All: 1000})
		if err == nil {
			added.Add(1)
		} else if !errors.Is(err, store.ErrEnough) {
			t.Errorf("add: %v", err)
		}
	})
	wantEqual(t, "reports added", added.Load(), 7)
	race(20, func(int) {
		if err := m.AddReport(context.Background(), store.Report{ID: newID(), Share: other.ID, Received: now, Sealed: []byte("same")},
			many); err != nil {
			t.Errorf("add the same: %v", err)
		}
	})
	wantEqual(t, "reports", len(reports(t, m)), 8)
}

// metaReports: they come in order, whatever the order in which they were added, and none is missed or comes twice though many were
// received in one second, or some are dropped meanwhile.
func metaReports(t *testing.T, m store.Meta) {
	s := ready(t, m)
	const n = 10
	seen := map[string]bool{}
	for i := range n {
		seen[report(t, m, s.ID, now+int64((n-i)/4), strconv.Itoa(i)).ID] = false
	}
	var last store.Report
	for range n {
		next, err := m.Reports(t.Context(), last, 1)
		must(t, err)
		wantEqual(t, "reports", len(next), 1)
		r := next[0]
		if twice, known := seen[r.ID]; !known || twice || r.Received < last.Received {
			t.Fatalf("after %v came %v", last, r)
		}
		seen[r.ID], last = true, r
		if _, err := m.DropReports(t.Context(), r.Received); err != nil { // those of seconds before
			t.Fatal(err)
		}
	}
	next, err := m.Reports(t.Context(), last, 1)
	must(t, err)
	wantEqual(t, "reports after the last", len(next), 0)
}

func metaDropReports(t *testing.T, m store.Meta) {
	s := ready(t, m)
	old, young := report(t, m, s.ID, now, "old"), report(t, m, s.ID, now+1, "young")
	for _, c := range []struct {
		before, dropped int64
		want            []store.Report
	}{{now, 0, []store.Report{old, young}}, {now + 1, 1, []store.Report{young}}, {now + 1, 0, []store.Report{young}}, {now + 100, 1, nil}} {
		n, err := m.DropReports(t.Context(), c.before)
		must(t, err)
		wantEqual(t, "dropped", n, c.dropped)
		wantReports(t, m, c.want...)
	}
	if ids := doomed(t, m, now, now); len(ids) != 0 {
		t.Errorf("doomed: %v", ids)
	}
}
