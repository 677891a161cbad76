package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestAllPairs: what any of the engines sends, any of them receives, every byte and every name.
func TestAllPairs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := random(t)
	dir := t.TempDir()
	var files []string
	for name, data := range map[string][]byte{emojiName: prose(r, 3<<20+17), rtlName: noise(r, 70_000), spaceName: nil, longName: noise(r, 1)} {
		files = append(files, writeFile(t, filepath.Join(dir, name), data))
	}
	want := inventory(t, dir)
	links := map[string]string{}
	t.Run("send", func(t *testing.T) {
		collected := make(chan [2]string, len(webdriver.Engines))
		t.Run("from", func(t *testing.T) {
			eachEngine(t, func(t *testing.T, engine string) {
				collected <- [2]string{engine, s.send(t, launch(t, engine, webdriver.Options{}), parcel{files: files})}
			})
		})
		close(collected)
		for c := range collected {
			links[c[0]] = c[1]
		}
	})
	t.Run("receive", func(t *testing.T) {
		eachEngine(t, func(t *testing.T, engine string) {
			b := launch(t, engine, webdriver.Options{})
			for from, link := range links {
				got := receive(t, b, link, "", 0)
				wantSame(t, untar(t, got), want)
				must(t, os.Remove(got))
				t.Logf("from %s to %s", from, engine)
			}
		})
	})
}

// TestSmallThings: one file under its own name, an empty one, one with the longest name, an empty folder, one entry out of several.
func TestSmallThings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := random(t)
	dir := t.TempDir()
	// All three engines write "_" for the joiner within an emoji when they save a file, so there is none here.
	one := writeFile(t, filepath.Join(dir, "📮 Grüße 🚀🇯🇵.txt"), noise(r, 1<<20+1))
	rtl := writeFile(t, filepath.Join(dir, rtlName), prose(r, 1<<20))
	empty := writeFile(t, filepath.Join(dir, "empty.dat"), nil)
	longest := writeFile(t, filepath.Join(dir, longName), prose(r, 100))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, path := range []string{one, rtl, empty, longest} {
			got := receive(t, b, s.send(t, b, parcel{files: []string{path}}), "", 0)
			if g, w := fileHash(t, got), fileHash(t, path); g != w {
				t.Errorf("%s: got %s, want %s", filepath.Base(path), g, w)
			}
			if filepath.Base(got) != filepath.Base(path) && path != longest { // some browsers shorten names
				t.Errorf("saved as %q, want %q", filepath.Base(got), filepath.Base(path))
			}
			must(t, os.Remove(got))
		}

		wantSame(t, untar(t, receive(t, b, s.send(t, b, parcel{empty: "nothing in it"}), "", 0)),
			map[string]string{"nothing in it/": "empty folder"})

		open(t, b, s.send(t, b, parcel{files: []string{one, rtl, empty}, note: "three"}), "ready")
		for i, path := range []string{one, rtl, empty} {
			got := save(t, b, "[data-hook=entry]:nth-child("+string(rune('1'+i))+") [data-hook=entry-download]", 0)
			if g, w := fileHash(t, got), fileHash(t, path); g != w {
				t.Errorf("entry %s: got %s, want %s", filepath.Base(path), g, w)
			}
		}
	})
}

// TestLargeThings: large random bytes, a folder with very many files, a video. Each engine sends once and receives once.
func TestLargeThings(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	next := map[string]string{"chromium": "firefox", "firefox": "webkit", "webkit": "chromium"}
	dir := t.TempDir()
	file := noiseFile(t, random(t), filepath.Join(dir, "random.bin"), sized[int64](48<<20, 1536<<20))
	video := filepath.Join(dir, "video.mp4")
	command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", sized("3", "60"), video)
	tree := ""
	if long {
		tree = goSource(t)
	} else {
		tree = manyFiles(t, random(t), filepath.Join(dir, "tree"), 1500)
	}
	trees := inventory(t, filepath.Dir(tree))
	for name := range trees { // what lies beside the tree
		if first := filepath.ToSlash(name); len(first) < len(filepath.Base(tree))+1 || first[:len(filepath.Base(tree))+1] != filepath.Base(tree)+"/" {
			delete(trees, name)
		}
	}
	wait := sized(2*time.Minute, 15*time.Minute)
	someEngine(t, func(t *testing.T, from string) {
		to := next[from]
		browsers := launchAll(t, webdriver.Options{Timeout: wait}, from, to)
		sender, receiver := browsers[0], browsers[1]
		for _, path := range []string{file, video} {
			t0 := time.Now()
			link := s.send(t, sender, parcel{files: []string{path}, patience: wait})
			t1 := time.Now()
			got := receive(t, receiver, link, "", wait)
			if g, w := fileHash(t, got), fileHash(t, path); g != w {
				t.Errorf("%s: got %s, want %s", filepath.Base(path), g, w)
			}
			t.Logf("%s: sent in %v, received in %v", filepath.Base(path), t1.Sub(t0).Round(time.Millisecond), time.Since(t1).Round(time.Millisecond))
			must(t, os.Remove(got))
		}
		link := s.send(t, sender, parcel{folder: tree, patience: wait})
		got := receive(t, receiver, link, "", wait)
		wantSame(t, untar(t, got), trees)
		t.Logf("a folder of %d files", len(trees))
	})
}

// TestPseudoFolder: WebKit hands over a folder that is chosen as a file as something that cannot be read. That is refused,
// with a sentence that says what to do.
func TestPseudoFolder(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	dir := filepath.Join(t.TempDir(), "a folder")
	writeFile(t, filepath.Join(dir, "inside.txt"), []byte("inside"))
	b := launch(t, "webkit", webdriver.Options{})
	must(t, b.Go(s.url+"/"))
	must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	must(t, b.SendKeys("[data-hook=files]", dir))
	must(t, b.WaitFor("return /folder/.test(document.querySelector('[data-hook=error]').textContent)", patience))
	wantState(t, b, patience, "idle")
	if message(b) == "" {
		t.Error("the message is hidden")
	}
}
