//go:build js && wasm

// Package r2 keeps sealed bytes in a Cloudflare R2 bucket, one object a part, under SHARE/N-DIGEST, and the mark under .mark.
//
// Bytes do not enter Go, whose memory and speed on Workers are not made for them. This package is the half that decides;
// parts.mjs is the half that moves bytes, with the runtime's own streams, and its Parts is what a Store holds. Send hands Go's
// answer a stream of R2's. Put cannot wait for the request's body to arrive, as the Go instance would be taken for all that
// time, and a few slow senders would take all there are: the first time it notes what is wanted in Parts and abandons the
// request (http.ErrAbortHandler). Then JavaScript stores the body, with nothing held but the stream, and the whole request is
// made again, without its body; this time Put finds the outcome in Parts. Where Parts does not defer, as in
// tests, Put reads the body into memory.
//
// R2 verifies the SHA-256 itself and is durable when put returns. The magic is looked at on the way. R2 does not tell whether there
// was something to delete, so what sweeps at the same time remove is counted by each.
package r2

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall/js"
	"time"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/internal/promise"
)

// Store implements [store.Blobs] and [store.Sender] in a bucket.
type Store struct {
	Parts    func() js.Value // of parts.mjs; asked for whenever it is needed, as it belongs to the request
	MaxSpans int             // in one answer, each of which is a subrequest; 0 for any number
	MaxSweep int             // objects that one Sweep asks about, beginning anywhere; 0 for all there are
}

var (
	_ store.Blobs  = (*Store)(nil)
	_ store.Sender = (*Store)(nil)
)

// call calls a method of Parts that returns a promise.
func (s *Store) call(ctx context.Context, method string, args ...any) (js.Value, error) {
	if err := ctx.Err(); err != nil {
		return js.Value{}, err
	}
	return promise.Await(s.Parts().Call(method, args...))
}

// Put implements [store.Blobs].
func (s *Store) Put(ctx context.Context, key store.Key, body io.Reader, size int64, magic string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deposit := s.Parts().Call("deposit", key.Name(), float64(size), hex.EncodeToString(key.Digest[:]), magic)
	switch deposit.Type() {
	case js.TypeNull:
		panic(http.ErrAbortHandler) // to be called again when the body is stored
	case js.TypeString:
		return outcome(deposit.String())
	}
	data, err := readAll(ctx, body, size)
	if err != nil {
		return err
	}
	chunk := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(chunk, data)
	v, err := promise.Await(deposit.Call("put", chunk))
	if err != nil {
		return fmt.Errorf("failed to store part: %w", err)
	}
	return outcome(v.String())
}

// readAll reads a body of exactly size bytes.
func readAll(ctx context.Context, body io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size+1)
	n, err := io.ReadFull(body, data)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil, int64(n) < size && (err == io.EOF || err == io.ErrUnexpectedEOF):
		return nil, store.ErrSize
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, err
	}
	return data[:size], nil
}

// outcome is what parts.mjs says has become of a body.
func outcome(text string) error {
	switch text {
	case "":
		return nil
	case "magic":
		return store.ErrMagic
	case "digest":
		return store.ErrDigest
	case "size":
		return store.ErrSize
	}
	return errors.New("failed to store part: " + text)
}

// Send implements [store.Sender], to a ResponseWriter that takes a JavaScript stream.
func (s *Store) Send(ctx context.Context, w io.Writer, begin func(), spans []store.Span) (int64, error) {
	raw, ok := w.(interface{ WriteRawJSBody(js.Value) })
	if !ok {
		return 0, errors.New("the ResponseWriter takes no stream")
	}
	if s.MaxSpans > 0 && len(spans) > s.MaxSpans {
		return 0, store.ErrTooMany
	}
	list, total := make([]any, len(spans)), int64(0)
	for i, span := range spans {
		list[i] = []any{span.Key.Name(), float64(span.Offset), float64(span.Length)}
		total += span.Length
	}
	stream, err := s.call(ctx, "send", list)
	switch {
	case err != nil:
		return 0, fmt.Errorf("failed to open part: %w", err)
	case stream.IsNull():
		return 0, store.ErrNotFound
	}
	begin()
	raw.WriteRawJSBody(stream)
	return total, nil
}

// Open implements [store.Blobs].
func (s *Store) Open(ctx context.Context, key store.Key, offset, length int64) (io.ReadCloser, error) {
	v, err := s.call(ctx, "open", key.Name(), float64(offset), float64(length))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to open part: %w", err)
	case v.IsNull():
		return nil, store.ErrNotFound
	}
	return &reader{stream: v.Call("getReader")}, nil
}

// reader reads a JavaScript stream.
type reader struct {
	stream js.Value
	rest   []byte
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		v, err := promise.Await(r.stream.Call("read"))
		switch {
		case err != nil:
			return 0, err
		case v.Get("done").Bool():
			return 0, io.EOF
		}
		r.rest = make([]byte, v.Get("value").Length())
		js.CopyBytesToGo(r.rest, v.Get("value"))
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *reader) Close() error {
	_, err := promise.Await(r.stream.Call("cancel"))
	return err
}

// Delete implements [store.Blobs].
func (s *Store) Delete(ctx context.Context, key store.Key) error {
	if _, err := s.call(ctx, "remove", []any{key.Name()}); err != nil {
		return fmt.Errorf("failed to delete part: %w", err)
	}
	return nil
}

// DeleteShare implements [store.Blobs].
func (s *Store) DeleteShare(ctx context.Context, share string) error {
	if _, err := s.call(ctx, "removeAll", share+"/"); err != nil {
		return fmt.Errorf("failed to delete parts: %w", err)
	}
	return nil
}

// Mark implements [store.Blobs].
func (s *Store) Mark(ctx context.Context, mark string) (string, error) {
	v, err := s.call(ctx, "mark", ".mark", mark)
	if err != nil {
		return "", fmt.Errorf("failed to mark bucket: %w", err)
	}
	return v.String(), nil
}

// Sweep implements [store.Blobs]. With MaxSweep it begins anywhere, so that in the course of time it comes by everything.
func (s *Store) Sweep(ctx context.Context, before time.Time, keep func(context.Context, store.Key) (bool, error)) (int, error) {
	w := sweep{s, before, keep, s.MaxSweep, 0}
	if s.MaxSweep == 0 {
		err := w.walk(ctx, "", "")
		return w.removed, err
	}
	anywhere := make([]byte, 6)
	rand.Read(anywhere)
	start := base64.RawURLEncoding.EncodeToString(anywhere)
	err := w.walk(ctx, start, "")
	if err == nil && w.left > 0 {
		err = w.walk(ctx, "", start)
	}
	return w.removed, err
}

// sweep is one Sweep under way.
type sweep struct {
	s       *Store
	before  time.Time
	keep    func(context.Context, store.Key) (bool, error)
	left    int // objects that may still be asked about
	removed int
}

// walk goes from one name to another; "" is either end.
func (w *sweep) walk(ctx context.Context, from, to string) error {
	for cursor := ""; ; {
		page, err := w.s.call(ctx, "list", from, cursor, float64(w.before.UnixMilli()))
		if err != nil {
			return fmt.Errorf("failed to list parts: %w", err)
		}
		names := page.Get("names") // of what is older than before
		for i := range names.Length() {
			text := names.Index(i).String()
			if to != "" && text > to {
				return nil
			}
			if done, err := w.visit(ctx, text); done || err != nil {
				return err
			}
		}
		if cursor = page.Get("cursor").String(); cursor == "" {
			return nil
		}
	}
}

// visit removes an object if it is not to be kept. What has no name of ours is not ours to remove.
func (w *sweep) visit(ctx context.Context, text string) (done bool, err error) {
	key, ok := store.ParseKey(text)
	if !ok {
		return false, nil
	}
	kept, err := w.keep(ctx, key)
	if err != nil {
		return true, err
	}
	if !kept {
		gone, err := w.s.call(ctx, "removeOld", text, float64(w.before.UnixMilli()))
		if err != nil {
			return true, fmt.Errorf("failed to delete an orphan: %w", err)
		}
		if gone.Bool() {
			w.removed++
		}
	}
	w.left--
	return w.left == 0, nil
}
