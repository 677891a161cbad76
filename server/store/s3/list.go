package s3

import (
	"context"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// List implements [store.Lister]. Whatever is under the prefix is a stray if it is no object.
func (s *Store) List(ctx context.Context, visit func(store.Object) error) error {
	ctx, cancel := context.WithCancel(ctx) // so that a list that is ended early ends at the store, too
	defer cancel()
	for found := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
		if found.Err != nil {
			return fmt.Errorf("failed to list parts: %w", failure(ctx, found.Err))
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
	return ctx.Err()
}
