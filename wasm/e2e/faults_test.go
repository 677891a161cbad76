package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestFaults: over a line that breaks in many ways, up and down, a share arrives with every byte, or the page says what is wrong
// and trying again helps. Whatever gets lost, one person's download is one download. A run can be repeated by its seed, as far as
// browsers do the same twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	const part = 256 << 10
	s := newSite(t, "-part-size", "256KiB")
	someEngine(t, func(t *testing.T, engine string) {
		line := newBadLine(t, strings.TrimPrefix(s.url, "http://"))
		s := &site{server: s.server, t: t, url: line.url, addr: s.addr, tap: s.tap}
		b := launch(t, engine, webdriver.Options{})
		for n := range sized(4, 100) {
			f := faulty{s, b, line, rand.New(rand.NewPCG(seed, uint64(n)))}
			path := f.file(t, part)
			if !f.run(t, path) {
				t.Fatalf("run %d of seed %d", n, seed)
			}
			must(t, os.Remove(path))
		}
	})
}

// faulty is one run: a file goes up and comes down.
type faulty struct {
	*site
	b    *webdriver.Browser
	line *badLine
	r    *rand.Rand
}

// file is empty, or lies on a border of the format, or has some parts.
func (f faulty) file(t *testing.T, part int) string {
	sizes := []int{0, 1, 1 << 20, part - 200, 2*part + 1, f.r.IntN(12 * part), f.r.IntN(24 * part), f.r.IntN(24 * part)}
	size := sizes[f.r.IntN(len(sizes))]
	data := noise(f.r, size)
	if f.r.IntN(3) == 0 {
		data = prose(f.r, size)
	}
	return writeFile(t, filepath.Join(t.TempDir(), fmt.Sprintf("faulty %d.bin", f.r.Uint32())), data)
}

// worsen wants up to a dozen faults, and tells afterwards which of them there were if the test fails.
func (f faulty) worsen() { f.line.worsen(f.r, 1+f.r.IntN(12), f.r.IntN(20)/19, 1<<20) }

func (f faulty) run(t *testing.T, path string) bool {
	t.Helper()
	f.fill(t, f.b, parcel{files: []string{path}, downloads: "3"})
	f.worsen()
	begun := time.Now()
	f.settle(t, "start")
	up := f.line.mend()
	share, err := f.b.Value("[data-hook=link]")
	must(t, err)

	open(t, f.b, share, "ready")
	before := saved(f.b)
	f.worsen()
	f.settle(t, "download")
	down := f.line.mend()
	got := f.arrived(t, before)
	ok := fileHash(t, got) == fileHash(t, path)
	id := strings.TrimPrefix(strings.Split(share, "#")[0], f.url+"/d/")
	taken := f.count("SELECT taken FROM shares WHERE id=?", id)
	t.Logf("%s, %d bytes, %v; up: %q; down: %q", f.b.Engine, size(t, path), time.Since(begun).Round(time.Millisecond), up, down)
	if !ok || taken != 1 {
		t.Errorf("equal: %v, downloads taken: %d", ok, taken)
	}
	must(t, os.Remove(got))
	return !t.Failed()
}

// settle clicks the button until the page is done. Whenever it is not, it has to say why, and what to press.
func (f faulty) settle(t *testing.T, button string) {
	t.Helper()
	for try := 1; ; try++ {
		must(t, f.b.Click("[data-hook="+button+"]"))
		must(t, f.b.WaitFor("return document.querySelector('main').dataset.state!=='ready'", patience))
		must(t, f.b.WaitFor("return /ready|done|error/.test(document.querySelector('main').dataset.state)", 4*patience))
		state, err := f.b.Attr("main", "data-state")
		must(t, err)
		if state == "done" {
			return
		}
		said := message(f.b)
		if said == "" || try == 5 {
			t.Fatalf("try %d to %s ends with %q, after %q", try, button, said, f.line.mend())
		}
		t.Logf("the page says %q", said)
		if visible(t, f.b, "[data-hook=retry]") {
			button = "retry"
		}
	}
}

// arrived is the file that was saved since there were those before.
func (f faulty) arrived(t *testing.T, before []string) (path string) {
	t.Helper()
	eventually(t, "the browser has written the file", patience, func() bool {
		for _, p := range saved(f.b) {
			if !slices.Contains(before, p) && unchanging(f.b, p) {
				path = p
			}
		}
		return path != ""
	})
	return path
}

func size(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}
