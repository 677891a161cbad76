package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
)

// wantTrouble waits until the page tells of a trouble: a title that has the focus, and an alert that says what to do.
func wantTrouble(t *testing.T, b *webdriver.Browser, title, text string) {
	t.Helper()
	err := b.WaitFor(`const h=document.querySelector('[data-hook=title]'),e=document.querySelector('[data-hook=error]');
		return document.querySelector('main').dataset.state==='error'&&new RegExp(a[0]).test(h.textContent)&&document.activeElement===h&&
			e.checkVisibility()&&e.getAttribute('role')==='alert'&&new RegExp(a[1]).test(e.textContent)`, patience, title, text)
	if err != nil {
		shown, _ := b.Text("main")
		t.Fatalf("%s: no trouble %q, %q but:\n%s", b.Engine, title, text, shown)
	}
}

// visible says whether a person can see something of the element.
func visible(t *testing.T, b *webdriver.Browser, css string) bool {
	t.Helper()
	v, err := b.Eval("return !!document.querySelector(a[0])?.checkVisibility()", css)
	must(t, err)
	return v == true
}

// wantKept fails the test if something of what was chosen is not there any more.
func wantKept(t *testing.T, b *webdriver.Browser, p parcel) {
	t.Helper()
	v, err := b.Eval(`const value=h=>document.querySelector('[data-hook='+h+']').value;
		return [document.querySelectorAll('[data-hook=file]').length,value('note'),value('password'),value('expiry'),value('downloads'),
			document.querySelector('[data-hook=start]').disabled]`)
	must(t, err)
	got := v.([]any)
	want := []any{float64(len(p.files)), p.note, p.password, p.expiry, p.downloads, false}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: of what was chosen there is %q, want %q", b.Engine, got, want)
			break
		}
	}
}

// TestNoSecureContext: at a network address without https browsers leave out what sealing needs. Both pages say so before they
// try anything, and the key stays where it is.
func TestNoSecureContext(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	s.tap.record()
	l, err := net.Listen("tcp", net.JoinHostPort(networkAddress(t), "0"))
	must(t, err)
	srv := &http.Server{Handler: s.tap.handler}
	go srv.Serve(recordedListener{l, &s.tap.rec})
	t.Cleanup(func() { srv.Close() })
	site, fragment := "http://"+l.Addr().String(), link.New(false).String()
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, page := range []string{"/", "/d/AAAAAAAAAAAAAAAA#" + fragment} {
			must(t, b.Go(site+page))
			wantTrouble(t, b, "protected connection", "https")
			for _, hook := range []string{"files", "start", "download", "retry", "password"} {
				if visible(t, b, "[data-hook="+hook+"]") {
					t.Errorf("%s: %s can be seen, which does not work", page, hook)
				}
			}
			if v, err := b.Eval("return location.pathname+location.hash"); err != nil || v != page {
				t.Errorf("the address is %v, %v", v, err)
			}
		}
	})
	t.Cleanup(func() {
		if strings.Contains(string(s.tap.rec.bytes()), "/api/") {
			t.Error("the page asked the server for something all the same")
		}
	})
}

// networkAddress is one of this machine that is not its own loopback.
func networkAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range all {
		if ip, _, err := net.ParseCIDR(a.String()); err == nil && ip.To4() != nil && ip.IsGlobalUnicast() {
			return ip.String()
		}
	}
	t.Skip("this machine has no address on a network")
	return ""
}

// TestOldBrowser: a browser that lacks something says so, whatever it lacks.
func TestOldBrowser(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		for _, lacking := range []string{"delete window.WebAssembly", "delete Promise.withResolvers", "delete HTMLScriptElement.prototype.noModule"} {
			s.tap.set(func(tp *tap) { tp.inject = lacking })
			for _, page := range []string{"/", "/d/AAAAAAAAAAAAAAAA#" + link.New(false).String()} {
				must(t, b.Go("about:blank"))
				must(t, b.Go(s.url+page))
				wantTrouble(t, b, "too old", "current Chrome")
				if visible(t, b, "[data-hook=files]") || visible(t, b, "[data-hook=retry]") {
					t.Errorf("%s, %s: something can be seen that does not work", page, lacking)
				}
			}
		}
	})
}

// TestMissingPieces: a page that did not arrive whole says so, and works after a reload; on the upload page nothing that was
// chosen is lost.
func TestMissingPieces(t *testing.T) {
	sometimes(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "kept.txt"), []byte("kept while the engine was missing"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.uncached = true })
		mend := s.tap.cut("/js/store.js")
		must(t, b.Go(s.url+"/"))
		wantTrouble(t, b, "piece of this page is missing", "reload the page")
		mend()
		must(t, b.Click("[data-hook=retry]"))
		must(t, b.WaitFor("return document.querySelector('main').dataset.state==='idle'&&document.querySelectorAll('[data-hook=expiry] option').length>1", patience))

		p := parcel{files: []string{file}, note: "a note", password: "secret", expiry: "3600", downloads: "3"}
		mend = s.tap.cut("/bin/engine.wasm")
		must(t, b.Go("about:blank"))
		s.fill(t, b, p)
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "piece of this page is missing", "reload the page")
		wantKept(t, b, p)
		mend()
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "sending")
		must(t, b.WaitFor("return document.querySelector('main').dataset.state!=='sending'", patience))
		wantState(t, b, patience, "done")
		share, err := b.Value("[data-hook=link]")
		must(t, err)

		s.tap.set(func(tp *tap) { tp.spoils = "/bin/engine.wasm" }) // which some browsers take for all of it
		open(t, b, share, "error")
		wantTrouble(t, b, "piece of this page is missing", "reload the page")
		s.tap.set(func(tp *tap) {
			tp.spoils = ""
			tp.scripts = map[string]string{"/worker/download.js": "WebAssembly.compileStreaming=WebAssembly.compile=async()=>{throw new RangeError('no memory')}"}
		})
		open(t, b, share, "error")
		wantTrouble(t, b, "cannot seal or open here", "extension")
		s.tap.set(func(tp *tap) { tp.scripts = nil })
		must(t, b.Click("[data-hook=retry]"))
		must(t, b.WaitFor("return document.querySelector('main').dataset.state==='locked'", patience))

		mend = s.tap.cut("/js/save.js") // which is told when something is to be saved, and not before
		open(t, b, share, "locked")
		unlock(t, b, p.password)
		wantState(t, b, patience, "ready")
		must(t, b.Click("[data-hook=download]"))
		wantTrouble(t, b, "piece of this page is missing", "reload the page")
		mend()
		must(t, b.Click("[data-hook=retry]"))
		must(t, b.WaitFor("return document.querySelector('main').dataset.state==='locked'", patience))
		unlock(t, b, p.password)
		wantState(t, b, patience, "ready")
		got := save(t, b, "[data-hook=download]", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestUnreachable: the connection breaks at each step of the way. Before a transfer the page says so and goes on when it is
// told to, or when the device is connected again; a transfer under way waits by itself.
func TestUnreachable(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "wait.bin"), 6<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		b := launch(t, engine, webdriver.Options{})
		p := parcel{files: []string{file}, note: "a note", password: "", expiry: "3600", downloads: "1"}
		s.fill(t, b, p)
		mend := s.tap.cut("/api/")
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "server cannot be reached", "try again")
		wantKept(t, b, p)
		if text, err := b.Text("[data-hook=start]"); err != nil || text != "Try again" {
			t.Errorf("the button says %q, %v", text, err)
		}
		mend()
		s.tap.set(func(tp *tap) { tp.slowUp = 1 << 20 })
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving, patience))
		mend = s.tap.cut("/api/")
		time.Sleep(5 * time.Second)
		wantState(t, b, time.Second, "sending")
		mend()
		s.tap.set(func(tp *tap) { tp.slowUp = 0 })
		wantState(t, b, 2*patience, "done")
		share, err := b.Value("[data-hook=link]")
		must(t, err)

		for _, goOn := range []string{"dispatchEvent(new Event('online'))", "document.querySelector('[data-hook=retry]').click()"} {
			mend = s.tap.cut("/api/")
			open(t, b, share, "error")
			wantTrouble(t, b, "server cannot be reached", "goes on by itself")
			mend()
			_, err = b.Eval(goOn)
			must(t, err)
			must(t, b.WaitFor("return document.querySelector('main').dataset.state==='ready'", patience))
		}

		s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
		go func() {
			time.Sleep(3 * time.Second)
			mend := s.tap.cut("/api/")
			time.Sleep(5 * time.Second)
			mend()
			s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		}()
		got := save(t, b, "[data-hook=download]", 2*patience)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestCancelUnreachable: an upload that is cancelled while the server cannot be reached is not said to be taken back.
func TestCancelUnreachable(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "stuck.bin"), 6<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.slowUp = 512 << 10 })
		p := parcel{files: []string{file}, note: "a note", password: "secret", expiry: "3600", downloads: "3"}
		s.fill(t, b, p)
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving, patience))
		s.tap.cut("/api/")
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		if told := message(b); !strings.Contains(told, "within a day") {
			t.Errorf("the page says %q", told)
		}
		wantKept(t, b, p)
	})
}

// TestRefused: whatever the server refuses a sender, the page names it, loses nothing of what was chosen, and sends all of it as
// a new share when asked to.
func TestRefused(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "refused.bin"), 2<<20)
	problem := func(code api.Code, status int, retryAfter int64) *api.Problem {
		return &api.Problem{Code: code, Status: status, RetryAfter: retryAfter, Detail: "Something in the server's words."}
	}
	refusals := []struct {
		method, suffix string
		problem        *api.Problem
		title, text    string
	}{
		{"POST", "/shares", problem(api.CodeStorageFull, 507, 0), "server is full", "Try again later"},
		{"POST", "/shares", problem(api.CodeTooManyRequests, 429, 300), "pause", "Try again in 5 minutes"},
		{"POST", "/shares", problem(api.CodeTooLarge, 413, 0), "more than the server takes", "up to [0-9]"},
		{"POST", "/shares", problem(api.CodeUnavailable, 503, 90), "cannot do this now", "moment"},
		{"POST", "/shares", problem("teapot", 418, 0), "unexpected", `\(teapot\)`},
		{"PUT", "/parts/1", problem(api.CodeStorageFull, 507, 0), "server is full", "Try again later"},
		{"PUT", "/parts/2", problem(api.CodePartConflict, 409, 0), "mixed up", `\(part-conflict\)`},
		{"PUT", "/parts/1", problem(api.CodeNotFound, 404, 0), "let go", "new share"},
		{"POST", "/complete", problem(api.CodeIncomplete, 409, 0), "mixed up", `\(incomplete\)`},
	}
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		b := launch(t, engine, webdriver.Options{})
		p := parcel{files: []string{file}, note: "a note", password: "secret", expiry: "3600", downloads: "3"}
		s.fill(t, b, p)
		for _, r := range refusals {
			s.tap.answer(r.method, r.suffix, r.problem)
			must(t, b.Click("[data-hook=start]"))
			wantTrouble(t, b, r.title, r.text)
			wantKept(t, b, p)
			if v, err := b.Value("[data-hook=link]"); err != nil || v != "" {
				t.Errorf("%s: there is still a link, %q, %v", r.problem.Code, v, err)
			}
		}
		if left := s.parts(); len(left) > 0 {
			t.Errorf("something is left on the server: %q", left)
		}
		s.tap.answer("", "", nil)
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor("return document.querySelector('main').dataset.state==='done'", patience))
	})
}

// TestOverTheLimits: what is more than may be sent is told as soon as it is chosen, and cannot be sent.
func TestOverTheLimits(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-max-share-size", "1MiB")
	dir := t.TempDir()
	small := writeFile(t, filepath.Join(dir, "small.txt"), []byte("small"))
	large := noiseFile(t, random(t), filepath.Join(dir, "large.bin"), 2<<20)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{small}})
		must(t, b.SendKeys("[data-hook=files]", large))
		wantRefusal(t, b, `2\.10\sMB.*up to 1\.05\sMB`)
		must(t, b.Click("[data-name='large.bin'] button"))
		wantNoRefusal(t, b)

		_, err := b.Eval(`const i=document.querySelector('[data-hook=folder]'),f=new File(['m'],'many');
			Object.defineProperty(f,'webkitRelativePath',{value:'many/of them'});
			Object.defineProperty(i,'files',{value:Array(2**19).fill(f),configurable:true});
			i.dispatchEvent(new Event('change',{bubbles:true}));delete i.files`)
		must(t, err)
		wantRefusal(t, b, "524,289 files.*holds 524,288")
		must(t, b.Click("[data-name='many'] button"))
		wantNoRefusal(t, b)

		_, err = b.Eval(`const n=document.querySelector('[data-hook=note]');n.value='é'.repeat((1<<19)+1);n.dispatchEvent(new Event('input'))`)
		must(t, err)
		wantRefusal(t, b, "note is too long")
		_, err = b.Eval(`const n=document.querySelector('[data-hook=note]');n.value='é'.repeat(1<<19);n.dispatchEvent(new Event('input'))`)
		must(t, err)
		wantNoRefusal(t, b)
		must(t, b.SetValue("[data-hook=note]", "short"))

		must(t, b.SetValue("[data-hook=password]", "   "))
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(`return /nothing but spaces/.test(document.querySelector('[data-hook=error]').textContent)&&
			document.activeElement===document.querySelector('[data-hook=password]')`, patience))
		wantState(t, b, time.Second, "ready")
		must(t, b.SetValue("[data-hook=password]", ""))
		must(t, b.WaitFor(`const y=()=>document.querySelector('[data-hook=start]').getBoundingClientRect().y,was=y();
			await new Promise(ok=>setTimeout(ok,200));return y()===was`, patience)) // a slow driver would press where the button was
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
	})
}

func wantRefusal(t *testing.T, b *webdriver.Browser, text string) {
	t.Helper()
	if err := b.WaitFor(`const e=document.querySelector('[data-hook=error]');
		return e.checkVisibility()&&new RegExp(a[0]).test(e.textContent)&&document.querySelector('[data-hook=start]').disabled`, patience, text); err != nil {
		t.Fatalf("%s: not refused for %q, but %q", b.Engine, text, message(b))
	}
}

func wantNoRefusal(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	if err := b.WaitFor(`return document.querySelector('[data-hook=error]').hidden&&!document.querySelector('[data-hook=start]').disabled`, patience); err != nil {
		t.Fatalf("%s: still refused: %q", b.Engine, message(b))
	}
}

// TestRest: after too many wrong passwords the page counts down to the moment when another may be tried. Clocks that are changed
// meanwhile prolong nothing.
func TestRest(t *testing.T) {
	sometimes(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "secret.txt"), []byte("secret"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}, password: "right"})
		s.tap.set(func(tp *tap) {
			tp.inject = `const now=Date.now;let off=0;Date.now=()=>now()+off;addEventListener('slept',()=>off+=3e5);addEventListener('setback',()=>off-=3e5)`
		})
		open(t, b, share, "locked")
		rest := func(seconds int64) {
			t.Helper()
			p := api.NewProblem(api.CodeTooManyTries)
			p.RetryAfter = seconds
			s.tap.answer("GET", "/manifest", p)
			unlock(t, b, "wrong")
			must(t, b.WaitFor(`const u=document.querySelector('[data-hook=unlock]');return u.disabled&&/\d:\d\d/.test(u.textContent)`, patience))
		}
		over := func() {
			t.Helper()
			must(t, b.WaitFor(`const u=document.querySelector('[data-hook=unlock]');return !u.disabled&&u.textContent==='Open'&&
				/again now/.test(document.querySelector('[data-hook=error]').textContent)`, patience))
		}

		rest(300)
		told := message(b)
		if !strings.Contains(told, "Too many") || !strings.Contains(told, "5 minutes") {
			t.Errorf("the page says %q", told)
		}
		first, err := b.Text("[data-hook=unlock]")
		must(t, err)
		must(t, b.WaitFor("return document.querySelector('[data-hook=unlock]').textContent!==a[0]", patience, first))
		if now := message(b); now != told {
			t.Errorf("the alert counts aloud: %q", now)
		}
		wantState(t, b, time.Second, "locked")
		_, err = b.Eval("dispatchEvent(new Event('slept'));document.dispatchEvent(new Event('visibilitychange'))")
		must(t, err)
		over()

		rest(4)
		_, err = b.Eval("dispatchEvent(new Event('setback'))")
		must(t, err)
		over()
		s.tap.answer("", "", nil)
		unlock(t, b, "right")
		wantState(t, b, patience, "ready")
	})
}

// TestFileChanges: a file that is not any more what was chosen is named, and the rest is kept.
func TestFileChanges(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		dir := t.TempDir()
		stays := writeFile(t, filepath.Join(dir, "stays.txt"), []byte("stays"))
		shrinks := noiseFile(t, random(t), filepath.Join(dir, "shrinks.bin"), 3<<20)
		b := launch(t, engine, webdriver.Options{})
		p := parcel{files: []string{stays, shrinks}, note: "a note", expiry: "3600", downloads: "3"}
		s.fill(t, b, p)
		must(t, os.Truncate(shrinks, 1<<20))
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "file has changed", "“shrinks.bin”.*add it again")
		wantKept(t, b, p)
		must(t, b.Click("[data-name='shrinks.bin'] button"))
		must(t, b.SendKeys("[data-hook=files]", shrinks))
		must(t, b.WaitFor("return document.querySelectorAll('[data-hook=file]').length===2&&!document.querySelector('[data-hook=start]').disabled", patience))
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
	})
}

// TestDamagedShare: what is damaged is never saved as whole; the page says so, and trying again takes no other download.
func TestDamagedShare(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "damaged.bin"), 3<<20)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		mend := s.damage(t, share)
		open(t, b, share, "ready")
		must(t, b.Click("[data-hook=download]"))
		wantTrouble(t, b, "damaged", "nothing whole was saved")
		mend()
		got := save(t, b, "[data-hook=download]", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if state, ok := s.reader(t, share, "").share(t); !ok || state.Left == nil || *state.Left != 1 {
			t.Errorf("afterwards: %+v, %v", state, ok)
		}
	})
}
