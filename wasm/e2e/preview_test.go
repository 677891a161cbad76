package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestPreview: who opens a link can look at what is in it without saving it. Nothing is taken by opening the link; where downloads are
// limited it is said, before anything is shown, that to look takes one; and that one serves for everything that is looked at and saved.
func TestPreview(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "seen")
	text := "Dear reader,\n\n\tall of this is <b>text</b> & nothing else.\n" + emojiName
	letter := writeFile(t, filepath.Join(dir, "a letter.txt"), []byte(text))
	files := []string{letter, writeFile(t, filepath.Join(dir, "b picture.png"), picture(t, 640, 400)),
		writeFile(t, filepath.Join(dir, "c drawing.svg"), []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 50"><circle cx="40" cy="25" r="20" fill="teal"/></svg>`)),
		writeFile(t, filepath.Join(dir, "d paper.pdf"), pdf("")), writeFile(t, filepath.Join(dir, "e data.bin"), []byte("nothing to see"))}
	want := inventory(t, dir)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: files, downloads: "2"})
		id := s.reader(t, share, "").id
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		if n := elements(t, b, "[data-hook=preview]"); n != 4 {
			t.Errorf("%d of 5 files can be looked at", n)
		}
		button := "[data-name$='letter.txt'] [data-hook=preview]"
		must(t, b.Click(button))
		wantViewer(t, b, "asking", "text")
		if said, err := b.Text("[data-hook=viewer-body]"); err != nil || !strings.Contains(said, "one of the 2 downloads") {
			t.Errorf("it is said: %q, %v", said, err)
		}
		must(t, b.Press(webdriver.Escape))
		must(t, b.WaitFor("return !document.querySelector('[data-hook=viewer]').open&&document.activeElement===document.querySelector(a[0])", patience, button))
		if n := s.taken(id); n != 0 {
			t.Errorf("%d downloads were taken by whoever had nothing shown", n)
		}

		must(t, b.Click(button))
		must(t, b.Click("[data-hook=viewer-take]"))
		wantViewer(t, b, "shown", "text")
		if v, err := b.Eval("return document.querySelector('.reading').textContent"); err != nil || v != strings.ReplaceAll(text, "\r", "") {
			t.Errorf("the text is %q, %v", v, err)
		}
		if title, err := b.Text("#viewer-title"); err != nil || title != "a letter.txt" {
			t.Errorf("the title is %q, %v", title, err)
		}
		must(t, b.WaitFor("return /1 of 2 downloads left/.test(document.querySelector('[data-hook=facts]').textContent)", patience))

		must(t, b.Click("[data-hook=viewer-next]"))
		wantViewer(t, b, "shown", "image")
		must(t, b.WaitFor("const i=document.querySelector('.stage img');return i.naturalWidth===640&&i.naturalHeight===400&&i.clientWidth>200", patience))
		must(t, b.Press(webdriver.Right))
		wantViewer(t, b, "shown", "drawing")
		must(t, b.WaitFor("const i=document.querySelector('.stage img');return i.naturalWidth>0&&i.clientWidth>0&&i.src.startsWith('data:image/svg+xml;')", patience))
		must(t, b.Press(webdriver.Right))
		wantViewer(t, b, "shown", "pdf")
		must(t, b.WaitFor("const f=document.querySelector('.stage iframe');return f.src.startsWith('blob:')&&f.clientHeight>100", patience))
		must(t, b.Click("[data-hook=viewer-next]"))
		wantViewer(t, b, "shown", "text") // after the last the first
		must(t, b.Press(webdriver.Left))
		wantViewer(t, b, "shown", "pdf")
		must(t, b.Click("[data-hook=viewer-previous]"))
		must(t, b.Click("[data-hook=viewer-previous]"))
		must(t, b.Click("[data-hook=viewer-previous]"))
		wantViewer(t, b, "shown", "text")

		got := save(t, b, "[data-hook=viewer-save]", 0)
		if g, w := fileHash(t, got), fileHash(t, letter); g != w {
			t.Errorf("saved from the viewer: %s, want %s", g, w)
		}
		must(t, os.Remove(got))
		open(t, b, share, "ready") // as does somebody who comes back
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		if engine == "webkit" { // which keeps nothing when it is driven, so that it has to take another one
			look(t, b, "a letter.txt")
			shown(t, b)
			must(t, b.Click("[data-hook=viewer-close]"))
		}
		got = save(t, b, "[data-hook=download]", 0)
		wantSame(t, untar(t, got), want)
		if n := s.taken(id); n != map[bool]int{true: 2, false: 1}[engine == "webkit"] {
			t.Errorf("%d downloads were taken", n)
		}
		wantQuiet(t, b)
	})
}

// wantViewer waits until the viewer is in a state, with something of a kind.
func wantViewer(t *testing.T, b *webdriver.Browser, state, kind string) {
	t.Helper()
	err := b.WaitFor("const v=document.querySelector('[data-hook=viewer]');return v.open&&v.dataset.state===a[0]&&v.dataset.kind===a[1]", patience, state, kind)
	if err != nil {
		v, _ := b.Eval("const v=document.querySelector('[data-hook=viewer]');return [v.open,v.dataset.state,v.dataset.kind,v.textContent].join(', ')")
		t.Fatalf("%s: the viewer is %v, want %s, %s", b.Engine, v, state, kind)
	}
}

// TestPreviewOne: a share of a single file has one button that saves it and one that shows it, and needs no list for that.
func TestPreviewOne(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		share := s.sealThings(t, 1, thing{"one.txt", "", []byte("only this")})
		id := s.reader(t, share, "").id
		other := s.sealThings(t, 1, thing{"one.bin", "", []byte("only this")})
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		must(t, b.Click("[data-hook=preview]"))
		must(t, b.Click("[data-hook=viewer-take]"))
		if state, text := shown(t, b); state != "shown" || text != "only this" {
			t.Errorf("%s: %q", state, text)
		}
		must(t, b.Click("[data-hook=viewer-close]"))
		if n, parts := s.taken(id), len(s.parts()); n != 1 || parts == 0 {
			t.Errorf("%d downloads were taken, and there are %d parts", n, parts)
		}
		got := save(t, b, "[data-hook=download]", 0)
		if data, err := os.ReadFile(got); err != nil || string(data) != "only this" {
			t.Errorf("saved %q, %v", data, err)
		}
		must(t, b.WaitFor("return !document.querySelector('[data-hook=preview]').checkVisibility()", patience)) // nothing is left to be seen
		open(t, b, share, "gone")
		open(t, b, other, "ready")
		must(t, b.WaitFor("return !!document.querySelector('link[href$=\"preview.css\"]')?.sheet", patience))
		if n := elements(t, b, "[data-hook=preview]"); n != 0 {
			t.Errorf("%d buttons show what cannot be shown", n)
		}
	})
}

// TestPreviewHasty: who closes the viewer before the server has answered, and opens it on something else, takes one download all the same.
func TestPreviewHasty(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.sealThings(t, 3, thing{"a.txt", "", []byte("this is a")}, thing{"b.txt", "", []byte("this is b")})
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		release := s.tap.hold("/downloads")
		look(t, b, "a.txt")
		must(t, b.Click("[data-hook=viewer-close]"))
		look(t, b, "b.txt")
		release()
		if state, text := shown(t, b); state != "shown" || text != "this is b" {
			t.Errorf("%s: %q", state, text)
		}
		if n := s.taken(s.reader(t, share, "").id); n != 1 {
			t.Errorf("%d downloads were taken", n)
		}
	})
}

// TestPreviewTrouble: what goes wrong with what is looked at is told where one looks; and what has gone meanwhile leads back to the page.
func TestPreviewTrouble(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		share := s.sealThings(t, 0, thing{"a.txt", "", []byte("a")}, thing{"b.png", "", picture(t, 90, 90)})
		mend := s.damage(t, share)
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		look(t, b, "a.txt")
		if state, text := shown(t, b); state != "error" || !strings.Contains(text, "damaged") {
			t.Errorf("%s: %q", state, text)
		}
		mend()
		must(t, b.Click("[data-hook=viewer-close]"))
		look(t, b, "b.png")
		if state, text := shown(t, b); state != "shown" {
			t.Errorf("after it was mended: %s: %q", state, text)
		}
		must(t, b.Click("[data-hook=viewer-close]"))
		open(t, b, share, "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		_, err := s.database().Exec("DELETE FROM shares")
		must(t, err)
		look(t, b, "a.txt")
		wantState(t, b, patience, "gone")
		if v, err := b.Eval("return document.querySelector('[data-hook=viewer]').open"); err != nil || v != false {
			t.Errorf("the viewer is open: %v, %v", v, err)
		}
	})
}
