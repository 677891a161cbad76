package e2e

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/static"
	"github.com/sealpost/sealpost/static/statictest"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestBeforeTheEngine: the page can be used while the engine has not arrived yet, however long that takes.
func TestBeforeTheEngine(t *testing.T) {
	sometimes(t)
	file := filepath.Join(t.TempDir(), "patient.txt")
	writeFile(t, file, []byte("sent when the engine came"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		release := s.tap.hold("/bin/engine.wasm")
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{file}, note: "a note", password: "secret", downloads: "3"})
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "sending")
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		if len(s.parts()) != 0 || s.count("SELECT count(*) FROM shares") != 0 {
			t.Error("something was sent without the engine")
		}
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "sending")
		must(t, b.Click("[data-hook=pause]"))
		release()
		must(t, b.WaitFor("return document.querySelector('[data-hook=link]').value!==''", patience))
		time.Sleep(time.Second)
		if len(s.parts()) != 0 {
			t.Error("something was sent in a pause")
		}
		must(t, b.Click("[data-hook=resume]"))
		wantState(t, b, patience, "done")
	})
}

// TestAnotherBuild: the server is updated under open tabs. One that has all of its build goes on, is told of the newer one
// when its person comes back, and gets that by a reload; one that lacks a piece says so. Nothing mixes.
func TestAnotherBuild(t *testing.T) {
	sometimes(t)
	other := buildInHebrew(t)
	file := filepath.Join(t.TempDir(), "sent.txt")
	writeFile(t, file, []byte("sent by an old page through a new server"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.set(func(tp *tap) { tp.language = "en" })
		b := launch(t, engine, webdriver.Options{})
		s.send(t, b, parcel{note: "sent before the update, with the engine"})
		old := buildOf(t, b)
		s.update(other)

		must(t, b.Click("[data-hook=again]"))
		must(t, b.SendKeys("[data-hook=files]", file))
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		if newer(t, b) {
			t.Error("a newer version was offered before anyone came back")
		}
		comeBack(t, b)
		must(t, b.WaitFor("return !document.querySelector('[data-hook=newer]').hidden", patience))
		if buildOf(t, b) != old {
			t.Error("the page was loaded again by itself")
		}
		must(t, b.Click("[data-hook=reload]"))
		must(t, b.WaitFor("return document.documentElement.dataset.build!==a[0]&&document.querySelectorAll('[data-hook=expiry] option').length>1", patience, old))
		comeBack(t, b)
		s.send(t, b, parcel{files: []string{file}})
		if newer(t, b) {
			t.Error("a newer version is offered where there is none")
		}
	})
}

// TestUpdatedWhileLoading: the server is updated after the page has come and before its engine has.
func TestUpdatedWhileLoading(t *testing.T) {
	sometimes(t)
	other := buildInHebrew(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.set(func(tp *tap) { tp.language = "en" })
		release := s.tap.hold("/bin/engine.wasm")
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{note: "typed before the update"})
		s.update(other)
		release()
		must(t, b.WaitFor("return /older than the server/.test(document.querySelector('[data-hook=error]').textContent)", patience))
		if !newer(t, b) {
			t.Error("no reload is offered")
		}
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "older than the server", "Reload the page")
		if lead, err := b.Text("[data-hook=lead]"); err != nil || !strings.Contains(lead, "chosen again") {
			t.Errorf("of what was chosen the page says %q, %v", lead, err)
		}
		must(t, b.Click("[data-hook=reload]"))
		must(t, b.WaitFor("return !document.querySelector('[data-hook=newer]')?.checkVisibility()", patience))
		s.send(t, b, parcel{note: "typed after the update"})
	})
}

// TestHalfAPage: when not even the script arrives that tells of missing ones, the page tells it without any.
func TestHalfAPage(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) {
			tp.loses = func(r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, "/js/store.js") || strings.HasSuffix(r.URL.Path, "/js/support.js")
			}
		})
		must(t, b.Go(s.url+"/"))
		late := `const e=document.querySelector('.late');return getComputedStyle(e).visibility==='visible'&&e.getClientRects().length>0`
		if v, err := b.Eval(late); err != nil || v != false {
			t.Errorf("the page says at once that it is late: %v, %v", v, err)
		}
		must(t, b.WaitFor(late, patience))
		s.tap.set(func(tp *tap) { tp.loses = nil })
		_, err := b.Eval("setTimeout(()=>location.reload())")
		must(t, err)
		must(t, b.WaitFor("return document.documentElement.hasAttribute('data-started')", patience))
		if v, err := b.Eval(`return document.querySelector('.late').getClientRects().length`); err != nil || v != 0.0 {
			t.Errorf("a whole page says that it is late: %v, %v", v, err)
		}
	})
}

// TestPreloads: the HTML asks for all that the first paint needs, before its scripts ask for it. What saves, sweeps and keeps comes later, and so
// does the worker, whose imports Chromium tells the page of.
func TestPreloads(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, path := range []string{"/", "/d/AAAAAAAAAAAAAAAA", "/mine"} {
			must(t, b.Go(s.url+path))
			must(t, b.WaitFor("return document.documentElement.hasAttribute('data-started')", patience))
			v, err := b.Eval(`const linked=[...document.querySelectorAll('link[href],script[src]')].map(e=>e.href||e.src);
				const asked=performance.getEntriesByType('resource').map(e=>e.name).filter(n=>/\/b\/[^/]+\/(js|css|worker)\//.test(n));
				const early=asked.slice(0,asked.findIndex(n=>/\/js\/(save|sweep|keeping)|\/worker\//.test(n))>>>0);
				return [early.length,early.filter(n=>!linked.includes(n))]`)
			must(t, err)
			got, _ := v.([]any)
			if len(got) != 2 || got[0].(float64) < 10 || len(got[1].([]any)) > 0 {
				t.Errorf("%s: asked for, not linked: %v", path, v)
			}
		}
	})
}

// TestOldAddresses: no address of one build answers in another.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	site, err := static.Render(static.FS, "")
	must(t, err)
	get := func(name string) int {
		resp, err := http.Get("http://" + s.addr + "/" + name)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	var addresses []string
	for name := range site.Files {
		if strings.HasPrefix(name, "b/") {
			addresses = append(addresses, name)
		}
	}
	for _, name := range addresses {
		if status := get(name); status != 200 {
			t.Errorf("%s: %d", name, status)
		}
	}
	s.update(buildInHebrew(t))
	for _, name := range addresses {
		if status := get(name); status != 404 {
			t.Errorf("%s of another build: %d", name, status)
		}
	}
}

// TestAnotherLanguage: a language is only a file away, a script from right to left included.
func TestAnotherLanguage(t *testing.T) {
	sometimes(t)
	program := buildInHebrew(t)
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "0123.456"), filepath.Join(dir, "789")}
	writeFile(t, files[0], prose(random(t), 3<<20))
	writeFile(t, files[1], nil)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.update(program)
		s.tap.set(func(tp *tap) { tp.language = "he-IL,he;q=0.9,en;q=0.5" })
		b := launch(t, engine, webdriver.Options{})
		check := func() {
			t.Helper()
			wantNoEnglish(t, b)
		}
		s.fill(t, b, parcel{files: files, password: "123", downloads: "2"})
		if v, err := b.Eval("const r=document.documentElement;return r.lang+' '+r.dir+' '+getComputedStyle(r).direction"); err != nil || v != "he rtl rtl" {
			t.Errorf("the page is %v, %v", v, err)
		}
		check()
		s.tap.set(func(tp *tap) { tp.slowUp = 2 << 20 })
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=rate]').textContent!==''||document.querySelector('main').dataset.state==='done'", patience))
		check()
		s.tap.set(func(tp *tap) { tp.slowUp = 0 })
		wantState(t, b, patience, "done")
		check()
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		open(t, b, link, "locked")
		unlock(t, b, "321")
		must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
		check()
		unlock(t, b, "123")
		wantState(t, b, patience, "ready")
		check()
		save(t, b, "[data-hook=entry-download]", 0)
		check()
		open(t, b, s.url+"/d/AAAAAAAAAAAAAAAA", "error")
		check()
		open(t, b, strings.Replace(link, "/d/", "/d/A", 1), "gone")
		check()
	})
}

// wantNoEnglish fails the test if what a person reads, or hears, has a letter that no message brought.
func wantNoEnglish(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	v, err := b.Eval(`const texts=[document.title];
		const walker=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT);
		while(walker.nextNode())if(!walker.currentNode.parentElement.closest('script,style,noscript,textarea,.piece'))texts.push(walker.currentNode.data);
		for(const e of document.querySelectorAll('*'))for(const n of ['aria-label','placeholder','title','alt','aria-description','aria-valuetext'])
			if(e.hasAttribute(n))texts.push(e.getAttribute(n));
		return texts.filter(s=>/[A-Za-z]/.test(s.replace(/\b(kB|MB|GB|B)\b/g,'')))`)
	must(t, err)
	if left, ok := v.([]any); !ok || len(left) > 0 {
		state, _ := b.Attr("main", "data-state")
		t.Errorf("%s, %s: English is left: %q", b.Engine, state, v)
	}
}

// buildInHebrew builds sealpostd with another language, which makes another build of the page.
var buildInHebrew = func() func(t *testing.T) string {
	var once sync.Once
	var failure error
	return func(t *testing.T) string {
		program := filepath.Join(programs, "sealpostd-he")
		once.Do(func() { failure = buildWithLanguage(program, "he", "rtl") })
		must(t, failure)
		return program
	}
}()

func buildWithLanguage(program, language, direction string) error {
	english, err := fs.ReadFile(static.FS, "messages/en.json")
	if err != nil {
		return err
	}
	messages, err := statictest.Pseudo(english, language, direction)
	if err != nil {
		return err
	}
	file, overlay := program+".json", program+"-overlay.json"
	if err := os.WriteFile(file, messages, 0o600); err != nil {
		return err
	}
	messagesDir, err := filepath.Abs("../../static/messages")
	if err != nil {
		return err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(messagesDir, language+".json"): file}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-o", program, "../../server/cmd/sealpostd")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// update puts another sealpostd in the place of the running one.
func (s *site) update(program string) {
	s.t.Helper()
	s.stop(syscall.SIGTERM)
	s.server.(*sealpostd).program = program
	s.start()
}

// hold makes requests for addresses with this suffix wait until release is called.
func (tp *tap) hold(suffix string) (release func()) {
	released := make(chan struct{})
	tp.set(func(tp *tap) {
		tp.delays = func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, suffix) {
				select {
				case <-released:
				case <-r.Context().Done():
				}
			}
		}
	})
	return sync.OnceFunc(func() { close(released) })
}

func buildOf(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	v, err := b.Eval("return document.documentElement.dataset.build")
	must(t, err)
	build, _ := v.(string)
	if !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(build) {
		t.Fatalf("build is %v", v)
	}
	return build
}

func newer(t *testing.T, b *webdriver.Browser) bool {
	t.Helper()
	v, err := b.Eval("return !document.querySelector('[data-hook=newer]').hidden")
	must(t, err)
	return v == true
}

// comeBack does as if a person had come back to the tab.
func comeBack(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	_, err := b.Eval("document.dispatchEvent(new Event('visibilitychange'))")
	must(t, err)
}
