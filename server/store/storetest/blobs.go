package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

const magic = "age-encryption.org/v1\n"

// Sweeps with a time in the future reach everything, with one in the past nothing that a test has made.
func future() time.Time { return time.Now().Add(time.Hour) }
func past() time.Time   { return time.Now().Add(-time.Hour) }

// Blobs runs the suite for a driver of [store.Blobs].
func Blobs(t *testing.T, open func(t *testing.T) store.Blobs) {
	for _, test := range []struct {
		name string
		f    func(t *testing.T, b store.Blobs)
	}{
		{"Sizes", blobsSizes},
		{"Refusals", blobsRefusals},
		{"RefusalsKeepWhatIsThere", blobsRefusalsKeep},
		{"Cancelled", blobsCancelled},
		{"Again", blobsAgain},
		{"OddReaders", blobsOddReaders},
		{"Delete", blobsDelete},
		{"DeleteShareWhileReading", blobsDeleteWhileReading},
		{"Sweep", blobsSweep},
		{"SweepFails", blobsSweepFails},
		{"List", blobsList},
		{"Mark", blobsMark},
		{"Durable", blobsDurable},
		{"RacingPuts", blobsRacingPuts},
		{"PutAgainstDeleteShare", blobsPutAgainstDelete},
		{"ManySweeps", blobsManySweeps},
	} {
		t.Run(test.name, func(t *testing.T) { test.f(t, open(t)) })
	}
}

// sealed returns size bytes that begin with the magic, as far as they reach, and are otherwise random.
func sealed(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256([]byte(strconv.FormatInt(counter.Add(1), 10)))).Read(b)
	copy(b, magic)
	return b
}

func keyOf(share string, n int64, data []byte) store.Key {
	return store.Key{Share: share, N: n, Digest: sha256.Sum256(data)}
}

func put(b store.Blobs, key store.Key, data []byte) error {
	return b.Put(context.Background(), key, bytes.NewReader(data), int64(len(data)), "")
}

func read(b store.Blobs, key store.Key, offset, length int64) ([]byte, error) {
	r, err := b.Open(context.Background(), key, offset, length)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var got bytes.Buffer
	_, err = io.CopyN(&got, r, length)
	return got.Bytes(), err
}

func wantBlob(t *testing.T, b store.Blobs, key store.Key, data []byte) {
	t.Helper()
	got, err := read(b, key, 0, int64(len(data)))
	if err != nil {
		t.Errorf("part %d: %v", key.N, err)
	} else if !bytes.Equal(got, data) {
		t.Errorf("part %d: other bytes than were put", key.N)
	}
}

func wantNoBlob(t *testing.T, b store.Blobs, key store.Key) {
	t.Helper()
	if r, err := b.Open(context.Background(), key, 0, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("part %d: got error %v, want %v", key.N, err, store.ErrNotFound)
		if err == nil {
			r.Close()
		}
	}
}

// wantNothing checks that a sweep finds neither objects nor leftovers.
func wantNothing(t *testing.T, b store.Blobs) {
	t.Helper()
	n, err := b.Sweep(context.Background(), future(), func(_ context.Context, key store.Key) (bool, error) {
		t.Errorf("kept part %d of %s", key.N, key.Share)
		return false, nil
	})
	if n != 0 || err != nil {
		t.Errorf("sweep removed %d leftovers, error %v", n, err)
	}
}

func blobsSizes(t *testing.T, b store.Blobs) {
	const n, k = 64 << 10, len(magic) // a buffer of the drivers, an age chunk
	share := newID()
	for i, size := range []int{0, 1, k - 1, k, k + 1, n - 1, n, n + 1, 3*n + 17} {
		for _, m := range []string{"", magic} {
			data := sealed(size)
			key := keyOf(share, int64(i), data)
			err := b.Put(t.Context(), key, bytes.NewReader(data), int64(size), m)
			if m != "" && size < k {
				wantErr(t, "body shorter than the magic", err, store.ErrMagic)
				continue
			}
			must(t, err)
			wantBlob(t, b, key, data)
			for _, r := range [][2]int{{0, 1}, {1, 1}, {k, n}, {n - 1, 2}, {n, n}, {size - 1, 1}, {size, 0}} {
				if off, end := r[0], r[0]+r[1]; off >= 0 && end <= size {
					got, err := read(b, key, int64(off), int64(r[1]))
					if err != nil || !bytes.Equal(got, data[off:end]) {
						t.Errorf("size %d, range %d+%d: error %v, or other bytes", size, off, r[1], err)
					}
				}
			}
		}
	}
}

// refusals are bodies that must not be kept as data, which is n bytes.
func refusals(data []byte) map[string]struct {
	body io.Reader
	want error
} {
	broken := errors.New("broken")
	other := append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1)
	plain := append([]byte("P"), data[1:]...)
	type refusal = struct {
		body io.Reader
		want error
	}
	cut := func(n int, err error) io.Reader {
		return io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(err))
	}
	return map[string]refusal{
		"empty":                   {bytes.NewReader(nil), store.ErrSize},
		"short by one":            {bytes.NewReader(data[:len(data)-1]), store.ErrSize},
		"long by one":             {io.MultiReader(bytes.NewReader(data), bytes.NewReader([]byte{0})), store.ErrSize},
		"cut off in the magic":    {cut(7, io.ErrUnexpectedEOF), store.ErrSize},
		"cut off in the middle":   {cut(len(data)/2, io.ErrUnexpectedEOF), store.ErrSize},
		"cut off before the last": {cut(len(data)-1, io.ErrUnexpectedEOF), store.ErrSize},
		"failing at once":         {iotest.ErrReader(broken), broken},
		"failing in the middle":   {cut(len(data)/2, broken), broken},
		"failing at the end":      {cut(len(data), broken), broken},
		"other last byte":         {bytes.NewReader(other), store.ErrDigest},
		"not sealed":              {bytes.NewReader(plain), store.ErrMagic},
	}
}

func blobsRefusals(t *testing.T, b store.Blobs) {
	for _, size := range []int{len(magic) + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200 << 10} {
		data := sealed(size)
		key := keyOf(newID(), 1, data)
		for name, r := range refusals(data) {
			wantErr(t, name, b.Put(t.Context(), key, r.body, int64(size), magic), r.want)
			wantNoBlob(t, b, key)
		}
	}
	wantNothing(t, b)
}

func blobsRefusalsKeep(t *testing.T, b store.Blobs) {
	data := sealed(100 << 10)
	key := keyOf(newID(), 1, data)
	must(t, put(b, key, data))
	for name, r := range refusals(data) {
		wantErr(t, name, b.Put(t.Context(), key, r.body, int64(len(data)), magic), r.want)
		wantBlob(t, b, key, data)
	}
}

func blobsCancelled(t *testing.T, b store.Blobs) {
	data := sealed(300 << 10)
	key := keyOf(newID(), 1, data)
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(bytes.NewReader(data[:150<<10]), readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	}), bytes.NewReader(data[150<<10:]))
	if err := b.Put(ctx, key, body, int64(len(data)), magic); !errors.Is(err, context.Canceled) {
		t.Errorf("put, cancelled on the way: got error %v", err)
	}
	if err := b.Put(ctx, key, bytes.NewReader(data), int64(len(data)), magic); !errors.Is(err, context.Canceled) {
		t.Errorf("put, cancelled before: got error %v", err)
	}
	wantNoBlob(t, b, key)
	wantNothing(t, b)
	must(t, put(b, key, data))
	if _, err := b.Open(ctx, key, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("open: got error %v", err)
	}
	if err := b.Delete(ctx, key); !errors.Is(err, context.Canceled) {
		t.Errorf("delete: got error %v", err)
	}
	if err := b.DeleteShare(ctx, key.Share); !errors.Is(err, context.Canceled) {
		t.Errorf("delete share: got error %v", err)
	}
	if _, err := b.Sweep(ctx, future(), keepNone); !errors.Is(err, context.Canceled) {
		t.Errorf("sweep: got error %v", err)
	}
	wantBlob(t, b, key, data)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func keepNone(context.Context, store.Key) (bool, error) { return false, nil }

func blobsAgain(t *testing.T, b store.Blobs) {
	share := newID()
	one, two := sealed(1000), sealed(1000)
	for range 3 { // the same part, and another candidate for its place
		must(t, put(b, keyOf(share, 1, one), one))
		must(t, put(b, keyOf(share, 1, two), two))
	}
	must(t, put(b, keyOf(share, 2, one), one)) // the same bytes in another place
	other := newID()
	must(t, put(b, keyOf(other, 1, one), one)) // and in another share
	wantBlob(t, b, keyOf(share, 1, one), one)
	wantBlob(t, b, keyOf(share, 1, two), two)
	must(t, b.Delete(t.Context(), keyOf(share, 1, one)))
	wantNoBlob(t, b, keyOf(share, 1, one))
	wantBlob(t, b, keyOf(share, 1, two), two)
	wantBlob(t, b, keyOf(share, 2, one), one)
	wantBlob(t, b, keyOf(other, 1, one), one)
}

func blobsOddReaders(t *testing.T, b store.Blobs) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte":       iotest.OneByteReader,
		"half":           iotest.HalfReader,
		"data with EOF":  iotest.DataErrReader,
		"zero and nil":   func(r io.Reader) io.Reader { return &stutter{r: r} },
		"with WriteTo":   func(r io.Reader) io.Reader { return r },
		"without either": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
	} {
		data := sealed(70 << 10)
		key := keyOf(newID(), 0, data)
		if err := b.Put(t.Context(), key, wrap(bytes.NewReader(data)), int64(len(data)), magic); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantBlob(t, b, key, data)
	}
}

// stutter returns nothing every other time, which a reader may do.
type stutter struct {
	r    io.Reader
	turn bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.turn = !s.turn; s.turn {
		return 0, nil
	}
	return s.r.Read(p)
}

func blobsDelete(t *testing.T, b store.Blobs) {
	share, other := newID(), newID()
	other = share[:2] + other[2:] // neighbours in every way
	data := sealed(1000)
	for n := range int64(5) {
		must(t, put(b, keyOf(share, n, data), data))
		must(t, put(b, keyOf(other, n, data), data))
	}
	for range 2 {
		must(t, b.Delete(t.Context(), keyOf(share, 3, data)))
		wantNoBlob(t, b, keyOf(share, 3, data))
	}
	wantBlob(t, b, keyOf(share, 2, data), data)
	for range 2 {
		must(t, b.DeleteShare(t.Context(), share))
		for n := range int64(5) {
			wantNoBlob(t, b, keyOf(share, n, data))
			wantBlob(t, b, keyOf(other, n, data), data)
		}
	}
	must(t, b.Delete(t.Context(), keyOf(newID(), 1, data)))
	must(t, b.DeleteShare(t.Context(), newID()))
	must(t, put(b, keyOf(share, 1, data), data)) // nothing is left that would be in the way
	wantBlob(t, b, keyOf(share, 1, data), data)
}

func blobsDeleteWhileReading(t *testing.T, b store.Blobs) {
	data := sealed(1 << 20)
	key := keyOf(newID(), 1, data)
	must(t, put(b, key, data))
	r, err := b.Open(t.Context(), key, 0, int64(len(data)))
	must(t, err)
	defer r.Close()
	var got bytes.Buffer
	_, err = io.CopyN(&got, r, 1000)
	must(t, err)
	must(t, b.DeleteShare(t.Context(), key.Share))
	_, err = io.CopyN(&got, r, int64(len(data)-1000))
	must(t, err)
	if !bytes.Equal(got.Bytes(), data) {
		t.Error("a running read got other bytes")
	}
	wantNoBlob(t, b, key)
}

func blobsSweep(t *testing.T, b store.Blobs) {
	share, orphan := newID(), newID()
	data, loser := sealed(1000), sealed(1000)
	kept := map[store.Key]bool{}
	for n := range int64(4) {
		must(t, put(b, keyOf(share, n, data), data))
		must(t, put(b, keyOf(share, n, loser), loser))
		must(t, put(b, keyOf(orphan, n, data), data))
		kept[keyOf(share, n, data)] = true
	}
	asked := map[store.Key]int{}
	keep := func(_ context.Context, key store.Key) (bool, error) {
		asked[key]++
		return kept[key], nil
	}
	n, err := b.Sweep(t.Context(), past(), keep)
	if n != 0 || err != nil {
		t.Errorf("sweep of what is old: removed %d, error %v", n, err)
	}
	wantEqual(t, "questions about what is too young", len(asked), 0)
	for i, want := range []int{8, 0} {
		n, err := b.Sweep(t.Context(), future(), keep)
		if n != want || err != nil {
			t.Errorf("sweep %d: removed %d, want %d, error %v", i, n, want, err)
		}
	}
	wantEqual(t, "objects asked about", len(asked), 12)
	for n := range int64(4) {
		wantBlob(t, b, keyOf(share, n, data), data)
		wantNoBlob(t, b, keyOf(share, n, loser))
		wantNoBlob(t, b, keyOf(orphan, n, data))
	}
}

func blobsSweepFails(t *testing.T, b store.Blobs) {
	data := sealed(1000)
	key := keyOf(newID(), 1, data)
	must(t, put(b, key, data))
	broken := errors.New("broken")
	_, err := b.Sweep(t.Context(), future(), func(context.Context, store.Key) (bool, error) { return false, broken })
	wantErr(t, "sweep that cannot ask", err, broken)
	wantBlob(t, b, key, data)
}

func blobsDurable(t *testing.T, b store.Blobs) {
	re, ok := b.(reopensBlobs)
	if !ok {
		t.Skip("this driver has nothing to reopen")
	}
	data := sealed(100 << 10)
	key := keyOf(newID(), 1, data)
	must(t, put(b, key, data))
	b = re.Reopen(t)
	wantBlob(t, b, key, data)
}

func blobsRacingPuts(t *testing.T, b store.Blobs) {
	share := newID()
	candidates := [][]byte{sealed(200 << 10), sealed(200 << 10), sealed(200 << 10)}
	race(12, func(i int) {
		data := candidates[i%3]
		if err := put(b, keyOf(share, 1, data), data); err != nil {
			t.Errorf("put %d: %v", i, err)
		}
		wantBlob(t, b, keyOf(share, 1, data), data)
	})
	n, err := b.Sweep(t.Context(), future(), keepNone)
	if n != 3 || err != nil {
		t.Errorf("%d objects were left, want 3, error %v", n, err)
	}
}

// blobsPutAgainstDelete: a Put that meets a DeleteShare says ErrNotFound or ErrUnavailable, or what it put is whole or deleted.
func blobsPutAgainstDelete(t *testing.T, b store.Blobs) {
	share := newID()
	data := sealed(1000)
	race(8, func(i int) {
		for n := range int64(25) {
			key := keyOf(share, 100*int64(i)+n, data)
			if i == 0 {
				must(t, b.DeleteShare(context.Background(), share))
			} else if err := put(b, key, data); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("put: %v", err)
			} else if got, err := read(b, key, 0, 1000); err == nil && !bytes.Equal(got, data) {
				t.Error("other bytes than were put")
			}
		}
	})
	must(t, b.DeleteShare(t.Context(), share))
	wantNothing(t, b)
	must(t, put(b, keyOf(share, 1, data), data))
}

func blobsManySweeps(t *testing.T, b store.Blobs) {
	for range 50 {
		data := sealed(100)
		must(t, put(b, keyOf(newID(), 1, data), data))
	}
	var removed atomic.Int64
	race(4, func(int) {
		n, err := b.Sweep(context.Background(), future(), keepNone)
		if err != nil {
			t.Errorf("sweep: %v", err)
		}
		removed.Add(int64(n))
	})
	if n := removed.Load(); n < 50 || n > 4*50 { // each may count what several remove
		t.Errorf("sweeps together say they removed %d objects of 50", n)
	}
	wantNothing(t, b)
}
