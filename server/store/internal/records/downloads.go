package records

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
func (s Store) TakeDownload(ctx context.Context, id string, ticket store.Hash, now int64) (got store.Share, err error) {
	var found, leased bool
	err = s.DB.Write(ctx, id,
		do(takeCount, ticket[:], id, now),
		do(takeInsert, ticket[:], now, id),
		share(&got, &found, takeResult, []any{id, ticket[:], now}, &leased))
	if err = orNotFound(err, found); err == nil && !leased {
		err = store.ErrSpent
	}
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to take download: %w", err)
	}
	return got, nil
}

// Ticket implements [store.Meta]. The note of its use is a write of its own and only now and then, so that reading parts does
// not queue for the writer; and it is left out when the database is full, so that downloads go on.
func (s Store) Ticket(ctx context.Context, id string, ticket store.Hash, now int64) (got store.Share, err error) {
	var used sql.NullInt64
	var found bool
	err = s.DB.Read(ctx, share(&got, &found, ticketSelect, []any{id, ticket[:], now}, &used))
	err = orNotFound(err, found && used.Valid)
	if err == nil && used.Int64 <= now-noteEvery {
		err = s.DB.Write(ctx, id, do(ticketUse, now, id, ticket[:]))
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
func (s Store) FinishDownload(ctx context.Context, id string, ticket store.Hash, now, idle int64) (spent bool, err error) {
	var found, leased bool
	args := []any{id, ticket[:], idle, now}
	err = s.DB.Read(ctx, one(&found, finishResult, args, &leased, &spent))
	if err = orNotFound(err, found && leased); err != nil {
		return false, fmt.Errorf("failed to find download: %w", err)
	}
	found = false
	err = s.DB.Write(ctx, id,
		do(finishUpdate, ticket[:], id, now),
		one(&found, finishResult, args, &leased, &spent),
		do(finishRemove, args...))
	if err = orNotFound(err, found && leased); err != nil {
		return false, fmt.Errorf("failed to finish download: %w", err)
	}
	return spent, nil
}

// Try implements [store.Meta]. The right password queues for the writer, too, behind the guesses that came before it.
func (s Store) Try(ctx context.Context, id string, right bool, b store.Budget, now int64) (left, wait int64, err error) {
	query := tryWrong
	if right {
		query = tryRight
	}
	whole := b.Burst * b.Refill
	var allowed, found bool
	var fullAt, fullIfNone int64
	err = s.DB.Write(ctx, id,
		one(&allowed, query, []any{now, whole, b.Refill, id}, &fullAt),
		one(&found, tryNone, []any{now, whole, id}, &fullIfNone))
	err = orNotFound(err, found)
	if err == nil && !allowed { // the next try fits as soon as fullIfNone + Refill ≤ then + Burst·Refill
		err, wait = store.ErrExhausted, fullIfNone-now-(b.Burst-1)*b.Refill
	}
	if err != nil {
		return 0, wait, fmt.Errorf("failed to take try: %w", err)
	}
	return (whole - (fullAt - now)) / b.Refill, 0, nil
}
