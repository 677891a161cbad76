package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// Times and terms of the shares that the suite makes.
const (
	now      = int64(1_800_000_000)
	abandon  = int64(86_400)
	lifetime = int64(1000)
	partSize = int64(100)
)

// Meta runs the suite for a driver of [store.Meta].
func Meta(t *testing.T, open func(t *testing.T) store.Meta) {
	for _, test := range []struct {
		name string
		f    func(t *testing.T, m store.Meta)
	}{
		{"Create", metaCreate},
		{"CreateAgain", metaCreateAgain},
		{"CreateRacing", metaCreateRacing},
		{"Expiry", metaExpiry},
		{"Removed", metaRemoved},
		{"AddPart", metaAddPart},
		{"AddPartPostpones", metaAddPartPostpones},
		{"AddPartRacing", metaAddPartRacing},
		{"ReservePart", metaReservePart},
		{"ReservePartRacing", metaReservePartRacing},
		{"RunOut", metaRunOut},
		{"RunOutLimit", metaRunOutLimit},
		{"ReleasePartRacing", metaReleasePartRacing},
		{"Complete", metaComplete},
		{"CompleteSizes", metaCompleteSizes},
		{"CompleteAgainstAddPart", metaCompleteAgainstAddPart},
		{"CompleteAgainstRemove", metaCompleteAgainstRemove},
		{"Update", metaUpdate},
		{"TakeDownload", metaTakeDownload},
		{"TakeDownloadRacing", metaTakeDownloadRacing},
		{"TakeDownloadAnyNumber", metaTakeDownloadAnyNumber},
		{"Ticket", metaTicket},
		{"FinishDownload", metaFinishDownload},
		{"FinishDownloadIdle", metaFinishDownloadIdle},
		{"Tries", metaTries},
		{"TriesRacing", metaTriesRacing},
		{"Doomed", metaDoomed},
		{"DoomedSpent", metaDoomedSpent},
		{"DoomedLimit", metaDoomedLimit},
		{"DoomedDropsLeases", metaDoomedDropsLeases},
		{"Forget", metaForget},
		{"ForgetReserved", metaForgetReserved},
		{"DoomedWaiting", metaDoomedWaiting},
		{"AddReport", metaAddReport},
		{"AddReportLimits", metaAddReportLimits},
		{"AddReportYields", metaAddReportYields},
		{"AddReportRacing", metaAddReportRacing},
		{"AddReportYieldsRacing", metaAddReportYieldsRacing},
		{"Reports", metaReports},
		{"DropReports", metaDropReports},
		{"Records", metaRecords},
		{"RecordsPages", metaRecordsPages},
		{"Totals", metaTotals},
		{"Mark", metaMark},
		{"Usage", metaUsage},
		{"Total", metaTotal},
		{"TotalRacing", metaTotalRacing},
		{"Charge", metaCharge},
		{"ChargeRacing", metaChargeRacing},
		{"DropCharges", metaDropCharges},
		{"Cancelled", metaCancelled},
		{"Durable", metaDurable},
	} {
		t.Run(test.name, func(t *testing.T) { test.f(t, open(t)) })
	}
}

// newShare returns a share to create: three parts and ten bytes, five downloads.
func newShare() store.Share {
	return store.Share{ID: newID(), Access: newHash(), Reader: newHash(), Owner: newHash(), State: store.Open,
		PartSize: partSize, Size: 1 << 40, Created: now, Expires: now + abandon, Lifetime: lifetime, MaxDownloads: 5}
}

// create makes a share, after changes to it.
func create(t *testing.T, m store.Meta, changes ...func(*store.Share)) store.Share {
	t.Helper()
	s := newShare()
	for _, change := range changes {
		change(&s)
	}
	got, err := m.Create(t.Context(), s)
	must(t, err)
	wantEqual(t, "created share", got, s)
	return got
}

func downloads(n int64) func(*store.Share) { return func(s *store.Share) { s.MaxDownloads = n } }

// add stores parts of the given sizes, the manifest first.
func add(t *testing.T, m store.Meta, id string, sizes ...int64) []store.Part {
	t.Helper()
	var parts []store.Part
	for n, size := range sizes {
		p := store.Part{N: int64(n), Size: size, Digest: newHash()}
		got, err := m.AddPart(t.Context(), id, p, now, now+abandon, 0)
		must(t, err)
		wantEqual(t, "added part", got, p)
		parts = append(parts, p)
	}
	return parts
}

// ready makes a share that is complete since now.
func ready(t *testing.T, m store.Meta, changes ...func(*store.Share)) store.Share {
	t.Helper()
	s := create(t, m, changes...)
	add(t, m, s.ID, 7, partSize, partSize, partSize, 10)
	s, err := m.Complete(t.Context(), s.ID, 3*partSize+10, 4, now)
	must(t, err)
	return s
}

// doomed returns the ids that Doomed gives, sorted.
func doomed(t *testing.T, m store.Meta, at, idle int64) []string {
	t.Helper()
	ids, err := m.Doomed(t.Context(), at, idle, 1000)
	must(t, err)
	slices.Sort(ids)
	return ids
}

func ptr(n int64) *int64 { return &n }

// byID are the methods that answer for a share that is there, each as one call. Those that change it come last.
var byID = []struct {
	name string
	call func(ctx context.Context, m store.Meta, id string, at int64) error
}{
	{"Share", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.Share(ctx, id, at)
		return err
	}},
	{"TakeDownload", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.TakeDownload(ctx, id, store.Hash{1}, at)
		return err
	}},
	{"Ticket", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.Ticket(ctx, id, store.Hash{1}, at)
		return err
	}},
	{"FinishDownload", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.FinishDownload(ctx, id, store.Hash{1}, at, at)
		return err
	}},
	{"Try", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, _, err := m.Try(ctx, id, false, store.Budget{Burst: 5, Refill: 10}, at)
		return err
	}},
	{"Try of the right password", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, _, err := m.Try(ctx, id, true, store.Budget{Burst: 5, Refill: 10}, at)
		return err
	}},
	{"Update", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.Update(ctx, id, store.Change{}, at)
		return err
	}},
	{"AddPart", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.AddPart(ctx, id, store.Part{N: 1, Size: 1, Digest: store.Hash{1}}, at, at, 0)
		return err
	}},
	{"Complete", func(ctx context.Context, m store.Meta, id string, at int64) error {
		_, err := m.Complete(ctx, id, 3*partSize+10, 4, at)
		return err
	}},
	{"AddReport", func(ctx context.Context, m store.Meta, id string, at int64) error {
		return m.AddReport(ctx, store.Report{ID: newID(), Share: id, Received: at, Sealed: []byte("sealed")}, many)
	}},
	{"Remove", func(ctx context.Context, m store.Meta, id string, at int64) error {
		return m.Remove(ctx, id, at)
	}},
}

func metaCreate(t *testing.T, m store.Meta) {
	must(t, m.Ping(t.Context()))
	s := create(t, m, func(s *store.Share) { // every member differs, numbers are large
		s.Password, s.PartSize, s.Size, s.Lifetime, s.MaxDownloads = true, 64<<20, 1<<53-1, 1<<40, 1<<41
	})
	got, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "share", got, s)
	_, err = m.Share(t.Context(), newID(), now)
	wantErr(t, "unknown share", err, store.ErrNotFound)
	for _, c := range byID {
		wantErr(t, c.name+" of an unknown share", c.call(t.Context(), m, newID(), now), store.ErrNotFound)
	}
	taken := newShare()
	taken.ID = s.ID
	if _, err := m.Create(t.Context(), taken); err == nil {
		t.Error("an id was given twice")
	}
	got, err = m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "share whose id was asked for again", got, s)
}

func metaCreateAgain(t *testing.T, m store.Meta) {
	s := create(t, m)
	for range 2 {
		got, err := m.Create(t.Context(), s)
		must(t, err)
		wantEqual(t, "the same share again", got, s)
	}
	again := newShare() // another id, other terms, the same owner
	again.Owner, again.Created = s.Owner, now+10
	got, err := m.Create(t.Context(), again)
	must(t, err)
	wantEqual(t, "owner's open share", got, s)
	_, err = m.Share(t.Context(), again.ID, now)
	wantErr(t, "share that was not made", err, store.ErrNotFound)

	add(t, m, s.ID, 7, 10)
	s, err = m.Complete(t.Context(), s.ID, 10, 1, now+20)
	must(t, err)
	got, err = m.Create(t.Context(), again)
	must(t, err)
	wantEqual(t, "owner's ready share", got, s)

	again.Created = s.Expires // the second at which it is gone
	got, err = m.Create(t.Context(), again)
	must(t, err)
	wantEqual(t, "share after the owner's last one expired", got, again)
	must(t, m.Remove(t.Context(), again.ID, now))
	third := newShare()
	third.Owner = s.Owner
	got, err = m.Create(t.Context(), third)
	must(t, err)
	wantEqual(t, "share after the owner's last one was removed", got, third)
}

func metaCreateRacing(t *testing.T, m store.Meta) {
	owner := newHash()
	ids := make([]string, 16)
	race(len(ids), func(i int) {
		s := newShare()
		s.Owner = owner
		got, err := m.Create(context.Background(), s)
		if err != nil {
			t.Errorf("create: %v", err)
		}
		ids[i] = got.ID
	})
	wantEqual(t, "shares made by racing requests of one owner", len(slices.Compact(slices.Sorted(slices.Values(ids)))), 1)
}

// metaExpiry: a share is there up to the second before it expires.
func metaExpiry(t *testing.T, m store.Meta) {
	for _, c := range byID {
		s := ready(t, m)
		_, err := m.TakeDownload(t.Context(), s.ID, store.Hash{1}, now)
		must(t, err)
		wantEqual(t, "expiry", s.Expires, now+lifetime)
		wantErr(t, c.name+" at expiry", c.call(t.Context(), m, s.ID, s.Expires), store.ErrNotFound)
		err = c.call(t.Context(), m, s.ID, s.Expires-1)
		if c.name == "AddPart" { // there is a part 1, which it returns
			must(t, err)
		} else if err != nil {
			t.Errorf("%s a second before: %v", c.name, err)
		}
	}
	s := create(t, m)
	add(t, m, s.ID, 7, 10)
	_, err := m.AddPart(t.Context(), s.ID, store.Part{N: 2, Size: 1}, now+abandon, now+2*abandon, 0)
	wantErr(t, "part for an abandoned share", err, store.ErrNotFound)
	_, err = m.Part(t.Context(), s.ID, 2)
	wantErr(t, "part that was refused", err, store.ErrNotFound)
	_, err = m.Complete(t.Context(), s.ID, 10, 1, now+abandon)
	wantErr(t, "completing an abandoned share", err, store.ErrNotFound)
	_, err = m.Share(t.Context(), s.ID, now+abandon-1)
	must(t, err)
}

func metaRemoved(t *testing.T, m store.Meta) {
	s := ready(t, m)
	_, err := m.TakeDownload(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	other := ready(t, m)
	must(t, m.Remove(t.Context(), s.ID, now))
	for _, c := range byID {
		wantErr(t, c.name+" of a removed share", c.call(t.Context(), m, s.ID, now), store.ErrNotFound)
	}
	parts, err := m.Parts(t.Context(), s.ID)
	must(t, err)
	wantEqual(t, "parts of a removed share", len(parts), 5)
	_, err = m.Part(t.Context(), s.ID, 4)
	must(t, err)
	got, err := m.Share(t.Context(), other.ID, now)
	must(t, err)
	wantEqual(t, "share beside", got, other)
}

func metaUpdate(t *testing.T, m store.Meta) {
	s := create(t, m)
	change := func(c store.Change, want store.Share) {
		t.Helper()
		for range 2 {
			got, err := m.Update(t.Context(), s.ID, c, now)
			must(t, err)
			wantEqual(t, "updated share", got, want)
		}
		got, err := m.Share(t.Context(), s.ID, now)
		must(t, err)
		wantEqual(t, "share", got, want)
	}
	change(store.Change{}, s)
	s.Lifetime, s.MaxDownloads = 2000, 7 // while open, the expiry is that of an abandoned one
	change(store.Change{Lifetime: ptr(2000), MaxDownloads: ptr(7)}, s)
	add(t, m, s.ID, 7, 10)
	s, err := m.Complete(t.Context(), s.ID, 10, 1, now)
	must(t, err)
	wantEqual(t, "expiry after completion", s.Expires, now+2000)
	s.Lifetime, s.Expires = 3000, now+3000
	change(store.Change{Lifetime: ptr(3000)}, s)
	s.MaxDownloads = 0
	change(store.Change{MaxDownloads: ptr(0)}, s)
	got, err := m.Update(t.Context(), s.ID, store.Change{Lifetime: ptr(-5)}, now)
	must(t, err)
	wantEqual(t, "expiry in the past", got.Expires, now-5)
	_, err = m.Share(t.Context(), s.ID, now)
	wantErr(t, "share with expiry in the past", err, store.ErrNotFound)
}

func metaCancelled(t *testing.T, m store.Meta) {
	s := ready(t, m)
	_, err := m.TakeDownload(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	want, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range byID {
		if err := c.call(ctx, m, s.ID, now+500); err == nil {
			t.Errorf("%s worked with a cancelled context", c.name)
		}
	}
	if _, err := m.Create(ctx, newShare()); err == nil {
		t.Error("Create worked with a cancelled context")
	}
	if _, err := m.Doomed(ctx, now+lifetime, now, 10); err == nil {
		t.Error("Doomed worked with a cancelled context")
	}
	if _, err := m.Reports(ctx, store.Report{}, 10); err == nil {
		t.Error("Reports worked with a cancelled context")
	}
	if err := m.Charge(ctx, store.Charge{Day: today, Shares: 1}, store.Daily{}); err == nil {
		t.Error("Charge worked with a cancelled context")
	}
	if _, err := m.DropReports(ctx, now); err == nil {
		t.Error("DropReports worked with a cancelled context")
	}
	if _, err := m.Record(ctx, s.ID); err == nil {
		t.Error("Record worked with a cancelled context")
	}
	if _, err := m.Records(ctx, "", 10); err == nil {
		t.Error("Records worked with a cancelled context")
	}
	if _, err := m.Totals(ctx, now); err == nil {
		t.Error("Totals worked with a cancelled context")
	}
	got, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "share", got, want)
}

func metaDurable(t *testing.T, m store.Meta) {
	re, ok := m.(reopensMeta)
	if !ok {
		t.Skip("this driver has nothing to reopen")
	}
	s := ready(t, m)
	_, err := m.TakeDownload(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	removed := ready(t, m)
	r := report(t, m, removed.ID, now, "of a share that is removed")
	must(t, m.Remove(t.Context(), removed.ID, now))
	must(t, m.Charge(t.Context(), store.Charge{Client: "a", Day: today, Shares: 1}, store.Daily{}))
	usage, err := m.Usage(t.Context())
	must(t, err)
	m = re.Reopen(t)
	wantReports(t, m, r)
	wantUsage(t, m, usage)
	err = m.Charge(t.Context(), store.Charge{Client: "a", Day: today, Shares: 1}, store.Daily{Shares: 1})
	wantErr(t, "charge after it was reopened", err, store.ErrOverShares)
	s.Taken = 1
	got, err := m.Share(t.Context(), s.ID, now)
	must(t, err)
	wantEqual(t, "share", got, s)
	_, err = m.Ticket(t.Context(), s.ID, store.Hash{1}, now)
	must(t, err)
	parts, err := m.Parts(t.Context(), s.ID)
	must(t, err)
	wantEqual(t, "parts", len(parts), 5)
	if ids := doomed(t, m, now, now); !slices.Equal(ids, []string{removed.ID}) {
		t.Errorf("doomed: got %v, want %v", ids, removed.ID)
	}
}
