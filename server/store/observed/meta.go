package observed

import (
	"context"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// Meta returns m, observed.
func Meta(m store.Meta, observe Observe) store.Meta {
	o := meta{m, observe}
	if checker, ok := m.(store.Checker); ok {
		return struct {
			meta
			store.Checker
		}{o, checker}
	}
	return o
}

// meta names each method, since one that is added to the contract would else pass unobserved; a test sees to that.
type meta struct {
	store.Meta
	observe Observe
}

func (m meta) Create(ctx context.Context, s store.Share) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.Create(ctx, s)
	m.observe.since("Create", began, err)
	return v, err
}

func (m meta) Share(ctx context.Context, id string, now int64) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.Share(ctx, id, now)
	m.observe.since("Share", began, err)
	return v, err
}

func (m meta) AddPart(ctx context.Context, id string, p store.Part, now, expires, most int64) (store.Part, error) {
	began := time.Now()
	v, err := m.Meta.AddPart(ctx, id, p, now, expires, most)
	m.observe.since("AddPart", began, err)
	return v, err
}

func (m meta) ReservePart(ctx context.Context, id string, p store.Part, now, ends, most int64) (store.Part, bool, error) {
	began := time.Now()
	v, stored, err := m.Meta.ReservePart(ctx, id, p, now, ends, most)
	m.observe.since("ReservePart", began, err)
	return v, stored, err
}

func (m meta) RunOut(ctx context.Context, now int64, limit int) ([]store.Reservation, error) {
	began := time.Now()
	v, err := m.Meta.RunOut(ctx, now, limit)
	m.observe.since("RunOut", began, err)
	return v, err
}

func (m meta) ReleasePart(ctx context.Context, r store.Reservation, now int64) error {
	began := time.Now()
	err := m.Meta.ReleasePart(ctx, r, now)
	m.observe.since("ReleasePart", began, err)
	return err
}

func (m meta) Reservation(ctx context.Context, id string, n int64) (store.Part, error) {
	began := time.Now()
	v, err := m.Meta.Reservation(ctx, id, n)
	m.observe.since("Reservation", began, err)
	return v, err
}

func (m meta) Usage(ctx context.Context) (int64, error) {
	began := time.Now()
	v, err := m.Meta.Usage(ctx)
	m.observe.since("Usage", began, err)
	return v, err
}

func (m meta) Part(ctx context.Context, id string, n int64) (store.Part, error) {
	began := time.Now()
	v, err := m.Meta.Part(ctx, id, n)
	m.observe.since("Part", began, err)
	return v, err
}

func (m meta) Parts(ctx context.Context, id string) ([]store.Part, error) {
	began := time.Now()
	v, err := m.Meta.Parts(ctx, id)
	m.observe.since("Parts", began, err)
	return v, err
}

func (m meta) CountParts(ctx context.Context, id string) (int64, error) {
	began := time.Now()
	v, err := m.Meta.CountParts(ctx, id)
	m.observe.since("CountParts", began, err)
	return v, err
}

func (m meta) Complete(ctx context.Context, id string, size, parts, now int64) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.Complete(ctx, id, size, parts, now)
	m.observe.since("Complete", began, err)
	return v, err
}

func (m meta) TakeDownload(ctx context.Context, id string, ticket store.Hash, now int64) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.TakeDownload(ctx, id, ticket, now)
	m.observe.since("TakeDownload", began, err)
	return v, err
}

func (m meta) Ticket(ctx context.Context, id string, ticket store.Hash, now int64) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.Ticket(ctx, id, ticket, now)
	m.observe.since("Ticket", began, err)
	return v, err
}

func (m meta) FinishDownload(ctx context.Context, id string, ticket store.Hash, now, idle int64) (bool, error) {
	began := time.Now()
	v, err := m.Meta.FinishDownload(ctx, id, ticket, now, idle)
	m.observe.since("FinishDownload", began, err)
	return v, err
}

func (m meta) Update(ctx context.Context, id string, c store.Change, now int64) (store.Share, error) {
	began := time.Now()
	v, err := m.Meta.Update(ctx, id, c, now)
	m.observe.since("Update", began, err)
	return v, err
}

func (m meta) Try(ctx context.Context, id string, right bool, b store.Budget, now int64) (int64, int64, error) {
	began := time.Now()
	v, w, err := m.Meta.Try(ctx, id, right, b, now)
	m.observe.since("Try", began, err)
	return v, w, err
}

func (m meta) Remove(ctx context.Context, id string, now int64) error {
	began := time.Now()
	err := m.Meta.Remove(ctx, id, now)
	m.observe.since("Remove", began, err)
	return err
}

func (m meta) Doomed(ctx context.Context, now, idle int64, limit int) ([]string, error) {
	began := time.Now()
	v, err := m.Meta.Doomed(ctx, now, idle, limit)
	m.observe.since("Doomed", began, err)
	return v, err
}

func (m meta) Forget(ctx context.Context, id string, now int64) error {
	began := time.Now()
	err := m.Meta.Forget(ctx, id, now)
	m.observe.since("Forget", began, err)
	return err
}

func (m meta) Charge(ctx context.Context, c store.Charge, limit store.Daily) error {
	began := time.Now()
	err := m.Meta.Charge(ctx, c, limit)
	m.observe.since("Charge", began, err)
	return err
}

func (m meta) DropCharges(ctx context.Context, before int64) (int64, error) {
	began := time.Now()
	v, err := m.Meta.DropCharges(ctx, before)
	m.observe.since("DropCharges", began, err)
	return v, err
}

func (m meta) AddReport(ctx context.Context, r store.Report, limit store.ReportLimit) error {
	began := time.Now()
	err := m.Meta.AddReport(ctx, r, limit)
	m.observe.since("AddReport", began, err)
	return err
}

func (m meta) Reports(ctx context.Context, after store.Report, limit int) ([]store.Report, error) {
	began := time.Now()
	v, err := m.Meta.Reports(ctx, after, limit)
	m.observe.since("Reports", began, err)
	return v, err
}

func (m meta) DropReports(ctx context.Context, before int64) (int64, error) {
	began := time.Now()
	v, err := m.Meta.DropReports(ctx, before)
	m.observe.since("DropReports", began, err)
	return v, err
}

func (m meta) Record(ctx context.Context, id string) (store.Record, error) {
	began := time.Now()
	v, err := m.Meta.Record(ctx, id)
	m.observe.since("Record", began, err)
	return v, err
}

func (m meta) Records(ctx context.Context, after string, limit int) ([]store.Record, error) {
	began := time.Now()
	v, err := m.Meta.Records(ctx, after, limit)
	m.observe.since("Records", began, err)
	return v, err
}

func (m meta) Totals(ctx context.Context, now int64) (store.Totals, error) {
	began := time.Now()
	v, err := m.Meta.Totals(ctx, now)
	m.observe.since("Totals", began, err)
	return v, err
}

func (m meta) Ping(ctx context.Context) error {
	began := time.Now()
	err := m.Meta.Ping(ctx)
	m.observe.since("Ping", began, err)
	return err
}

func (m meta) Mark(ctx context.Context, mark string) (string, error) {
	began := time.Now()
	there, err := m.Meta.Mark(ctx, mark)
	m.observe.since("Mark", began, err)
	return there, err
}
