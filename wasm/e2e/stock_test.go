package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/sealpost/sealpost/server/conformance/workerd"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestStockTools: what a browser sealed opens with the age, zstd and tar of the distribution, and nothing of ours but the key.
func TestStockTools(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := random(t)
	dir := t.TempDir()
	several := filepath.Join(dir, "several")
	writeFile(t, filepath.Join(several, "letters", emojiName), prose(r, 2<<20+1))
	writeFile(t, filepath.Join(several, "letters", rtlName), noise(r, 1<<20))
	writeFile(t, filepath.Join(several, longName), nil)
	single := writeFile(t, filepath.Join(dir, "single.bin"), noise(r, 1<<20))
	want := inventory(t, dir)
	delete(want, "single.bin")
	const password = "Grüße, 🔑 und ein Passwort"
	type sent struct{ engine, kind, password, link string }
	links := make(chan sent, 100)
	t.Run("send", func(t *testing.T) {
		eachEngine(t, func(t *testing.T, engine string) {
			b := launch(t, engine, webdriver.Options{})
			for _, password := range []string{"", password} {
				links <- sent{engine, "tar", password, s.send(t, b, parcel{folder: several, password: password})}
				links <- sent{engine, "file", password, s.send(t, b, parcel{files: []string{single}, password: password})}
			}
		})
	})
	close(links)
	if t.Failed() {
		return
	}
	for l := range links {
		name := l.engine + " " + l.kind
		if l.password != "" {
			name += " with password"
		}
		t.Run(name, func(t *testing.T) {
			r := s.reader(t, l.link, l.password)
			out := stock(t, r.identity(t, l.password), r.content(t))
			if l.kind == "tar" {
				wantSame(t, untar(t, out), want)
			} else if g, w := fileHash(t, out), fileHash(t, single); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			must(t, os.Remove(out))
		})
	}
}

// stock opens an age file with the distribution's tools, and returns the path of what was in it.
func stock(t *testing.T, key, file string) string {
	t.Helper()
	plain, out := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "out")
	command(t, nil, "age", "--decrypt", "--identity", key, "--output", plain, file)
	command(t, nil, "zstd", "--decompress", "--quiet", "--stdout", "-o", out, plain)
	return out
}

// TestSameShare: what is sent to sealpostd and what is sent to the Worker is the same but for its keys. The same link logic and
// the same tools open both, and find the same bytes.
func TestSameShare(t *testing.T) {
	sometimes(t)
	workerd.Need(t)
	r := random(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	writeFile(t, filepath.Join(folder, "letters", emojiName), prose(r, 2<<20+1))
	writeFile(t, filepath.Join(folder, "letters", rtlName), noise(r, 1<<20))
	writeFile(t, filepath.Join(folder, longName), nil)
	want := inventory(t, dir)
	single := writeFile(t, filepath.Join(t.TempDir(), "single.bin"), noise(r, 1<<20))
	sites := []*site{newSiteOn(t, onSealpostd), newSiteOn(t, onWorker())}
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, p := range []parcel{{files: []string{single}}, {folder: folder, note: "the same", password: "Grüße, 🔑"}} {
			var manifests, contents []string
			for _, s := range sites {
				r := s.reader(t, s.send(t, b, p), p.password)
				key, sealed := r.identity(t, p.password), r.sealed(t)
				manifests = append(manifests, stock(t, key, writeFile(t, filepath.Join(t.TempDir(), "manifest.age"), sealed.manifest)))
				contents = append(contents, stock(t, key, writeFile(t, filepath.Join(t.TempDir(), "content.age"), sealed.content)))
			}
			if native, edge := openManifest(t, manifests[0]), openManifest(t, manifests[1]); !reflect.DeepEqual(native, edge) {
				t.Errorf("the manifests differ:\n%v\n%v", native, edge)
			}
			if native, edge := fileHash(t, contents[0]), fileHash(t, contents[1]); native != edge {
				t.Errorf("the contents differ: %s and %s", native, edge)
			}
			if p.folder != "" {
				wantSame(t, untar(t, contents[1]), want)
			} else if g, w := fileHash(t, contents[1]), fileHash(t, single); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
		}
	})
}

// openManifest reads a manifest without what binds it to its content, which is random.
func openManifest(t *testing.T, file string) (m map[string]any) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, json.Unmarshal(text, &m))
	if m["content"] == nil || m["entries"] == nil {
		t.Fatalf("this is no manifest: %s", text)
	}
	delete(m, "content")
	return m
}
