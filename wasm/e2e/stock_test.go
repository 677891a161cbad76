package e2e

import (
	"os"
	"path/filepath"
	"testing"

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
			key, content := r.identity(t, l.password), r.content(t)
			plain, out := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "out")
			command(t, nil, "age", "--decrypt", "--identity", key, "--output", plain, content)
			command(t, nil, "zstd", "--decompress", "--quiet", "--stdout", "-o", out, plain)
			if l.kind == "tar" {
				wantSame(t, untar(t, out), want)
			} else if g, w := fileHash(t, out), fileHash(t, single); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			must(t, os.Remove(out))
		})
	}
}
