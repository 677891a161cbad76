package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestServiceWorkerStopped: Firefox stops a service worker that it takes for idle and may show what it had as finished. Here it
// does so sooner than the page can prevent it. Usually that does not matter, because files are staged. Where they cannot be,
// the page must notice, and must not say that the file is whole.
func TestServiceWorkerStopped(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "stopped.bin"), 24<<20)
	for _, staged := range sample(t, []bool{true, false}) {
		t.Run(map[bool]string{true: "staged", false: "streamed"}[staged], func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "-part-size", "1MiB")
			b := launch(t, "firefox", webdriver.Options{Prefs: map[string]any{
				"dom.serviceWorkers.idle_timeout":          2000,
				"dom.serviceWorkers.idle_extended_timeout": 1000,
				"dom.fs.enabled":                           staged,
			}})
			share := s.send(t, b, parcel{files: []string{file}, downloads: "1"})
			s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 }) // three parts at once: about 15 seconds
			open(t, b, share, "ready")
			if !staged {
				must(t, b.Click("[data-hook=download]"))
				wantState(t, b, 2*patience, "error")
				if said := message(b); !strings.Contains(said, "stopped") || !strings.Contains(said, "delete it") {
					t.Errorf("the page says %q", said)
				}
				time.Sleep(time.Second)
				t.Logf("the folder has %v", listing(b))
				for _, path := range saved(b) { // Firefox has put a piece there
					if info, err := os.Stat(path); err != nil || info.Size() >= 24<<20 {
						t.Errorf("there is a file that may be whole: %v, %v", listing(b), err)
					}
					must(t, os.Remove(path))
				}
				s.tap.set(func(tp *tap) { tp.slowDown = 0 }) // trying again works, and takes no other download
			}
			got := save(t, b, "[data-hook=download]", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
		})
	}
}

// TestSlowDownload: a download that takes longer than a service worker may idle arrives whole. Firefox's limit of 30 seconds is
// shortened, except in a long run, to a little more than the time between two signs of life.
func TestSlowDownload(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "1MiB")
	size := sized[int64](24<<20, 72<<20)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "slow.bin"), size)
	someEngine(t, func(t *testing.T, engine string) {
		o := webdriver.Options{Prefs: map[string]any{"dom.fs.enabled": false}} // else it would be staged
		if !long {
			o.Prefs["dom.serviceWorkers.idle_timeout"] = 12000
			o.Prefs["dom.serviceWorkers.idle_extended_timeout"] = 1000
		}
		b := launch(t, engine, o)
		share := s.send(t, b, parcel{files: []string{file}})
		s.tap.set(func(tp *tap) { tp.slowDown = 256 << 10 })
		t0 := time.Now()
		got := receive(t, b, share, "", 5*time.Minute)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if took := time.Since(t0); took < 20*time.Second {
			t.Errorf("took only %v, which proves nothing", took)
		}
	})
}

// TestServerRestarts: a server that is killed and comes back costs seconds, in mid-upload and in mid-download, and no byte.
func TestServerRestarts(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "restart.bin"), 16<<20)
		restart := func() { s.stop(syscall.SIGKILL); time.Sleep(time.Second); s.start() }
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.slowUp, tp.slowDown = 2<<20, 1<<20 })
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving, patience))
		restart()
		wantState(t, b, patience, "done")
		share, err := b.Value("[data-hook=link]")
		must(t, err)

		open(t, b, share, "ready")
		go func() {
			time.Sleep(2 * time.Second)
			restart()
		}()
		got := save(t, b, "[data-hook=download]", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestCancelBeforeItBegins: who cancels while the server is still being asked for the download gets nothing, and when it is asked again
// it is the same download.
func TestCancelBeforeItBegins(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "hasty.bin"), 2<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		open(t, b, s.send(t, b, parcel{files: []string{file}, downloads: "2"}), "ready")
		release := s.tap.hold("/downloads")
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, patience, "receiving")
		time.Sleep(500 * time.Millisecond) // for the question to be under way
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		release()
		time.Sleep(time.Second)
		if state := wantState(t, b, patience, "ready"); len(saved(b)) > 0 {
			t.Errorf("in state %s there is %v", state, listing(b))
		}
		if g, w := fileHash(t, save(t, b, "[data-hook=download]", 0)), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if taken := s.count("SELECT sum(taken) FROM shares"); taken != 1 {
			t.Errorf("%d downloads were taken", taken)
		}
	})
}

// TestTicketForgotten: the server has forgotten the ticket in mid-download, as it does with one that was idle for a day because a computer
// slept. The download goes on.
func TestTicketForgotten(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "slept.bin"), 8<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		open(t, b, s.send(t, b, parcel{files: []string{file}}), "ready")
		s.tap.set(func(tp *tap) { tp.slowDown = 256 << 10 })
		before := saved(b)
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=progress]').value>0", patience))
		_, err := s.database().Exec("DELETE FROM tickets")
		must(t, err)
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		wantState(t, b, patience, "done")
		if g, w := fileHash(t, newFile(t, b, before)), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if n := s.count("SELECT count(*) FROM tickets WHERE used<>0"); n != 0 {
			t.Errorf("%d tickets are still in use", n)
		}
	})
}

// TestLineEndsLate: whoever has every byte is told so, though the server cannot be told any more, or says nothing. The ticket has served
// all the same when it can.
func TestLineEndsLate(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "late.bin"), 1<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		open(t, b, s.send(t, b, parcel{files: []string{file}, downloads: "1"}), "ready")
		silence := make(chan struct{})
		s.tap.set(func(tp *tap) {
			tp.delays = func(r *http.Request) {
				if r.Method == http.MethodDelete {
					<-silence
				}
			}
		})
		before := saved(b)
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, 20*time.Second, "done")
		got := newFile(t, b, before)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		close(silence)
		eventually(t, "the share is gone", patience, func() bool { return s.count("SELECT count(*) FROM shares") == 0 })
		must(t, b.WaitFor("return document.querySelector('main').hasAttribute('data-spent')", patience))
	})
}
