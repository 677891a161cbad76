package e2e

import (
	"errors"
	"io"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// count counts the bytes of parts that browsers are sent, and breaks answers that are to break.
func (tp *tap) count(address string, body io.ReadCloser) io.ReadCloser {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	c := &countedAnswer{ReadCloser: body, tap: tp, part: path.Base(path.Dir(path.Dir(address))) + "/" + path.Base(address)}
	if tp.cutsDown != nil {
		c.cut = tp.cutsDown()
	}
	return c
}

type countedAnswer struct {
	io.ReadCloser
	tap  *tap
	part string
	cut  int64 // after so many bytes it breaks; 0: it does not
	sent int64
}

func (c *countedAnswer) Read(p []byte) (int, error) {
	if c.cut > 0 {
		if c.sent == c.cut {
			return 0, errors.New("cut by the test")
		}
		p = p[:min(int64(len(p)), c.cut-c.sent)]
	}
	n, err := c.ReadCloser.Read(p)
	c.sent += int64(n)
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.tap.fetched[c.part] += int64(n)
	return n, err
}

// sent is how many bytes of parts of a share browsers were sent so far.
func (tp *tap) sent(id string) (sum int64) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for part, n := range tp.fetched {
		if strings.HasPrefix(part, id+"/") {
			sum += n
		}
	}
	return sum
}

// taken is how many downloads of a share were counted.
func (s *site) taken(id string) int { return s.count("SELECT taken FROM shares WHERE id=?", id) }

// TestRange: a connection that breaks in the midst of a part goes on from the byte that has arrived. Whatever breaks, not much more
// is sent than there is, and it is one download.
func TestRange(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		b := launch(t, engine, webdriver.Options{})
		file := writeFile(t, filepath.Join(t.TempDir(), "range.bin"), noise(random(t), 4<<20))
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		id := s.reader(t, share, "").id
		const cuts = 16
		r, left := random(t), cuts
		s.tap.set(func(tp *tap) {
			tp.slowDown = 1 << 20 // else all is still on its way when it breaks, and browsers forget that
			tp.cutsDown = func() int64 {
				if left == 0 {
					return 0
				}
				left--
				return 180<<10 + r.Int64N(160<<10) // so that each part takes four
			}
		})
		got := receive(t, b, share, "", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if left > 0 {
			t.Errorf("%d answers were still to be cut, so this proves nothing", left)
		}
		sealed := s.sealedSize(t, id)
		sent := s.tap.sent(id)
		t.Logf("%s: %d of %d bytes were sent, over %d connections that broke", engine, sent, sealed, cuts)
		if again := sent - sealed; again > cuts*40<<10 { // what was on its way when it broke
			t.Errorf("%d bytes were sent again", again)
		}
		if n := s.taken(id); n != 1 {
			t.Errorf("%d downloads were counted", n)
		}
	})
}
