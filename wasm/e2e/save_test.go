package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// What a page runs before its own scripts, to be like a browser that has less, or a dialog that answers by itself.
const (
	noServiceWorker = `delete Navigator.prototype.serviceWorker;`
	noFileSystem    = `if(globalThis.StorageManager)StorageManager.prototype.getDirectory=()=>Promise.reject(new DOMException('private window','SecurityError'));`
	// The dialog chooses a file of the private file system, and notes what becomes of it.
	saveDialog = `window.dialog={calls:[],closed:false,fails:''};
		window.showSaveFilePicker=async options=>{
			dialog.calls.push({options,active:navigator.userActivation.isActive});
			if(dialog.closed)throw new DOMException('closed','AbortError');
			const root=await navigator.storage.getDirectory();
			const file=dialog.file=await root.getFileHandle('chosen-'+dialog.calls.length,{create:true});
			const create=file.createWritable.bind(file);
			file.createWritable=async()=>{
				if(dialog.fails==='create')throw new DOMException('read-only','NoModificationAllowedError');
				const out=await create();
				if(dialog.fails==='write'){let n=0;const write=out.write.bind(out);
					out.write=b=>++n>2?Promise.reject(new DOMException('no room','QuotaExceededError')):write(b)}
				if(dialog.fails==='close')out.close=async()=>{await out.abort();throw new DOMException('not safe','AbortError')};
				return out};
			return file};`
)

// browserKind is a browser and what it lacks.
type browserKind struct {
	engine string
	lacks  string
	inject string
	prefs  map[string]any
	plain  bool
	way    string // in which it saves
}

var browserKinds = []browserKind{
	{engine: "chromium", lacks: "a dialog", way: "stream"},
	{engine: "chromium", lacks: "nothing", inject: saveDialog, way: "file"},
	{engine: "chromium", lacks: "a service worker", inject: noServiceWorker, way: "stage"},
	{engine: "chromium", lacks: "all", inject: noServiceWorker + noFileSystem, way: "memory"},
	{engine: "firefox", lacks: "a dialog", way: "stage"},
	{engine: "firefox", lacks: "a file system", prefs: map[string]any{"dom.fs.enabled": false,
		"dom.serviceWorkers.idle_timeout": 12000, "dom.serviceWorkers.idle_extended_timeout": 1000}, way: "stream"},
	{engine: "firefox", lacks: "a service worker", prefs: map[string]any{"dom.serviceWorkers.enabled": false}, way: "stage"},
	{engine: "firefox", lacks: "all", prefs: map[string]any{"dom.serviceWorkers.enabled": false, "dom.fs.enabled": false}, way: "memory"},
	// A private window.
	{engine: "firefox", lacks: "a history", prefs: map[string]any{"browser.privatebrowsing.autostart": true}, way: "stream"},
	{engine: "webkit", lacks: "a file system", way: "stream"}, // an automated session has none
	{engine: "webkit", lacks: "much", plain: true, way: "stream"},
	{engine: "webkit", lacks: "all", inject: noServiceWorker, way: "memory"},
}

func (k browserKind) start(t *testing.T, s *site) *webdriver.Browser {
	t.Helper()
	s.tap.set(func(tp *tap) { tp.inject = k.inject })
	return launch(t, k.engine, webdriver.Options{Prefs: k.prefs, Plain: k.plain})
}

// kinds are the kinds of browser that are wanted.
func kinds(t *testing.T, want func(browserKind) bool) []browserKind {
	engines := groundOf(t).engines
	return slices.DeleteFunc(slices.Clone(browserKinds), func(k browserKind) bool { return !want(k) || !slices.Contains(engines, k.engine) })
}

// eachKind runs f in parallel with each kind of browser.
func eachKind(t *testing.T, kinds []browserKind, f func(t *testing.T, k browserKind)) {
	for _, k := range kinds {
		t.Run(k.engine+"/"+k.way+" without "+k.lacks, func(t *testing.T) {
			t.Parallel()
			f(t, k)
		})
	}
}

// wantWay wants the last save to have gone a certain way.
func wantWay(t *testing.T, b *webdriver.Browser, want string) {
	t.Helper()
	if way, err := b.Attr("main", "data-way"); err != nil || way != want {
		t.Errorf("%s saved by way of %q, want %q (%v)", b.Engine, way, want, err)
	}
}

// saveChosen saves as save does where the dialog of the test chooses the file. It returns the SHA-256 of that.
func saveChosen(t *testing.T, b *webdriver.Browser, button string) string {
	t.Helper()
	must(t, b.Click(button))
	must(t, b.WaitFor("return document.querySelector('main').dataset.state==='receiving'||!document.querySelector('[data-hook=download]').disabled", patience))
	wantState(t, b, patience, "done")
	return chosen(t, b)
}

// chosen is the SHA-256 of the file that the dialog chose last.
func chosen(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	v, err := b.Eval(`const file=dialog.file??await (await navigator.storage.getDirectory()).getFileHandle('chosen-1'); // by an earlier page
		const bytes=await (await file.getFile()).arrayBuffer();
		const hash=new Uint8Array(await crypto.subtle.digest('SHA-256',bytes));
		return bytes.byteLength+' bytes '+[...hash].map(b=>b.toString(16).padStart(2,'0')).join('')`)
	must(t, err)
	return v.(string)
}

// staged lists what the page has in its private file system, folders aside.
func staged(t *testing.T, b *webdriver.Browser) []any {
	t.Helper()
	v, err := b.Eval(`const all=[];let root;try{root=await navigator.storage.getDirectory()}catch{return all}
		const walk=async d=>{for await(const [name,h] of d.entries())h.kind==='directory'?await walk(h):all.push(name+' '+(await h.getFile()).size)};
		await walk(root);return all`)
	must(t, err)
	return v.([]any)
}

// TestEveryWay: whatever a browser has or lacks, all of a share and one file of it arrive with every byte, and what was kept
// on the way is gone with the next visit.
func TestEveryWay(t *testing.T) {
	t.Parallel()
	r := random(t)
	dir := filepath.Join(t.TempDir(), "ways")
	large := writeFile(t, filepath.Join(dir, "large.bin"), noise(r, 5<<20+17))
	writeFile(t, filepath.Join(dir, "small.txt"), prose(r, 70_000))
	want := inventory(t, filepath.Dir(dir))
	eachKind(t, sample(t, kinds(t, func(browserKind) bool { return true })), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		share := s.send(t, b, parcel{folder: dir, downloads: "1"})
		open(t, b, share, "ready")
		if k.way == "file" {
			got := saveChosen(t, b, "[data-hook=entry-download]")
			if w := fileHash(t, large); got != w {
				t.Errorf("got %s, want %s", got, w)
			}
			got = saveChosen(t, b, "[data-hook=download]")
			if size := strings.Fields(got)[0]; size == "0" {
				t.Errorf("got %s", got)
			}
			v, err := b.Eval("return dialog.calls.every(c=>c.active)&&dialog.calls.map(c=>c.options.suggestedName).join()")
			if err != nil || v != "large.bin,ways.tar" {
				t.Errorf("the dialog was asked for %v, %v", v, err)
			}
			wantWay(t, b, k.way)
			return
		}
		got := save(t, b, "[data-hook=entry-download]", 0)
		if g, w := fileHash(t, got), fileHash(t, large); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		wantWay(t, b, k.way)
		wantSame(t, untar(t, save(t, b, "[data-hook=download]", 0)), want)
		wantWay(t, b, k.way)
		wantNoParts(t, s, share)
		if k.way == "stage" && len(staged(t, b)) == 0 {
			t.Error("nothing was staged, so the next lines prove nothing")
		}
		must(t, b.Go("about:blank"))
		must(t, b.Go(s.url+"/d/AAAAAAAAAAAAAAAA"))
		must(t, b.WaitFor(`try{const d=await (await navigator.storage.getDirectory()).getDirectoryHandle('saves');
			for await(const name of d.keys())return false}catch{}return true`, patience))
	})
}

// TestMemoryLimit: where only memory is left, what does not fit is refused before it counts as a download, with a sentence that
// says what to do; a smaller file of the same share can be saved.
func TestMemoryLimit(t *testing.T) {
	sometimes(t)
	dir := filepath.Join(t.TempDir(), "limit")
	small := writeFile(t, filepath.Join(dir, "small.txt"), prose(random(t), 70_000))
	must(t, os.WriteFile(filepath.Join(dir, "huge.bin"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(dir, "huge.bin"), 256<<20))
	eachKind(t, sample(t, kinds(t, func(k browserKind) bool { return k.way == "memory" })), func(t *testing.T, k browserKind) {
		s := newSite(t)
		b := k.start(t, s)
		share := s.send(t, b, parcel{folder: dir, downloads: "1", patience: 2 * time.Minute})
		open(t, b, share, "ready")
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
		if said := message(b); !strings.Contains(said, "268") || !strings.Contains(said, "ordinary window") {
			t.Errorf("the page says %q", said)
		}
		wantState(t, b, patience, "ready")
		if state, ok := s.reader(t, share, "").share(t); !ok || state.Left == nil || *state.Left != 1 {
			t.Errorf("the share is %+v, %v", state, ok)
		}
		got := save(t, b, "[data-name$='small.txt'] [data-hook=entry-download]", 0)
		if g, w := fileHash(t, got), fileHash(t, small); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestSaveDialog: closing the dialog is no error and costs nothing. When the file cannot be written to its end, what is left of
// it is nothing, and saving again needs no other download.
func TestSaveDialog(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "1MiB")
	s.tap.set(func(tp *tap) { tp.inject = saveDialog })
	file := writeFile(t, filepath.Join(t.TempDir(), "dialog.bin"), noise(random(t), 6<<20))
	b := launch(t, "chromium", webdriver.Options{})
	share := s.send(t, b, parcel{files: []string{file}, downloads: "1"})
	open(t, b, share, "ready")
	dialog := func(change string) {
		t.Helper()
		_, err := b.Eval("Object.assign(dialog," + change + ")")
		must(t, err)
	}
	gone := func() {
		t.Helper()
		if v, err := b.Eval("return dialog.file.getFile().then(f=>f.size,()=>'gone')"); err != nil || v != "gone" {
			t.Errorf("of the file is left: %v, %v", v, err)
		}
	}

	dialog("{closed:true}")
	must(t, b.Click("[data-hook=download]"))
	must(t, b.WaitFor("return dialog.calls.length===1&&!document.querySelector('[data-hook=download]').disabled", patience))
	if state := wantState(t, b, patience, "ready"); state != "ready" || message(b) != "" {
		t.Errorf("after closing the dialog: %s, %q", state, message(b))
	}
	if state, ok := s.reader(t, share, "").share(t); !ok || *state.Left != 1 {
		t.Errorf("the share is %+v, %v", state, ok)
	}

	for fails, says := range map[string]string{"create": "did not take it", "write": "no room", "close": "did not take it"} {
		dialog("{closed:false,fails:'" + fails + "'}")
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=error]').textContent.includes(a[0])", patience, says))
		wantState(t, b, patience, "error")
		gone()
	}

	dialog("{fails:''}")
	s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
	must(t, b.Click("[data-hook=download]"))
	must(t, b.WaitFor(moving, patience))
	must(t, b.Click("[data-hook=cancel]"))
	wantState(t, b, patience, "ready")
	gone()

	s.tap.set(func(tp *tap) { tp.slowDown = 0 })
	if got, want := saveChosen(t, b, "[data-hook=download]"), fileHash(t, file); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if title, err := b.Text("[data-hook=lead]"); err != nil || !strings.Contains(title, "where you put it") {
		t.Errorf("the page says %q, %v", title, err)
	}
	wantNoParts(t, s, share)
}

// TestNoRoom: where the browser says that it has no room to stage a file, another way is taken. Where it is wrong about its
// room that is told, nothing is left, and saving again takes another way under the same ticket.
func TestNoRoom(t *testing.T) {
	sometimes(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "room.bin"), noise(random(t), 6<<20))
	for name, test := range map[string]struct{ engine, inject, way string }{
		"firefox":  {"firefox", "", "stream"},
		"chromium": {"chromium", noServiceWorker, "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "-part-size", "1MiB")
			small := test.inject + `StorageManager.prototype.estimate=async()=>({quota:33<<20,usage:0});`
			s.tap.set(func(tp *tap) { tp.inject = small })
			b := launch(t, test.engine, webdriver.Options{})
			share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
			got := receive(t, b, share, "", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			wantWay(t, b, test.way)
			must(t, os.Remove(got))

			s.tap.set(func(tp *tap) {
				tp.inject = test.inject + ";"
				tp.scripts = map[string]string{"/worker/stage.js": `const write=FileSystemSyncAccessHandle.prototype.write;let written=0;
					FileSystemSyncAccessHandle.prototype.write=function(b,o){return (written+=b.byteLength)>3<<20?0:write.call(this,b,o)}`}
			})
			open(t, b, share, "ready")
			must(t, b.Click("[data-hook=download]"))
			wantState(t, b, patience, "error")
			if !strings.Contains(message(b), "no room") {
				t.Errorf("the page says %q", message(b))
			}
			wantWay(t, b, "stage")
			wantNoFile(t, b)
			if left := staged(t, b); len(left) > 0 {
				t.Errorf("there is still %v", left)
			}
			got = save(t, b, "[data-hook=download]", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			wantWay(t, b, test.way)
			wantNoParts(t, s, share)
		})
	}
}

// TestPageLeft: when the page is left in mid-save, no file stays that looks whole, and none is left on the way. WebKit keeps a
// piece of a stream under the final name; it is never all of the file.
func TestPageLeft(t *testing.T) {
	sometimes(t)
	data := noise(random(t), 24<<20)
	file := writeFile(t, filepath.Join(t.TempDir(), "left.bin"), data)
	leaves := kinds(t, func(k browserKind) bool { return (k.way == "stream" || k.way == "stage") && !k.plain }) // plain is as the others
	eachKind(t, sample(t, leaves), func(t *testing.T, k browserKind) {
		s := newSite(t, "-part-size", "1MiB")
		b := k.start(t, s)
		share := s.send(t, b, parcel{files: []string{file}})
		s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
		open(t, b, share, "ready")
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=progress]').value>4<<20", patience))
		wantWay(t, b, k.way)
		must(t, b.Go("about:blank"))
		before := listing(b)
		pause := 2 * time.Second
		if k.engine == "firefox" && k.way == "stream" {
			pause = 20 * time.Second // in this time it stops the idle service worker
		}
		time.Sleep(pause)
		t.Logf("before %v, after %v", before, listing(b))
		if b.Engine != "webkit" {
			wantNoFile(t, b)
		}
		for _, path := range saved(b) {
			if got, err := os.ReadFile(path); err != nil || len(got) >= len(data) || !bytes.HasPrefix(data, got) {
				t.Errorf("%s has %d of %d bytes, %v", path, len(got), len(data), err)
			}
		}
		s.tap.set(func(tp *tap) { tp.slowDown = 0 })
		if k.engine == "chromium" {
			must(t, b.Go(s.url+"/")) // either page sweeps
		} else {
			open(t, b, share, "ready")
		}
		must(t, b.WaitFor(`try{const d=await (await navigator.storage.getDirectory()).getDirectoryHandle('saves');
			for await(const name of d.keys())return false}catch{}return true`, patience))
	})
}

// TestOneAnswer: a save is one download. Whoever asks for its address once more, as a browser might that tries again, gets nothing,
// and takes nothing from the file that is being saved.
func TestOneAnswer(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "1MiB")
	file := writeFile(t, filepath.Join(t.TempDir(), "once.bin"), noise(random(t), 12<<20))
	streams := kinds(t, func(k browserKind) bool { return k.way == "stream" && !k.plain })
	eachKind(t, sample(t, streams), func(t *testing.T, k browserKind) {
		b := k.start(t, s)
		share := s.send(t, b, parcel{files: []string{file}})
		open(t, b, share, "ready")
		s.tap.set(func(tp *tap) { tp.slowDown = 1 << 20 })
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor(moving, patience))
		v, err := b.Eval("const r=await fetch(document.querySelector('iframe').src);return [r.status,(await r.blob()).size<99]")
		must(t, err)
		if got := v.([]any); got[0] != 410.0 || got[1] != true {
			t.Errorf("a second answer: %v", got)
		}
		wantState(t, b, patience, "done")
		got := filepath.Join(b.Downloads, "once.bin")
		eventually(t, "the browser has written the file", patience, func() bool { return unchanging(b, got) })
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestTwoBuilds: a tab of a new build takes the service worker over when that cuts nobody short, and takes another way while
// a tab of the old build saves through it.
func TestTwoBuilds(t *testing.T) {
	sometimes(t)
	dir, r := t.TempDir(), random(t)
	first := writeFile(t, filepath.Join(dir, "first.bin"), noise(r, 20<<20))
	second := writeFile(t, filepath.Join(dir, "second.bin"), noise(r, 1<<20))
	arrived := func(t *testing.T, b *webdriver.Browser, file string) {
		t.Helper()
		wantState(t, b, patience, "done")
		got := filepath.Join(b.Downloads, filepath.Base(file))
		eventually(t, "the browser has written "+got, patience, func() bool { return unchanging(b, got) })
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		must(t, os.Remove(got))
	}
	saveAgain := func(t *testing.T, b *webdriver.Browser, file string) {
		t.Helper()
		must(t, b.Click("[data-hook=download]"))
		must(t, b.WaitFor("return document.querySelector('main').dataset.state!=='ready'", patience))
		arrived(t, b, file)
	}
	for _, k := range sample(t, []browserKind{
		{engine: "chromium", way: "stage"},
		{engine: "firefox", way: "memory", prefs: map[string]any{"dom.fs.enabled": false}},
		{engine: "webkit", way: "memory"},
	}) {
		t.Run(k.engine, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "-part-size", "1MiB")
			b := k.start(t, s)
			share, other := s.send(t, b, parcel{files: []string{first}}), s.send(t, b, parcel{files: []string{second}})
			wantBuild := func(want string) {
				t.Helper()
				if err := b.WaitFor(`return navigator.serviceWorker.controller?.scriptURL===location.origin+'/b/'+a[0]+'/worker/sw.js'`, patience, want); err != nil {
					got, _ := b.Eval(`const r=await navigator.serviceWorker.getRegistration(),l=await navigator.locks.query();
						const say=(w)=>w&&w.state+' '+w.scriptURL;
						return JSON.stringify([document.documentElement.dataset.build,say(navigator.serviceWorker.controller),say(r?.installing),say(r?.waiting),say(r?.active),l])`)
					t.Fatalf("page, controller, what is installing, waiting and active, and locks are %v, want %s", got, want)
				}
			}
			open(t, b, share, "ready")
			ours, err := b.Attr("html", "data-build")
			must(t, err)
			wantBuild(ours)

			old, err := b.Tab()
			must(t, err)
			s.tap.set(func(tp *tap) { tp.older = ours })
			open(t, b, share, "ready")
			wantBuild(oldBuild) // the other was idle
			s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
			must(t, b.Click("[data-hook=download]"))
			must(t, b.WaitFor(moving, patience))
			wantWay(t, b, "stream")

			s.tap.set(func(tp *tap) { tp.rolled = true })
			fresh, err := b.NewTab()
			must(t, err)
			must(t, b.Switch(fresh))
			must(t, b.Go(other))
			wantState(t, b, patience, "ready")
			saveAgain(t, b, second)
			wantWay(t, b, k.way) // the old one is busy
			wantBuild(oldBuild)
			must(t, b.Switch(old))
			wantState(t, b, 0, "receiving")
			arrived(t, b, first)
			s.tap.set(func(tp *tap) { tp.slowDown = 0 })

			must(t, b.Switch(fresh))
			time.Sleep(6 * time.Second) // the old one is left alone for a while after a save
			saveAgain(t, b, second)
			wantWay(t, b, "stream")
			wantBuild(ours)

			must(t, b.Switch(old)) // which has lost its service worker
			saveAgain(t, b, first)
			wantWay(t, b, k.way)
		})
	}
}
