package fsck_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/fsck"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

const partSize = 100

// site is a folder as sealpostd keeps it.
type site struct {
	dir   string
	blobs store.Blobs
	meta  store.Meta
	now   time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), now: time.Now()}
	blobs, err := disk.Open(filepath.Join(s.dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	meta, err := sqlite.Open(filepath.Join(s.dir, "meta.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { meta.Close() })
	s.blobs, s.meta = blobs, meta
	return s
}

var count int

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// newShare is one that is not in any store.
func (s *site) newShare() store.Share {
	count++
	sh := store.Share{ID: fmt.Sprintf("share-%010d", count), State: store.Open, PartSize: partSize, Size: 1000, Created: s.now.Unix(),
		Expires: s.now.Unix() + 1000, Lifetime: 1000, MaxDownloads: 5}
	copy(sh.Owner[:], random(32))
	return sh
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) put(t testing.TB, id string, n int64, data []byte) {
	t.Helper()
	key := store.Key{Share: id, N: n, Digest: sha256.Sum256(data)}
	check(t, s.blobs.Put(context.Background(), key, bytes.NewReader(data), int64(len(data)), ""))
}

func (s *site) add(t testing.TB, id string, n int64, data []byte) {
	t.Helper()
	s.put(t, id, n, data)
	part := store.Part{N: n, Size: int64(len(data)), Digest: sha256.Sum256(data)}
	_, err := s.meta.AddPart(context.Background(), id, part, s.now.Unix(), s.now.Unix()+1000, 0)
	check(t, err)
}

// send makes a share of two and a half parts, complete, and downloaded once.
func (s *site) send(t testing.TB) string {
	t.Helper()
	id := s.open(t)
	for n, size := range []int{7, partSize, partSize, partSize / 2} {
		s.add(t, id, int64(n), random(size))
	}
	_, err := s.meta.Complete(context.Background(), id, 250, 3, s.now.Unix())
	check(t, err)
	_, err = s.meta.TakeDownload(context.Background(), id, store.Hash(random(32)), s.now.Unix())
	check(t, err)
	return id
}

func (s *site) open(t testing.TB) string {
	t.Helper()
	sh := s.newShare()
	_, err := s.meta.Create(context.Background(), sh)
	check(t, err)
	return sh.ID
}

// file is where part n of a share lies.
func (s *site) file(t testing.TB, id string, n int64) string {
	t.Helper()
	p, err := s.meta.Part(context.Background(), id, n)
	check(t, err)
	return filepath.Join(s.dir, "blobs", id[:2], id, fmt.Sprintf("%d-%s", n, hex.EncodeToString(p.Digest[:])))
}

// exec changes the database behind everybody's back.
func (s *site) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "meta.db"))
	check(t, err)
	defer db.Close()
	_, err = db.Exec(statement, args...)
	check(t, err)
}

func (s *site) run(t testing.TB, change ...func(*fsck.Config)) ([]fsck.Finding, fsck.Summary) {
	t.Helper()
	var all []fsck.Finding
	c := fsck.Config{Blobs: s.blobs, Meta: s.meta, Now: func() time.Time { return s.now }, Young: time.Hour, Settle: time.Millisecond,
		Found: func(f fsck.Finding) { all = append(all, f) }}
	for _, f := range change {
		f(&c)
	}
	sum, err := fsck.Run(context.Background(), c)
	check(t, err)
	if int(sum.Findings) != len(all) {
		t.Errorf("%d findings and %d told", sum.Findings, len(all))
	}
	return all, sum
}

// TestDamage: each kind of damage is found, where it is, and nothing else.
func TestDamage(t *testing.T) {
	old := func(t *testing.T, s *site, name string) {
		then := s.now.Add(-2 * time.Hour)
		check(t, os.Chtimes(name, then, then))
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, s *site, id string)
		want   []string // kind and part
		quick  bool     // found without reading
	}{
		"none": {func(*testing.T, *site, string) {}, nil, true},
		"a bit": {func(t *testing.T, s *site, id string) {
			b, err := os.ReadFile(s.file(t, id, 2))
			check(t, err)
			b[50] ^= 1
			check(t, os.WriteFile(s.file(t, id, 2), b, 0o600))
		}, []string{"wrong-digest 2"}, false},
		"missing": {func(t *testing.T, s *site, id string) { check(t, os.Remove(s.file(t, id, 1))) }, []string{"missing 1"}, true},
		"missing manifest": {func(t *testing.T, s *site, id string) { check(t, os.Remove(s.file(t, id, 0))) },
			[]string{"missing 0"}, true},
		"short": {func(t *testing.T, s *site, id string) { check(t, os.Truncate(s.file(t, id, 3), 49)) },
			[]string{"wrong-size 3"}, true},
		"empty": {func(t *testing.T, s *site, id string) { check(t, os.Truncate(s.file(t, id, 3), 0)) },
			[]string{"wrong-size 3"}, true},
		"long": {func(t *testing.T, s *site, id string) {
			f, err := os.OpenFile(s.file(t, id, 1), os.O_APPEND|os.O_WRONLY, 0)
			check(t, err)
			f.Write([]byte("x"))
			check(t, f.Close())
		}, []string{"wrong-size 1"}, true},
		"unreadable": {func(t *testing.T, s *site, id string) {
			name := s.file(t, id, 1)
			check(t, os.Remove(name))
			check(t, os.Mkdir(name, 0o700)) // so that reading is an error to root, too
			old(t, s, name)
		}, []string{"stray", "unreadable 1"}, false},
		"orphan": {func(t *testing.T, s *site, id string) {
			data := random(10)
			s.put(t, id, 1, data)
			digest := sha256.Sum256(data)
			old(t, s, filepath.Join(s.dir, "blobs", id[:2], id, "1-"+hex.EncodeToString(digest[:])))
		}, []string{"orphan 1"}, true},
		"orphans of no share": {func(t *testing.T, s *site, id string) {
			s.exec(t, `PRAGMA foreign_keys = ON; DELETE FROM shares WHERE id = ?`, id)
			filepath.Walk(filepath.Join(s.dir, "blobs", id[:2], id), func(p string, _ os.FileInfo, _ error) error {
				old(t, s, p)
				return nil
			})
		}, []string{"orphan 0", "orphan 1", "orphan 2", "orphan 3", "wrong-total"}, true},
		"leftover": {func(t *testing.T, s *site, id string) {
			name := filepath.Join(s.dir, "blobs", id[:2], id, ".tXYZ")
			check(t, os.WriteFile(name, nil, 0o600))
			old(t, s, name)
		}, []string{"stray"}, true},
		"a part's record gone": {func(t *testing.T, s *site, id string) {
			name := s.file(t, id, 2)
			s.exec(t, `DELETE FROM parts WHERE share = ? AND n = 2`, id)
			old(t, s, name)
		}, []string{"orphan 2", "wrong-count", "wrong-total"}, true},
		"the manifest's record gone": {func(t *testing.T, s *site, id string) {
			name := s.file(t, id, 0)
			s.exec(t, `DELETE FROM parts WHERE share = ? AND n = 0`, id)
			old(t, s, name)
		}, []string{"orphan 0", "wrong-count", "wrong-total"}, true},
		"another size recorded": {func(t *testing.T, s *site, id string) { s.exec(t, `UPDATE shares SET size = 249 WHERE id = ?`, id) },
			[]string{"wrong-count"}, true},
		"another count recorded": {func(t *testing.T, s *site, id string) { s.exec(t, `UPDATE shares SET parts = 4 WHERE id = ?`, id) },
			[]string{"wrong-count"}, true},
		"another size of a part recorded": {func(t *testing.T, s *site, id string) {
			s.exec(t, `UPDATE parts SET size = 99 WHERE share = ? AND n = 1`, id)
		}, []string{"wrong-count", "wrong-digest 1", "wrong-size 1", "wrong-total"}, false},
		"uncounted download": {func(t *testing.T, s *site, id string) { s.exec(t, `UPDATE shares SET taken = 0 WHERE id = ?`, id) },
			[]string{"wrong-count"}, true},
		"another total": {func(t *testing.T, s *site, id string) { s.exec(t, `UPDATE usage SET bytes = bytes - 1`) },
			[]string{"wrong-total"}, true},
		"rows of no share": {func(t *testing.T, s *site, id string) {
			s.exec(t, `INSERT INTO tickets VALUES ('nothing', x'00', 0)`)
		}, []string{"database"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.send(t)
			id := s.send(t)
			s.add(t, s.open(t), 2, random(100)) // one that is being sent
			c.damage(t, s, id)
			for _, quick := range []bool{false, true} {
				if quick && !c.quick {
					continue
				}
				all, sum := s.run(t, func(c *fsck.Config) { c.Quick = quick })
				var got []string
				for _, f := range all {
					text := f.Kind
					if f.Part != nil {
						text += fmt.Sprint(" ", *f.Part)
					}
					got = append(got, text)
					if f.Share != id && f.Kind != fsck.Database && f.Kind != fsck.WrongTotal || f.Detail == "" {
						t.Errorf("found %+v", f)
					}
				}
				if slices.Sort(got); !slices.Equal(got, c.want) {
					t.Errorf("quick %t: found %q, want %q", quick, got, c.want)
				}
				if name == "none" && sum != (fsck.Summary{Shares: 3, Parts: 9, Bytes: 2*257 + 100, Objects: 9}) {
					t.Errorf("looked at %+v", sum)
				}
			}
		})
	}
}

// TestInFlight: what a server leaves in the midst of its work, or is about to sweep, is no finding.
func TestInFlight(t *testing.T) {
	s := newSite(t)
	open := s.open(t)
	s.put(t, open, 1, random(10)) // before its record
	check(t, os.WriteFile(filepath.Join(s.dir, "blobs", open[:2], open, ".tX"), nil, 0o600))
	idle := s.open(t) // its sender may come back for what was put long ago
	s.put(t, idle, 1, random(10))
	waiting := s.open(t) // somebody could put parts by themselves, and did so when it was revoked
	_, _, err := s.meta.ReservePart(t.Context(), waiting, store.Part{N: 1, Size: 10}, s.now.Unix(), s.now.Unix()+10, 0)
	check(t, err)
	check(t, s.meta.Remove(t.Context(), waiting, s.now.Unix()))
	check(t, s.meta.Forget(t.Context(), waiting, s.now.Unix()))
	s.put(t, waiting, 1, random(10))
	for _, id := range []string{idle, waiting} {
		filepath.Walk(filepath.Join(s.dir, "blobs", id[:2], id), func(name string, _ os.FileInfo, _ error) error {
			return os.Chtimes(name, s.now.Add(-9*time.Hour), s.now.Add(-9*time.Hour))
		})
	}
	removed, expired := s.send(t), s.send(t)
	check(t, s.meta.Remove(t.Context(), removed, s.now.Unix()))
	for n := range int64(2) {
		check(t, os.Remove(s.file(t, removed, n)))
		check(t, os.Remove(s.file(t, expired, n)))
	}
	s.exec(t, `UPDATE shares SET expires = ? WHERE id = ?`, s.now.Unix(), expired)
	all, sum := s.run(t)
	if len(all) > 0 || sum.Young != 4 || sum.Shares != 2 {
		t.Errorf("found %+v, %+v", all, sum)
	}
}

// TestBesideServers: shares come and go all the time, and nothing of that is a finding.
func TestBesideServers(t *testing.T) {
	s := newSite(t)
	for range 20 {
		s.send(t)
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	var mu sync.Mutex // of count, and of who removes what
	for range 3 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				sh := s.newShare()
				mu.Unlock()
				if _, err := s.meta.Create(context.Background(), sh); err != nil {
					t.Error(err)
				}
				for n := range int64(3) {
					s.add(t, sh.ID, n, random(partSize))
				}
				if _, err := s.meta.Complete(context.Background(), sh.ID, 2*partSize, 2, s.now.Unix()); err != nil {
					t.Error(err)
				}
				if err := s.meta.Remove(context.Background(), sh.ID, s.now.Unix()); err != nil {
					t.Error(err)
				}
				if err := s.blobs.DeleteShare(context.Background(), sh.ID); err != nil {
					t.Error(err)
				}
				if err := s.meta.Forget(context.Background(), sh.ID, s.now.Unix()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 15 {
		if all, sum := s.run(t); len(all) > 0 || sum.Shares < 20 {
			t.Errorf("found %+v, %+v", all, sum)
		}
	}
	close(stop)
	busy.Wait()
}

// What cannot be checked is an error, and no clean bill.
func TestErrors(t *testing.T) {
	s := newSite(t)
	s.send(t)
	c := fsck.Config{Blobs: s.blobs, Meta: s.meta, Now: time.Now, Found: func(f fsck.Finding) { t.Errorf("found %+v", f) }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fsck.Run(ctx, c); err == nil {
		t.Error("checked for nobody")
	}
	c.Blobs = struct{ store.Blobs }{s.blobs}
	if _, err := fsck.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "list") {
		t.Errorf("checked what cannot be listed: %v", err)
	}
	within, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Blobs = &givingUp{s.blobs.(*disk.Store), cancel}
	if _, err := fsck.Run(within, c); err == nil {
		t.Error("checked though it was given up")
	}
}

// givingUp is given up while a part is read.
type givingUp struct {
	*disk.Store
	cancel context.CancelFunc
}

func (g *givingUp) Open(ctx context.Context, key store.Key, offset, length int64) (io.ReadCloser, error) {
	defer g.cancel()
	return g.Store.Open(ctx, key, offset, length)
}
