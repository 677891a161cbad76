//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package disk_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// lockShare locks the share's directory as another process would.
func lockShare(t *testing.T, dir string, how int) (unlock func()) {
	t.Helper()
	d, err := os.Open(filepath.Join(dir, share[:2], share))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(d.Fd()), how); err != nil {
		t.Fatal(err)
	}
	return func() { d.Close() }
}

// TestPutWaitsForSweep, which has found an object old and is about to remove it.
func TestPutWaitsForSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := put(s, 1, "data"); err != nil {
		t.Fatal(err)
	}
	unlock := lockShare(t, dir, syscall.LOCK_EX)
	done := make(chan error)
	go func() { done <- put(s, 1, "data") }()
	select {
	case err := <-done:
		t.Fatalf("put did not wait, error %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.Remove(filepath.Join(dir, share[:2], share, "1-"+hexDigest("data"))); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), key(1, "data"), 0, 4)
	if err != nil {
		t.Fatalf("what was put is not there: %v", err)
	}
	r.Close()
}

// TestSweepWaitsForPut, which renews the object that the sweep has found old.
func TestSweepWaitsForPut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := put(s, 1, "data"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, share[:2], share, "1-"+hexDigest("data"))
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	unlock := lockShare(t, dir, syscall.LOCK_SH)
	done := make(chan error)
	go func() {
		_, err := s.Sweep(context.Background(), time.Now().Add(-time.Hour),
			func(context.Context, store.Key) (bool, error) { return false, nil })
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("sweep did not wait, error %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("what was renewed is gone: %v", err)
	}
}
