package s3

import (
	"bytes"
	"context"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// PutUnverified puts a body without looking at it, as the store's own checks are the ones that are tested.
func (s *Store) PutUnverified(ctx context.Context, key store.Key, body []byte, size int64) error {
	name, _ := s.name(key)
	return s.put(ctx, name, struct{ *bytes.Buffer }{bytes.NewBuffer(body)}, size, key.Digest)
}

// SetStall sets after what time a store is given up.
func (s *Store) SetStall(d time.Duration) { s.stall = d }

// PutPlain puts a body without any checksum, as stores have objects that keep none.
func (s *Store) PutPlain(ctx context.Context, key store.Key, body []byte) error {
	return s.PutAs(ctx, key, body, "")
}

// PutAs puts a body as something of a kind.
func (s *Store) PutAs(ctx context.Context, key store.Key, body []byte, kind string) error {
	name, _ := s.name(key)
	opts := minio.PutObjectOptions{DisableMultipart: true, ContentType: kind}
	_, err := s.core.PutObject(ctx, s.bucket, name, bytes.NewReader(body), int64(len(body)), "", "", opts)
	return err
}
