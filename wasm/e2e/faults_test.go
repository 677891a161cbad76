package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/static"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestFaults: over a line that breaks in many ways, up and down, a share arrives with every byte, or the page says what is wrong
// and trying again helps. Whatever gets lost, or comes too late, one person's download is one download.
//
// A run depends on its number alone, as far as browsers do the same twice, and is named by it. The first has the seed's, so with
// SEALPOST_LONG=1 SEALPOST_SEED=N one does -run 'TestFaults/ENGINE/N$' again.
func TestFaults(t *testing.T) {
	sometimes(t)
	const part = 256 << 10
	s := newSite(t, "-part-size", "256KiB")
	someEngine(t, func(t *testing.T, engine string) {
		line := newBadLine(t, strings.TrimPrefix(s.url, "http://"))
		s := &site{server: s.server, t: t, url: line.url, addr: s.addr, tap: s.tap}
		b := launch(t, engine, webdriver.Options{})
		happened, runs := map[string]int{}, sized(4, 150)
		for n := range uint64(runs) {
			number := seed + n
			t.Run(strconv.FormatUint(number, 10), func(t *testing.T) {
				f := faulty{s, b, line, rand.New(rand.NewPCG(number, 0))}
				path := f.file(t, part)
				f.run(t, path)
				must(t, os.Remove(path))
			})
			for kind, times := range line.happened() {
				happened[kind] += times
			}
			if t.Failed() {
				break
			}
		}
		t.Logf("%s: %v", engine, happened)
		for _, kind := range faultKinds {
			if long && happened[kind] == 0 {
				t.Errorf("in %d runs there was no %s", runs, kind)
			}
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

func (f faulty) run(t *testing.T, path string) {
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
	taken := f.taken(id)
	t.Logf("%s, %d bytes, %v; up: %q; down: %q", f.b.Engine, size(t, path), time.Since(begun).Round(time.Millisecond), up, down)
	if !ok || taken != 1 {
		t.Errorf("equal: %v, downloads taken: %d", ok, taken)
	}
	must(t, os.Remove(got))
}

// blamed is what the page may say is wrong, when it is the line: codes of its messages.
var blamed = []string{"offline", "not-loaded"}

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
		if try == 5 || !slices.ContainsFunc(blamed, func(code string) bool { return said == wording(t).Errors[code].Text }) {
			t.Fatalf("try %d to %s ends with %q, after %q", try, button, said, f.line.mend())
		}
		t.Logf("the page says %q", said)
		if visible(t, f.b, "[data-hook=retry]") {
			button = "retry"
		}
	}
}

// wording is what the page says.
func wording(t *testing.T) (w struct {
	Errors map[string]struct{ Title, Text string }
}) {
	t.Helper()
	english, err := fs.ReadFile(static.FS, "messages/en.json")
	must(t, err)
	must(t, json.Unmarshal(english, &w))
	return w
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
