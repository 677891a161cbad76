package disk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.ErrUnexpectedEOF
}

func TestFullDisk(t *testing.T) {
	const mib = 1 << 20
	mount := storetest.SmallDisk(t, 32*mib) // of which 16 are the reserve
	s := open(t, filepath.Join(mount, "blobs"))
	data := bytes.Repeat([]byte("0123456789abcdef"), 8*mib/16)
	k := store.Key{Share: share, N: 1, Digest: sha256.Sum256(data)}
	put := func() error {
		return s.Put(t.Context(), k, bytes.NewReader(data), int64(len(data)), "")
	}
	intact := func() {
		t.Helper()
		r, err := s.Open(t.Context(), k, 0, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("what was stored is not intact, error %v", err)
		}
	}
	refused := func(share string, size int64) {
		t.Helper()
		err := s.Put(t.Context(), store.Key{Share: share, N: 2}, untouched{t}, size, "")
		if !errors.Is(err, store.ErrFull) {
			t.Errorf("put of %d bytes: got error %v, want %v", size, err, store.ErrFull)
		}
		intact()
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	refused(share, 64*mib) // more than there is
	refused(share, 9*mib)  // more than there is beside the reserve

	var wg sync.WaitGroup // of many at once none counts on the room of another
	var mu sync.Mutex
	kept := 0
	for i := range 16 {
		wg.Go(func() {
			d := bytes.Repeat([]byte{byte(i)}, mib)
			err := s.Put(context.Background(), store.Key{Share: share, N: 10 + int64(i), Digest: sha256.Sum256(d)},
				bytes.NewReader(d), mib, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				kept++
			} else if !errors.Is(err, store.ErrFull) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kept > 8 {
		t.Errorf("%d MiB were kept where 8 fit", kept)
	}
	intact()

	ballast := storetest.Fill(t, mount)
	for _, size := range []int64{0, 1, mib} {
		refused(share, size)
		refused("zzzzzzzzzzzzzzzz", size) // where directories are missing as well
	}
	if err := s.DeleteShare(t.Context(), "zzzzzzzzzzzzzzzz"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteShare(t.Context(), share); err != nil {
		t.Fatal(err)
	}
	if err := put(); err != nil {
		t.Errorf("put after there was room again: %v", err)
	}
	intact()
}
