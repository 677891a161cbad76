package records

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// Create implements [store.Meta].
func (s Store) Create(ctx context.Context, n store.Share) (got store.Share, err error) {
	password := int64(0)
	if n.Password {
		password = 1
	}
	var found bool
	err = s.DB.Write(ctx, n.ID,
		do(createExpire, n.Owner[:], n.Created),
		share(&got, &found, createInsert, []any{n.ID, n.Access[:], n.Reader[:], n.Owner[:], n.State, password, n.PartSize, n.Size,
			n.Parts, n.Created, n.Completed, n.Expires, n.Lifetime, n.MaxDownloads, n.Taken}))
	if err = orNotFound(err, found); err != nil {
		return store.Share{}, fmt.Errorf("failed to create share: %w", err)
	}
	return got, nil
}

// Share implements [store.Meta].
func (s Store) Share(ctx context.Context, id string, now int64) (got store.Share, err error) {
	var found bool
	err = s.DB.Read(ctx, share(&got, &found, shareSelect, []any{id, now}))
	if err = orNotFound(err, found); err != nil {
		return store.Share{}, fmt.Errorf("failed to read share: %w", err)
	}
	return got, nil
}

// AddPart implements [store.Meta].
func (s Store) AddPart(ctx context.Context, id string, p store.Part, now, expires, most int64) (store.Part, error) {
	caller := rand.Text()
	there, err := s.place(ctx, id, p.N, now,
		do(partCount, id, p.N, p.Digest[:], p.Size, caller, most, now),
		do(partInsert, p.N, p.Size, p.Digest[:], id, now, caller),
		do(partRedeem, id, p.N),
		do(partPostpone, expires, id, now))
	switch {
	case err != nil:
	case there.part != nil:
		return *there.part, nil
	case there.state != store.Open:
		err = store.ErrNotOpen
	case there.reserved != nil && *there.reserved != p:
		return *there.reserved, nil
	default:
		err = store.ErrOverTotal
	}
	return store.Part{}, fmt.Errorf("failed to add part: %w", err)
}

// ReservePart implements [store.Meta].
func (s Store) ReservePart(ctx context.Context, id string, p store.Part, now, ends, most int64) (_ store.Part, stored bool, err error) {
	caller := rand.Text()
	there, err := s.place(ctx, id, p.N, now,
		do(reserveCount, p.Size, caller, most, id, now, p.N),
		do(reserveInsert, p.N, p.Size, p.Digest[:], ends, id, now, caller),
		do(reserveProlong, ends, id, p.N, p.Size, p.Digest[:], now),
		do(reserveNote, ends, id, now, p.N, p.Size, p.Digest[:]))
	switch {
	case err != nil:
	case there.part != nil:
		return *there.part, true, nil
	case there.state != store.Open:
		err = store.ErrNotOpen
	case there.reserved != nil:
		return *there.reserved, false, nil
	default:
		err = store.ErrOverTotal
	}
	return store.Part{}, false, fmt.Errorf("failed to reserve part: %w", err)
}

// RunOut implements [store.Meta].
func (s Store) RunOut(ctx context.Context, now int64, limit int) (all []store.Reservation, err error) {
	err = s.DB.Read(ctx, Statement{runOutSelect, []any{now, int64(limit)}, func(row Row) error {
		var r store.Reservation
		err := row.Scan(&r.Share, &r.Part.N, &r.Part.Size, (*hash)(&r.Part.Digest))
		all = append(all, r)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("failed to read reservations: %w", err)
	}
	return all, nil
}

// ReleasePart implements [store.Meta].
func (s Store) ReleasePart(ctx context.Context, r store.Reservation, now int64) error {
	args := []any{r.Part.Size, r.Share, r.Part.N, r.Part.Digest[:], now}
	if err := s.DB.Write(ctx, r.Share, do(releaseCount, args...), do(releaseDelete, args...)); err != nil {
		return fmt.Errorf("failed to release part: %w", err)
	}
	return nil
}

// placed is what there is in the place of a part.
type placed struct {
	state          string
	part, reserved *store.Part
}

// place runs a batch about part n and tells what there is then.
func (s Store) place(ctx context.Context, id string, n, now int64, batch ...Statement) (there placed, err error) {
	var size, reservedSize sql.NullInt64
	var digest, reservedDigest []byte
	var found bool
	err = s.DB.Write(ctx, id, append(batch,
		one(&found, partResult, []any{n, id, now}, &there.state, &size, &digest, &reservedSize, &reservedDigest))...)
	if err = orNotFound(err, found); err != nil {
		return there, err
	}
	there.part, err = partOrNil(n, size, digest)
	if err == nil {
		there.reserved, err = partOrNil(n, reservedSize, reservedDigest)
	}
	return there, err
}

func partOrNil(n int64, size sql.NullInt64, digest []byte) (*store.Part, error) {
	if !size.Valid {
		return nil, nil
	}
	p := store.Part{N: n, Size: size.Int64}
	return &p, (*hash)(&p.Digest).Scan(digest)
}

// Part implements [store.Meta].
func (s Store) Part(ctx context.Context, id string, n int64) (store.Part, error) {
	return s.partOf(ctx, partSelect, id, n)
}

// Reservation implements [store.Meta].
func (s Store) Reservation(ctx context.Context, id string, n int64) (store.Part, error) {
	return s.partOf(ctx, reservationSelect, id, n)
}

func (s Store) partOf(ctx context.Context, query, id string, n int64) (store.Part, error) {
	p := store.Part{N: n}
	var found bool
	err := s.DB.Read(ctx, one(&found, query, []any{id, n}, &p.Size, (*hash)(&p.Digest)))
	if err = orNotFound(err, found); err != nil {
		return store.Part{}, fmt.Errorf("failed to read part: %w", err)
	}
	return p, nil
}

// Parts implements [store.Meta].
func (s Store) Parts(ctx context.Context, id string) (parts []store.Part, err error) {
	err = s.DB.Read(ctx, Statement{partsSelect, []any{id}, func(r Row) error {
		var p store.Part
		err := r.Scan(&p.N, &p.Size, (*hash)(&p.Digest))
		parts = append(parts, p)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("failed to read parts: %w", err)
	}
	return parts, nil
}

// CountParts implements [store.Meta].
func (s Store) CountParts(ctx context.Context, id string) (count int64, err error) {
	var found bool
	if err := s.DB.Read(ctx, one(&found, partsCount, []any{id}, &count)); err != nil {
		return 0, fmt.Errorf("failed to count parts: %w", err)
	}
	return count, nil
}

// Complete implements [store.Meta].
func (s Store) Complete(ctx context.Context, id string, size, parts, now int64) (got store.Share, err error) {
	var found bool
	err = s.DB.Write(ctx, id,
		do(completeUpdate, size, parts, now, id),
		share(&got, &found, shareSelect, []any{id, now}))
	err = orNotFound(err, found)
	switch {
	case err != nil:
	case got.State != store.Ready:
		err = store.ErrIncomplete
	case got.Size != size || got.Parts != parts:
		err = store.ErrConflict
	default:
		return got, nil
	}
	return store.Share{}, fmt.Errorf("failed to complete share: %w", err)
}

// Update implements [store.Meta].
func (s Store) Update(ctx context.Context, id string, c store.Change, now int64) (got store.Share, err error) {
	var found bool
	err = s.DB.Write(ctx, id, share(&got, &found, update, []any{orNull(c.Lifetime), orNull(c.MaxDownloads), id, now}))
	if err = orNotFound(err, found); err != nil {
		return store.Share{}, fmt.Errorf("failed to update share: %w", err)
	}
	return got, nil
}

func orNull(v *int64) any {
	if v == nil {
		return nil
	}
	return *v
}

// Remove implements [store.Meta].
func (s Store) Remove(ctx context.Context, id string, now int64) error {
	var removed string
	var found bool
	err := s.DB.Write(ctx, id, one(&found, remove, []any{id, now}, &removed))
	if err = orNotFound(err, found); err != nil {
		return fmt.Errorf("failed to remove share: %w", err)
	}
	return nil
}

// Doomed implements [store.Meta].
func (s Store) Doomed(ctx context.Context, now, idle int64, limit int) (doomed []string, err error) {
	err = s.DB.Write(ctx, "",
		do(doomExpired, now),
		do(doomSpent, idle),
		do(doomTickets, idle),
		ids(&doomed, doomSelect, now, int64(limit)))
	switch {
	case errors.Is(err, store.ErrFull):
		return s.Unmarked(ctx, now, limit, err)
	case err != nil:
		return nil, fmt.Errorf("failed to find doomed shares: %w", err)
	}
	return doomed, nil
}

// Unmarked is what Doomed returns when they could not be marked because of err.
func (s Store) Unmarked(ctx context.Context, now int64, limit int, err error) (doomed []string, _ error) {
	rerr := s.DB.Read(ctx, ids(&doomed, doomUnmarked, now, int64(limit)))
	return doomed, fmt.Errorf("failed to mark doomed shares: %w", errors.Join(err, rerr))
}

// Forget implements [store.Meta].
func (s Store) Forget(ctx context.Context, id string, now int64) error {
	if err := s.DB.Write(ctx, id, do(forgetLater, id, now), do(forgetCount, id, now), do(forget, id, now)); err != nil {
		return fmt.Errorf("failed to forget share: %w", err)
	}
	return nil
}
