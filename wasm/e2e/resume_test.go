package e2e

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// stored is the parts that the server has, by "id/n".
func (s *site) stored() map[string]bool {
	have := map[string]bool{}
	for _, name := range s.parts() {
		n, _, _ := strings.Cut(filepath.Base(name), "-")
		if n != "0" {
			have[filepath.Base(filepath.Dir(name))+"/"+n] = true
		}
	}
	return have
}

// interruption is an upload that ended in its midst.
type interruption struct {
	link     string
	answered map[string]bool // parts that the server had before the end
	had      map[string]bool // and after it
	sent     map[string]int  // parts that had been begun to be sent
}

// begin sends p until the server has some parts of it, and not all. What the page shows then is left to end.
func (s *site) begin(t *testing.T, b *webdriver.Browser, p parcel, end func()) interruption {
	t.Helper()
	rate := 192 << 10
	if len(p.files) == 0 && p.folder == "" { // a note is small, and so are its parts
		rate = 24 << 10
	}
	s.tap.set(func(tp *tap) { tp.slowUp = rate })
	s.fill(t, b, p)
	before := len(s.stored())
	must(t, b.Click("[data-hook=start]"))
	eventually(t, "some parts are there", patience, func() bool { return len(s.stored()) >= before+3 })
	s.tap.set(func(tp *tap) { tp.slowUp = 16 << 10 }) // so that it does not end, however slow the rest of the test is
	answered := s.stored()
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	wantState(t, b, patience, "sending")
	end()
	s.tap.set(func(tp *tap) { tp.slowUp = 0 })
	time.Sleep(500 * time.Millisecond) // for what was on its way
	return interruption{link, answered, s.stored(), s.tap.sendings(t)}
}

// wantOffer opens the page and waits until it offers to go on.
func (s *site) wantOffer(t *testing.T, b *webdriver.Browser, name string) {
	t.Helper()
	must(t, b.Go(s.url+"/"))
	if err := b.WaitFor(`return document.querySelector('[data-hook=offer]')?.textContent.includes(a[0])`, patience, name); err != nil {
		t.Fatal(err)
	}
}

// wantResumed waits until the upload is done, and wants that it went on: under the same link, and that no part that was there by then
// was sent again.
func (s *site) wantResumed(t *testing.T, b *webdriver.Browser, was interruption) {
	t.Helper()
	wantState(t, b, patience, "done")
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	if link != was.link {
		t.Errorf("it was begun anew: %s", message(b))
	}
	now := s.tap.sendings(t)
	again, missing := 0, 0
	for key, n := range now {
		if was.had[key] && n > was.sent[key] {
			again++
		}
		if n > was.sent[key] {
			missing++
		}
	}
	if again > 0 || missing == 0 || len(was.had) < 3 {
		t.Errorf("of %d parts that were there %d were sent again, and %d others", len(was.had), again, missing)
	}
	t.Logf("%d parts were there, %d were sent later", len(was.had), missing)
	if kept := journaled(t, b); kept != 0 {
		t.Errorf("%d records are left of what is done", kept)
	}
}

// journaled is how many records the browser keeps of uploads.
func journaled(t *testing.T, b *webdriver.Browser) int {
	t.Helper()
	v, err := b.Eval(`const db=await new Promise((ok,no)=>{const r=indexedDB.open('sealpost uploads');r.onsuccess=()=>ok(r.result);r.onerror=no});
		let n=0;for(const name of db.objectStoreNames)n+=await new Promise(ok=>{const r=db.transaction(name).objectStore(name).count();r.onsuccess=()=>ok(r.result)});
		db.close();return n`)
	must(t, err)
	return int(v.(float64))
}

// opened is the plain stream of a share, by stock tools.
func (s *site) opened(t *testing.T, link, password string) string {
	t.Helper()
	r := s.reader(t, link, password)
	plain, out := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "out")
	command(t, nil, "age", "--decrypt", "--identity", r.identity(t, password), "--output", plain, r.content(t))
	command(t, nil, "zstd", "--decompress", "--quiet", "--stdout", "-o", out, plain)
	return out
}

func (s *site) wantBytes(t *testing.T, link, password, file string) {
	t.Helper()
	if g, w := fileHash(t, s.opened(t, link, password)), fileHash(t, file); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
}

// mixedFile is a file of which a part compresses.
func mixedFile(t *testing.T, name string, size int) string {
	t.Helper()
	r := random(t)
	data := append(noise(r, size*2/3), prose(r, size/3)...)
	return writeFile(t, filepath.Join(t.TempDir(), name), data)
}

// TestReload: an upload goes on after a reload when the same file is chosen again, in another order and among others if it is several.
func TestReload(t *testing.T) {
	t.Parallel()
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "harbour.bin", 9<<20)
		was := s.begin(t, b, parcel{files: []string{file}, note: "a note", password: "secret", downloads: "3"}, func() { must(t, b.Go(s.url+"/")) })
		s.wantOffer(t, b, "harbour.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		s.wantResumed(t, b, was)
		s.wantBytes(t, was.link, "secret", file)
		if share, ok := s.reader(t, was.link, "secret").share(t); !ok || share.MaxDownloads != 3 || !share.Password {
			t.Errorf("the share is %+v", share)
		}

		folder := filepath.Join(t.TempDir(), "folder")
		for i := range 8 {
			writeFile(t, filepath.Join(folder, "of files", strconv.Itoa(i)), noise(random(t), 1<<20+i))
		}
		was = s.begin(t, b, parcel{folder: folder}, func() { must(t, b.Go(s.url+"/")) })
		s.wantOffer(t, b, "folder")
		chooseFolderIn(t, b, "offer-folder", folder)
		s.wantResumed(t, b, was)
		wantSame(t, untar(t, s.opened(t, was.link, "")), inventory(t, filepath.Dir(folder)))
		wantQuiet(t, b)
	})
}

// TestCrash: browser and server are killed in mid-upload. WebKit keeps nothing beyond a session that is driven, so it is not tested there.
func TestCrash(t *testing.T) {
	sometimes(t)
	inEngines(t, []string{"chromium", "firefox"}, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "crash.bin", 9<<20)
		was := s.begin(t, b, parcel{files: []string{file}}, func() {
			b.Crash()
			s.stop(syscall.SIGKILL)
			s.start()
		})
		must(t, b.Restart())
		s.wantOffer(t, b, "crash.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		s.wantResumed(t, b, was)
		s.wantBytes(t, was.link, "", file)
	})
}

// TestCrashBeforeSending: the browser is killed when parts are recorded, but no byte of them has left. They count as sent, and the
// same bytes are sent later.
func TestCrashBeforeSending(t *testing.T) {
	sometimes(t)
	const inFlight = 2 // parts, with a crew of one
	inEngines(t, []string{"chromium", "firefox"}, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "recorded.bin", 9<<20)
		mend := s.tap.cut("/parts/")
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		eventually(t, "parts are tried", patience, func() bool { return len(s.tap.sendings(t)) >= inFlight })
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		if n := journaled(t, b); n < 1+inFlight {
			t.Errorf("only %d records are kept", n)
		}
		b.Crash()
		mend()
		if len(s.stored()) > 0 {
			t.Error("parts are there, so this proves nothing")
		}
		tried := s.tap.sendings(t)
		must(t, b.Restart())
		s.wantOffer(t, b, "recorded.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		wantState(t, b, patience, "done")
		if now, err := b.Value("[data-hook=link]"); err != nil || now != link {
			t.Errorf("it was begun anew: %v", err)
		}
		for key, n := range s.tap.sendings(t) { // which fails if there are two versions
			if tried[key] > 0 && n == tried[key] {
				t.Errorf("part %s was never sent", key)
			}
		}
		s.wantBytes(t, link, "", file)
	})
}

// TestChanged: a file that has changed under the same name, size and time is noticed. Nothing of it is sealed under the old keys: the
// share is deleted and begun anew, under another link, and the page says so. With a password a person has to write it again.
func TestChanged(t *testing.T) {
	sometimes(t)
	for _, password := range []string{"", "secret"} {
		t.Run("password "+strconv.FormatBool(password != ""), func(t *testing.T) {
			t.Parallel()
			someEngine(t, func(t *testing.T, engine string) {
				s := newSite(t, "-part-size", "512KiB")
				b := launch(t, engine, webdriver.Options{})
				file := mixedFile(t, "changed.bin", 7<<20)
				was := s.begin(t, b, parcel{files: []string{file}, password: password, note: "a note", downloads: "2"}, func() { must(t, b.Go(s.url+"/")) })
				changeByte(t, file, 1<<20) // of the second frame
				s.wantOffer(t, b, "changed.bin")
				must(t, b.SendKeys("[data-hook=offer-files]", file))
				if password != "" {
					must(t, b.WaitFor(`return document.activeElement===document.querySelector('[data-hook=password]')`, patience))
					wantState(t, b, patience, "ready")
					if said := message(b); !strings.Contains(said, "password") {
						t.Errorf("the page says %q", said)
					}
					must(t, b.SetValue("[data-hook=password]", password))
					must(t, b.Click("[data-hook=start]"))
				}
				wantState(t, b, patience, "done")
				link, err := b.Value("[data-hook=link]")
				must(t, err)
				if said := message(b); password == "" && !strings.Contains(said, "another link") {
					t.Errorf("the page says %q", said)
				}
				if link == was.link {
					t.Error("it went on under the same link")
				}
				if _, ok := s.reader(t, was.link, password).share(t); ok {
					t.Error("the old share is still there")
				}
				for key, n := range s.tap.sendings(t) {
					if n > was.sent[key] && was.sent[key] > 0 {
						t.Errorf("part %s was sent under the old keys again", key)
					}
				}
				s.wantBytes(t, link, password, file)
				if share, ok := s.reader(t, link, password).share(t); !ok || share.MaxDownloads != 2 {
					t.Errorf("the terms were not kept: %+v", share)
				}
				if kept := journaled(t, b); kept != 0 {
					t.Errorf("%d records are left", kept)
				}
			})
		})
	}
}

// changeByte changes one byte of a file, and nothing that is told of the file.
func changeByte(t *testing.T, file string, at int64) {
	t.Helper()
	info, err := os.Stat(file)
	must(t, err)
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	must(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	must(t, err)
	b[0] ^= 1
	_, err = f.WriteAt(b[:], at)
	must(t, err)
	must(t, f.Close())
	must(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
}

// TestAnotherEngine: with another build of the engine an upload is not gone on with, but begun anew.
func TestAnotherEngine(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.uncached = true })
		file := mixedFile(t, "outdated.bin", 7<<20)
		was := s.begin(t, b, parcel{files: []string{file}}, func() { must(t, b.Go("about:blank")) })
		s.tap.set(func(tp *tap) {
			tp.scripts = map[string]string{"/worker/upload.js": `let engine;
				Object.defineProperty(globalThis,'sealpost',{get:()=>engine,set:(e)=>{engine=e;e.build='another'}});`}
		})
		s.wantOffer(t, b, "another link")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		wantState(t, b, patience, "done")
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		if said := message(b); link == was.link || !strings.Contains(said, "page has changed") {
			t.Errorf("the same link: %v; the page says %q", link == was.link, said)
		}
		s.tap.sendings(t)
		s.wantBytes(t, link, "", file)
	})
}

// TestSecondTab: what one tab sends another neither offers nor sends. When the first is closed it does.
func TestSecondTab(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "tabs.bin", 9<<20)
		first, err := b.Tab()
		must(t, err)
		second, err := b.NewTab()
		must(t, err)
		offers := "return document.querySelectorAll('[data-hook=offer]').length"
		was := s.begin(t, b, parcel{files: []string{file}}, func() {
			must(t, b.Switch(second))
			must(t, b.Go(s.url+"/"))
			must(t, b.WaitFor("return !document.querySelector('[data-hook=expiry] option[value]')?.disabled", patience))
			time.Sleep(time.Second)
			if n, err := b.Eval(offers); err != nil || n != 0.0 {
				t.Errorf("the second tab offers %v, %v", n, err)
			}
			// Nor does it when it is asked to.
			v, err := b.Eval(`const {resume}=await import(document.querySelector('script[src$="/js/upload.js"]').src.replace('upload.js','journal.js'));
				return resume(a[0]).then(()=>'resumed',e=>e.code)`, path.Base(strings.Split(s.linkIn(t, b, first, second), "#")[0]))
			if err != nil || v != "elsewhere" {
				t.Errorf("the second tab: %v, %v", v, err)
			}
			must(t, b.Switch(first))
			must(t, b.Go("about:blank"))
			must(t, b.Switch(second))
		})
		s.wantOffer(t, b, "tabs.bin")
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		s.wantResumed(t, b, was)
		s.wantBytes(t, was.link, "", file)
	})
}

// linkIn is the link that the tab shows, from another one.
func (s *site) linkIn(t *testing.T, b *webdriver.Browser, tab, from string) string {
	t.Helper()
	must(t, b.Switch(tab))
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	must(t, b.Switch(from))
	return link
}
