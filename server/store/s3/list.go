package s3

import (
	"context"
	"fmt"
	"iter"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// List implements [store.Lister]. Whatever is under the prefix is a stray if it is no object.
func (s *Store) List(ctx context.Context, visit func(store.Object) error) error {
	for found, err := range s.list(ctx, s.prefix) {
		if err != nil {
			return fmt.Errorf("failed to list parts: %w", err)
		}
		if found.Key == s.prefix+markName {
			continue
		}
		o := store.Object{Size: found.Size, Modified: found.LastModified}
		key, ours := store.ParseKey(found.Key[len(s.prefix):])
		if ours {
			o.Key = key
		} else {
			o.Stray = found.Key[len(s.prefix):]
		}
		if err := visit(o); err != nil {
			return err
		}
	}
	return nil
}

// list gives what has a prefix. While it waits for the store it is watched; whoever it gives something to may take their time. An error is
// the last it gives.
func (s *Store) list(ctx context.Context, prefix string) iter.Seq2[minio.ObjectInfo, error] {
	return func(yield func(minio.ObjectInfo, error) bool) {
		ctx, w := watch(ctx, s.stall)
		defer w.end() // so that a list that is ended early ends at the store, too
		for found := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			w.rest()
			if found.Err != nil {
				yield(minio.ObjectInfo{}, failure(ctx, found.Err))
				return
			}
			if !yield(found, nil) {
				return
			}
			w.wake()
		}
		if ctx.Err() != nil { // which the library may not tell
			yield(minio.ObjectInfo{}, context.Cause(ctx))
		}
	}
}
