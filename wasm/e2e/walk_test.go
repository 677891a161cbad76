package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// walkFiles are things such as people send, with names that a layout has to stand.
func walkFiles(t *testing.T, r *rand.Rand) []string {
	t.Helper()
	dir := t.TempDir()
	return []string{
		writeFile(t, filepath.Join(dir, "Letter to Grüße 📮.txt"), prose(r, 40_000)),
		writeFile(t, filepath.Join(dir, rtlName), prose(r, 1_234_567)),
		noiseFile(t, r, filepath.Join(dir, "photographs of the harbour, July.zip"), 12<<20),
	}
}

// walk leads a browser through all that people come to see of the pages, and calls visit for each state that a designer would
// draw. Transfers are slow enough to be looked at; what is visited may be resized but not changed. A sample is one half of it, a
// different one in each test.
func walk(t *testing.T, b *webdriver.Browser, files []string, visit func(state string)) {
	t.Helper()
	s := newSite(t, "-part-size", "256KiB", "-report-recipient", conformance.Recipient)
	look := visit
	visit = func(state string) {
		t.Helper()
		must(t, b.WaitFor(`const m=document.querySelector('main[data-page=download]');
			return !/^(locked|ready|done)$/.test(m?.dataset.state)||m.hasAttribute('data-spent')||/still being sent/.test(m.innerText)
				||!document.querySelector('[data-hook=report]').hidden`, patience))
		look(state)
	}
	must(t, b.Go(s.url+"/mine"))
	wantState(t, b, patience, "empty")
	visit("mine-empty")
	share := s.walkUpload(t, b, files, visit)
	half := -1 // both
	if !long && os.Getenv("SEALPOST_SCREENSHOTS") == "" {
		half = random(t).IntN(2)
	}
	if half != 1 {
		s.walkUnfinished(t, b, files, visit)
		s.walkDownload(t, b, share, visit)
		s.walkPictures(t, b, visit)
		s.walkTree(t, b, visit)
	}
	if half != 0 {
		s.walkFollowing(t, b, files, visit)
		s.walkRefusals(t, b, share, files, visit)
		s.walkAdmission(t, b, visit)
		s.walkMine(t, b, share, files, visit)
		s.walkTroubles(t, b, share, files, visit)
	}
}

var walkParcel = parcel{note: "The harbour, as promised.\nSee you on Sunday!", password: "open sesame", downloads: "5"}

func (s *site) walkUpload(t *testing.T, b *webdriver.Browser, files []string, visit func(string)) (share string) {
	t.Helper()
	must(t, b.Go(s.url+"/"))
	must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	visit("upload-idle")
	p := walkParcel
	p.files = files
	s.fill(t, b, p)
	visit("upload-ready")
	s.tap.set(func(tp *tap) { tp.slowUp = 96 << 10 })
	must(t, b.Click("[data-hook=start]"))
	must(t, b.WaitFor(moving, patience))
	must(t, b.WaitForElement("[data-hook=mail]", patience))
	visit("upload-sending")
	wantState(t, b, patience, "sending")
	must(t, b.Click("[data-hook=pause]"))
	must(t, b.WaitFor("return !document.querySelector('[data-hook=resume]').hidden", patience))
	visit("upload-paused")
	must(t, b.Click("[data-hook=resume]"))
	s.tap.set(func(tp *tap) { tp.slowUp = 0 })
	wantState(t, b, patience, "done")
	must(t, b.WaitForElement("[data-hook=unkeep]", patience))
	visit("upload-done")
	share, err := b.Value("[data-hook=link]")
	must(t, err)
	s.walkPassing(t, b, visit)
	return share
}

// walkPassing passes on what was sent, and then sends something behind words.
func (s *site) walkPassing(t *testing.T, b *webdriver.Browser, visit func(string)) {
	t.Helper()
	must(t, b.Click("[data-hook=mail]"))
	visit("upload-mail")
	must(t, b.Click("[data-hook=insist]"))
	visit("upload-mail-whole")
	showCode(t, b)
	visit("upload-qr")
	must(t, b.Click("[data-hook=qr-close]"))
	must(t, b.Click("[data-hook=again]"))
	must(t, b.SetValue("[data-hook=note]", walkParcel.note))
	suggest(t, b)
	visit("upload-phrase")
	must(t, b.Click("[data-hook=start]"))
	wantState(t, b, patience, "done")
	must(t, b.WaitFor("return document.querySelector('[data-hook=words]').checkVisibility()", patience))
	must(t, b.WaitForElement("[data-hook=unkeep]", patience))
	visit("upload-words")
}

func (s *site) walkUnfinished(t *testing.T, b *webdriver.Browser, files []string, visit func(string)) {
	t.Helper()
	p := walkParcel
	p.files = files
	s.begin(t, b, p, func() { must(t, b.Go(s.url+"/")) })
	s.wantOffer(t, b, "Grüße")
	visit("upload-unfinished")
	must(t, b.SendKeys("[data-hook=offer-files]", files[0]))
	must(t, b.WaitFor("return !document.querySelector('[data-hook=offer-error]').hidden", patience))
	visit("upload-unfinished-missing")
	must(t, b.Click("[data-hook=offer-forget]"))
	must(t, b.Click("[data-hook=offer-forget]"))
	must(t, b.WaitFor("return document.querySelector('[data-hook=unfinished]').hidden", patience))
}

func (s *site) walkDownload(t *testing.T, b *webdriver.Browser, share string, visit func(string)) {
	t.Helper()
	open(t, b, share, "locked")
	visit("download-locked")
	openWindow(t, b, "report")
	visit("download-report-locked")
	must(t, b.Click("[data-hook=report-cancel]"))
	unlock(t, b, "open barley")
	must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
	visit("download-wrong-password")
	unlock(t, b, walkParcel.password)
	wantState(t, b, patience, "ready")
	must(t, b.WaitForElement("[data-hook=preview]", patience))
	visit("download-ready")
	must(t, b.Click("[data-hook=preview]"))
	wantViewer(t, b, "asking", "text")
	visit("preview-asking")
	must(t, b.Click("[data-hook=viewer-take]"))
	wantViewer(t, b, "shown", "text")
	visit("preview-text")
	must(t, b.Click("[data-hook=viewer-close]"))
	openWindow(t, b, "report")
	must(t, b.Click("[data-hook=report-deception]"))
	visit("download-report")
	must(t, b.SetValue("[data-hook=report-words]", "It wants my password."))
	must(t, b.Click("[data-hook=report-key]"))
	must(t, b.Click("[data-hook=report-send]"))
	must(t, b.WaitForElement("[data-hook=report-close]", patience))
	visit("download-report-sent")
	must(t, b.Click("[data-hook=report-close]"))
	openWindow(t, b, "by-hand")
	visit("download-by-hand")
	must(t, b.Click("[data-hook=stock-key]"))
	must(t, b.WaitForElement("[data-step=shown]", patience))
	visit("download-by-hand-key")
	must(t, b.Click("[data-hook=stock-close]"))
	s.tap.set(func(tp *tap) { tp.slowDown = 96 << 10 })
	must(t, b.Click("[data-hook=download]"))
	must(t, b.WaitFor(moving, patience))
	visit("download-receiving")
	wantState(t, b, patience, "receiving")
	open(t, b, share, "locked")
	unlock(t, b, walkParcel.password)
	wantState(t, b, patience, "ready")
	if b.Engine != "webkit" { // which keeps nothing when it is driven
		wantContinue(t, b)
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		visit("download-kept")
	}
	s.tap.set(func(tp *tap) { tp.slowDown = 0 })
	must(t, b.Click("[data-hook=download]"))
	wantState(t, b, patience, "done")
	visit("download-done")
}

// walkPictures opens a share of pictures that have thumbnails, and looks at one, and at what is none.
func (s *site) walkPictures(t *testing.T, b *webdriver.Browser, visit func(string)) {
	t.Helper()
	large := picture(t, 900, 600)
	entries := []seal.Entry{{Name: "lie.png", Size: 4}}
	for i := range 4 {
		entries = append(entries, seal.Entry{Name: fmt.Sprintf("harbour %d.png", i+1), Size: int64(len(large)), Thumbnail: picture(t, 120, 80+20*i)})
	}
	share := s.sealFrom(t, seal.KindTar, "", entries, 0, func(entry int, p []byte, from int64) error {
		if entry > 0 {
			copy(p, large[from:])
		}
		return nil
	})
	open(t, b, share, "ready")
	must(t, b.WaitFor("return [...document.querySelectorAll('[data-hook=thumbnail] img')].filter(i=>i.naturalWidth>0).length===4", patience))
	visit("download-pictures")
	must(t, b.Click("[data-hook=thumbnail][aria-label$='2.png']"))
	wantViewer(t, b, "shown", "image")
	visit("preview-picture")
	must(t, b.Click("[data-hook=viewer-close]"))
	look(t, b, "lie.png")
	wantViewer(t, b, "error", "image")
	visit("preview-refused")
	must(t, b.Click("[data-hook=viewer-close]"))
}

// walkTree opens a bundle, looks for something in it and saves it alone.
func (s *site) walkTree(t *testing.T, b *webdriver.Browser, visit func(string)) {
	t.Helper()
	open(t, b, s.sealBundle(t, random(t), harbour(), harbourSize).link, "ready")
	must(t, b.Click("[data-name='harbour/letters/'] [data-hook=toggle]"))
	wantRows(t, b, "harbour/list of all that is in it.txt", "harbour/letters/", "harbour/letters/Grüße an Ömer.pdf")
	visit("download-tree")
	search(t, b, "nothing like it", "^Nothing in it")
	visit("download-tree-nothing")
	search(t, b, "invoice", "^2 of 75")
	visit("download-tree-found")
	must(t, b.Click("[data-hook=entry-download]"))
	wantState(t, b, patience, "done")
	wantTold(t, b, "facts", "were fetched for this")
	visit("download-tree-done")
}

// walkFollowing opens what somebody is still sending, who rests and then gives up.
func (s *site) walkFollowing(t *testing.T, b *webdriver.Browser, files []string, visit func(string)) {
	t.Helper()
	open(t, b, s.unfinished(t), "loading")
	must(t, b.WaitFor("return document.querySelector('[data-hook=title]').textContent!==a[0]", patience, "Opening"))
	visit("download-waiting")
	whole := s.send(t, b, parcel{files: files, note: walkParcel.note})
	share, id, owner := s.plantParts(t, whole, s.reader(t, whole, "").sealed(t), 256<<10, 24)
	open(t, b, share, "ready")
	must(t, b.WaitFor("return /at least/.test(document.querySelector('[data-hook=lead]').textContent)", patience))
	must(t, b.WaitForElement("[data-hook=preview]", patience))
	visit("download-following")
	must(t, b.Click("[data-hook=download]"))
	must(t, b.WaitFor("return /Waiting/.test(document.querySelector('[data-hook=rate]').textContent)", patience))
	visit("download-following-receiving")
	s.do(t, "DELETE", "/"+id, owner, nil)
	wantState(t, b, patience, "gone")
	visit("download-given-up")
}

func (s *site) walkRefusals(t *testing.T, b *webdriver.Browser, share string, files []string, visit func(string)) {
	t.Helper()
	release := s.tap.hold("/shares/" + s.reader(t, share, "-").id) // loading is what one sees while no answer comes
	open(t, b, share, "loading")
	visit("download-loading")
	release()

	open(t, b, s.url+"/d/AAAAAAAAAAAAAAAA#"+s.reader(t, share, "-").fragment, "gone")
	visit("download-gone")
	open(t, b, strings.Split(share, "#")[0], "error")
	must(t, b.WaitForElement("[data-hook=rest]", patience))
	visit("download-bad-link")
	must(t, b.SetValue("[data-hook=rest]", "the words"))
	must(t, b.Click("[data-hook=rest-open]"))
	visit("download-bad-rest")

	note := s.send(t, b, parcel{note: walkParcel.note, downloads: "1"})
	open(t, b, note, "ready")
	visit("download-note")
	showNote(t, b)
	must(t, b.WaitFor("return /left on the server/.test(document.querySelector('[data-hook=lead]').textContent)", patience))
	visit("download-note-shown")
	file := s.send(t, b, parcel{files: files[:1]})
	s.damage(t, file)
	open(t, b, file, "ready")
	must(t, b.WaitForElement("[data-hook=preview]", patience))
	visit("download-one-file")
	must(t, b.Click("[data-hook=download]"))
	wantState(t, b, patience, "error")
	visit("download-damaged")

	must(t, b.Go(s.url+"/how"))
	visit("how")

	p := walkParcel
	p.files = files
	s.fill(t, b, p)
	s.tap.answer("POST", "/shares", api.NewProblem(api.CodeStorageFull))
	settle(t, b) // a button that still moves may be missed
	must(t, b.Click("[data-hook=start]"))
	wantState(t, b, patience, "error")
	visit("upload-full")
}

// walkAdmission wants to send where not everybody may, or not so much a day.
func (s *site) walkAdmission(t *testing.T, b *webdriver.Browser, visit func(string)) {
	t.Helper()
	s.fill(t, b, parcel{note: walkParcel.note})
	for _, c := range []struct {
		code  api.Code
		state string
	}{{api.CodeDailyBytes, "upload-enough-today"}, {api.CodeSignIn, "upload-sign-in"}, {api.CodeUploadToken, "upload-token"}} {
		s.tap.answer("POST", "/shares", api.NewProblem(c.code))
		settle(t, b)
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "error")
		if c.code == api.CodeUploadToken {
			askedForToken(t, b)
		}
		visit(c.state)
	}
	must(t, b.SetValue("[data-hook=token]", "what they sent me"))
	must(t, b.Click("[data-hook=token-use]"))
	wantTold(t, b, "token-error", "43 letters")
	visit("upload-token-malformed")
}

// walkMine looks at what was sent so far: several things, a note that is taken back, one that is not finished.
func (s *site) walkMine(t *testing.T, b *webdriver.Browser, share string, files []string, visit func(string)) {
	t.Helper()
	s.tap.answer("", "", nil)
	note := s.reader(t, s.send(t, b, parcel{note: walkParcel.note, downloads: "10"}), "")
	s.begin(t, b, parcel{files: files}, func() { must(t, b.Go(s.url+"/mine")) })
	s.mine(t, b)
	twice(t, b, note.of("revoke"))
	note.wantRow(t, b, "e.dataset.state==='gone'")
	must(t, b.WaitFor("return /Forget$|Take back$/.test(document.querySelector(a[0]).textContent)", patience, note.of("revoke")))
	visit("mine-ready")
	r := s.reader(t, share, walkParcel.password)
	must(t, b.Click(r.of("extend")))
	must(t, b.WaitForElement(r.of("terms"), patience))
	visit("mine-terms")
	must(t, b.Click(r.of("terms-cancel")))
	must(t, b.Click("[data-hook=export]"))
	must(t, b.WaitFor("return document.activeElement===document.querySelector('[data-hook=passphrase]')", patience))
	must(t, b.SetValue("[data-hook=passphrase]", "short"))
	must(t, b.Click("[data-hook=export-save]"))
	must(t, b.WaitFor("return !document.querySelector('[data-hook=backup-error]').hidden", patience))
	visit("mine-export")
	mend := s.tap.cut("/api/v1/")
	must(t, b.Go(s.url+"/mine"))
	must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
	visit("mine-unreachable")
	mend()
}

func (s *site) walkTroubles(t *testing.T, b *webdriver.Browser, share string, files []string, visit func(string)) {
	t.Helper()
	tired := api.NewProblem(api.CodeTooManyTries)
	tired.RetryAfter = 3600
	s.tap.answer("GET", "/manifest", tired)
	open(t, b, share, "locked")
	unlock(t, b, "open barley")
	must(t, b.WaitFor("return document.querySelector('[data-hook=unlock]').disabled&&!document.querySelector('[data-hook=error]').hidden", patience))
	visit("download-too-many-tries")
	mend := s.tap.cut("/api/v1/shares")
	open(t, b, share, "error")
	visit("download-unreachable")
	mend()
	s.tap.answer("", "", nil)

	must(t, b.Go(newSite(t, "-max-share-size", "1MiB").url+"/"))
	must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	must(t, b.SendKeys("[data-hook=files]", strings.Join(files, "\n")))
	wantState(t, b, patience, "ready")
	must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
	visit("upload-over-a-limit")
	s.tap.set(func(tp *tap) { tp.inject = "delete window.WebAssembly" })
	open(t, b, s.url+"/", "error")
	visit("old-browser")
	s.tap.set(func(tp *tap) { tp.inject = "Object.defineProperty(window,'isSecureContext',{value:false})" })
	open(t, b, share, "error")
	visit("insecure")
	s.tap.set(func(tp *tap) { tp.inject = "" })
	unseen := newSite(t) // of which the browser has kept nothing yet
	unseen.tap.cut("/js/store.js")
	open(t, b, unseen.url+"/", "error")
	visit("piece-missing")
}

// openWindow presses what opens a dialog, when it is there.
func openWindow(t *testing.T, b *webdriver.Browser, hook string) {
	t.Helper()
	must(t, b.WaitFor("return !document.querySelector('[data-hook='+a[0]+']').hidden", patience, hook))
	must(t, b.Click("[data-hook="+hook+"]"))
	must(t, b.WaitForElement("dialog[open]", patience))
}

// unfinished is the link of a share whose sender is still sending.
func (s *site) unfinished(t *testing.T) string {
	t.Helper()
	l := link.New(false)
	keys, err := l.Unlock("")
	must(t, err)
	terms, err := json.Marshal(map[string]any{"access": l.Access().Hash(), "reader": keys.Reader.Hash(), "owner": link.NewToken().Hash(),
		"password": false, "size": 1 << 20, "lifetime": 3600, "maxDownloads": 1})
	must(t, err)
	resp, err := http.Post("http://"+s.addr+"/api/v1/shares", "application/json", bytes.NewReader(terms))
	must(t, err)
	defer resp.Body.Close()
	var share api.Share
	must(t, json.NewDecoder(resp.Body).Decode(&share))
	if share.ID == "" {
		t.Fatalf("the server made no share: %s", resp.Status)
	}
	return s.url + "/d/" + share.ID + "#" + l.String()
}

// damage changes a bit of the content of a share, where the server keeps it, until mend is called.
func (s *site) damage(t *testing.T, share string) (mend func()) {
	t.Helper()
	id := s.reader(t, share, "").id
	var paths []string
	for name, path := range s.parts() {
		if n, _, _ := strings.Cut(strings.TrimPrefix(name, id+"/"), "-"); strings.HasPrefix(name, id+"/") && n != "0" {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		t.Fatal("the share has no parts to damage")
	}
	flip := func() {
		for _, path := range paths {
			sealed, err := os.ReadFile(path)
			must(t, err)
			sealed[len(sealed)/2] ^= 1
			must(t, os.WriteFile(path, sealed, 0o600))
		}
	}
	flip()
	return flip
}
