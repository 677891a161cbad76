package disk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// reopening is a store that the suite can open anew.
type reopening struct {
	*disk.Store
	dir string
}

func (r reopening) Reopen(t *testing.T) store.Blobs { return open(t, r.dir) }

func open(t *testing.T, dir string) reopening {
	t.Helper()
	s, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return reopening{s, dir}
}

func TestBlobs(t *testing.T) {
	storetest.Blobs(t, func(t *testing.T) store.Blobs { return open(t, filepath.Join(t.TempDir(), "new", "blobs")) })
}

const share = "abcdefghijklmnop"

func key(n int64, data string) store.Key {
	return store.Key{Share: share, N: n, Digest: sha256.Sum256([]byte(data))}
}

func hexDigest(data string) string {
	digest := sha256.Sum256([]byte(data))
	return hex.EncodeToString(digest[:])
}

func put(s store.Blobs, n int64, data string) error {
	return s.Put(context.Background(), key(n, data), bytes.NewReader([]byte(data)), int64(len(data)), "")
}

func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	if err := put(s, 1, "data"); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenReturnsFile(t *testing.T) {
	s := open(t, t.TempDir())
	if err := put(s, 1, "data"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), key(1, "data"), 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ok := r.(*os.File); !ok {
		t.Errorf("got a %T, which sendfile does not take", r)
	}
}

func TestKeysStayInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	for _, id := range []string{"", "a", "ab", "..", "../", "../x", "ab/../../x", "/etc", "ab/c", `ab\c`, "ab.c", ".tx", "ab\x00c", "äbc"} {
		k := store.Key{Share: id, N: 1}
		if err := s.Put(t.Context(), k, bytes.NewReader(nil), 0, ""); err == nil {
			t.Errorf("put under %q worked", id)
		}
		if _, err := s.Open(t.Context(), k, 0, 0); err == nil {
			t.Errorf("open of %q worked", id)
		}
		if err := s.DeleteShare(t.Context(), id); err != nil {
			t.Errorf("delete of %q: %v", id, err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

// TestSweepLeftovers plants what crashes leave and what is not ours.
func TestSweepLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for n := range int64(2) {
		if err := put(s, n, "data"); err != nil {
			t.Fatal(err)
		}
	}
	in := func(parts ...string) string { return filepath.Join(append([]string{dir, "ab", share}, parts...)...) }
	old := time.Now().Add(-2 * time.Hour)
	write := func(path string, at time.Time) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(in(".tOLD"), old)
	write(in(".tNEW"), time.Now())
	write(in("notes.txt"), old)
	write(in("1-abc"), old)
	write(filepath.Join(dir, "lost+found", "x"), old)
	write(filepath.Join(dir, "xy", "abandoned", "x"), old) // in another share's place: not ours
	write(filepath.Join(dir, "zz", "zzzzzzzzzzzzzzzz", ".tOLD"), old)
	if err := os.MkdirAll(filepath.Join(dir, "em", "empty-share-dir0"), 0o700); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour), func(context.Context, store.Key) (bool, error) {
		t.Error("asked about a young object")
		return true, nil
	})
	if n != 2 || err != nil {
		t.Errorf("removed %d, want 2, error %v", n, err)
	}
	for path, want := range map[string]bool{in(".tOLD"): false, in(".tNEW"): true, in("notes.txt"): true, in("1-abc"): true,
		filepath.Join(dir, "lost+found", "x"): true, filepath.Join(dir, "xy", "abandoned", "x"): true,
		filepath.Join(dir, "zz"): false, filepath.Join(dir, "em"): false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: exists %v, want %v", path, err == nil, want)
		}
	}
}

// TestSweepEmptiesDirectories and makes them again for the next part.
func TestSweepEmptiesDirectories(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for range 2 {
		if err := put(s, 1, "data"); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), key(1, "data")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context(), time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
			t.Errorf("left: %v, error %v", entries, err)
		}
	}
}

// A share that cannot be swept stands in the way of no other, and the error does not tell which one it was.
func TestSweepOfBrokenShare(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	shares := []string{"aa-first", "aa-second", "aa-third", "bb-fourth"}
	orphan := func(share string) store.Key {
		return store.Key{Share: share, N: 1, Digest: sha256.Sum256([]byte("data"))}
	}
	for _, id := range shares {
		if err := s.Put(t.Context(), orphan(id), bytes.NewReader([]byte("data")), 4, ""); err != nil {
			t.Fatal(err)
		}
	}
	broken := filepath.Join(dir, "aa", "aa-second")
	n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), func(_ context.Context, k store.Key) (bool, error) {
		if k.Share == "aa-first" { // the second is listed already
			os.RemoveAll(broken)
			os.WriteFile(broken, nil, 0o600)
		}
		return false, nil
	})
	if n != 3 || err == nil || strings.Contains(err.Error(), "second") {
		t.Errorf("removed %d of 3, error %v", n, err)
	}
}

// TestPutAgainstSweep: what a Put has acknowledged is new, and no sweep that was told to leave new things alone may take it, even if
// it found the same object there when that was old. That is more than the contract asks for.
func TestPutAgainstSweep(t *testing.T) {
	s := open(t, t.TempDir())
	for range 30 {
		if err := put(s, 1, "data"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // more than the grain of file times
		before := time.Now()
		time.Sleep(20 * time.Millisecond)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := s.Sweep(context.Background(), before, func(context.Context, store.Key) (bool, error) { return false, nil })
				if err != nil {
					t.Errorf("sweep: %v", err)
				}
			})
		}
		if err := put(s, 1, "data"); err != nil {
			t.Errorf("put: %v", err)
		}
		wg.Wait()
		r, err := s.Open(t.Context(), key(1, "data"), 0, 4)
		if err != nil {
			t.Fatalf("what was put is gone: %v", err)
		}
		r.Close()
	}
}

// TestListStrays: what is no object is told of, and what the system keeps beside is not.
func TestListStrays(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := put(s, 1, "data"); err != nil {
		t.Fatal(err)
	}
	other := "ab/abcdefghijklmnoq"
	if err := os.Mkdir(filepath.Join(dir, other), 0o700); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, share := range map[string]string{
		"ab/" + share + "/.tLEFTOVER":              share,
		"ab/" + share + "/01-" + hexDigest("data"): share,
		other + "/y": filepath.Base(other),
		"ab/x":       "",
		"notes.txt":  "",
		".snapshot":  "-",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if share != "-" {
			want[filepath.Base(name)] = share
		}
	}
	got := map[string]string{}
	err := s.List(t.Context(), func(o store.Object) error {
		if o.Stray != "" {
			got[o.Stray] = o.Key.Share
		} else if o.Key != key(1, "data") {
			t.Errorf("listed %+v", o)
		}
		return nil
	})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("listed %v, want %v, %v", got, want, err)
	}
}

// sweeping is a body in the midst of which a sweep runs.
type sweeping struct {
	*bytes.Reader
	sweep func()
}

func (b *sweeping) Read(p []byte) (int, error) {
	if b.sweep != nil {
		b.sweep()
		b.sweep = nil
	}
	return b.Reader.Read(p)
}

// A sweep whose clock was moved ahead may take what a Put has written so far for the leftover of a crash. That does not mean that the share is
// gone, so the answer is to ask again.
func TestSweepOfWriting(t *testing.T) {
	s := open(t, t.TempDir())
	body := &sweeping{bytes.NewReader([]byte("data")), func() {
		keep := func(context.Context, store.Key) (bool, error) { return true, nil }
		if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), keep); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
	}}
	if err := s.Put(t.Context(), key(1, "data"), body, 4, ""); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got error %v, want %v", err, store.ErrUnavailable)
	}
	if err := put(s, 1, "data"); err != nil {
		t.Error(err)
	}
}

// TestErrorsNameNothing: what goes wrong tells neither share nor digest, since errors go to the log.
func TestErrorsNameNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	data := []byte("data")
	k := store.Key{Share: share, N: 1, Digest: sha256.Sum256(data)}
	calls := map[string]func() error{
		"put": func() error { return s.Put(t.Context(), k, bytes.NewReader(data), int64(len(data)), "") },
		"open": func() error {
			_, err := s.Open(t.Context(), k, 0, 1)
			return err
		},
		"delete":       func() error { return s.Delete(t.Context(), k) },
		"delete share": func() error { return s.DeleteShare(t.Context(), share) },
		"sweep": func() error {
			_, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), func(context.Context, store.Key) (bool, error) { return false, nil })
			return err
		},
	}
	for what, breaks := range map[string]func() error{
		"a file is in the way":          func() error { return os.WriteFile(filepath.Join(dir, share[:2]), nil, 0o600) },
		"a loop of links is in the way": func() error { return os.Symlink(share[:2], filepath.Join(dir, share[:2])) },
		"a folder is where a part was": func() error {
			return os.MkdirAll(filepath.Join(dir, share[:2], k.Name(), "x"), 0o700)
		},
	} {
		if err := breaks(); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for name, call := range calls {
			err := call()
			if err == nil {
				continue
			}
			failed++
			for _, secret := range []string{share[:2] + ":", share[:2] + "/", share, hex.EncodeToString(k.Digest[:8])} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s, %s: %v", what, name, err)
				}
			}
		}
		if failed == 0 {
			t.Errorf("%s, and nothing fails", what)
		}
		if err := os.RemoveAll(filepath.Join(dir, share[:2])); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTryWrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.TryWrite(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v is left, %v", entries, err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".try"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.TryWrite(); err == nil {
		t.Error("no file can be made, and that is fine")
	}
}
