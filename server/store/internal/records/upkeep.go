package records

import (
	"context"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// Record implements [store.Meta].
func (s Store) Record(ctx context.Context, id string) (r store.Record, err error) {
	var found bool
	err = s.DB.Read(ctx, one(&found, recordSelect, []any{id}, intoRecord(&r)...))
	if err = orNotFound(err, found); err != nil {
		return store.Record{}, fmt.Errorf("failed to read record: %w", err)
	}
	return r, nil
}

// Records implements [store.Meta].
func (s Store) Records(ctx context.Context, after string, limit int) (all []store.Record, err error) {
	err = s.DB.Read(ctx, Statement{recordsSelect, []any{after, int64(limit)}, func(row Row) error {
		var r store.Record
		err := row.Scan(intoRecord(&r)...)
		all = append(all, r)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("failed to read records: %w", err)
	}
	return all, nil
}

// intoRecord are what recordColumns are scanned into.
func intoRecord(r *store.Record) []any {
	return append(into(&r.Share), &r.Stored, &r.Bytes, &r.Tickets, &r.Leases, &r.Reports)
}

// Totals implements [store.Meta].
func (s Store) Totals(ctx context.Context, now int64) (t store.Totals, err error) {
	var found bool
	err = s.DB.Read(ctx, one(&found, totalsSelect, []any{now}, &t.Open, &t.Ready, &t.Removed, &t.Bytes, &t.Reports))
	if err != nil {
		return store.Totals{}, fmt.Errorf("failed to count shares: %w", err)
	}
	return t, nil
}

// Mark implements [store.Meta].
func (s Store) Mark(ctx context.Context, mark string) (there string, err error) {
	var found bool
	query := one(&found, markSelect, nil, &there)
	if err = s.DB.Read(ctx, query); err == nil && !found && mark != "" {
		err = s.DB.Write(ctx, "mark", do(markInsert, mark), query)
	}
	if err != nil {
		return "", fmt.Errorf("failed to mark records: %w", err)
	}
	return there, nil
}
