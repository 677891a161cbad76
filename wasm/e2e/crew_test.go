package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// members counts the workers of crews that are alive, by the locks that they hold.
const members = `return navigator.locks.query().then(q=>q.held.filter(l=>l.name.startsWith('sealpost crew')).length)`

func wantMembers(t *testing.T, b *webdriver.Browser, what string, ok func(n float64) bool) {
	t.Helper()
	eventually(t, what, patience, func() bool {
		n, err := b.Eval(members)
		must(t, err)
		return ok(n.(float64))
	})
}

// ends has a member of a crew end in the way that script says, when it is given its nth job, unless the page says that it is
// mended. (Browsers may keep a worker's script whatever the server tells them.)
func ends(script string, n int) map[string]string {
	return map[string]string{"/worker/member.js": fmt.Sprintf(`let jobs=0;addEventListener('message',({data})=>{
		if(data.method!=='join'&&++jobs===%d)navigator.locks.query().then(q=>{if(!q.held.some(l=>l.name==='mended')){%s}})});`, n, script)}
}

const mended = `navigator.locks.request('mended',()=>new Promise(()=>{}));return navigator.locks.request('another',()=>true)`

// TestCrewLost: workers that fail, or that the browser stops without a word, in mid-upload and in mid-download: the transfer fails
// with a sentence, and nothing is left of it in the downloads. Trying again on the same page goes on with the same share.
func TestCrewLost(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "lost.bin"), 40<<20)
	for name, script := range map[string]string{"fails": "setTimeout(()=>{throw new Error('a bad day')})", "stops": "close()"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			someEngine(t, func(t *testing.T, engine string) {
				r := random(t)
				s := newSite(t, "-part-size", "1MiB")
				b := launch(t, engine, webdriver.Options{})
				s.tap.set(func(tp *tap) { tp.scripts = ends(script, 1+r.IntN(5)) })
				s.fill(t, b, parcel{files: []string{file}})
				must(t, b.Click("[data-hook=start]"))
				wantTrouble(t, b, "stopped in the middle", "want of memory")
				wantMembers(t, b, "no worker is left", func(n float64) bool { return n == 0 })
				_, err := b.Eval(mended)
				must(t, err)
				must(t, b.Click("[data-hook=start]"))
				wantState(t, b, patience, "done")
				if n := s.count("SELECT count(*) FROM shares"); n != 1 {
					t.Errorf("there are %d shares: it was begun anew", n)
				}
				if kept := journaled(t, b); kept != 0 {
					t.Errorf("%d records are left of what is done", kept)
				}
				share, err := b.Value("[data-hook=link]")
				must(t, err)

				open(t, b, share, "ready")
				must(t, b.Click("[data-hook=download]"))
				wantTrouble(t, b, "stopped in the middle", "want of memory")
				wantMembers(t, b, "no worker is left", func(n float64) bool { return n == 0 })
				time.Sleep(time.Second)
				for _, path := range saved(b) { // some browsers keep a piece of a stream, and the page says so
					if info, err := os.Stat(path); engine == "chromium" || err != nil || info.Size() >= 40<<20 {
						t.Errorf("there is a file that may be whole: %v, %v", listing(b), err)
					}
					must(t, os.Remove(path))
				}
				_, err = b.Eval(mended)
				must(t, err)
				got := save(t, b, "[data-hook=download]", 0)
				if g, w := fileHash(t, got), fileHash(t, file); g != w {
					t.Errorf("got %s, want %s", g, w)
				}
			})
		})
	}
}

// TestCrewEnds: who cancels has nothing running any more at once, and neither has who is done.
func TestCrewEnds(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "ends.bin"), 40<<20)
	some := func(n float64) bool { return n > 0 }
	none := func(n float64) bool { return n == 0 }
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		b := launch(t, engine, webdriver.Options{})
		s.tap.set(func(tp *tap) { tp.slowUp = 1 << 20 })
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		wantMembers(t, b, "several workers seal", some)
		must(t, b.Click("[data-hook=cancel]"))
		wantMembers(t, b, "nothing seals any more", none)
		wantState(t, b, patience, "ready")
		eventually(t, "nothing is left on the server", 10*time.Second, func() bool { return len(s.parts()) == 0 })

		s.tap.set(func(tp *tap) { tp.slowUp, tp.slowDown = 0, 1<<20 })
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		wantMembers(t, b, "nothing seals any more", none)
		share, err := b.Value("[data-hook=link]")
		must(t, err)
		open(t, b, share, "ready")
		must(t, b.Click("[data-hook=download]"))
		wantMembers(t, b, "several workers open", some)
		must(t, b.Click("[data-hook=cancel]"))
		wantMembers(t, b, "nothing opens any more", none)
		wantState(t, b, patience, "ready")
	})
}

// TestCrewReady: for a large file the workers are there before one clicks, serve the transfer, and are gone after it.
func TestCrewReady(t *testing.T) {
	sometimes(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "ready.bin"), make([]byte, 70<<20))
	some := func(n float64) bool { return n > 0 }
	none := func(n float64) bool { return n == 0 }
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{file}})
		wantMembers(t, b, "workers are ready to seal", some)
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		wantMembers(t, b, "nothing seals any more", none)
		share, err := b.Value("[data-hook=link]")
		must(t, err)
		open(t, b, share, "ready")
		wantMembers(t, b, "workers are ready to open", some)
		if g, w := fileHash(t, save(t, b, "[data-hook=download]", 0)), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		wantMembers(t, b, "nothing opens any more", none)
	})
}

// TestSizes: what is empty, a byte, or just a chunk, a frame or a part, and a byte less or more.
func TestSizes(t *testing.T) {
	sometimes(t)
	const part = 256 << 10
	s := newSite(t, "-part-size", "256KiB")
	r := random(t)
	dir := t.TempDir()
	sizes := []int{0, 1}
	for _, n := range []int{64 << 10, 1 << 20, part - 184 - 4*16, 16 << 20} { // a chunk, a frame, what fills a part, many frames
		sizes = append(sizes, n-1, n, n+1)
	}
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, size := range sizes {
			fill := []func(*rand.Rand, int) []byte{noise, prose}[r.IntN(2)]
			file := writeFile(t, filepath.Join(dir, fmt.Sprint(engine, size, ".bin")), fill(r, size))
			got := receive(t, b, s.send(t, b, parcel{files: []string{file}}), "", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("%d bytes: got %s, want %s", size, g, w)
			}
			must(t, os.Remove(got))
		}
	})
}

// TestCipher: Chromium's own ChaCha20-Poly1305 does the work if it does what the engine's does, and none of it if it does not.
func TestCipher(t *testing.T) {
	sometimes(t)
	const (
		counts = `const encrypt=SubtleCrypto.prototype.encrypt,told=new BroadcastChannel('cipher');
			SubtleCrypto.prototype.encrypt=function(...a){if(a[0].name==='ChaCha20-Poly1305')told.postMessage('encrypts');return encrypt.apply(this,a)}`
		lies = `const encrypt=SubtleCrypto.prototype.encrypt;SubtleCrypto.prototype.encrypt=async function(...a){
			const b=await encrypt.apply(this,a);if(a[0].name==='ChaCha20-Poly1305')new Uint8Array(b)[7]^=1;return b}`
		listen = `window.encrypts=0;window.told=new BroadcastChannel('cipher');told.onmessage=()=>encrypts++`
	)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "cipher.bin"), 24<<20)
	s := newSite(t)
	b := launch(t, "chromium", webdriver.Options{})
	for name, own := range map[string]bool{"right": true, "wrong": false} {
		scripts := map[string]string{"/worker/member.js": counts}
		if !own {
			scripts["/worker/upload.js"] = lies
		}
		s.tap.set(func(tp *tap) { tp.scripts, tp.uncached = scripts, true })
		s.fill(t, b, parcel{files: []string{file}})
		_, err := b.Eval(listen)
		must(t, err)
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		n, err := b.Eval("return encrypts")
		must(t, err)
		if count := n.(float64); own && count < 24<<20/(64<<10) || !own && count > 0 {
			t.Errorf("%s: the browser sealed %v chunks", name, count)
		}
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		got := receive(t, b, link, "", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("%s: got %s, want %s", name, g, w)
		}
		must(t, os.Remove(got))
	}
}
