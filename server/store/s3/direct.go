package s3

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// Direct implements [store.Direct] by presigned URLs (AWS Signature Version 4, query parameters). Signing needs no request.
type Direct struct {
	store  *Store
	client *minio.Client // never asked anything: it only signs for the address by which clients reach the bucket
	origin string
}

var _ store.Direct = (*Direct)(nil)

// Direct returns what sends clients to the bucket, which they reach at endpoint: https://host or http://host:port, often, but not always,
// that of Config.
func (s *Store) Direct(endpoint string) (*Direct, error) {
	u, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, fmt.Errorf("failed to reach the bucket directly: %w", err)
	}
	client, err := minio.New(u.Host, &minio.Options{Creds: s.credentials, Secure: u.Scheme == "https", Region: s.region, Transport: s.transport})
	if err != nil {
		return nil, fmt.Errorf("failed to reach the bucket directly: %w", err)
	}
	d := &Direct{store: s, client: client}
	probe, err := client.Presign(context.Background(), http.MethodGet, s.bucket, "x", time.Minute, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to sign: %w", err)
	}
	d.origin = probe.Scheme + "://" + probe.Host // which has the bucket's name in it at some stores
	return d, nil
}

// Origin implements [store.Direct].
func (d *Direct) Origin() string { return d.origin }

// kind is what all objects are: nothing that a browser would show as a page of the bucket's origin, whoever put it there.
const kind = "application/octet-stream"

// PutRequest implements [store.Direct]. Length, checksum, kind and If-None-Match are headers that the signature is about, so the store
// refuses a request in which one of them is missing or another; and the body that it stores has the length and the checksum.
func (d *Direct) PutRequest(ctx context.Context, key store.Key, size int64, lasts time.Duration) (store.Request, error) {
	sent := map[string]string{
		"Content-Type":          kind,
		"If-None-Match":         "*",
		"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(key.Digest[:]),
	}
	signed := http.Header{"Content-Length": {strconv.FormatInt(size, 10)}} // which every client sends by itself
	for name, value := range sent {
		signed.Set(name, value)
	}
	return d.request(ctx, http.MethodPut, key, lasts, nil, sent, signed)
}

// GetRequest implements [store.Direct]. It has the store answer with a kind of its own, whatever the object was put as.
func (d *Direct) GetRequest(ctx context.Context, key store.Key, lasts time.Duration) (store.Request, error) {
	answer := url.Values{"response-content-type": {kind}, "response-content-disposition": {"attachment"}}
	return d.request(ctx, http.MethodGet, key, lasts, answer, nil, nil)
}

func (d *Direct) request(ctx context.Context, method string, key store.Key, lasts time.Duration, query url.Values, sent map[string]string,
	signed http.Header) (store.Request, error) {
	name, ok := d.store.name(key)
	if !ok {
		return store.Request{}, fmt.Errorf("failed to sign: invalid key %q/%d", key.Share, key.N)
	}
	u, err := d.client.PresignHeader(ctx, method, d.store.bucket, name, lasts, query, signed)
	if err != nil {
		return store.Request{}, fmt.Errorf("failed to sign: %w", failure(ctx, err))
	}
	return store.Request{Method: method, URL: u.String(), Header: sent}, nil
}

// Confirm implements [store.Direct]. The store's own word for the digest is taken, as it was given it to check; a store that keeps no
// checksums has the object read once more.
func (d *Direct) Confirm(ctx context.Context, key store.Key, size int64, magic string) error {
	s := d.store
	name, ok := s.name(key)
	if !ok {
		return store.ErrNotFound
	}
	watched, w := watch(ctx, s.stall)
	info, err := s.core.StatObject(watched, s.bucket, name, minio.StatObjectOptions{Checksum: true})
	w.end()
	switch {
	case err != nil:
		return openError(ctx, err)
	case info.Size != size:
		return store.ErrSize
	case size < int64(len(magic)):
		return store.ErrMagic
	case info.ChecksumSHA256 == base64.StdEncoding.EncodeToString(key.Digest[:]):
		return d.begins(ctx, key, magic)
	case info.ChecksumSHA256 != "":
		return store.ErrDigest
	}
	return d.reads(ctx, key, size, magic)
}

// begins reads no more than the beginning.
func (d *Direct) begins(ctx context.Context, key store.Key, magic string) error {
	if magic == "" {
		return nil
	}
	body, err := d.store.Open(ctx, key, 0, int64(len(magic)))
	if err != nil {
		return err
	}
	defer body.Close()
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(body, head); err != nil {
		return fmt.Errorf("failed to read part: %w", failure(ctx, err))
	}
	if string(head) != magic {
		return store.ErrMagic
	}
	return nil
}

// reads reads all of it.
func (d *Direct) reads(ctx context.Context, key store.Key, size int64, magic string) error {
	body, err := d.store.Open(ctx, key, 0, size)
	if err != nil {
		return err
	}
	defer body.Close()
	v, err := newVerifier(ctx, body, size, key.Digest, magic)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, v)
	if known := errors.Is(err, store.ErrDigest) || errors.Is(err, store.ErrSize); err == nil || known {
		return err
	}
	return fmt.Errorf("failed to read part: %w", failure(ctx, err))
}
