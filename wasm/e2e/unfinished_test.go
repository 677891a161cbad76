package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestForget: an unfinished upload can be forgotten, which deletes it on the server, too; one that the server let go of is not offered.
func TestForget(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "forgotten.bin", 7<<20)
		for _, how := range []string{"by the person", "by the server"} {
			was := s.begin(t, b, parcel{files: []string{file}}, func() { must(t, b.Go(s.url+"/")) })
			s.wantOffer(t, b, "forgotten.bin")
			if how == "by the person" {
				must(t, b.Click("[data-hook=offer-forget]"))
				must(t, b.WaitFor("return /Really/.test(document.querySelector('[data-hook=offer-forget]').textContent)", patience))
				if _, ok := s.reader(t, was.link, "").share(t); !ok {
					t.Error("it is gone without another word")
				}
				must(t, b.Click("[data-hook=offer-forget]"))
			} else {
				_, err := s.database().Exec("UPDATE shares SET expires=1")
				must(t, err)
				must(t, b.Go(s.url+"/"))
			}
			must(t, b.WaitFor("return document.querySelector('[data-hook=unfinished]').hidden", patience))
			eventually(t, how+" nothing is left", patience, func() bool { return journaled(t, b) == 0 && len(s.stored()) == 0 })
		}
	})
}

// TestPause: a pause interrupts what is on its way and sends nothing, until a person goes on.
func TestPause(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "paused.bin", 7<<20)
		was := s.begin(t, b, parcel{files: []string{file}}, func() {
			must(t, b.Click("[data-hook=pause]"))
			wantFocus(t, b, "[data-hook=resume]")
			must(t, b.WaitFor("return /^Paused/.test(document.querySelector('[data-hook=rate]').textContent)", patience))
		})
		before := len(s.stored())
		time.Sleep(2 * time.Second)
		if n := len(s.stored()); n != before {
			t.Errorf("%d parts arrived during the pause", n-before)
		}
		must(t, b.Click("[data-hook=resume]"))
		was.had = was.answered // the answer to what arrived last may have been interrupted
		s.wantResumed(t, b, was)
		s.wantBytes(t, was.link, "", file)
	})
}

// TestRetryAfter: when the server asks for a pause, a part is not sent again before it is over, and then goes on by itself.
func TestRetryAfter(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "patient.bin", 3<<20)
		const pause = 4 * time.Second
		var first, second atomic.Int64
		s.tap.set(func(tp *tap) {
			tp.refuses = func(r *http.Request) *api.Problem {
				if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/parts/2") {
					return nil
				}
				if now := time.Now().UnixNano(); !first.CompareAndSwap(0, now) {
					second.CompareAndSwap(0, now)
					return nil
				}
				return &api.Problem{Code: api.CodeTooManyRequests, Status: http.StatusTooManyRequests, RetryAfter: int64(pause / time.Second)}
			}
		})
		link := s.send(t, b, parcel{files: []string{file}})
		if waited := time.Duration(second.Load() - first.Load()); waited < pause || waited > 3*pause {
			t.Errorf("it waited for %v", waited)
		}
		s.wantBytes(t, link, "", file)
	})
}

// TestByItself: where a browser keeps handles of files, an upload goes on after a reload without a click. Chromium's own dialog is not
// for tests, so its answer is a file of the origin's private file system.
func TestByItself(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "512KiB")
	s.tap.observe()
	s.tap.set(func(tp *tap) {
		tp.inject = `window.showOpenFilePicker=async()=>[await (await navigator.storage.getDirectory()).getFileHandle('handled.bin')]`
	})
	b := launch(t, "chromium", webdriver.Options{})
	must(t, b.Go(s.url+"/"))
	v, err := b.Eval(`const h=await (await navigator.storage.getDirectory()).getFileHandle('handled.bin',{create:true});const w=await h.createWritable();
		const some=new Uint8Array(7<<20);for(let i=0;i<some.length;i+=65536)crypto.getRandomValues(some.subarray(i,i+65536));
		await w.write(some);await w.close();
		return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256',some)),n=>n.toString(16).padStart(2,'0')).join('')`)
	must(t, err)
	_, err = b.Eval("document.querySelector('[data-hook=files]').click()")
	must(t, err)
	wantState(t, b, patience, "ready")
	s.tap.set(func(tp *tap) { tp.slowUp = 192 << 10 })
	must(t, b.WaitFor("return !document.querySelector('[data-hook=start]').disabled", patience))
	must(t, b.Click("[data-hook=start]"))
	eventually(t, "some parts are there", patience, func() bool { return len(s.stored()) >= 3 })
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	must(t, b.Go("about:blank"))
	s.tap.set(func(tp *tap) { tp.slowUp = 0 })
	time.Sleep(500 * time.Millisecond)
	was := interruption{link, s.stored(), s.stored(), s.tap.sendings(t)}
	must(t, b.Go(s.url+"/"))
	s.wantResumed(t, b, was)
	if got := fileHash(t, s.opened(t, link, "")); !strings.Contains(got, v.(string)) {
		t.Errorf("got %s, want %s", got, v)
	}
	wantQuiet(t, b)
}

// TestArrivedUntold: the page is closed when all has arrived but it was not told so. At the next visit there is the link.
func TestArrivedUntold(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "arrived.bin", 3<<20)
		s.tap.set(func(tp *tap) {
			tp.loses = func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/complete") }
		})
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=link]').value!==''", patience))
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		eventually(t, "it is complete", patience, func() bool {
			share, ok := s.reader(t, link, "").share(t)
			return ok && share.State == api.StateReady
		})
		must(t, b.Go(s.url+"/"))
		must(t, b.WaitForElement("[data-hook=offer-show]", patience))
		must(t, b.Click("[data-hook=offer-show]"))
		wantState(t, b, patience, "done")
		if now, err := b.Value("[data-hook=link]"); err != nil || now != link {
			t.Errorf("the link is another one: %v", err)
		}
		eventually(t, "nothing is kept", patience, func() bool { return journaled(t, b) == 0 })
	})
}

// TestWorkerStopped: the worker under an upload is stopped. Trying again goes on with it.
func TestWorkerStopped(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		s.tap.set(func(tp *tap) {
			tp.inject = `const Real=Worker;window.Worker=class extends Real{constructor(...a){super(...a);if(String(a[0]).includes('upload'))window.upload=this}}`
		})
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "stopped.bin", 7<<20)
		was := s.begin(t, b, parcel{files: []string{file}}, func() {
			_, err := b.Eval("upload.terminate();upload.onerror(new ErrorEvent('error',{message:'out of memory'}))")
			must(t, err)
			must(t, b.WaitFor("return document.querySelector('main').dataset.state==='error'", patience))
		})
		must(t, b.Click("[data-hook=start]"))
		s.wantResumed(t, b, was)
		s.wantBytes(t, was.link, "", file)
	})
}

// TestPasswordIsAsked: no page keeps a password. When an upload that had one is gone on with, and the server lets go of it then, it is not
// sent anew without: a person has to write it again.
func TestPasswordIsAsked(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "guarded.bin", 7<<20)
		was := s.begin(t, b, parcel{files: []string{file}, password: "secret"}, func() { must(t, b.Go(s.url+"/")) })
		s.tap.set(func(tp *tap) {
			tp.refuses = func(r *http.Request) *api.Problem {
				if r.Method == http.MethodPut {
					return api.NewProblem(api.CodeStorageFull)
				}
				return nil
			}
		})
		s.wantOffer(t, b, "guarded.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		wantTrouble(t, b, "server is full", "Try again later")
		s.tap.set(func(tp *tap) { tp.refuses = nil })
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor("return document.activeElement===document.querySelector('[data-hook=password]')", patience))
		wantState(t, b, patience, "ready")
		if said := message(b); !strings.Contains(said, "password again") {
			t.Errorf("the page says %q", said)
		}
		must(t, b.SetValue("[data-hook=password]", "secret"))
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		if n := s.count("SELECT count(*) FROM shares WHERE password=0"); n != 0 || link == was.link {
			t.Errorf("%d shares have no password; the same link: %v", n, link == was.link)
		}
		s.wantBytes(t, link, "secret", file)
	})
}

// TestNothingToGoOnWith: a page whose upload has stopped finds nothing to go on with when it tries again, because it was forgotten in
// another tab. It says so, and the next try sends anew.
func TestNothingToGoOnWith(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "lonely.bin", 17<<20)
		s.tap.set(func(tp *tap) { tp.scripts = ends("close()", 2) })
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "stopped in the middle", "want of memory")
		_, err := b.Eval(mended)
		must(t, err)
		_, err = b.Eval(`const {list,erase}=await import(document.querySelector('script[src$="/js/upload.js"]').src.replace('upload.js','journal.js'));
			for(const {id} of await list())await erase(id)`)
		must(t, err)
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "let go of this", "new share")
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		s.wantBytes(t, link, "", file)
	})
}
