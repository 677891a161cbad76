package e2e

import (
	"bytes"
	"image"
	_ "image/png"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// readQR reads the code in a picture as a camera would, which this page's own code has no part in.
func readQR(t *testing.T, picture []byte) string {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(picture))
	must(t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	must(t, err)
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "nothing: " + err.Error()
	}
	return read.GetText()
}

// showCode opens the QR code of what was sent.
func showCode(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	must(t, b.WaitForElement("[data-hook=qr]", patience))
	must(t, b.Click("[data-hook=qr]"))
	must(t, b.WaitForElement("dialog[open] .code", patience))
	settle(t, b)
}

// TestQR: what a camera sees of the page is the link, in light and in dark, on a desk and on a phone, while it is still sent and when
// it is there; so is the picture that one saves. The link is in no request, and the focus comes back.
func TestQR(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		for name, options := range map[string]webdriver.Options{"light": {}, "dark": {Dark: true}} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t)
				s.tap.record()
				s.tap.observe()
				b := launch(t, engine, options)
				link := s.send(t, b, parcel{note: "to be photographed"})
				for _, v := range []view{wide, phone, narrow} {
					must(t, b.SetWindowSize(v.width, v.height))
					showCode(t, b)
					shot, err := b.Screenshot()
					must(t, err)
					if got := readQR(t, shot); got != link {
						t.Errorf("%s: a camera reads %q, want %q", v.name, got, link)
					}
					if v.name == phone.name {
						must(t, b.Click("[data-hook=qr-close]"))
					} else {
						must(t, b.Press(webdriver.Escape))
					}
					must(t, b.WaitFor("return !document.querySelector('dialog')", patience))
					wantFocus(t, b, "[data-hook=qr]")
				}

				before := saved(b)
				showCode(t, b)
				must(t, b.Click("[data-hook=qr-save]"))
				picture := newFile(t, b, before)
				data, err := os.ReadFile(picture)
				must(t, err)
				if got := readQR(t, data); got != link || filepath.Ext(picture) != ".png" {
					t.Errorf("%s reads %q, want %q", filepath.Base(picture), got, link)
				}
				wantQuiet(t, b)
				_, fragment, _ := strings.Cut(link, "#")
				if sent := s.tap.rec.bytes(); bytes.Contains(sent, []byte(fragment)) || !bytes.Contains(sent, []byte("/worker/qr.js")) {
					t.Error("the key was sent to the server, or nothing was recorded")
				}
			})
		}
	})
}

// TestShareSheet: the system's share sheet is offered where there is one, and is handed the link and nothing else.
func TestShareSheet(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		sheet := func(script string) string {
			t.Helper()
			s.tap.set(func(tp *tap) { tp.inject = script })
			must(t, b.Go("about:blank"))
			link := s.send(t, b, parcel{note: "to be shared"})
			must(t, b.WaitForElement("[data-hook=qr]", patience))
			return link
		}
		const stub = `window.shared=[];window.outcome=null;
			Object.defineProperty(navigator,'canShare',{value:d=>window.can!==false,configurable:true});
			Object.defineProperty(navigator,'share',{value:async(...a)=>{shared.push(JSON.stringify(a));if(outcome)throw new DOMException('no',outcome)},configurable:true});`
		for script, want := range map[string]bool{
			"Object.defineProperty(navigator,'share',{value:undefined,configurable:true})": false,
			stub + "window.can=false": false,
			stub:                      true,
		} {
			link := sheet(script)
			if got := visible(t, b, "[data-hook=share-sheet]"); got != want {
				t.Fatalf("the share sheet is offered: %v, with %s", got, script)
			}
			if !want {
				continue
			}
			for outcome, said := range map[string]bool{"": false, "AbortError": false, "NotAllowedError": true} {
				_, err := b.Eval("window.shared=[];window.outcome=a[0]", outcome)
				must(t, err)
				must(t, b.Click("[data-hook=share-sheet]"))
				must(t, b.WaitFor("return window.shared.length===1&&!document.querySelector('[aria-busy]')", patience))
				if v, err := b.Eval("return window.shared.join()"); err != nil || v != `[{"url":"`+link+`"}]` {
					t.Errorf("handed over: %v, %v", v, err)
				}
				if (message(b) != "") != said {
					t.Errorf("after %q the page says %q", outcome, message(b))
				}
			}
		}
	})
}

// clips keeps what the page puts on the clipboard, and where its links lead that are clicked.
const clips = `window.clipped=[];window.led=[];
	Object.defineProperty(navigator,'clipboard',{value:{writeText:async s=>void clipped.push(s)},configurable:true});
	addEventListener('click',e=>{const a=e.target.closest('a[href]');if(a?.protocol==='mailto:'){e.preventDefault();led.push(a.href)}});`

// last is the newest of what clips has kept.
func last(t *testing.T, b *webdriver.Browser, list string) string {
	t.Helper()
	must(t, b.WaitFor("return window[a[0]].length>0", patience, list))
	v, err := b.Eval("return window[a[0]].pop()", list)
	must(t, err)
	return v.(string)
}

// letterOf reads a mailto: address.
func letterOf(t *testing.T, address string) (subject, body string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	if u.Scheme != "mailto" || u.Opaque != "" || u.Fragment != "" || u.Path != "" {
		t.Fatalf("the mail is to %q", address)
	}
	return u.Query().Get("subject"), u.Query().Get("body")
}

// TestMail: a mail tells where a share is, and no piece of the key; the recipient, who gets that another way, pastes it into the page and
// reads. Who insists gets a mail with the whole link.
func TestMail(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.inject = clips })
		link := s.send(t, b, parcel{note: "by two ways", password: "and a third"})
		place, fragment, _ := strings.Cut(link, "#")
		must(t, b.WaitForElement("[data-hook=mail]", patience))
		if visible(t, b, "[data-hook=write-mail]") {
			t.Error("the mail is there before anyone has asked for it")
		}
		must(t, b.Click("[data-hook=mail]"))
		must(t, b.Click("[data-hook=write-mail]"))
		address := last(t, b, "led")
		for i := range len(fragment) - 6 {
			if strings.Contains(address, fragment[i:i+6]) {
				t.Fatalf("the mail has a piece of the key: %s", address)
			}
		}
		subject, body := letterOf(t, address)
		if subject == "" || !strings.Contains(body, "\r\n\r\n"+place+"\r\n\r\n") || !regexp.MustCompile(`until .* 20\d\d.* \d\d:\d\d .*:`).MatchString(body) ||
			!strings.Contains(body, "password") || strings.Contains(body, "third") {
			t.Errorf("the mail is about %q: %q", subject, body)
		}
		must(t, b.Click("[data-hook=copy-missing]"))
		missing := last(t, b, "clipped")
		if shown, err := b.Text("[data-hook=missing]"); err != nil || missing != "#"+fragment || shown != missing {
			t.Errorf("to be sent another way is %q, shown %q, %v", missing, shown, err)
		}

		must(t, b.Click("[data-hook=insist]"))
		must(t, b.Click("[data-hook=write-mail]"))
		if _, body := letterOf(t, last(t, b, "led")); !strings.Contains(body, link) || visible(t, b, "[data-hook=missing]") {
			t.Errorf("who insists gets %q", body)
		}
		must(t, b.Click("[data-hook=insist]"))
		must(t, b.Click("[data-hook=write-mail]"))
		if _, body := letterOf(t, last(t, b, "led")); strings.Contains(body, fragment) {
			t.Errorf("who does not insist any more gets %q", body)
		}
		must(t, b.Click("[data-hook=again]"))
		must(t, b.WaitFor("return !document.querySelector('[data-hook=write-mail]').href.includes(a[0])", patience, path.Base(place)))

		// The recipient has the mail.
		open(t, b, place, "error")
		must(t, b.WaitForElement("[data-hook=rest]", patience))
		for _, wrong := range []string{"and a third", missing[:20], strings.Replace(link, s.url, "https://other.example", 1)} {
			must(t, b.SetValue("[data-hook=rest]", wrong))
			must(t, b.Click("[data-hook=rest-open]"))
			must(t, b.WaitFor("return document.activeElement.matches('[data-hook=rest][aria-invalid=true]')&&document.querySelector('[data-hook=rest-error]').checkVisibility()", patience))
		}
		must(t, b.SetValue("[data-hook=rest]", " "+missing+" "))
		must(t, b.Click("[data-hook=rest-open]"))
		must(t, b.WaitFor("return document.querySelector('main')?.dataset.state==='locked'", patience)) // once it is loaded anew
		unlock(t, b, "and a third")
		wantState(t, b, patience, "ready")
		if v, err := b.Eval("return location.href"); err != nil || v != place {
			t.Errorf("the address is %v, %v", v, err)
		}
		if note := showNote(t, b); note != "by two ways" {
			t.Errorf("read: %q", note)
		}

		// A whole link is taken, too, whichever page it is pasted into.
		open(t, b, s.url+"/d/AAAAAAAAAAAAAAAA#nonsense", "error")
		must(t, b.WaitForElement("[data-hook=rest]", patience))
		must(t, b.SetValue("[data-hook=rest]", link))
		must(t, b.Click("[data-hook=rest-open]"))
		must(t, b.WaitFor("return document.querySelector('main')?.dataset.state==='locked'&&location.href===a[0]", patience, place))
	})
}

// suggest has the page suggest a password, and returns it.
func suggest(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	must(t, b.Click("[data-hook=password]"))
	must(t, b.WaitForElement("[data-hook=suggest]", patience))
	settle(t, b)
	before, err := b.Value("[data-hook=password]")
	must(t, err)
	must(t, b.Click("[data-hook=suggest]"))
	must(t, b.WaitFor("return document.querySelector('[data-hook=password]').value!==a[0]", patience, before))
	words, err := b.Value("[data-hook=password]")
	must(t, err)
	return words
}

// TestPhrase: words are suggested beside the field, shown with what they are worth, and offered once more when they were sent. They open
// the share. Of another password nobody is told that it is good.
func TestPhrase(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.inject = clips })
		s.fill(t, b, parcel{note: "behind words"})
		if visible(t, b, "[data-hook=suggest]") {
			t.Error("the sentence is not as calm as it was")
		}
		first, words := suggest(t, b), suggest(t, b)
		if list := strings.FieldsFunc(strings.ReplaceAll(words, "yo-yo", "yoyo"), func(r rune) bool { return r == '-' }); len(list) != 6 || first == words {
			t.Errorf("suggested: %q after %q", words, first)
		}
		if shown, err := b.Text("[data-hook=phrase]"); err != nil || shown != words {
			t.Errorf("shown is %q, %v", shown, err)
		}
		if worth, err := b.Text("[data-hook=strength]"); err != nil || !strings.HasPrefix(worth, "6 words, drawn at random out of 1,296: 62 bits.") {
			t.Errorf("it is worth %q, %v", worth, err)
		}
		must(t, b.Click("[data-hook=reveal]"))
		if visible(t, b, "[data-hook=phrase]") {
			t.Error("what is hidden is shown beside")
		}
		for password, hint := range map[string]string{"tulips": "short", "a much longer one": "does not make it hard", "": ""} {
			must(t, b.SetValue("[data-hook=password]", password))
			if got, err := b.Text("[data-hook=strength]"); err != nil || !strings.Contains(got, hint) || hint == "" && got != "" || strings.Contains(got, "strong") {
				t.Errorf("of %q is said %q, %v", password, got, err)
			}
		}

		words = suggest(t, b)
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		must(t, b.WaitFor("return document.querySelector('[data-hook=words]')?.textContent===a[0]", patience, words))
		must(t, b.Click("[data-hook=copy-words]"))
		if got := last(t, b, "clipped"); got != words {
			t.Errorf("copied is %q, want %q", got, words)
		}
		if left, err := b.Value("[data-hook=password]"); err != nil || left != "" {
			t.Errorf("the field still has %q, %v", left, err)
		}
		link, err := b.Value("[data-hook=link]")
		must(t, err)

		must(t, b.Click("[data-hook=again]"))
		wantState(t, b, patience, "idle")
		if v, err := b.Eval("return document.body.innerText.includes(a[0])", words); err != nil || v != false {
			t.Errorf("the words are still there: %v, %v", v, err)
		}
		must(t, b.SetValue("[data-hook=note]", "behind a word of my own"))
		must(t, b.SetValue("[data-hook=password]", "tulips"))
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		must(t, b.WaitFor("return document.querySelector('[data-hook=passing]').checkVisibility()", patience))
		if visible(t, b, "[data-hook=words]") {
			t.Error("words are shown that are not the password")
		}
		wantQuiet(t, b)

		open(t, b, link, "locked")
		unlock(t, b, words)
		wantState(t, b, patience, "ready")
	})
}
