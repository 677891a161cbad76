package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/sealpost/sealpost/server/store"
)

// verifier reads a body for the library. It gives away the last bytes only if all is right, and still wanted: so what is not never gets
// whole.
type verifier struct {
	ctx     context.Context
	mu      sync.Mutex
	body    io.Reader
	left    int64 // bytes that are still to come
	hash    hash.Hash
	digest  store.Hash
	err     error // what the body ended with, io.EOF if well; there is no more to read then
	stopped bool
}

// newVerifier reads as much of a body as shows whether it is what it should be; all of one that is empty.
func newVerifier(ctx context.Context, body io.Reader, size int64, digest store.Hash, magic string) (*verifier, error) {
	switch {
	case size < 0:
		return nil, store.ErrSize
	case size < int64(len(magic)):
		return nil, store.ErrMagic
	}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(body, head); err != nil {
		return nil, bodyError(err)
	}
	if string(head) != magic {
		return nil, store.ErrMagic
	}
	v := &verifier{ctx: ctx, body: io.MultiReader(bytes.NewReader(head), body), left: size, hash: sha256.New(), digest: digest}
	if size == 0 {
		return v, v.finish()
	}
	return v, nil
}

// Read implements io.Reader.
func (v *verifier) Read(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.stopped:
		return 0, io.ErrClosedPipe
	case v.err != nil:
		return 0, v.err
	case v.left == 0:
		v.err = io.EOF
		return 0, v.err
	case len(p) == 0:
		return 0, nil
	}
	n, err := v.body.Read(p[:min(int64(len(p)), v.left)])
	v.hash.Write(p[:n])
	v.left -= int64(n)
	if v.left == 0 {
		if v.err = v.finish(); v.err != nil {
			return 0, v.err
		}
		return n, nil
	}
	if err != nil {
		v.err = bodyError(err)
		return 0, v.err
	}
	return n, nil
}

// finish checks, when the last byte has been read, that it is the last one, and what they all are.
func (v *verifier) finish() error {
	switch _, err := io.ReadFull(v.body, make([]byte, 1)); {
	case err == nil:
		return store.ErrSize
	case err != io.EOF:
		return bodyError(err)
	}
	if [sha256.Size]byte(v.hash.Sum(nil)) != v.digest {
		return store.ErrDigest
	}
	return v.ctx.Err()
}

// stop waits until nobody reads the body any more, and sees to it that nobody does later.
func (v *verifier) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = true
}

func bodyError(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return store.ErrSize
	}
	return fmt.Errorf("failed to read body: %w", err)
}
