package e2e

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

const (
	chunk    = 64<<10 + 16 // of age, sealed
	ageNonce = 16
)

// sealed is a share as it lies on the server's disk, to be changed by a hand that knows everything but the key.
type sealed struct {
	manifest []byte
	content  []byte // all parts
}

func (s sealed) clone() sealed { return sealed{bytes.Clone(s.manifest), bytes.Clone(s.content)} }

// payload is where the chunks of an age file begin.
func payload(file []byte) int {
	mac := bytes.Index(file, []byte("\n--- "))
	return mac + 1 + bytes.IndexByte(file[mac+1:], '\n') + 1 + ageNonce
}

// TestWhole: ciphertext that was changed, cut, swapped or mixed up on the server's disk, with records that agree with it, is an
// error on the page, and no file that looks complete.
func TestWhole(t *testing.T) {
	t.Parallel()
	const partSize = 256 << 10
	s := newSite(t, "-part-size", "256KiB")
	r := random(t)
	dir := t.TempDir()
	one := writeFile(t, filepath.Join(dir, "one.bin"), noise(r, 6*partSize+12_345))
	two := writeFile(t, filepath.Join(dir, "two.bin"), noise(r, 6*partSize+12_345))
	var linkOne, linkTwo string
	t.Run("send", func(t *testing.T) {
		b := launch(t, "chromium", webdriver.Options{})
		linkOne, linkTwo = s.send(t, b, parcel{files: []string{one}}), s.send(t, b, parcel{files: []string{two}})
	})
	if t.Failed() {
		return
	}

	s.stop(syscall.SIGTERM)
	db := s.database()
	a, other := s.load(db, linkOne), s.load(db, linkTwo)
	variants := map[string]sealed{"unchanged": a}
	vary := func(name string, change func(*sealed)) {
		v := a.clone()
		change(&v)
		if bytes.Equal(v.content, a.content) && bytes.Equal(v.manifest, a.manifest) {
			t.Fatalf("variant %q is the original", name)
		}
		variants[name] = v
	}
	flip := func(b []byte, from, to int) {
		bit := r.IntN(8 * (to - from))
		b[from+bit/8] ^= 1 << (bit % 8)
	}
	begin, last := payload(a.content), len(a.content)
	parts := (last + partSize - 1) / partSize
	vary("a bit in the manifest", func(v *sealed) { flip(v.manifest, payload(v.manifest), len(v.manifest)) })
	vary("a bit in the manifest's header", func(v *sealed) { flip(v.manifest, len("age-encryption.org/v1\n"), payload(v.manifest)) })
	vary("a bit in the header", func(v *sealed) { flip(v.content, len("age-encryption.org/v1\n"), begin-ageNonce) })
	vary("a bit in the nonce", func(v *sealed) { flip(v.content, begin-ageNonce, begin) })
	vary("a bit in the first chunk", func(v *sealed) { flip(v.content, begin, begin+chunk) })
	vary("a bit in the middle", func(v *sealed) { flip(v.content, 2*partSize, (parts-2)*partSize) })
	vary("a bit in the last part", func(v *sealed) { flip(v.content, (parts-1)*partSize, last) })
	vary("the last bit", func(v *sealed) { v.content[last-1] ^= 1 })
	chunks := (last - begin) / chunk
	for name, k := range map[string]int{"the last chunk": chunks, "one chunk less": chunks - 1, "the middle": chunks / 2, "the first chunk": 1, "no chunk": 0} {
		for _, off := range []int{-1, 0, 1} {
			if at := begin + k*chunk + off; at < last {
				vary(fmt.Sprintf("cut at %s %+d", name, off), func(v *sealed) { v.content = v.content[:at] })
			}
		}
	}
	vary("a byte less", func(v *sealed) { v.content = v.content[:last-1] })
	vary("a byte more", func(v *sealed) { v.content = append(v.content, 0) })
	vary("two parts swapped", func(v *sealed) {
		copy(v.content[partSize:], a.content[2*partSize:3*partSize])
		copy(v.content[2*partSize:], a.content[partSize:2*partSize])
	})
	vary("two chunks swapped", func(v *sealed) {
		copy(v.content[begin+chunk:], a.content[begin+2*chunk:begin+3*chunk])
		copy(v.content[begin+2*chunk:], a.content[begin+chunk:begin+2*chunk])
	})
	vary("a part repeated", func(v *sealed) { copy(v.content[2*partSize:], a.content[partSize:2*partSize]) })
	vary("another share's part", func(v *sealed) { copy(v.content[2*partSize:], other.content[2*partSize:3*partSize]) })
	vary("another share's content", func(v *sealed) { v.content = other.content })
	vary("another share's manifest", func(v *sealed) { v.manifest = other.manifest })

	links := map[string]string{}
	for name, v := range variants {
		links[name] = s.plant(db, linkOne, v, partSize)
	}
	must(t, db.Close())
	s.start()
	t.Logf("%d variants", len(variants))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		got := receive(t, b, links["unchanged"], "", 0) // else all of this would mean nothing
		if g, w := fileHash(t, got), fileHash(t, one); g != w {
			t.Fatalf("unchanged: got %s, want %s", g, w)
		}
		must(t, os.Remove(got))
		for name, link := range links {
			if name == "unchanged" {
				continue
			}
			if said := wantError(t, b, link); testing.Verbose() && engine == "chromium" {
				t.Logf("%s: %s", name, said)
			}
		}
	})
}

// wantError opens a link, tries to save what is in it, and wants an error that is told and no file. It returns the message.
func wantError(t *testing.T, b *webdriver.Browser, link string) string {
	t.Helper()
	if open(t, b, link, "ready", "error") == "ready" {
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, patience, "error")
	}
	if message(b) == "" {
		t.Error("no message")
	}
	wantNoFile(t, b)
	return message(b)
}

// wantNoFile wants nothing in the downloads folder that looks complete, once the browser had a moment to do what it still does
// with a failed download.
func wantNoFile(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	time.Sleep(400 * time.Millisecond)
	if found := saved(b); len(found) > 0 {
		t.Errorf("%s: there is a file that looks complete: %v", b.Engine, listing(b))
		for _, path := range found {
			os.Remove(path)
		}
	}
}

// load reads a share from the disk of a server that is stopped.
func (s *site) load(db *sql.DB, link string) (v sealed) {
	s.t.Helper()
	id := s.reader(s.t, link, "").id
	rows, err := db.Query("SELECT n, digest FROM parts WHERE share = ? ORDER BY n", id)
	must(s.t, err)
	defer rows.Close()
	for rows.Next() {
		var n int
		var digest []byte
		must(s.t, rows.Scan(&n, &digest))
		data, err := os.ReadFile(s.object(id, n, digest))
		must(s.t, err)
		if n == 0 {
			v.manifest = data
		} else {
			v.content = append(v.content, data...)
		}
	}
	must(s.t, rows.Err())
	if len(v.manifest) == 0 || len(v.content) == 0 {
		s.t.Fatal("the share is not on the disk")
	}
	return v
}

// plant writes v to the disk of a server that is stopped, as another share with the keys of the given one, and returns its link.
func (s *site) plant(db *sql.DB, link string, v sealed, partSize int) string {
	s.t.Helper()
	from := s.reader(s.t, link, "")
	var random [44]byte
	rand.Read(random[:])
	id, owner := "AA"+hex.EncodeToString(random[:7]), random[12:]
	parts := (len(v.content) + partSize - 1) / partSize
	_, err := db.Exec(`INSERT INTO shares (id, access, reader, owner, state, password, part_size, size, parts, created, completed, expires,
			lifetime, max_downloads, taken)
		SELECT ?, access, reader, ?, state, password, part_size, ?, ?, created, completed, expires, lifetime, max_downloads, 0
		FROM shares WHERE id = ?`, id, owner, len(v.content), parts, from.id)
	must(s.t, err)
	put := func(n int, data []byte) {
		digest := make([]byte, 32)
		rand.Read(digest) // nobody looks at it again: the server does not know which bytes were meant
		writeFile(s.t, s.object(id, n, digest), data)
		_, err := db.Exec("INSERT INTO parts (share, n, size, digest) VALUES (?, ?, ?, ?)", id, n, len(data), digest)
		must(s.t, err)
	}
	put(0, v.manifest)
	for n := range parts {
		put(n+1, v.content[n*partSize:min((n+1)*partSize, len(v.content))])
	}
	return strings.Replace(link, from.id, id, 1)
}

// object is the file of a part.
func (s *site) object(id string, n int, digest []byte) string {
	return filepath.Join(s.data, "blobs", id[:2], id, fmt.Sprintf("%d-%x", n, digest))
}
