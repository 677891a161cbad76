package records

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// AddReport implements [store.Meta]. Only where there is no room does it look for a report that can go. It is alone then: two that add at once
// would choose the same one, and one of them go away empty.
func (s Store) AddReport(ctx context.Context, r store.Report, limit store.ReportLimit) error {
	digest := sha256.Sum256(r.Sealed)
	err := s.addReport(ctx, r.Share, r, digest[:], limit)
	if errors.Is(err, store.ErrAllReports) {
		err = s.addReport(ctx, "", r, digest[:], limit, do(reportYield, r.Received, limit.All, r.Share, limit.Share, digest[:]))
	}
	if err != nil {
		return fmt.Errorf("failed to add report: %w", err)
	}
	return nil
}

// addReport adds r after first, in a batch that overlaps with none of that name.
func (s Store) addReport(ctx context.Context, name string, r store.Report, digest []byte, limit store.ReportLimit, first ...Statement) error {
	var kept, few, found bool
	err := s.DB.Write(ctx, name, append(first,
		do(reportInsert, r.ID, r.Received, digest, r.Sealed, r.Share, limit.Share, limit.All),
		one(&found, reportResult, []any{r.Share, digest, limit.Share, r.Received}, &kept, &few))...)
	err = orNotFound(err, found)
	switch {
	case err != nil || kept:
		return err
	case few:
		return store.ErrAllReports
	}
	return store.ErrEnough
}

// Reports implements [store.Meta].
func (s Store) Reports(ctx context.Context, after store.Report, limit int) (reports []store.Report, err error) {
	err = s.DB.Read(ctx, Statement{reportsSelect, []any{after.Received, after.ID, int64(limit)}, func(row Row) error {
		var r store.Report
		err := row.Scan(&r.ID, &r.Share, &r.Received, &r.Sealed)
		reports = append(reports, r)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("failed to read reports: %w", err)
	}
	return reports, nil
}

// DropReports implements [store.Meta].
func (s Store) DropReports(ctx context.Context, before int64) (int64, error) {
	var dropped []string
	if err := s.DB.Write(ctx, "", ids(&dropped, reportsDrop, before)); err != nil {
		return 0, fmt.Errorf("failed to drop reports: %w", err)
	}
	return int64(len(dropped)), nil
}
