package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// noteEvery is how old the note of a ticket's last use may get, in seconds, before it is written anew.
const noteEvery = 60

// TakeDownload implements [store.Meta].
func (s *Store) TakeDownload(ctx context.Context, id string, ticket store.Hash, now int64) (got store.Share, err error) {
	var leased bool
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, takeCount, ticket[:], id, now); err != nil {
			return err
		}
		if err := exec(ctx, tx, takeInsert, ticket[:], now, id); err != nil {
			return err
		}
		got, err = scanShare(tx.QueryRowContext(ctx, takeResult, id, ticket[:], now), &leased)
		return err
	})
	if err == nil && !leased {
		err = store.ErrSpent
	}
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to take download: %w", err)
	}
	return got, nil
}

// Ticket implements [store.Meta]. The note of its use is a write of its own and only now and then, so that reading parts does
// not queue for the writer; and it is left out when the disk is full, so that downloads go on.
func (s *Store) Ticket(ctx context.Context, id string, ticket store.Hash, now int64) (store.Share, error) {
	var used sql.NullInt64
	got, err := scanShare(s.reader.QueryRowContext(ctx, ticketSelect, id, ticket[:], now), &used)
	if err == nil && !used.Valid {
		err = store.ErrNotFound
	}
	if err == nil && used.Int64 <= now-noteEvery {
		err = s.write(ctx, func(tx *sql.Tx) error { return exec(ctx, tx, ticketUse, now, id, ticket[:]) })
		if errors.Is(err, store.ErrFull) {
			err = nil
		}
	}
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to look up ticket: %w", err)
	}
	return got, nil
}

// FinishDownload implements [store.Meta].
func (s *Store) FinishDownload(ctx context.Context, id string, ticket store.Hash, now, idle int64) (spent bool, err error) {
	var leased bool
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, finishUpdate, ticket[:], id, now); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, finishResult, id, ticket[:], idle, now).Scan(&leased, &spent)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !leased {
		err = store.ErrNotFound
	}
	if err != nil {
		return false, fmt.Errorf("failed to finish download: %w", err)
	}
	return spent, nil
}

// TakeTry implements [store.Meta].
func (s *Store) TakeTry(ctx context.Context, id string, b store.Budget, now int64) (left, wait int64, err error) {
	var fullAt int64
	taken := true
	err = s.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, tryTake, now, b.Refill, id, b.Burst*b.Refill).Scan(&fullAt)
		if errors.Is(err, sql.ErrNoRows) {
			taken = false
			err = tx.QueryRowContext(ctx, tryResult, id, now).Scan(&fullAt)
		}
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case err == nil && !taken:
		// The next try fits as soon as tries_full + Refill ≤ then + Burst·Refill. It is over an empty budget's end only where
		// the budget has been made smaller since.
		err, wait = store.ErrExhausted, max(1, fullAt-now-(b.Burst-1)*b.Refill)
	}
	if err != nil {
		return 0, wait, fmt.Errorf("failed to take try: %w", err)
	}
	return (b.Burst*b.Refill - (fullAt - now)) / b.Refill, 0, nil
}

// RefundTry implements [store.Meta].
func (s *Store) RefundTry(ctx context.Context, id string, b store.Budget, now int64) error {
	err := s.change(ctx, tryRefund, b.Refill, id, now)
	if err != nil {
		return fmt.Errorf("failed to refund try: %w", err)
	}
	return nil
}
