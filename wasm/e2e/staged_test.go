package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// stagedBytes is how many bytes the page has in plain files that it stages, and sealed in what it keeps.
func stagedBytes(t *testing.T, b *webdriver.Browser) (plain, sealed int64) {
	t.Helper()
	for _, line := range staged(t, b) {
		var n int64
		name, size, _ := strings.Cut(line.(string), " ")
		fmt.Sscan(size, &n)
		if strings.Contains(name, "-") { // a UUID, where pieces are called by numbers
			plain += n
		} else {
			sealed += n
		}
	}
	return plain, sealed
}

// TestStagedSealed: where files are staged, no opened byte of one that is large is on the disk before all of it has arrived, be it the
// whole or one file out of it. When the page ends before that, what was kept of one file goes at the next visit; it is not offered.
func TestStagedSealed(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way == "stage" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		dir := filepath.Join(t.TempDir(), "staged")
		writeFile(t, filepath.Join(dir, "small.txt"), prose(random(t), 70_000))
		large := noiseFile(t, random(t), filepath.Join(dir, "large.bin"), 24<<20+17)
		share := s.send(t, b, parcel{folder: dir, downloads: "5"})
		id := s.reader(t, share, "").id
		for _, button := range []string{"entry-download", "download"} {
			open(t, b, share, "ready")
			s.tap.set(func(tp *tap) { tp.slowDown = 1 << 20 })
			before := s.tap.sent(id)
			must(t, b.Click("[data-hook="+button+"]"))
			for _, some := range []int64{4 << 20, 12 << 20} {
				eventually(t, "some has arrived", patience, func() bool { return s.tap.sent(id) >= before+some })
				if plain, sealed := stagedBytes(t, b); plain > 0 || sealed < some/2 {
					t.Errorf("%s: with %d bytes sent %d are staged opened, and %d are kept", button, s.tap.sent(id)-before, plain, sealed)
				}
			}
			s.tap.set(func(tp *tap) { tp.slowDown = 0 })
			wantState(t, b, patience, "done")
			wantWay(t, b, "stage")
			eventually(t, "the file is there", patience, func() bool { return len(saved(b)) == 1 && unchanging(b, saved(b)[0]) })
			got := saved(b)[0]
			if button == "download" {
				wantSame(t, untar(t, got), inventory(t, filepath.Dir(dir)))
			} else if g, w := fileHash(t, got), fileHash(t, large); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			must(t, os.Remove(got))
			wantNothingKept(t, b)
			if again := s.tap.sent(id) - before - 26<<20; again > 0 {
				t.Errorf("%s: %d bytes were sent again", button, again)
			}
		}

		open(t, b, share, "ready")
		s.tap.set(func(tp *tap) { tp.slowDown = 1 << 20 })
		before := s.tap.sent(id)
		must(t, b.Click("[data-hook=entry-download]"))
		eventually(t, "some has arrived", patience, func() bool { return s.tap.sent(id) >= before+4<<20 })
		open(t, b, share, "ready")
		if label, err := b.Text("[data-hook=download]"); err != nil || !strings.HasPrefix(label, "Save all") {
			t.Errorf("the page offers %q, %v", label, err)
		}
		wantNothingKept(t, b)
	})
}

// TestStagedWithoutRoom: where there is no room for the sealed bytes and the opened ones, the opened are staged as they arrive.
func TestStagedWithoutRoom(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way == "stage" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "room.bin"), 24<<20)
		share := s.send(t, b, parcel{files: []string{file}})
		id := s.reader(t, share, "").id
		s.tap.set(func(tp *tap) {
			tp.scripts = map[string]string{"/worker/download.js": `StorageManager.prototype.estimate=async()=>({quota:(64+40)<<20,usage:0});`}
		})
		open(t, b, share, "ready")
		s.receiveSome(t, b, id, 8<<20)
		if plain, sealed := stagedBytes(t, b); plain < 4<<20 || sealed > 0 {
			t.Errorf("%d bytes are staged opened, and %d are kept", plain, sealed)
		}
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		wantState(t, b, patience, "done")
		eventually(t, "the file is there", patience, func() bool { return len(saved(b)) == 1 && unchanging(b, saved(b)[0]) })
		if g, w := fileHash(t, saved(b)[0]), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}
