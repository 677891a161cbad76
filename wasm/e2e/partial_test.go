package e2e

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// What may have been on its way to the disk when a page ends: three pieces, each a batch and some.
const underWay = 3 * (256<<10 + 128<<10)

// kept is what a page keeps of partial downloads: sealed bytes of each folder, by name, and records.
type kept struct {
	folders map[string]int64
	records int
}

func keptBy(t *testing.T, b *webdriver.Browser) kept {
	t.Helper()
	v, err := b.Eval(`const folders={};let records=0;
		try{const all=await (await navigator.storage.getDirectory()).getDirectoryHandle('partial');
			for await(const [name,d] of all.entries()){folders[name]=0;for await(const f of d.values())folders[name]+=(await f.getFile()).size}}catch{}
		if((await indexedDB.databases()).some(d=>d.name==='sealpost downloads')){
			const db=await new Promise((ok,no)=>{const r=indexedDB.open('sealpost downloads');r.onsuccess=()=>ok(r.result);r.onerror=no});
			records=await new Promise(ok=>{const r=db.transaction('downloads').objectStore('downloads').count();r.onsuccess=()=>ok(r.result)});db.close()}
		return [folders,records]`)
	must(t, err)
	list := v.([]any)
	k := kept{map[string]int64{}, int(list[1].(float64))}
	for name, n := range list[0].(map[string]any) {
		k.folders[name] = int64(n.(float64))
	}
	return k
}

// wantNothingKept wants that nothing is left of any partial download, now or in a moment.
func wantNothingKept(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	var k kept
	deadline := time.Now().Add(10 * time.Second)
	for k = keptBy(t, b); len(k.folders) > 0 || k.records > 0; k = keptBy(t, b) {
		if time.Now().After(deadline) {
			t.Errorf("%s still keeps %v", b.Engine, k)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// sealedSize is how many bytes the server has of the content of a share.
func (s *site) sealedSize(t *testing.T, id string) (sum int64) {
	t.Helper()
	for name, path := range s.parts() {
		if strings.HasPrefix(name, id+"/") && !strings.HasPrefix(name, id+"/0-") {
			sum += size(t, path)
		}
	}
	return sum
}

// receiveSome saves what the page shows until so many bytes have arrived, over a slow line.
func (s *site) receiveSome(t *testing.T, b *webdriver.Browser, id string, least int64) {
	t.Helper()
	s.tap.set(func(tp *tap) { tp.slowDown = 768 << 10 })
	before := s.tap.sent(id)
	must(t, b.Click("[data-hook=download]"))
	eventually(t, "some has arrived", patience, func() bool { return s.tap.sent(id) >= before+least })
	wantState(t, b, patience, "receiving")
}

// wantContinue wants the page to offer to go on.
func wantContinue(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	wantState(t, b, patience, "ready")
	label, err := b.Text("[data-hook=download]")
	must(t, err)
	text, err := b.Text("[data-hook=kept]")
	must(t, err)
	if label != "Continue" || !strings.Contains(text, "arrived before") {
		t.Fatalf("%s offers %q, and says %q", b.Engine, label, text)
	}
}

// wantWhole wants what was saved to be file, and one download to be counted.
func (s *site) wantWhole(t *testing.T, got, file, id string) {
	t.Helper()
	if w := fileHash(t, file); got != w {
		t.Errorf("got %s, want %s", got, w)
	}
	if n := s.taken(id); n != 1 {
		t.Errorf("%d downloads were counted", n)
	}
}

// saveIn saves in the way of a kind of browser, and returns the SHA-256 of what it saved.
func (k browserKind) save(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	if k.way == "file" {
		return saveChosen(t, b, "[data-hook=download]")
	}
	for _, path := range saved(b) { // WebKit leaves pieces of what was interrupted
		must(t, os.Remove(path))
	}
	path := save(t, b, "[data-hook=download]", 0)
	defer os.Remove(path)
	return fileHash(t, path)
}

// keeps says whether this kind of browser keeps what has arrived for another page. A session of WebKit that is driven has no file system.
func (k browserKind) keeps() bool {
	return k.engine != "webkit" && (k.lacks == "a dialog" || k.lacks == "nothing" || k.lacks == "a service worker")
}

// TestDownloadAfterReload: what has arrived of a download is not fetched again after a reload, or when the link is opened again, and
// it stays one download. Where a browser keeps nothing all of it is fetched again, but it is still one download.
func TestDownloadAfterReload(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() || k.engine == "webkit" && !k.plain && k.way == "stream" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := writeFile(t, filepath.Join(t.TempDir(), "harbour.bin"), noise(random(t), 20<<20))
		share := s.send(t, b, parcel{files: []string{file}, downloads: "3"})
		id := s.reader(t, share, "").id
		open(t, b, share, "ready")
		s.receiveSome(t, b, id, 6<<20)
		_, err := b.Eval("setTimeout(()=>location.reload())")
		must(t, err)
		time.Sleep(time.Second)
		wantState(t, b, patience, "ready")
		if k.keeps() {
			wantContinue(t, b)
			s.receiveSome(t, b, id, 6<<20)
			open(t, b, share, "ready")
			wantContinue(t, b)
		}
		had := s.tap.sent(id)
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		s.wantWhole(t, k.save(t, b), file, id)
		wantWay(t, b, k.way)
		again := s.tap.sent(id) - s.sealedSize(t, id)
		t.Logf("%d bytes had arrived, %d were sent again", had, again)
		if k.keeps() && again > 2*underWay {
			t.Errorf("%d bytes were sent again", again)
		}
		if k.way == "file" {
			if v, err := b.Eval("return dialog.calls.length"); err != nil || v != 0.0 {
				t.Errorf("the person was asked for a file again: %v, %v", v, err)
			}
		}
		wantNothingKept(t, b)
	})
}

// TestKilledDownload: tab, browser and server are killed at any moment of a download, again and again. It ends all the same, with every
// byte, what had arrived is not sent again, and it is one download. WebKit keeps nothing beyond a session that is driven.
func TestKilledDownload(t *testing.T) {
	sometimes(t)
	wanted := kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" }) // the file of the dialog would be lost
	eachKind(t, sample(t, wanted), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		r := random(t)
		b := k.start(t, s)
		file := noiseFile(t, r, filepath.Join(t.TempDir(), "killed.bin"), sized[int64](20<<20, 120<<20))
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		id := s.reader(t, share, "").id
		open(t, b, share, "ready")
		kills := sized(3, 20)
		for n := range kills {
			s.tap.set(func(tp *tap) { tp.slowDown = 768 << 10 })
			must(t, b.Click("[data-hook=download]"))
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
			killed := victims[r.IntN(len(victims))] // a server alone the page waits for, until it is left
			for _, victim := range killed {
				switch victim {
				case "tab":
					must(t, b.CrashTab())
				case "browser":
					b.Crash()
				case "server":
					s.stop(syscall.SIGKILL)
					time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
					s.start()
				}
			}
			if killed[0] == "browser" {
				must(t, b.Restart())
			}
			open(t, b, share, "ready")
			t.Logf("kill %d, of %v: %d bytes were sent, %v are kept", n, killed, s.tap.sent(id), keptBy(t, b))
		}
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		s.wantWhole(t, k.save(t, b), file, id)
		again, most := s.tap.sent(id)-s.sealedSize(t, id), int64(kills+1)*underWay
		t.Logf("%d bytes were sent again", again)
		if again > most {
			t.Errorf("%d bytes were sent again, and %d may have been under way", again, most)
		}
		wantNothingKept(t, b)
	})
}

// TestTicketSurvives: a browser that is killed when its download is counted, and nothing of it has arrived, goes on with that download.
func TestTicketSurvives(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" })), func(t *testing.T, k browserKind) {
		s := newSite(t)
		b := k.start(t, s)
		file := writeFile(t, filepath.Join(t.TempDir(), "ticket.bin"), noise(random(t), 70_000))
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		id := s.reader(t, share, "").id
		mend := s.tap.cut("/parts/")
		open(t, b, share, "ready")
		must(t, b.Click("[data-hook=download]"))
		eventually(t, "the download is counted", patience, func() bool { return s.taken(id) == 1 })
		b.Crash()
		mend()
		must(t, b.Restart())
		open(t, b, share, "ready")
		s.wantWhole(t, k.save(t, b), file, id)
		wantNothingKept(t, b)
	})
}

// spoil changes what is kept, as a bad disk or a bad person might.
const spoil = `const all=await (await navigator.storage.getDirectory()).getDirectoryHandle('partial');
	for await(const d of all.values()){let n=0;for await(const f of d.values()){
		const bytes=new Uint8Array(await (await f.getFile()).arrayBuffer());if(bytes.length<10)continue;
		const out=await f.createWritable();
		if(a[0]==='flip'){bytes[f.name==='0'?a[1]%184:a[1]%bytes.length]^=1;await out.write(bytes)}
		else if(a[0]==='cut')await out.write(bytes.subarray(0,a[1]%bytes.length));
		else if(a[0]==='zero')await out.write(new Uint8Array(bytes.length));
		else{await out.write(bytes);await out.write(bytes)}
		await out.close()}}`

// TestSpoiltDownload: what is kept and was changed since is fetched again. It is no error, and no wrong byte is saved.
func TestSpoiltDownload(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "spoilt.bin"), 18<<20)
		share := s.send(t, b, parcel{files: []string{file}, downloads: "5"})
		id := s.reader(t, share, "").id
		for n, how := range []string{"flip", "cut", "zero", "twice"} {
			open(t, b, share, "ready")
			s.receiveSome(t, b, id, 5<<20)
			open(t, b, share, "ready")
			wantContinue(t, b)
			must(t, b.Go("about:blank"))
			must(t, b.Go(s.url+"/"))
			_, err := b.Eval(spoil, how, random(t).IntN(1<<20))
			must(t, err)
			open(t, b, share, "ready")
			s.tap.set(func(tp *tap) { tp.slowDown = 0 })
			if got, w := k.save(t, b), fileHash(t, file); got != w {
				t.Errorf("%s: got %s, want %s", how, got, w)
			}
			if taken := s.taken(id); taken != n+1 {
				t.Errorf("%s: %d downloads were counted", how, taken)
			}
			wantNothingKept(t, b)
		}
	})
}

// TestPartialWiped: what is kept goes when the person cancels or deletes it, when the share is gone, and when it has expired, at the
// next visit of either page.
func TestPartialWiped(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "wiped.bin"), 18<<20)
		share := s.send(t, b, parcel{files: []string{file}, downloads: "5"})
		id := s.reader(t, share, "").id
		keep := func() {
			t.Helper()
			open(t, b, share, "ready")
			s.receiveSome(t, b, id, 4<<20)
			if n := keptBy(t, b); n.records != 1 || n.folders[id] < 1<<20 {
				t.Errorf("only %v is kept", n)
			}
		}
		keep()
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		wantNothingKept(t, b)

		keep()
		open(t, b, share, "ready")
		wantContinue(t, b)
		must(t, b.Click("[data-hook=forget]"))
		wantFocus(t, b, "[data-hook=download]")
		wantNothingKept(t, b)
		if label, err := b.Text("[data-hook=download]"); err != nil || !strings.HasPrefix(label, "Save") {
			t.Errorf("the button says %q, %v", label, err)
		}

		keep()
		must(t, b.Go(s.url+"/"))
		time.Sleep(2 * time.Second)
		if n := keptBy(t, b); n.records != 1 || len(n.folders) != 1 {
			t.Errorf("what can be gone on with was swept: %v", n)
		}
		_, err := b.Eval(`const db=await new Promise(ok=>{const r=indexedDB.open('sealpost downloads');r.onsuccess=()=>ok(r.result)});
			const tx=db.transaction('downloads','readwrite'),store=tx.objectStore('downloads');
			store.getAll().onsuccess=e=>e.target.result.forEach(r=>store.put({...r,expires:Date.now()-2*3600e3}));
			await new Promise(ok=>tx.oncomplete=ok);db.close()`)
		must(t, err)
		must(t, b.Go("about:blank"))
		must(t, b.Go(s.url+"/"))
		wantNothingKept(t, b)

		keep()
		must(t, b.Go("about:blank"))
		_, err = s.database().Exec("UPDATE shares SET expires=1")
		must(t, err)
		open(t, b, share, "gone")
		wantNothingKept(t, b)
	})
}

// TestPartialSealed: of what lies in the browser's storage while a download is under way nothing can be read: no content, no name, no
// password, no key, no ticket.
func TestPartialSealed(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.lacks == "a dialog" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		const name, content, password = "canary-name-Rotkehlchen.bin", "canary-content-Stieglitz", "canary-password-Zeisig"
		data := noise(random(t), 24<<20)
		for at := 0; at+len(content) < len(data); at += 10_000 {
			copy(data[at:], content)
		}
		share := s.send(t, b, parcel{files: []string{writeFile(t, filepath.Join(t.TempDir(), name), data)}, password: password})
		r := s.reader(t, share, password)
		open(t, b, share, "locked")
		unlock(t, b, password)
		wantState(t, b, patience, "ready")
		s.receiveSome(t, b, r.id, 8<<20)
		ticket, err := b.Eval("return history.state.ticket")
		must(t, err)
		b.Crash()
		secret, err := base64.RawURLEncoding.DecodeString(r.fragment)
		must(t, err)
		needles := map[string][]byte{"name": []byte(name), "content": []byte(content), "password": []byte(password), "fragment": []byte(r.fragment),
			"secret": secret[1:], "identity": []byte(r.keys.Identity), "ticket": []byte(ticket.(string))}
		sealed := sealedBytes(t, s, r.id)
		files, found := 0, 0
		must(t, b.Profile(func(path string, data []byte) {
			if !strings.Contains(path, "File System") && !strings.Contains(path, "IndexedDB") && !strings.Contains(path, filepath.Join("storage", "default")) {
				return
			}
			files++
			if bytes.Contains(data, sealed) {
				found++
			}
			for what, needle := range needles {
				for form, spelled := range spellings(needle) {
					if bytes.Contains(data, spelled) {
						t.Errorf("%s is in %s, as %s", what, path, form)
					}
				}
			}
		}))
		if found == 0 {
			t.Errorf("what has arrived is in none of %d files, so this proves nothing", files)
		}
	})
}

// sealedBytes are some of the first part of a share.
func sealedBytes(t *testing.T, s *site, id string) []byte {
	t.Helper()
	for name, path := range s.parts() {
		if strings.HasPrefix(name, id+"/1-") {
			part, err := os.ReadFile(path)
			must(t, err)
			return part[1000:5000]
		}
	}
	t.Fatal("there is no part")
	return nil
}

// TestTwoTabsSave: a second tab saves the same share as a download of its own, and leaves what the first has kept alone.
func TestTwoTabsSave(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "tabs.bin"), 18<<20)
		share := s.send(t, b, parcel{files: []string{file}, downloads: "3"})
		id := s.reader(t, share, "").id
		open(t, b, share, "ready")
		s.receiveSome(t, b, id, 2<<20)
		first, err := b.Tab()
		must(t, err)
		second, err := b.NewTab()
		must(t, err)
		must(t, b.Switch(second))
		must(t, b.Go(share))
		wantState(t, b, patience, "ready")
		if label, err := b.Text("[data-hook=download]"); err != nil || label == "Continue" {
			t.Errorf("the second tab offers %q, %v", label, err)
		}
		s.receiveSome(t, b, id, 1<<20)
		if n := keptBy(t, b); n.folders[id] < 2<<20 || n.records != 1 {
			t.Errorf("the first tab keeps %v", n)
		}
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		wantState(t, b, patience, "done")
		must(t, b.Switch(first))
		wantState(t, b, patience, "done")
		eventually(t, "both files are there", patience, func() bool { return len(saved(b)) == 2 && unchanging(b, saved(b)[0]) && unchanging(b, saved(b)[1]) })
		for _, path := range saved(b) {
			if got, w := fileHash(t, path), fileHash(t, file); got != w {
				t.Errorf("got %s, want %s", got, w)
			}
		}
		if n := s.taken(id); n != 2 {
			t.Errorf("%d downloads were counted", n)
		}
	})
}

// TestNoRoomToKeep: where the browser has no room, or runs out of it, nothing more is kept and the download goes on.
func TestNoRoomToKeep(t *testing.T) {
	sometimes(t)
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.keeps() && k.way != "file" })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "room.bin"), 18<<20)
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		id := s.reader(t, share, "").id
		for what, script := range map[string]string{
			"it says so": `StorageManager.prototype.estimate=async()=>({quota:66<<20,usage:0});`,
			"it does not": `const write=FileSystemSyncAccessHandle.prototype.write;let written=0;
				FileSystemSyncAccessHandle.prototype.write=function(b,o){return (written+=b.byteLength)>3<<20?0:write.call(this,b,o)};`,
		} {
			s.tap.set(func(tp *tap) { tp.scripts = map[string]string{"/worker/download.js": script} })
			open(t, b, share, "ready")
			s.receiveSome(t, b, id, 8<<20)
			if n := keptBy(t, b); n.folders[id] > 4<<20 {
				t.Errorf("%s: %v is kept", what, n)
			}
			s.tap.set(func(tp *tap) { tp.slowDown = 0 })
			wantState(t, b, patience, "done")
			var got string
			eventually(t, "the file is there", patience, func() bool {
				for _, p := range saved(b) {
					if unchanging(b, p) {
						got = p
					}
				}
				return got != ""
			})
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("%s: got %s, want %s", what, g, w)
			}
			must(t, os.Remove(got))
			wantNothingKept(t, b)
		}
	})
}

// TestFastLine: over a line that is as fast as a disk nothing is kept, and nothing of the browser's storage is touched for it.
func TestFastLine(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	b := launch(t, "chromium", webdriver.Options{})
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "fast.bin"), 40<<20)
	share := s.send(t, b, parcel{files: []string{file}})
	s.tap.set(func(tp *tap) {
		tp.scripts = map[string]string{"/worker/download.js": `const now=performance.now.bind(performance);performance.now=()=>now()/20; // however busy this machine is
			StorageManager.prototype.getDirectory=()=>{fetch('/touched/');return Promise.reject(new Error('no'))};`}
	})
	var touched atomic.Int64
	open(t, b, share, "ready")
	s.tap.set(func(tp *tap) {
		tp.delays = func(r *http.Request) {
			if r.URL.Path == "/touched/" {
				touched.Add(1)
			}
		}
	})
	got := save(t, b, "[data-hook=download]", 0)
	if g, w := fileHash(t, got), fileHash(t, file); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
	if n := touched.Load(); n > 0 {
		t.Errorf("the file system was used %d times", n)
	}
}
