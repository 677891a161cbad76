package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// maxGrowth is how much more memory the largest share may take than the smallest.
const maxGrowth = 64 << 20

// TestBounded: the memory of browser and server does not grow with the size of a share, on the way up and on the way down.
//
// It runs when SEALPOST_BENCH lists sizes in MiB, ascending, because it takes several minutes and as much disk as three times
// the largest. Each transfer has a fresh browser. Of the browser it takes the proportional set size of all processes, every 200
// ms, and subtracts what it was before the transfer; mapped files (programs and libraries) are not counted, because other programs
// change their share of them. Of the server it takes the kernel's own high-water mark of resident memory, which misses no moment
// and does not count the page cache.
func TestBounded(t *testing.T) {
	list := os.Getenv("SEALPOST_BENCH")
	if list == "" {
		t.Skip("SEALPOST_BENCH is not set")
	}
	var sizes []int64
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseInt(text, 10, 32)
		must(t, err)
		sizes = append(sizes, n)
	}
	r := random(t)
	dir := t.TempDir()
	for _, engine := range webdriver.Engines {
		t.Run(engine, func(t *testing.T) {
			var up, down, serverUp, serverDown []int64
			for _, mib := range sizes {
				s := newSite(t, "-log-level", "info")
				s.url = "http://" + s.addr // nothing stands between
				file := noiseFile(t, r, filepath.Join(dir, "noise.bin"), mib<<20)
				link := ""
				t.Run(fmt.Sprintf("%d MiB up", mib), func(t *testing.T) {
					b := launch(t, engine, webdriver.Options{})
					s.fill(t, b, parcel{files: []string{file}})
					browser, server := s.measure(t, b, func() {
						must(t, b.Click("[data-hook=start]"))
						wantState(t, b, time.Hour, "done")
					})
					link, _ = b.Value("[data-hook=link]")
					up, serverUp = append(up, browser), append(serverUp, server)
				})
				t.Run(fmt.Sprintf("%d MiB down", mib), func(t *testing.T) {
					b := launch(t, engine, webdriver.Options{})
					open(t, b, link, "ready")
					got := ""
					browser, server := s.measure(t, b, func() { got = save(t, b, "[data-hook=download]", time.Hour) })
					if g, w := fileHash(t, got), fileHash(t, file); g != w {
						t.Errorf("got %s, want %s", g, w)
					}
					down, serverDown = append(down, browser), append(serverDown, server)
				})
				s.stop(syscall.SIGTERM)
				must(t, os.RemoveAll(s.data()))
				if t.Failed() {
					return
				}
			}
			for what, peaks := range map[string][]int64{"browser, up": up, "browser, down": down, "server, up": serverUp, "server, down": serverDown} {
				growth := peaks[len(peaks)-1] - peaks[0]
				t.Logf("%s %s: %v MiB for %s MiB, growth %d", engine, what, mebi(peaks), list, growth>>20)
				if growth > maxGrowth {
					t.Errorf("%s %s: grows by %d MiB, more than %d", engine, what, growth>>20, maxGrowth>>20)
				}
			}
		})
	}
}

// measure returns by how much the browser's memory rose at most during transfer, and the most that the server had.
func (s *site) measure(t *testing.T, b *webdriver.Browser, transfer func()) (browser, server int64) {
	t.Helper()
	time.Sleep(3 * time.Second) // until what was just loaded has settled
	base := b.Memory()
	pid := s.server.(*sealpostd).cmd.Process.Pid
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)) // the mark begins anew
	peak, course := base, []int64{}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-time.After(200 * time.Millisecond):
				now := b.Memory()
				if total(now) > total(peak) {
					peak = now
				}
				course = append(course, total(now))
			case <-stop:
				return
			}
		}
	}()
	transfer()
	close(stop)
	<-done
	for _, name := range slices.Sorted(maps.Keys(peak)) {
		t.Logf("%-16s %4d -> %4d MiB", name, base[name]>>20, peak[name]>>20)
	}
	t.Logf("in its course: %v", mebi(tenths(course)))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("the kernel tells no high-water mark:\n%s", status)
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	must(t, err)
	browser, server = total(peak)-total(base), kib<<10
	t.Logf("browser %d -> %d MiB (+%d), server %d MiB", total(base)>>20, total(peak)>>20, browser>>20, server>>20)
	return browser, server
}

func total(by map[string]int64) (sum int64) {
	for kind, n := range by {
		if kind != webdriver.MappedFiles {
			sum += n
		}
	}
	return sum
}

// tenths is the highest of each tenth.
func tenths(course []int64) (peaks []int64) {
	for i := range 10 {
		if tenth := course[i*len(course)/10 : (i+1)*len(course)/10]; len(tenth) > 0 {
			peaks = append(peaks, slices.Max(tenth))
		}
	}
	return peaks
}

func mebi(bytes []int64) (list []int64) {
	for _, n := range bytes {
		list = append(list, n>>20)
	}
	return list
}
