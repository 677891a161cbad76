package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// Create implements [store.Meta].
func (s *Store) Create(ctx context.Context, n store.Share) (got store.Share, err error) {
	password := 0
	if n.Password {
		password = 1
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, createExpire, n.Owner[:], n.Created); err != nil {
			return err
		}
		if err := exec(ctx, tx, createInsert, n.ID, n.Access[:], n.Reader[:], n.Owner[:], n.State, password, n.PartSize, n.Size,
			n.Parts, n.Created, n.Completed, n.Expires, n.Lifetime, n.MaxDownloads, n.Taken); err != nil {
			return err
		}
		got, err = scanShare(tx.QueryRowContext(ctx, createSelect, n.Owner[:]))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.Share{}, fmt.Errorf("failed to create share: id is taken: %w", store.ErrConflict)
	}
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to create share: %w", err)
	}
	return got, nil
}

// Share implements [store.Meta].
func (s *Store) Share(ctx context.Context, id string, now int64) (store.Share, error) {
	got, err := scanShare(s.reader.QueryRowContext(ctx, shareSelect, id, now))
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to read share: %w", err)
	}
	return got, nil
}

// AddPart implements [store.Meta].
func (s *Store) AddPart(ctx context.Context, id string, p store.Part, now, expires int64) (store.Part, error) {
	var size sql.NullInt64
	var digest []byte
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, partInsert, p.N, p.Size, p.Digest[:], id, now); err != nil {
			return err
		}
		if err := exec(ctx, tx, partPostpone, expires, id, now); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, partResult, p.N, id, now).Scan(&size, &digest)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrNotFound
	case err == nil && !size.Valid:
		err = store.ErrNotOpen
	case err == nil && len(digest) != len(p.Digest):
		err = errors.New("not a hash")
	}
	if err != nil {
		return store.Part{}, fmt.Errorf("failed to add part: %w", err)
	}
	return store.Part{N: p.N, Size: size.Int64, Digest: store.Hash(digest)}, nil
}

// Part implements [store.Meta].
func (s *Store) Part(ctx context.Context, id string, n int64) (store.Part, error) {
	p := store.Part{N: n}
	err := s.reader.QueryRowContext(ctx, partSelect, id, n).Scan(&p.Size, (*hash)(&p.Digest))
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Part{}, fmt.Errorf("failed to read part: %w", err)
	}
	return p, nil
}

// Parts implements [store.Meta].
func (s *Store) Parts(ctx context.Context, id string) ([]store.Part, error) {
	rows, err := s.reader.QueryContext(ctx, partsSelect, id)
	if err != nil {
		return nil, fmt.Errorf("failed to read parts: %w", err)
	}
	defer rows.Close()
	var parts []store.Part
	for rows.Next() {
		var p store.Part
		if err := rows.Scan(&p.N, &p.Size, (*hash)(&p.Digest)); err != nil {
			return nil, fmt.Errorf("failed to read parts: %w", err)
		}
		parts = append(parts, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("failed to read parts: %w", err)
	}
	return parts, nil
}

// Complete implements [store.Meta].
func (s *Store) Complete(ctx context.Context, id string, size, parts, now int64) (got store.Share, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		got, err = scanShare(tx.QueryRowContext(ctx, completeUpdate, size, parts, now, id))
		if errors.Is(err, store.ErrNotFound) { // not changed: it is complete already, or cannot be yet
			got, err = scanShare(tx.QueryRowContext(ctx, shareSelect, id, now))
		}
		return err
	})
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
func (s *Store) Update(ctx context.Context, id string, c store.Change, now int64) (got store.Share, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		got, err = scanShare(tx.QueryRowContext(ctx, update, c.Lifetime, c.MaxDownloads, id, now))
		return err
	})
	if err != nil {
		return store.Share{}, fmt.Errorf("failed to update share: %w", err)
	}
	return got, nil
}

// Remove implements [store.Meta].
func (s *Store) Remove(ctx context.Context, id string, now int64) error {
	err := s.change(ctx, remove, id, now)
	if err != nil {
		return fmt.Errorf("failed to remove share: %w", err)
	}
	return nil
}

// Doomed implements [store.Meta].
func (s *Store) Doomed(ctx context.Context, now, idle int64, limit int) (ids []string, err error) {
	if err = s.scrub(ctx); err == nil {
		err = s.write(ctx, func(tx *sql.Tx) error {
			if err := exec(ctx, tx, doomExpired, now); err != nil {
				return err
			}
			if err := exec(ctx, tx, doomSpent, idle); err != nil {
				return err
			}
			if err := exec(ctx, tx, doomTickets, idle); err != nil {
				return err
			}
			ids, err = scanIDs(tx.QueryContext(ctx, doomSelect, limit))
			return err
		})
	}
	switch {
	case errors.Is(err, store.ErrFull):
		var rerr error
		ids, rerr = scanIDs(s.reader.QueryContext(ctx, doomUnmarked, now, limit))
		return ids, fmt.Errorf("failed to mark doomed shares: %w", errors.Join(err, rerr))
	case err != nil:
		return nil, fmt.Errorf("failed to find doomed shares: %w", err)
	}
	return ids, nil
}

func scanIDs(rows *sql.Rows, err error) (ids []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Forget implements [store.Meta].
func (s *Store) Forget(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return exec(ctx, tx, forget, id) })
	if err != nil {
		return fmt.Errorf("failed to forget share: %w", err)
	}
	s.forgot.Store(true)
	return nil
}
