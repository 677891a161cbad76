package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/sqlite"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// reopening is a store that the suite can open anew. The first one stays open, as if its process had been killed.
type reopening struct {
	*sqlite.Store
	path string
}

func (r reopening) Reopen(t *testing.T) store.Meta { return open(t, r.path) }

func open(t *testing.T, path string) reopening {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return reopening{s, path}
}

func TestMeta(t *testing.T) {
	storetest.Meta(t, func(t *testing.T) store.Meta { return open(t, filepath.Join(t.TempDir(), "meta.db")) })
}

const now = 1_800_000_000

func share(n int) store.Share {
	s := store.Share{ID: fmt.Sprintf("share-%010d", n), State: store.Open, PartSize: 100, Size: 1000, Created: now,
		Expires: now + 1000, Lifetime: 1000, MaxDownloads: 5}
	copy(s.Access[:], "access-of-"+s.ID)
	copy(s.Reader[:], "reader-of-"+s.ID)
	copy(s.Owner[:], "owner-of-"+s.ID)
	return s
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "what?.db", "#1.db", "ключ.db", "a&b=c;d.db"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, path)
		if _, err := s.Create(t.Context(), share(1)); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "meta.db"))
	if _, err := s.Create(t.Context(), share(1)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 3 {
		t.Errorf("files: %v, error %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, error %v", f, info.Mode(), err)
		}
	}
}

func TestTooNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meta.db")
	open(t, path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE schema_version SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := sqlite.Open(path); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("got error %v, want %v", err, store.ErrTooNew)
	}
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meta.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path); err == nil {
		t.Error("opened a file that is none")
	}
}

// TestSettings asks the connections themselves.
func TestSettings(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "meta.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1",
		"foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := s.Writer().QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, want %q, error %v", pragma, got, want, err)
		}
	}
	if _, err := s.Reader().Exec(`DELETE FROM shares`); err == nil {
		t.Error("a reader can write")
	}
}

// TestGone: after a share is forgotten, no byte of its record is in the file or its log.
func TestGone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "meta.db"))
	content := func() []byte { return contentOf(t, dir) }
	const n = 100
	ctx := t.Context()
	for i := range n {
		sh := share(i)
		if _, err := s.Create(ctx, sh); err != nil {
			t.Fatal(err)
		}
		for k := range int64(3) {
			p := store.Part{N: k, Size: 100}
			copy(p.Digest[:], "digest-of-"+sh.ID)
			if _, err := s.AddPart(ctx, sh.ID, p, now, now+1000, 0); err != nil {
				t.Fatal(err)
			}
		}
		var ticket store.Hash
		copy(ticket[:], "ticket-of-"+sh.ID)
		if _, err := s.TakeDownload(ctx, sh.ID, ticket, now); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(content(), []byte("ticket-of-")) {
		t.Fatal("the test does not see what is there")
	}
	for {
		ids, err := s.Doomed(ctx, now+1000, now, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			if err := s.Forget(ctx, id, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, word := range []string{"access-of-", "reader-of-", "owner-of-", "digest-of-", "ticket-of-", "share-00"} {
		if c := bytes.Count(content(), []byte(word)); c != 0 {
			t.Errorf("%q is there %d times", word, c)
		}
	}
}

// contentOf is every byte of all files in a folder.
func contentOf(t *testing.T, dir string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// TestGoneReport: of a report that has made room for another, no byte is left when shares were swept.
func TestGoneReport(t *testing.T) {
	dir := t.TempDir()
	s, ctx := open(t, filepath.Join(dir, "meta.db")), t.Context()
	sweep := func() {
		if _, err := s.Doomed(ctx, now, now, 100); err != nil {
			t.Fatal(err)
		}
	}
	sweep() // the first always looks
	for i, sealed := range []string{"sealed-first", "sealed-second"} {
		sh := share(i)
		if _, err := s.Create(ctx, sh); err != nil {
			t.Fatal(err)
		}
		for n := range int64(2) {
			if _, err := s.AddPart(ctx, sh.ID, store.Part{N: n, Size: 1}, now, now+1000, 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Complete(ctx, sh.ID, 1, 1, now); err != nil {
			t.Fatal(err)
		}
		r := store.Report{ID: sh.ID, Share: sh.ID, Received: now, Sealed: []byte(sealed)}
		if err := s.AddReport(ctx, r, store.ReportLimit{Share: 1, All: 1}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(contentOf(t, dir), []byte(sealed)) {
			t.Fatal("the test does not see what is there")
		}
		if err := s.Remove(ctx, sh.ID, now); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if bytes.Contains(contentOf(t, dir), []byte("sealed-first")) {
		t.Error("what has made room is still there")
	}
}

// TestStrangersDoNotWrite: who has no right to anything does not queue for the writer, of whom there is only one.
func TestStrangersDoNotWrite(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "meta.db"))
	sh, err := s.Create(t.Context(), share(1))
	if err != nil {
		t.Fatal(err)
	}
	busy, err := s.Writer().Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Rollback()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for _, id := range []string{sh.ID, "unknown"} {
		if _, err := s.FinishDownload(ctx, id, store.Hash{1}, now, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("finishing with an unknown ticket: %v", err)
		}
		if _, err := s.Ticket(ctx, id, store.Hash{1}, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown ticket: %v", err)
		}
	}
}

// TestGoneAfterCrash: what a process forgot and could not cut from the log any more, the next one cuts.
func TestGoneAfterCrash(t *testing.T) {
	dir := t.TempDir()
	killed := open(t, filepath.Join(dir, "meta.db"))
	sh, err := killed.Create(t.Context(), share(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Remove(t.Context(), sh.ID, now); err != nil {
		t.Fatal(err)
	}
	if err := killed.Forget(t.Context(), sh.ID, now); err != nil {
		t.Fatal(err)
	}
	next := open(t, filepath.Join(dir, "meta.db"))
	if _, err := next.Doomed(t.Context(), now, now, 10); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, sh.Owner[:]) {
			t.Errorf("%s still has the share, or error %v", filepath.Base(f), err)
		}
	}
}

// TestHangUp: whenever a caller gives up, it is told so, and not of a failure of the database.
func TestHangUp(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "meta.db"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%100)*20*time.Microsecond)
				if _, err := s.Create(ctx, share(1000*w+i)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("create: %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

// TestTwoProcesses: two stores on one file, as two processes have them.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meta.db")
	stores := []reopening{open(t, path), open(t, path)}
	sh, err := stores[0].Create(t.Context(), share(1))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	leased := 0
	for i := range 20 {
		wg.Go(func() {
			_, err := stores[i%2].TakeDownload(context.Background(), sh.ID, store.Hash{byte(i)}, now)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				leased++
			} else if !errors.Is(err, store.ErrSpent) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if leased != 5 {
		t.Errorf("%d leases, want 5", leased)
	}
}

func BenchmarkTakeDownload(b *testing.B) {
	s, err := sqlite.Open(filepath.Join(b.TempDir(), "meta.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	sh := share(1)
	sh.MaxDownloads = 0
	if _, err := s.Create(b.Context(), sh); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		var ticket store.Hash
		copy(ticket[:], fmt.Sprint(i))
		if _, err := s.TakeDownload(b.Context(), sh.ID, ticket, now); err != nil {
			b.Fatal(err)
		}
	}
}
