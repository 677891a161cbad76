package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/sealpost/sealpost/server/store"
)

// Config says where a bucket is.
type Config struct {
	Endpoint  string // https://host or http://host:port
	Bucket    string
	Region    string // "us-east-1" if it is empty
	Prefix    string // of all names, as "sealpost/", or empty
	AccessKey string
	SecretKey string
}

// Store implements [store.Blobs] in a bucket.
type Store struct {
	core        *minio.Core
	credentials *credentials.Credentials
	transport   *http.Transport
	region      string
	bucket      string
	prefix      string
	stall       time.Duration // after which a store that moves no byte is given up
}

var (
	_ store.Blobs  = (*Store)(nil)
	_ store.Lister = (*Store)(nil)
)

const (
	stallAfter   = 30 * time.Second
	openAfter    = 20 * time.Second
	attempts     = 3    // of requests without a body
	deleteBatch  = 1000 // the most that S3 takes
	maxIdleConns = 256
)

// prefixForm ends with a slash: a prefix that ran into the id would make other ids, which another server in the bucket, without a prefix,
// took for orphans of its own.
var prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-]+/)+$`)

// Open returns the store of a bucket, which has to be there.
func Open(ctx context.Context, c Config) (*Store, error) {
	u, err := parseEndpoint(c.Endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to open bucket: %w", err)
	case c.Bucket == "":
		return nil, errors.New("failed to open bucket: it has no name")
	case c.Prefix != "" && !prefixForm.MatchString(c.Prefix):
		return nil, fmt.Errorf("failed to open bucket: prefix %q is not like sealpost/ or some/where/", c.Prefix)
	case c.AccessKey == "" || c.SecretKey == "":
		return nil, errors.New("failed to open bucket: a key is missing")
	case c.Region == "":
		c.Region = "us-east-1"
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, fmt.Errorf("failed to open bucket: %w", err)
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxIdleConns, maxIdleConns
	transport.WriteBufferSize = 32 << 10
	creds := credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")
	core, err := minio.NewCore(u.Host, &minio.Options{
		Creds:      creds,
		Secure:     u.Scheme == "https",
		Transport:  transport,
		Region:     c.Region,
		MaxRetries: attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("failed to open bucket: %w", err)
	}
	s := &Store{core: core, credentials: creds, transport: transport, region: c.Region, bucket: c.Bucket, prefix: c.Prefix, stall: stallAfter}
	ctx, cancel := context.WithTimeout(ctx, openAfter)
	defer cancel()
	switch there, err := core.BucketExists(ctx, c.Bucket); {
	case err != nil:
		s.Close()
		return nil, fmt.Errorf("failed to open bucket %q: %w", c.Bucket, failure(ctx, err))
	case !there:
		s.Close()
		return nil, fmt.Errorf("failed to open bucket %q: there is none of this name", c.Bucket)
	}
	return s, nil
}

// Close closes idle connections.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// name returns the name of an object, and whether there can be one.
func (s *Store) name(key store.Key) (string, bool) {
	return s.prefix + key.Name(), store.ValidID(key.Share) && key.N >= 0
}

// Put implements [store.Blobs].
func (s *Store) Put(ctx context.Context, key store.Key, body io.Reader, size int64, magic string) error {
	name, ok := s.name(key)
	if !ok {
		return fmt.Errorf("failed to store part: invalid key %q/%d", key.Share, key.N)
	}
	v, err := newVerifier(ctx, body, size, key.Digest, magic)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, w := watch(ctx, s.stall)
	defer w.end()
	err = s.put(ctx, name, &watchedBody{v, w}, size, key.Digest)
	v.stop() // the library may still be reading, though the store has answered
	switch {
	case v.err != nil && v.err != io.EOF:
		return v.err // and not what came of it
	case err != nil:
		return fmt.Errorf("failed to store part: %w", failure(ctx, err))
	case v.left > 0:
		return fmt.Errorf("failed to store part: %w: it did not wait for all of it", store.ErrUnavailable)
	}
	return nil
}

// put sends a body, and says what its digest is to be.
func (s *Store) put(ctx context.Context, name string, body io.Reader, size int64, digest store.Hash) error {
	_, err := s.core.PutObject(ctx, s.bucket, name, body, size, "", hex.EncodeToString(digest[:]), minio.PutObjectOptions{
		DisableContentSha256: true, // as it is known: it need not be worked out again, piece by piece
		DisableMultipart:     true,
		UserMetadata:         map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(digest[:])},
	})
	return err
}

// Open implements [store.Blobs].
func (s *Store) Open(ctx context.Context, key store.Key, offset, length int64) (io.ReadCloser, error) {
	name, ok := s.name(key)
	if !ok {
		return nil, store.ErrNotFound
	}
	ctx, w := watch(ctx, s.stall)
	if length == 0 { // there is no such range
		defer w.end()
		if _, err := s.core.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{}); err != nil {
			return nil, openError(ctx, err)
		}
		return http.NoBody, nil
	}
	var opts minio.GetObjectOptions
	if err := opts.SetRange(offset, offset+length-1); err != nil {
		w.end()
		return nil, fmt.Errorf("failed to open part: %w", err)
	}
	body, _, header, err := s.core.GetObject(ctx, s.bucket, name, opts)
	if err != nil {
		err = openError(ctx, err)
		w.end()
		return nil, err
	}
	if got := header.Get("Content-Range"); offset > 0 && !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", offset)) {
		body.Close()
		w.end()
		return nil, fmt.Errorf("failed to open part: asked for bytes from %d, the store gives %q", offset, got)
	}
	w.rest()
	return &watchedObject{body, w}, nil
}

func openError(ctx context.Context, err error) error {
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return store.ErrNotFound
	}
	return fmt.Errorf("failed to open part: %w", failure(ctx, err))
}

// Delete implements [store.Blobs].
func (s *Store) Delete(ctx context.Context, key store.Key) error {
	name, ok := s.name(key)
	if !ok {
		return nil
	}
	ctx, w := watch(ctx, s.stall)
	defer w.end()
	err := s.core.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey { // which S3 does not say, but others do
		return fmt.Errorf("failed to delete part: %w", failure(ctx, err))
	}
	return nil
}
