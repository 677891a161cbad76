package e2e

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestStagedByWebKit: WebKit has a private file system only in sessions that last, and a session that is driven does not. So here
// nobody drives it: the page clicks by itself and tells how it went.
func TestStagedByWebKit(t *testing.T) {
	sometimes(t)
	binaries, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")
	if len(binaries) == 0 && os.Getenv("CI") != "true" {
		t.Skip("MiniBrowser is not installed")
	} else if len(binaries) == 0 {
		t.Fatal("MiniBrowser is not installed")
	}
	s := newSite(t, "-part-size", "1MiB")
	file := writeFile(t, filepath.Join(t.TempDir(), "staged.bin"), noise(random(t), 5<<20+17))
	b := launch(t, "chromium", webdriver.Options{})
	share := s.send(t, b, parcel{files: []string{file}})

	told := make(chan string, 10)
	s.tap.set(func(tp *tap) {
		tp.delays = func(r *http.Request) {
			if how, ok := strings.CutPrefix(r.URL.Path, "/told/"); ok {
				told <- how
			}
		}
		tp.inject = `addEventListener('load',async()=>{const main=document.querySelector('main');
			const until=async(...all)=>{while(!all.includes(main.dataset.state))await new Promise(r=>setTimeout(r,50));return main.dataset.state};
			await until('ready');document.querySelector('[data-hook=download]').click();
			const state=await until('done','error');fetch('/told/'+state+' '+main.dataset.way)})`
	})
	home, err := os.MkdirTemp("", "sealpost-e2e-minibrowser-")
	must(t, err)
	t.Cleanup(func() { // its processes end one after the other, and write until then
		eventually(t, "the browser leaves its folder alone", patience, func() bool { return os.RemoveAll(home) == nil })
	})
	must(t, os.Mkdir(filepath.Join(home, "config"), 0o755))
	must(t, os.WriteFile(filepath.Join(home, "config", "user-dirs.dirs"), []byte(`XDG_DOWNLOAD_DIR="`+home+`"`+"\n"), 0o644))
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/config", "XDG_DATA_HOME="+home+"/data", "XDG_CACHE_HOME="+home+"/cache",
			"NO_AT_BRIDGE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1")
		t.Cleanup(func() {
			c.Process.Kill()
			c.Wait()
		})
		return c
	}
	pr, pw, err := os.Pipe()
	must(t, err)
	screen := run("Xvfb", "-displayfd", "3", "-screen", "0", "1600x1200x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{pw}
	must(t, webdriver.StartCommand(screen))
	pw.Close()
	display, err := bufio.NewReader(pr).ReadString('\n')
	must(t, err)
	webkit := run(binaries[0], webdriver.SafariFeatures, share)
	webkit.Env = append(webkit.Env, "DISPLAY=:"+strings.TrimSpace(display))
	must(t, webdriver.StartCommand(webkit))

	select {
	case how := <-told:
		if how != "done stage" {
			t.Errorf("the page says %q", how)
		}
	case <-time.After(patience):
		t.Fatal("the page says nothing")
	}
	got := filepath.Join(home, "staged.bin")
	eventually(t, "the browser has written the file", patience, func() bool {
		info, err := os.Stat(got)
		return err == nil && info.Size() == 5<<20+17
	})
	if g, w := fileHash(t, got), fileHash(t, file); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
}
