package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// program is a text in which every character counts.
const program = "\tif (a < b) {\n        return `${x}\\n`; // 📮 Grüße\n\t}\n\n   \u202egpj.exe\u00a0\ttrailing  \n\n"

// showNote clicks for the note to be shown, and returns it as it is shown.
func showNote(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	must(t, b.Click("[data-hook=download]"))
	wantState(t, b, patience, "done")
	v, err := b.Eval("const note=document.querySelector('[data-hook=note]');return note.hidden?'hidden':note.textContent")
	must(t, err)
	return v.(string)
}

// copied presses the button that copies a note, and returns what it copied.
func copied(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	_, err := b.Eval("window.copied='nothing';Object.defineProperty(navigator,'clipboard',{configurable:true,value:{writeText:async text=>{window.copied=text}}})")
	must(t, err)
	must(t, b.Click("[data-hook=copy-note]"))
	must(t, b.WaitFor("return document.querySelector('[data-hook=copy-note]').textContent==='Copied'", patience))
	v, err := b.Eval("return window.copied")
	must(t, err)
	return v.(string)
}

// TestNote: a note that may be read once is read once. Neither opening the link nor a scanner's look consumes or reveals it; a
// person's click does. It is copied as it was written, and then nothing is left of it.
func TestNote(t *testing.T) {
	t.Parallel()
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{note: program, downloads: "1"})
		id := s.reader(t, share, "").id
		for _, method := range []string{"GET", "HEAD"} {
			req, err := http.NewRequest(method, strings.Split(share, "#")[0], nil)
			must(t, err)
			resp, err := http.DefaultClient.Do(req)
			must(t, err)
			resp.Body.Close()
		}
		open(t, b, share, "ready")
		open(t, b, share, "ready")
		if v, err := b.Eval("return document.documentElement.outerHTML.includes('return `')||!document.querySelector('[data-hook=note]').hidden"); err != nil || v != false {
			t.Errorf("it is shown before anyone asked for it (%v)", err)
		}
		if n := s.taken(id); n != 0 {
			t.Fatalf("opening the link took %d downloads", n)
		}
		if got, want := showNote(t, b), strings.ReplaceAll(program, "\u202e", "\ufffd"); got != want {
			t.Errorf("shown is %q, want %q", got, want)
		}
		if got := copied(t, b); got != program {
			t.Errorf("copied is %q, want %q", got, program)
		}
		must(t, b.WaitFor("return /Nothing of it is left/.test(document.querySelector('[data-hook=lead]').textContent)", patience))
		open(t, b, share, "gone")
		for path := range s.parts() {
			t.Errorf("%s is left", path)
		}
	})
}

// TestNoteAgain: a note of many downloads, behind a password, is shown as often as it may be, and a broken connection costs none.
func TestNoteAgain(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{note: program, downloads: "2", password: "open sesame"})
		id := s.reader(t, share, "open sesame").id
		for taken := 1; taken <= 2; taken++ {
			open(t, b, share, "locked")
			unlock(t, b, "open sesame")
			wantState(t, b, patience, "ready")
			mend := s.tap.cut("/parts/")
			must(t, b.Click("[data-hook=download]"))
			eventually(t, "a download is taken", patience, func() bool { return s.taken(id) == taken })
			mend()
			wantState(t, b, patience, "done")
			if got := copied(t, b); got != program {
				t.Errorf("copied is %q, want %q", got, program)
			}
		}
		must(t, b.WaitFor("return /Nothing of it is left/.test(document.querySelector('[data-hook=lead]').textContent)", patience))
		if n := s.count("SELECT COUNT(*) FROM shares WHERE id=? AND state<>'removed'", id); n != 0 {
			t.Error("the share is still there")
		}
	})
}

// TestNoteUnfinished: a note whose sending ended in its midst goes on by itself, under the same link.
func TestNoteUnfinished(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "64KiB")
		b := launch(t, engine, webdriver.Options{})
		letters := []byte(strings.Repeat("sealpost", 1<<17))[:900_000]
		for i, c := range noise(random(t), len(letters)) {
			letters[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[c&63]
		}
		note := string(letters)
		was := s.begin(t, b, parcel{note: note, downloads: "1"}, func() { must(t, b.Go(s.url+"/")) })
		s.wantResumed(t, b, was)
		got, err := os.ReadFile(s.opened(t, was.link, ""))
		must(t, err)
		if string(got) != note {
			t.Errorf("%d bytes are not what was written", len(got))
		}
	})
}
