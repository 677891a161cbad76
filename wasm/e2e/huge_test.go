package e2e

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// A cargo is large in one respect.
type cargo struct {
	name string
	args []string // of the server
	disk int64    // that it takes altogether
	make func(t *testing.T, dir string) parcel
	want func(t *testing.T, got string, p parcel)
}

var cargoes = []cargo{
	{
		name: "20 GiB of holes", // which become very few sealed bytes, from very many frames
		args: []string{"-part-size", "64KiB"},
		disk: 24 << 30,
		make: func(t *testing.T, dir string) parcel {
			path := filepath.Join(dir, "holes.img")
			f, err := os.Create(path)
			must(t, err)
			must(t, f.Truncate(20<<30))
			for _, at := range []int64{0, 2<<30 - 100, 4<<30 - 100, 20<<30 - 5000} {
				_, err := f.WriteAt(noise(random(t), 5000), at)
				must(t, err)
			}
			must(t, f.Close())
			return parcel{files: []string{path}}
		},
		want: wantFile,
	},
	{
		name: "5 GiB of noise", // over the walls of 2 and 4 GiB, in parts whose size is doubled until they are few enough
		args: []string{"-part-size", "64KiB"},
		disk: 16 << 30,
		make: func(t *testing.T, dir string) parcel {
			return parcel{files: []string{noiseFile(t, random(t), filepath.Join(dir, "noise.bin"), 5<<30+12_345)}}
		},
		want: wantFile,
	},
	{
		name: "100000 files",
		disk: 2 << 30,
		make: func(t *testing.T, dir string) parcel {
			folder := filepath.Join(dir, "folder")
			r := random(t)
			all := noise(r, 4<<10)
			for i := range 100_000 {
				if i%100 == 0 {
					must(t, os.MkdirAll(filepath.Join(folder, fmt.Sprintf("%03d", i/100)), 0o755))
				}
				size := r.IntN(2000)
				from := r.IntN(len(all) - size)
				must(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d", i/100), fmt.Sprintf("file %05d.dat", i)), all[from:from+size], 0o644))
			}
			return parcel{folder: folder, patience: 10 * time.Minute}
		},
		want: wantTar,
	},
}

func wantFile(t *testing.T, got string, p parcel) {
	t.Helper()
	if g, w := fileHash(t, got), fileHash(t, p.files[0]); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
}

// wantTar compares an archive with a folder, without unpacking it.
func wantTar(t *testing.T, got string, p parcel) {
	t.Helper()
	f, err := os.Open(got)
	must(t, err)
	defer f.Close()
	all := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		sum := sha256.New()
		n, err := io.Copy(sum, r)
		must(t, err)
		all[h.Name] = fmt.Sprintf("%d bytes %x, %d", n, sum.Sum(nil), h.ModTime.Unix())
	}
	wantSame(t, all, inventory(t, filepath.Dir(p.folder)))
}

// A page in which nothing moves for longer is frozen, to a person.
const frozen = 2 * time.Second

// observing notes the longest time for which nothing moved in the page.
const observing = `window.stalled=0;let last=performance.now();
	setInterval(()=>{const now=performance.now();window.stalled=Math.max(window.stalled,now-last);last=now},20)`

// TestHuge: what is very large goes up and comes down whole. The page stays alive, and memory bounded.
//
// It takes as much disk as 24 GiB and a quarter of an hour, so it is part of a long run only, each cargo in another engine;
// SEALPOST_HUGE names engines, in which it then is run at any rate.
func TestHuge(t *testing.T) {
	named := strings.FieldsFunc(os.Getenv("SEALPOST_HUGE"), func(r rune) bool { return r == ',' })
	if !long && len(named) == 0 {
		t.Skip("neither SEALPOST_LONG nor SEALPOST_HUGE is set")
	}
	turn := rand.New(rand.NewPCG(seed, 0)).IntN(len(webdriver.Engines))
	for i, c := range cargoes {
		for k, engine := range webdriver.Engines {
			if len(named) == 0 && (i+turn)%len(webdriver.Engines) != k || len(named) > 0 && !slices.Contains(named, engine) {
				continue
			}
			t.Run(c.name+"/"+engine, func(t *testing.T) {
				dir := t.TempDir()
				var disk syscall.Statfs_t
				must(t, syscall.Statfs(dir, &disk))
				if free := int64(disk.Bavail) * disk.Bsize; free < c.disk+c.disk/4 {
					t.Skipf("there are only %d GiB", free>>30)
				}
				c.test(t, dir, engine)
			})
		}
	}
}

func (c cargo) test(t *testing.T, dir, engine string) {
	s := newSite(t, append([]string{"-log-level", "info"}, c.args...)...)
	s.url = "http://" + s.addr // nothing stands between
	p := c.make(t, dir)
	const wait = 30 * time.Minute
	link := ""
	t.Run("up", func(t *testing.T) {
		b := launch(t, engine, webdriver.Options{Timeout: wait})
		p.opened = func() { // what the browser does before it hands anything over is its own affair
			_, err := b.Eval("addEventListener('change',function f(e){if(!e.target.dataset.hook)return;removeEventListener('change',f,true);" + observing + "},true)")
			must(t, err)
		}
		begun := time.Now()
		s.fill(t, b, p)
		t.Logf("chosen in %v", time.Since(begun).Round(time.Millisecond))
		wantAlive(t, b)
		s.measure(t, b, func() {
			begun = time.Now()
			must(t, b.Click("[data-hook=start]"))
			wantState(t, b, wait, "done")
			t.Logf("sent in %v", time.Since(begun).Round(time.Millisecond))
		})
		wantAlive(t, b)
		var err error
		link, err = b.Value("[data-hook=link]")
		must(t, err)
	})
	if link == "" {
		return
	}
	share, _ := s.reader(t, link, "").share(t)
	t.Logf("%d sealed bytes in %d parts of %d", share.Size, share.Parts, share.PartSize)
	t.Run("down", func(t *testing.T) {
		b := launch(t, engine, webdriver.Options{Timeout: wait})
		begun := time.Now()
		must(t, b.Go(link))
		_, err := b.Eval(observing)
		must(t, err)
		wantState(t, b, wait, "ready")
		t.Logf("opened in %v", time.Since(begun).Round(time.Millisecond))
		wantAlive(t, b)
		got := ""
		s.measure(t, b, func() {
			begun = time.Now()
			got = save(t, b, "[data-hook=download]", wait)
			way, _ := b.Attr("main", "data-way")
			t.Logf("saved in %v, way %q", time.Since(begun).Round(time.Millisecond), way)
		})
		wantAlive(t, b)
		c.want(t, got, p)
	})
}

// wantAlive wants that the page was never frozen since it was asked last.
func wantAlive(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	v, err := b.Eval("const longest=window.stalled;window.stalled=0;return longest")
	must(t, err)
	stalled := time.Duration(v.(float64) * float64(time.Millisecond))
	if stalled == 0 {
		t.Error("the page was not observed")
	}
	t.Logf("the page stood still for %v at most", stalled.Round(time.Millisecond))
	if stalled > frozen {
		t.Errorf("the page stood still for %v", stalled)
	}
}
