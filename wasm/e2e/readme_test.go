package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestREADME: who follows the README's way to open a share without a browser, word for word, has what a browser sent.
func TestREADME(t *testing.T) {
	sometimes(t)
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	var commands string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		commands += block[1]
	}
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		r := random(t)
		files := t.TempDir()
		writeFile(t, filepath.Join(files, "letters", emojiName), prose(r, 2<<20+1))
		writeFile(t, filepath.Join(files, "letters", rtlName), noise(r, 1<<20))
		want := inventory(t, files)
		const password, note = "a word", "See you on Sunday!"
		link := s.send(t, launch(t, engine, webdriver.Options{}),
			parcel{folder: filepath.Join(files, "letters"), note: note, password: password, downloads: "1"})

		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
		must(t, os.Symlink(filepath.Join(programs, "sealpost"), filepath.Join(dir, "bin/sealpost")))
		script := regexp.MustCompile(`(?m)^LINK=.*$`).ReplaceAllLiteralString(commands, "LINK='"+link+"'")
		sh := exec.Command("bash", "-euo", "pipefail", "-c", script)
		sh.Dir = dir
		sh.Env = append(os.Environ(), "SEALPOST_PASSWORD="+password, "LC_ALL=C.UTF-8")
		out, err := sh.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if !strings.Contains(string(out), note) || !strings.Contains(string(out), emojiName) {
			t.Errorf("the manifest is not told:\n%s", out)
		}
		wantSame(t, untar(t, filepath.Join(dir, "content")), want)
		got := inventory(t, filepath.Join(dir, "letters"))
		for name := range want {
			if below := strings.TrimPrefix(name, "letters/"); below != name && got[below] != want[name] {
				t.Errorf("%s: got %s, want %s", name, got[below], want[name])
			}
		}
		if _, ok := s.reader(t, link, password).share(t); ok {
			t.Error("the share is still there after its last download")
		}
	})
}
