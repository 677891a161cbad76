package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// sending starts to send p over a slow line, so many bytes a second for each part, until some parts have arrived. It returns the link.
func (s *site) sending(t *testing.T, b *webdriver.Browser, p parcel, rate int) (link string) {
	t.Helper()
	s.tap.set(func(tp *tap) { tp.slowUp = rate })
	s.fill(t, b, p)
	must(t, b.Click("[data-hook=start]"))
	eventually(t, "some parts are there", patience, func() bool { return len(s.stored()) >= 2 })
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	wantState(t, b, patience, "sending")
	return link
}

// wantTold waits until an element says what matches.
func wantTold(t *testing.T, b *webdriver.Browser, hook, pattern string) {
	t.Helper()
	if err := b.WaitFor("return new RegExp(a[1]).test(document.querySelector('[data-hook='+a[0]+']').textContent)", patience, hook, pattern); err != nil {
		text, _ := b.Text("main")
		t.Fatalf("%s: %s does not say %q but:\n%s", b.Engine, hook, pattern, text)
	}
}

// followers are two engines, of which one sends and the other one follows.
func followers(engine string) (from, to string) {
	return engine, map[string]string{"chromium": "firefox", "firefox": "webkit", "webkit": "chromium"}[engine]
}

// TestFollow: who opens a link while the sender is still sending sees what it is and how far that is, and may save it at once. That
// keeps pace with the sender, is over when the sender has finished, and counts once.
func TestFollow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "followed")
	r := random(t)
	writeFile(t, filepath.Join(dir, "first.bin"), noise(r, 3<<20))
	writeFile(t, filepath.Join(dir, "second.txt"), prose(r, 2<<20))
	writeFile(t, filepath.Join(dir, "third.bin"), noise(r, 2<<20))
	want := inventory(t, filepath.Dir(dir))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		s.tap.observe()
		from, to := followers(engine)
		browsers := launchAll(t, webdriver.Options{}, from, to)
		sender, receiver := browsers[0], browsers[1]
		link := s.sending(t, sender, parcel{folder: dir, downloads: "3"}, 48<<10)
		open(t, receiver, link, "ready")
		wantTold(t, receiver, "lead", `still being sent, and at least [1-9]\d* %`)
		wantTold(t, receiver, "facts", "single files can be saved when all has arrived")
		if rows, buttons := elements(t, receiver, "[data-hook=entry]"), elements(t, receiver, "[data-hook=entry-download]:enabled"); rows != 3 || buttons != 0 {
			t.Errorf("there are %d entries, and %d buttons that save one", rows, buttons)
		}
		before := saved(receiver)
		must(t, receiver.Click("[data-hook=download]"))
		must(t, receiver.WaitFor(moving, patience))
		wantTold(t, receiver, "saved", `the sender has sent [1-9]\d* %`)
		wantTold(t, receiver, "rate", `/s`)
		wantState(t, sender, 0, "sending")
		s.tap.set(func(tp *tap) { tp.slowUp = 0 })
		wantState(t, sender, patience, "done")
		wantState(t, receiver, patience, "done")
		wantSame(t, untar(t, newFile(t, receiver, before)), want)
		if taken := s.count("SELECT taken FROM shares"); taken != 1 {
			t.Errorf("%d downloads were taken", taken)
		}
		if n := elements(t, receiver, "[data-hook=entry-download]:enabled"); n != 3 {
			t.Errorf("there are %d buttons that save a single file", n)
		}
		wantQuiet(t, receiver)
		wantQuiet(t, sender)
	})
}

// elements is how many there are.
func elements(t *testing.T, b *webdriver.Browser, css string) int {
	t.Helper()
	v, err := b.Eval("return document.querySelectorAll(a[0]).length", css)
	must(t, err)
	return int(v.(float64))
}

// TestFollowRests: a sender who pauses, closes the page and goes on in another, and a line that is down meanwhile, only take time. Who
// follows is told what is waited for, needs the password, and has the only download to the end, after a reload too.
func TestFollowRests(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		from, to := followers(engine)
		browsers := launchAll(t, webdriver.Options{}, from, to)
		sender, receiver := browsers[0], browsers[1]
		file := mixedFile(t, "resting.bin", 8<<20)
		link := s.sending(t, sender, parcel{files: []string{file}, password: "secret", downloads: "1"}, 48<<10)
		open(t, receiver, link, "locked")
		unlock(t, receiver, "public")
		must(t, receiver.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
		unlock(t, receiver, "secret")
		wantState(t, receiver, patience, "ready")
		before := saved(receiver)
		must(t, receiver.Click("[data-hook=download]"))
		must(t, receiver.WaitFor(moving, patience))
		must(t, sender.Click("[data-hook=pause]"))
		wantTold(t, receiver, "rate", "Waiting for the sender")
		wantTold(t, receiver, "status", "Waiting for the sender")
		mend := s.tap.cut("/api/v1/shares")
		wantTold(t, receiver, "rate", "Nothing is moving") // it cannot be told any more what that is due to
		mend()
		wantTold(t, receiver, "rate", "Waiting for the sender")
		_, err := receiver.Eval("setTimeout(()=>location.reload())")
		must(t, err)
		time.Sleep(time.Second)
		wantState(t, receiver, patience, "locked")
		for _, path := range saved(receiver) { // some browsers leave a piece of what was interrupted
			must(t, os.Remove(path))
		}
		unlock(t, receiver, "secret")
		wantState(t, receiver, patience, "ready")
		must(t, receiver.Click("[data-hook=download]"))
		wantState(t, receiver, patience, "receiving")
		must(t, sender.Go(s.url+"/"))
		s.wantOffer(t, sender, "resting.bin")
		must(t, sender.SendKeys("[data-hook=offer-files]", file))
		s.tap.set(func(tp *tap) { tp.slowUp = 0 })
		wantState(t, sender, patience, "done")
		wantState(t, receiver, patience, "done")
		if g, w := fileHash(t, newFile(t, receiver, before)), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		wantNoParts(t, s, link)
	})
}

// TestFollowToTheEnd: however large it is, a share is not saved before its sender has completed it, though every byte is there.
func TestFollowToTheEnd(t *testing.T) {
	sometimes(t)
	const part = 256 << 10
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		from, to := followers(engine)
		browsers := launchAll(t, webdriver.Options{}, from, to)
		sender, receiver := browsers[0], browsers[1]
		for _, size := range sample(t, []int{0, 1, part / 2, part, 3*part + 1, 9 * part}) {
			file := writeFile(t, filepath.Join(t.TempDir(), fmt.Sprintf("%d bytes.bin", size)), noise(random(t), size))
			complete, reached := make(chan struct{}), make(chan struct{}, 9)
			s.tap.set(func(tp *tap) {
				tp.delays = func(r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/complete") {
						reached <- struct{}{}
						<-complete
					}
				}
			})
			s.fill(t, sender, parcel{files: []string{file}})
			must(t, sender.Click("[data-hook=start]"))
			<-reached
			link, err := sender.Value("[data-hook=link]")
			must(t, err)
			open(t, receiver, link, "ready")
			before := saved(receiver)
			must(t, receiver.Click("[data-hook=download]"))
			wantState(t, receiver, patience, "receiving")
			time.Sleep(2 * time.Second)
			wantState(t, receiver, 0, "receiving")
			wantNothingWhole(t, receiver, int64(size))
			close(complete)
			wantState(t, receiver, patience, "done")
			wantState(t, sender, patience, "done")
			got := newFile(t, receiver, before)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("%d bytes: got %s, want %s", size, g, w)
			}
			must(t, os.Remove(got))
		}
	})
}

// wantNothingWhole fails if something of that size looks complete. A driven WebKit can only stream, and that under the final name.
func wantNothingWhole(t *testing.T, b *webdriver.Browser, size int64) {
	t.Helper()
	if b.Engine != "webkit" {
		wantNoFile(t, b)
		return
	}
	for _, path := range saved(b) {
		if info, err := os.Stat(path); err != nil || info.Size() >= size {
			t.Errorf("webkit: there is a file that is whole: %v", listing(b))
		}
	}
}

// TestSenderCancels: when the sender takes back what somebody is saving, both are told, and whatever the way in which it is saved there
// is nothing that looks whole. Who opens the link later finds nothing.
func TestSenderCancels(t *testing.T) {
	sometimes(t)
	data := noise(random(t), 24<<20)
	file := writeFile(t, filepath.Join(t.TempDir(), "taken back.bin"), data)
	all := kinds(t, func(k browserKind) bool { return !k.plain }) // which is as the others
	eachKind(t, sample(t, all), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		s.tap.set(func(tp *tap) { tp.inject = k.inject })
		browsers := launchAll(t, webdriver.Options{Prefs: k.prefs}, k.engine, k.engine)
		sender, receiver := browsers[0], browsers[1]
		link := s.sending(t, sender, parcel{files: []string{file}}, 384<<10)
		open(t, receiver, link, "ready")
		must(t, receiver.Click("[data-hook=download]"))
		must(t, receiver.WaitFor("return document.querySelector('[data-hook=progress]').value>4<<20", patience))
		wantWay(t, receiver, k.way)
		must(t, sender.Click("[data-hook=cancel]"))
		wantState(t, sender, patience, "ready")
		if said := message(sender); !strings.Contains(said, "whoever had opened the link is told") {
			t.Errorf("the sender is told %q", said)
		}
		wantState(t, receiver, patience, "gone")
		wantTold(t, receiver, "title", "The sender has given up")
		wantTold(t, receiver, "why", "taken back before all of it was sent")
		if k.way == "stream" && !strings.Contains(message(receiver), "delete it") {
			t.Errorf("of what may be left is said %q", message(receiver))
		}
		if k.way == "file" {
			if v, err := receiver.Eval("return dialog.file.getFile().then(f=>f.size,()=>'gone')"); err != nil || v != "gone" {
				t.Errorf("of the file is left: %v, %v", v, err)
			}
		}
		if k.engine != "chromium" && k.way == "stream" { // these keep a piece under the final name
			time.Sleep(time.Second)
			for _, path := range saved(receiver) {
				if got, err := os.ReadFile(path); err != nil || len(got) >= len(data) || !bytes.HasPrefix(data, got) {
					t.Errorf("%s has %d of %d bytes, %v", path, len(got), len(data), err)
				}
			}
		} else {
			wantNoFile(t, receiver)
		}
		wantNoParts(t, s, link)
		open(t, receiver, link, "gone")
		wantTold(t, receiver, "title", "There is nothing here")
	})
}

// TestFollowAnew: who follows an upload that has to be begun anew, under another link, is told that this one was given up.
func TestFollowAnew(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		from, to := followers(engine)
		browsers := launchAll(t, webdriver.Options{}, from, to)
		sender, receiver := browsers[0], browsers[1]
		file := mixedFile(t, "changed.bin", 7<<20)
		was := s.begin(t, sender, parcel{files: []string{file}}, func() { must(t, sender.Go(s.url+"/")) })
		open(t, receiver, was.link, "ready")
		must(t, receiver.Click("[data-hook=download]"))
		wantState(t, receiver, patience, "receiving")
		changeByte(t, file, 1<<20)
		s.wantOffer(t, sender, "changed.bin")
		must(t, sender.SendKeys("[data-hook=offer-files]", file))
		wantState(t, sender, patience, "done")
		wantState(t, receiver, patience, "gone")
		wantTold(t, receiver, "title", "The sender has given up")
		for _, path := range saved(receiver) { // some browsers leave a piece of what was interrupted
			must(t, os.Remove(path))
		}
		link, err := sender.Value("[data-hook=link]")
		must(t, err)
		if got, want := fileHash(t, receive(t, receiver, link, "", 0)), fileHash(t, file); got != want {
			t.Errorf("under the other link: got %s, want %s", got, want)
		}
	})
}

// TestGivenUp: who waits for a sender that never comes back is told in the end.
func TestGivenUp(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-abandon-after", "8s")
		b := launch(t, engine, webdriver.Options{})
		open(t, b, s.unfinished(t), "loading")
		wantTold(t, b, "title", "Still being sent")
		wantState(t, b, patience, "gone")
		wantTold(t, b, "title", "The sender has given up")
		wantTold(t, b, "why", "did not come back for too long")
		wantTold(t, b, "what", "Ask the sender to send it again")
	})
}
