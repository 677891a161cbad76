package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// bucketSite is a site whose parts are in a bucket, which browsers are sent to.
type bucketSite struct {
	*site
	s3     *services.S3Server
	bucket string
}

func newBucketSite(t *testing.T, args ...string) bucketSite {
	t.Helper()
	s3 := services.S3(t)
	bucket := s3.Bucket(t)
	secret := writeFile(t, filepath.Join(t.TempDir(), "secret"), []byte(services.S3Secret))
	args = append([]string{"-s3-endpoint", s3.Endpoint(), "-s3-bucket", bucket, "-s3-access-key", services.S3Access,
		"-s3-secret-key-file", secret, "-s3-direct", s3.Endpoint()}, args...)
	return bucketSite{newSiteOn(t, onSealpostd, args...), s3, bucket}
}

// kept is how many bytes there are of a share's parts in the bucket, without the manifest.
func (s bucketSite) kept(id string) (sum int64) {
	files, _ := filepath.Glob(filepath.Join(s.s3.Folder(s.bucket), id, "[1-9]*-*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// TestDirect: where the bucket allows it, parts go between browser and bucket and not one passes through the server; what the page does and
// shows is the same.
func TestDirect(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newBucketSite(t, "-part-size", "1MiB")
		s.s3.AllowPages(t, s.bucket, s.url)
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "direct.bin", 12<<20+345)
		link := s.send(t, b, parcel{files: []string{file}, password: "secret", downloads: "2"})
		id := s.reader(t, link, "secret").id
		if sent := s.tap.sendings(t); len(sent) > 0 {
			t.Errorf("through the server went %v", sent)
		}
		if kept := s.kept(id); kept < 8<<20 {
			t.Errorf("the bucket has %d bytes", kept)
		}
		got := receive(t, b, link, "secret", patience)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if sent := s.tap.sent(id); sent > 0 {
			t.Errorf("through the server came %d bytes", sent)
		}
		wantQuiet(t, b)
		s.wantBytes(t, link, "secret", file) // through the server, as stock tools fetch it
	})
}

// TestDirectResumed: an upload past the server survives a reload like any other, and no part is sent again that is there.
func TestDirectResumed(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newBucketSite(t, "-part-size", "1MiB")
		s.s3.AllowPages(t, s.bucket, s.url)
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "direct.bin", 24<<20)
		asked, confirmed := atomic.Int64{}, atomic.Int64{}
		gate := make(chan struct{})
		s.tap.set(func(tp *tap) {
			tp.delays = func(r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/direct") {
					return
				}
				if r.Method == http.MethodPut {
					confirmed.Add(1)
				} else if asked.Add(1) > 8 {
					select { // and so the upload does not end before its page does
					case <-gate:
					case <-r.Context().Done():
					}
				}
			}
		})
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		eventually(t, "some parts are there", patience, func() bool { return confirmed.Load() >= 4 })
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		must(t, b.Go("about:blank"))
		close(gate)
		time.Sleep(500 * time.Millisecond) // for what was on its way
		had := s.count("SELECT COUNT(*) FROM parts WHERE n > 0")
		posts := atomic.Int64{}
		s.tap.set(func(tp *tap) {
			tp.delays = func(r *http.Request) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/direct") {
					posts.Add(1)
				}
			}
		})
		s.wantOffer(t, b, "direct.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		wantState(t, b, patience, "done")
		if now, err := b.Value("[data-hook=link]"); err != nil || now != link {
			t.Errorf("it was begun anew: %s, %v", message(b), err)
		}
		whole := s.count("SELECT COUNT(*) FROM parts WHERE n > 0")
		if had < 3 || int(posts.Load()) > whole-had {
			t.Errorf("of %d parts %d were there, and %d were sent later", whole, had, posts.Load())
		}
		if sent := s.tap.sendings(t); len(sent) > 0 {
			t.Errorf("through the server went %v", sent)
		}
		s.wantBytes(t, link, "", file)
	})
}

// TestDirectForbidden: where browsers cannot use the bucket, which lets no page, everything goes through the server, and nobody notices.
func TestDirectForbidden(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newBucketSite(t, "-part-size", "1MiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "forbidden.bin", 8<<20)
		link := s.send(t, b, parcel{files: []string{file}})
		id := s.reader(t, link, "").id
		if sent := s.tap.sendings(t); len(sent) < 5 {
			t.Errorf("through the server went %v", sent)
		}
		got := receive(t, b, link, "", patience)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if sent := s.tap.sent(id); sent < 4<<20 {
			t.Errorf("through the server came %d bytes", sent)
		}
	})
}

// TestDirectMedia: ranges of a film, and one file out of many, come past the server too.
func TestDirectMedia(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newBucketSite(t, "-part-size", "1MiB")
		s.s3.AllowPages(t, s.bucket, s.url)
		wav := filepath.Join(t.TempDir(), "tone.wav")
		command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "90", wav)
		other := mixedFile(t, "other.bin", 3<<20)
		share := s.sealPaths(t, wav, other)
		id := s.reader(t, share, "").id
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		look(t, b, "tone.wav")
		if state, text := shown(t, b); state != "shown" {
			t.Fatalf("the sound is %s: %s", state, text)
		}
		wantPlays(t, b, "tone.wav")
		must(t, b.Click("[data-hook=viewer-close]"))
		got := save(t, b, "[data-name='other.bin'] [data-hook=entry-download]", patience)
		if g, w := fileHash(t, got), fileHash(t, other); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if sent := s.tap.sent(id); sent > 0 {
			t.Errorf("through the server came %d bytes", sent)
		}
	})
}
