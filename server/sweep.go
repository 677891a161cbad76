package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

const (
	sweepBatch = 100
	orphanAge  = time.Hour // by then whoever wrote an object has told Meta of it
)

// Sweep removes shares that are expired, revoked, spent or abandoned, bytes first and then the record, so that a crash between the
// two is made good by the next sweep; room that was reserved for parts which did not come; reports that were kept for their time; and what
// clients made on days before this one. Any number of processes may sweep at once.
func (s *Server) Sweep(ctx context.Context) error {
	return errors.Join(s.sweepShares(ctx), s.sweepReservations(ctx), s.sweepReports(ctx), s.sweepCharges(ctx))
}

func (s *Server) sweepCharges(ctx context.Context) error {
	n, err := s.meta.DropCharges(ctx, s.now()/daySeconds)
	s.cfg.Observer.Swept("charges", int(n), err)
	if err != nil {
		return fmt.Errorf("failed to sweep charges: %w", err)
	}
	return nil
}

func (s *Server) sweepReports(ctx context.Context) error {
	n, err := s.meta.DropReports(ctx, s.now()-seconds(s.cfg.KeepReports))
	s.cfg.Observer.Swept("reports", int(n), err)
	if n > 0 {
		s.cfg.Log.Info("swept reports", "removed", n)
	}
	if err != nil {
		return fmt.Errorf("failed to sweep reports: %w", err)
	}
	return nil
}

func (s *Server) sweepShares(ctx context.Context) (err error) {
	removed := 0
	defer func() { s.cfg.Observer.Swept("shares", removed, err) }()
	for {
		ids, err := s.meta.Doomed(ctx, s.now(), s.idle(), sweepBatch)
		var failed []error
		for _, id := range ids {
			if err := s.purge(ctx, id); err != nil {
				failed = append(failed, err)
			}
		}
		removed += len(ids) - len(failed)
		if len(ids) > 0 {
			s.cfg.Log.Info("swept shares", "removed", len(ids)-len(failed), "failed", len(failed))
		}
		if err != nil { // the ids, if any, may have made room for the next time
			return fmt.Errorf("failed to list shares to sweep: %w", err)
		}
		// What failed is listed again, so only a batch that got somewhere is followed by another.
		if len(ids) < sweepBatch || len(failed) == len(ids) {
			if len(failed) > 0 {
				return fmt.Errorf("failed to sweep %d shares, first: %w", len(failed), failed[0])
			}
			return nil
		}
	}
}

// purge deletes bytes and record of a removed share. If its sender may still put bytes into the store, the record waits, and both are deleted
// by a sweep that comes by when that has ended. Its error does not name the share.
func (s *Server) purge(ctx context.Context, id string) error {
	now := s.now()
	if err := s.blobs.DeleteShare(ctx, id); err != nil {
		return fmt.Errorf("failed to delete parts: %w", scrubbed{err, id})
	}
	if err := s.meta.Forget(ctx, id, now); err != nil {
		return fmt.Errorf("failed to delete record: %w", scrubbed{err, id})
	}
	return nil
}

func (s *Server) sweepReservations(ctx context.Context) (err error) {
	released := 0
	defer func() { s.cfg.Observer.Swept("reservations", released, err) }()
	for {
		all, err := s.meta.RunOut(ctx, s.now(), sweepBatch)
		if err != nil {
			return fmt.Errorf("failed to list reservations to sweep: %w", err)
		}
		var failed []error
		for _, r := range all {
			done, err := s.release(ctx, r)
			if done {
				released++
			}
			if err != nil {
				failed = append(failed, scrubbed{err, r.Share})
			}
		}
		if len(all) < sweepBatch || len(failed) == len(all) { // as with shares
			if len(failed) > 0 {
				return fmt.Errorf("failed to sweep %d reservations, first: %w", len(failed), failed[0])
			}
			return nil
		}
	}
}

// release gives back the room of a part that did not come. If it did, its sender may yet come back to tell of it, for as long as the share
// is open: so it is neither deleted nor uncounted, but looked at again when as much time has passed as for a request.
func (s *Server) release(ctx context.Context, r store.Reservation) (released bool, err error) {
	now, key := s.now(), store.Key{Share: r.Share, N: r.Part.N, Digest: r.Part.Digest}
	wanted, err := s.wanted(ctx, key)
	there := false
	if err == nil && wanted {
		there, err = s.holds(ctx, key)
	} else if err == nil {
		err = s.blobs.Delete(ctx, key)
	}
	switch {
	case err != nil:
		return false, err
	case !there:
		err = s.meta.ReleasePart(ctx, r, now)
		return err == nil, err
	}
	_, _, err = s.meta.ReservePart(ctx, r.Share, r.Part, now, now+seconds(directPutDone), 0)
	if isGone(err) || errors.Is(err, store.ErrNotOpen) {
		err = nil // since a moment ago: the next sweep deletes it
	}
	return false, err
}

// holds tells whether an object is there.
func (s *Server) holds(ctx context.Context, key store.Key) (bool, error) {
	r, err := s.blobs.Open(ctx, key, 0, 1)
	if err != nil {
		if isGone(err) {
			err = nil
		}
		return false, err
	}
	return true, r.Close()
}

// SweepOrphans removes objects that no record names: the losers of races and the leftovers of crashes. It reads the whole
// store, so once in an hour is enough. Parts that belong to other records it leaves alone: store.ErrForeign.
func (s *Server) SweepOrphans(ctx context.Context) error {
	if err := store.Match(ctx, s.blobs, s.meta); err != nil {
		return fmt.Errorf("failed to sweep orphans: %w", err)
	}
	n, err := s.blobs.Sweep(ctx, s.cfg.Now().Add(-orphanAge), s.wanted)
	s.cfg.Observer.Swept("orphans", n, err)
	if n > 0 {
		s.cfg.Log.Info("swept orphans", "removed", n)
	}
	if err != nil {
		return fmt.Errorf("failed to sweep orphans: %w", err)
	}
	return nil
}

// wanted tells whether an object is, or may still become, a part of a share. Its no is final. So an open share keeps what it has: its
// sender may come back for what was put and never recorded. Once it is not open any more, its parts are what they are.
func (s *Server) wanted(ctx context.Context, key store.Key) (bool, error) {
	if recorded, err := s.recorded(ctx, key); recorded || err != nil {
		return recorded, err
	}
	sh, err := s.meta.Share(ctx, key.Share, s.now())
	switch {
	case isGone(err):
		return false, nil
	case err != nil || sh.State == store.Open:
		return true, err
	}
	return s.recorded(ctx, key) // it may have been, in the moment before the share was complete
}

// recorded tells whether an object is a part.
func (s *Server) recorded(ctx context.Context, key store.Key) (bool, error) {
	p, err := s.meta.Part(ctx, key.Share, key.N)
	if isGone(err) {
		return false, nil
	}
	return p.Digest == key.Digest, err
}

// scrubbed is an error whose text does not tell the share.
type scrubbed struct {
	error
	id string
}

func (e scrubbed) Error() string { return scrubID(e.error, e.id) }
func (e scrubbed) Unwrap() error { return e.error }
