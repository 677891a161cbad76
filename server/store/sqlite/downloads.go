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

// FinishDownload implements [store.Meta]. A reader looks first whether there is such a ticket: anyone may ask with any, and those
// who guess are not to queue for the writer.
func (s *Store) FinishDownload(ctx context.Context, id string, ticket store.Hash, now, idle int64) (spent bool, err error) {
	var leased bool
	err = s.reader.QueryRowContext(ctx, finishResult, id, ticket[:], idle, now).Scan(&leased, &spent)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !leased {
		err = store.ErrNotFound
	}
	if err != nil {
		return false, fmt.Errorf("failed to find download: %w", err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, finishUpdate, ticket[:], id, now); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, finishResult, id, ticket[:], idle, now).Scan(&leased, &spent); err != nil {
			return err
		}
		return exec(ctx, tx, finishRemove, id, ticket[:], idle, now)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !leased {
		err = store.ErrNotFound
	}
	if err != nil {
		return false, fmt.Errorf("failed to finish download: %w", err)
	}
	return spent, nil
}

// Try implements [store.Meta]. The right password queues for the writer, too, behind the guesses that came before it.
func (s *Store) Try(ctx context.Context, id string, right bool, b store.Budget, now int64) (left, wait int64, err error) {
	query := tryWrong
	if right {
		query = tryRight
	}
	whole := b.Burst * b.Refill
	var fullAt int64
	allowed := true
	err = s.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, query, now, whole, b.Refill, id).Scan(&fullAt)
		if errors.Is(err, sql.ErrNoRows) {
			allowed = false
			err = tx.QueryRowContext(ctx, tryNone, now, whole, id).Scan(&fullAt)
		}
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case err == nil && !allowed: // the next try fits as soon as fullAt + Refill ≤ then + Burst·Refill
		err, wait = store.ErrExhausted, fullAt-now-(b.Burst-1)*b.Refill
	}
	if err != nil {
		return 0, wait, fmt.Errorf("failed to take try: %w", err)
	}
	return (whole - (fullAt - now)) / b.Refill, 0, nil
}
