package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// TestBorders: nothing, one byte, and what just fills a chunk, a frame and a part, with a byte less and one more, go up and come down.
//
// Padding makes sealed sizes come in steps, none of which is 8 MiB. So the server has parts of the size of a step a little below, and
// the bytes that fill it are looked for: of noise, which does not compress.
func TestBorders(t *testing.T) {
	sometimes(t)
	chunk, part := seal.SealedSize(seal.ChunkSize), seal.SealedSize(63<<17)
	noise := noise(random(t), int(part))
	sizes := []int{0, 1}
	for _, border := range []int{seal.ChunkSize, fills(t, noise, chunk), seal.FrameSize, fills(t, noise, part)} {
		sizes = append(sizes, border-1, border, border+1)
	}
	s := newSite(t, "-part-size", strconv.FormatInt(part, 10))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		r := random(t)
		if !long {
			r.Shuffle(len(sizes), func(i, k int) { sizes[i], sizes[k] = sizes[k], sizes[i] })
		}
		for _, size := range sizes[:sized(5, len(sizes))] {
			file := writeFile(t, filepath.Join(t.TempDir(), fmt.Sprintf("%s %d.bin", engine, size)), noise[:size])
			link := s.send(t, b, parcel{files: []string{file}})
			got := receive(t, b, link, "", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			id, parts := s.reader(t, link, "").id, int64(0)
			for key := range s.stored() {
				if strings.HasPrefix(key, id+"/") {
					parts++
				}
			}
			if want := (sealedSize(t, noise[:size]) + part - 1) / part; parts != want {
				t.Errorf("%d bytes are in %d parts, want %d", size, parts, want)
			}
			t.Logf("%s: %d bytes in %d parts", engine, size, parts)
			must(t, os.Remove(got))
		}
	})
}

// fills is how many bytes of data fill so many sealed bytes: with one more it would be more.
func fills(t *testing.T, data []byte, sealed int64) int {
	t.Helper()
	n := sort.Search(len(data), func(n int) bool { return sealedSize(t, data[:n+1]) > sealed })
	if got := sealedSize(t, data[:n]); got != sealed {
		t.Fatalf("%d bytes are sealed in %d, not in %d", n, got, sealed)
	}
	return n
}

// sealedSize is the size of the sealed content of a file.
func sealedSize(t *testing.T, data []byte) int64 {
	t.Helper()
	keys, err := link.New(false).Unlock("")
	must(t, err)
	s, err := seal.NewSealer(keys.Identity, seal.KindFile, "", []seal.Entry{{Name: "file", Size: int64(len(data))}})
	must(t, err)
	c, err := seal.NewCompressor()
	must(t, err)
	must(t, s.Start(1<<20))
	for i := range s.Frames() {
		frame, err := c.Frame(nil, data[i*seal.FrameSize:min((i+1)*seal.FrameSize, int64(len(data)))])
		must(t, err)
		must(t, s.Add(int64(len(frame))))
	}
	return s.Sealed()
}
