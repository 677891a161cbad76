package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// What is killed at once. A tab is left, closed, or crashes.
var victims = [][]string{{"tab"}, {"browser"}, {"server"}, {"tab", "server"}, {"browser", "server"}}

// TestKills: tab, browser and server are killed at any point of an upload, alone and together, again and again. It ends all the
// same, with every byte and under the same link. What the server has accepted is not sent again, only what was on its way at a kill,
// and no part is ever sent in two versions. Where a browser keeps handles of files, no file is chosen again.
//
// Runs are repeated as those of TestFaults are. WebKit keeps nothing beyond a session that is driven, so there no browser is killed.
func TestKills(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		b := launch(t, engine, webdriver.Options{})
		for n := range sized[uint64](2, 24) {
			number := seed + n
			ok := t.Run(strconv.FormatUint(number, 10), func(t *testing.T) {
				k := kills{site: s, b: b, r: rand.New(rand.NewPCG(number, 1)), flown: map[string]int{}}
				k.choose(t)
				k.run(t)
			})
			if !ok {
				break
			}
		}
	})
}

// kills is one run.
type kills struct {
	*site
	b     *webdriver.Browser
	r     *rand.Rand
	size  int
	file  string         // that is chosen again; "" if there are handles
	hash  string         // of the file
	link  string         // "" while there is none
	flown map[string]int // at how many kills each part was on its way
	begun int64          // bytes that the server had been sent before
	told  []string
}

const picker = `window.showOpenFilePicker=async()=>[await (await navigator.storage.getDirectory()).getFileHandle('handled.bin')]`

// choose opens the page and chooses a file: one on the disk, or one of the origin's private file system, whose handle stands for what
// Chromium's dialog gives.
func (k *kills) choose(t *testing.T) {
	t.Helper()
	k.size = 2<<20 + k.r.IntN(6<<20)
	k.tap.set(func(tp *tap) { tp.inject, tp.slowUp = "", 256<<10 })
	if k.b.Engine != "chromium" || k.r.IntN(2) == 0 {
		data := append(noise(k.r, k.size*2/3), prose(k.r, k.size/3)...)
		k.file = writeFile(t, filepath.Join(t.TempDir(), "killed.bin"), data)
		k.hash = fileHash(t, k.file)
		k.fill(t, k.b, parcel{files: []string{k.file}})
		return
	}
	k.tap.set(func(tp *tap) { tp.inject = picker })
	must(t, k.b.Go(k.url+"/"))
	v, err := k.b.Eval(`const h=await (await navigator.storage.getDirectory()).getFileHandle('handled.bin',{create:true});const w=await h.createWritable();
		const some=new Uint8Array(a[0]);for(let i=0;i<some.length;i+=65536)crypto.getRandomValues(some.subarray(i,i+65536));
		await w.write(some);await w.close();
		return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256',some)),n=>n.toString(16).padStart(2,'0')).join('')`, k.size)
	must(t, err)
	k.hash = fmt.Sprintf("%d bytes %s", k.size, v)
	k.pick(t)
}

// pick chooses the file with a handle.
func (k *kills) pick(t *testing.T) {
	t.Helper()
	must(t, k.b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	_, err := k.b.Eval("document.querySelector('[data-hook=files]').click()")
	must(t, err)
	wantState(t, k.b, patience, "ready")
	must(t, k.b.WaitFor("return !document.querySelector('[data-hook=start]').disabled", patience))
}

func (k *kills) run(t *testing.T) {
	t.Helper()
	k.begun = k.tap.ledger.now()
	must(t, k.b.Click("[data-hook=start]"))
	times := 1 + k.r.IntN(4)
	step := k.size * 2 / 3 / times // of what does not compress
	for n := range times {
		if !k.reaches(t, k.begun+int64(n*step+k.r.IntN(step))) {
			break
		}
		k.kill(t, victims[k.r.IntN(len(victims))])
	}
	k.tap.set(func(tp *tap) { tp.slowUp = 0 })
	wantState(t, k.b, patience, "done")
	link, err := k.b.Value("[data-hook=link]")
	must(t, err)
	if k.link != "" && link != k.link {
		t.Errorf("it was begun anew: %s", message(k.b))
	}
	parts, again := k.wantLittleAgain(t, k.reader(t, link, "").id)
	t.Logf("%s, %d parts, %s: %q; %d parts were on their way then, and %d KiB came twice", k.b.Engine, parts,
		map[bool]string{true: "with a handle", false: "chosen again"}[k.file == ""], k.told, len(k.flown), again>>10)
	if got := fileHash(t, k.opened(t, link, "")); got != k.hash {
		t.Errorf("got %s, want %s", got, k.hash)
	}
	if kept := journaled(t, k.b); kept != 0 {
		t.Errorf("%d records are left", kept)
	}
}

// reaches waits until the server was sent so many bytes. It is false when the upload is done before that.
func (k *kills) reaches(t *testing.T, total int64) bool {
	t.Helper()
	reached := k.tap.ledger.until(total)
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); {
		select {
		case <-reached:
			return true
		case <-time.After(200 * time.Millisecond):
			if state, _ := k.b.Attr("main", "data-state"); state == "done" {
				return false
			}
		}
	}
	t.Fatalf("of %d bytes only %d were sent", total, k.tap.ledger.now())
	return false
}

// kill kills, brings up again what was killed, and wants that the upload goes on.
func (k *kills) kill(t *testing.T, all []string) {
	t.Helper()
	if link, _ := k.b.Value("[data-hook=link]"); link != "" {
		k.link = link
	}
	if k.b.Engine == "webkit" && all[0] == "browser" {
		all = append([]string{"tab"}, all[1:]...)
	}
	k.told = append(k.told, fmt.Sprintf("%s after %d", strings.Join(all, " and "), k.tap.ledger.now()-k.begun))
	sent := k.tap.sendings(t) // first, so that what is begun in between is in one of them
	flying, accepted, _ := k.tap.ledger.page()
	for _, victim := range all {
		switch victim {
		case "tab":
			k.leave(t)
		case "browser":
			k.b.Crash()
		case "server":
			k.stop(syscall.SIGKILL)
			k.start()
		}
	}
	for key, n := range k.tap.sendings(t) { // what was begun while others were killed was on its way, too
		if n > sent[key] {
			flying[key]++
		}
	}
	for key := range flying {
		if accepted[key] == 0 {
			k.flown[key]++
		}
	}
	if len(flying) > 12 {
		t.Errorf("%d parts were on their way", len(flying))
	}
	if all[0] == "server" {
		return // it goes on by itself
	}
	time.Sleep(300 * time.Millisecond) // for what was on its way
	had, sent := k.stored(), k.tap.sendings(t)
	k.goOn(t, all[0] == "browser", len(had) > 0)
	for key, n := range k.tap.sendings(t) {
		if had[key] && n > sent[key] {
			t.Errorf("part %s was there and was sent again", key)
		}
	}
}

// leave ends the page. WebKit's driver cannot go on after a crash.
func (k *kills) leave(t *testing.T) {
	t.Helper()
	ways := map[string]func(){
		"left": func() { must(t, k.b.Go("about:blank")) },
		"closed": func() {
			next, err := k.b.NewTab()
			must(t, err)
			must(t, k.b.CloseTab())
			must(t, k.b.Switch(next))
		},
		"crashed": func() { must(t, k.b.CrashTab()) },
	}
	names := slices.Sorted(maps.Keys(ways))
	if k.b.Engine == "webkit" {
		names = []string{"closed", "left"}
	}
	way := names[k.r.IntN(len(names))]
	k.told[len(k.told)-1] += ", " + way
	ways[way]()
}

// goOn opens the page again, and goes on with what it offers, or begins, if nothing was sent yet.
func (k *kills) goOn(t *testing.T, restart, sent bool) {
	t.Helper()
	if restart {
		must(t, k.b.Restart())
	}
	must(t, k.b.Go(k.url+"/"))
	must(t, k.b.WaitFor("return document.querySelector('[data-hook=unfinished]').dataset.shown!==undefined", patience))
	v, err := k.b.Eval("return document.querySelector('[data-hook=offer] :is(button,input)')?.dataset.hook??''")
	must(t, err)
	offered := v.(string)
	switch {
	case offered == "" && sent:
		t.Fatalf("nothing is kept, and parts are there, after %q", k.told)
	case offered == "" && k.file == "":
		k.pick(t)
		must(t, k.b.Click("[data-hook=start]"))
	case offered == "":
		k.fill(t, k.b, parcel{files: []string{k.file}})
		must(t, k.b.Click("[data-hook=start]"))
	case offered == "offer-files" && k.file != "":
		must(t, k.b.SendKeys("[data-hook=offer-files]", k.file))
	case offered == "offer-continue" && k.file == "": // by itself
	default:
		t.Fatalf("what is offered is %q, after %q", offered, k.told)
	}
	if offered == "" {
		k.link = ""
	}
	must(t, k.b.WaitFor("return /sending|done/.test(document.querySelector('main').dataset.state)", patience))
}

// wantLittleAgain wants that each part of the share was accepted once, and sent no more bytes than it has, but once more for each
// kill at which it was on its way. It returns how many parts there are, and how many bytes the server was sent beyond theirs.
func (k *kills) wantLittleAgain(t *testing.T, id string) (parts int, again int64) {
	t.Helper()
	_, accepted, bytes := k.tap.ledger.page()
	for name, path := range k.parts() {
		n, _, _ := strings.Cut(filepath.Base(name), "-")
		if filepath.Base(filepath.Dir(name)) != id || n == "0" {
			continue
		}
		key, size := id+"/"+n, size(t, path)
		tries := 1 + k.flown[key]
		if got := accepted[key]; got > tries || got == 0 && tries == 1 { // with a kill the only answer may get lost
			t.Errorf("part %s was accepted %d times, want %d at most", key, got, tries)
		}
		if got := bytes[key]; got > int64(tries)*size {
			t.Errorf("of part %s %d bytes were sent, want %d at most", key, got, int64(tries)*size)
		}
		parts++
		again += bytes[key] - size
	}
	if parts < 4 {
		t.Errorf("there are only %d parts, so this proves little", parts)
	}
	return parts, again
}
