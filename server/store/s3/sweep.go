package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// DeleteShare implements [store.Blobs].
func (s *Store) DeleteShare(ctx context.Context, share string) error {
	if !store.ValidID(share) {
		return nil
	}
	_, err := s.remove(ctx, s.prefix+share+"/", func(minio.ObjectInfo) (bool, error) { return true, nil })
	if err != nil {
		return fmt.Errorf("failed to delete parts: %w", err)
	}
	return nil
}

// Sweep implements [store.Blobs]. Interrupted writes leave nothing in a bucket.
func (s *Store) Sweep(ctx context.Context, before time.Time, keep func(context.Context, store.Key) (bool, error)) (int, error) {
	removed, err := s.remove(ctx, s.prefix, func(o minio.ObjectInfo) (bool, error) {
		key, ours := store.ParseKey(o.Key[len(s.prefix):])
		if !ours || !o.LastModified.Before(before) {
			return false, nil
		}
		wanted, err := keep(ctx, key)
		return !wanted, err
	})
	if err != nil {
		return removed, fmt.Errorf("failed to sweep parts: %w", err)
	}
	return removed, nil
}

// remove removes what has a prefix and is condemned, as many at once as the store takes, and returns how many that were. An object
// that cannot be removed does not keep it from the others; the error is of the first.
func (s *Store) remove(ctx context.Context, prefix string, condemned func(minio.ObjectInfo) (bool, error)) (removed int, failed error) {
	var batch []minio.ObjectInfo
	flush := func() {
		n, err := s.removeAll(ctx, batch)
		removed, batch = removed+n, batch[:0]
		if failed == nil {
			failed = err
		}
	}
	for o, err := range s.list(ctx, prefix) {
		if err != nil {
			return removed, err // what was condemned, the next one finds again
		}
		gone, err := condemned(o)
		if err != nil {
			return removed, err
		}
		if gone {
			batch = append(batch, minio.ObjectInfo{Key: o.Key})
		}
		if len(batch) == deleteBatch {
			flush()
		}
	}
	if len(batch) > 0 {
		flush()
	}
	return removed, failed
}

// removeAll removes objects. The store tells of each, by name, what has become of it.
func (s *Store) removeAll(ctx context.Context, objects []minio.ObjectInfo) (removed int, err error) {
	ctx, w := watch(ctx, s.stall)
	defer w.end()
	results, err := s.core.RemoveObjectsWithIter(ctx, s.bucket, slices.Values(objects), minio.RemoveObjectsOptions{})
	if err != nil {
		return 0, failure(ctx, err)
	}
	for r := range results {
		w.wake() // of some stores each is an answer of its own
		switch {
		case r.Err == nil, minio.ToErrorResponse(r.Err).Code == minio.NoSuchKey:
			removed++
		case err == nil:
			err = failure(ctx, r.Err)
		}
	}
	if err == nil && removed < len(objects) {
		if err = context.Cause(ctx); err == nil {
			err = errors.New("the store does not say that all of them are deleted")
		}
	}
	return removed, err
}
