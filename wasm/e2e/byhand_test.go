package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestByHand: the commands that the page shows for a share, copied word for word from top to bottom, open it: with the program
// sealpost, which is given the link; and without anything of ours, with the key that the page shows only to who asks for it.
func TestByHand(t *testing.T) {
	sometimes(t)
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	r := random(t)
	files := t.TempDir()
	writeFile(t, filepath.Join(files, "letters", emojiName), prose(r, 2<<20+1))
	writeFile(t, filepath.Join(files, "letters", rtlName), noise(r, 1<<20))
	evil := writeFile(t, filepath.Join(t.TempDir(), "$(touch pwned)';touch pwned;'.txt"), noise(r, 300_000))
	want := inventory(t, files)
	const password = "a word"
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		for _, c := range []struct {
			name string
			p    parcel
		}{
			{"folder", parcel{folder: filepath.Join(files, "letters"), note: "See you on Sunday!", password: password, downloads: "2"}},
			{"file", parcel{files: []string{evil}, downloads: "2"}},
		} {
			link := s.send(t, b, c.p)
			reader := s.reader(t, link, c.p.password)
			open(t, b, link, "ready", "locked")
			if c.p.password != "" {
				if visible(t, b, "[data-hook=by-hand]") {
					t.Errorf("%s: a key is offered before there is one", c.name)
				}
				unlock(t, b, c.p.password)
				wantState(t, b, patience, "ready")
			}
			openWindow(t, b, "by-hand")
			byProgram := shownCommands(t, b)
			if whole := html(t, b); strings.Contains(whole, reader.fragment) || strings.Contains(whole, "AGE-SECRET-KEY") {
				t.Errorf("%s: the key is shown before anyone has asked for it", c.name)
			}
			for _, commands := range byProgram[2:] {
				if !strings.Contains(string(readme), commands+"\n") {
					t.Errorf("%s: this is not in the README:\n%s", c.name, commands)
				}
			}
			must(t, b.Click("[data-hook=stock-copy]"))
			must(t, b.WaitFor("return /^(Copied|Press)/.test(document.querySelector('[data-hook=stock-copy]').textContent)", patience))
			_, err := b.Eval("const e=document.querySelector('[data-hook=stock-key]');e.click();e.click()")
			must(t, err)
			settle(t, b)
			if strings.Contains(html(t, b), "AGE-SECRET-KEY") {
				t.Errorf("%s: the key is shown to who has changed their mind", c.name)
			}
			must(t, b.Click("[data-hook=stock-key]"))
			must(t, b.WaitForElement("[data-step=shown]", patience))
			byKey := shownCommands(t, b)
			must(t, b.Click("[data-hook=stock-key]"))
			must(t, b.WaitForElement("[data-step=keys]", patience))
			if strings.Contains(html(t, b), "AGE-SECRET-KEY") {
				t.Errorf("%s: the key is not hidden again", c.name)
			}
			must(t, b.Click("[data-hook=stock-close]"))
			wantFocus(t, b, "[data-hook=by-hand]")

			for way, commands := range map[string][]string{"program": byProgram, "key": byKey} {
				dir := t.TempDir()
				input := ""
				if way == "program" {
					must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
					must(t, os.Symlink(filepath.Join(programs, "sealpost"), filepath.Join(dir, "bin/sealpost")))
					input = link + "\n" + c.p.password + "\n" // the password once
				}
				sh := exec.Command("bash", "-euo", "pipefail", "-c", strings.Join(commands, "\n"))
				sh.Dir = dir
				sh.Stdin = strings.NewReader(input)
				sh.Env = append(os.Environ(), "SEALPOST_PASSWORD=", "LC_ALL=C.UTF-8")
				out, err := sh.CombinedOutput()
				if err != nil {
					t.Fatalf("%s, %s: %v\n%s", c.name, way, err, out)
				}
				if c.p.folder != "" {
					got := inventory(t, dir)
					for name := range want {
						if got[name] != want[name] {
							t.Errorf("%s, %s: %s is %s, want %s", c.name, way, name, got[name], want[name])
						}
					}
				} else if g, w := fileHash(t, filepath.Join(dir, "content")), fileHash(t, evil); g != w {
					t.Errorf("%s, %s: got %s, want %s", c.name, way, g, w)
				}
				if exists(filepath.Join(dir, "pwned")) {
					t.Errorf("%s, %s: a name was run", c.name, way)
				}
			}
			if _, ok := reader.share(t); ok {
				t.Errorf("%s: the share is still there after its last download", c.name)
			}
		}
	})
}

// shownCommands are the blocks of commands in the dialog.
func shownCommands(t *testing.T, b *webdriver.Browser) (blocks []string) {
	t.Helper()
	v, err := b.Eval("return [...document.querySelectorAll('[data-hook=stock-commands]')].map(e=>e.textContent)")
	must(t, err)
	for _, text := range v.([]any) {
		blocks = append(blocks, text.(string))
	}
	if len(blocks) < 7 {
		t.Fatalf("the page shows %d blocks of commands", len(blocks))
	}
	return blocks
}

func html(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	v, err := b.Eval("return document.documentElement.outerHTML")
	must(t, err)
	return v.(string)
}

// TestHow: the page that explains is linked from the promise, needs no script, and its commands check what was served.
func TestHow(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		must(t, b.Go(s.url+"/"))
		href, err := b.Attr(".promise a", "href")
		must(t, err)
		if href != "/how" {
			t.Fatalf("the promise links to %q", href)
		}
		must(t, b.Go(s.url+href))
		wantQuiet(t, b)
		v, err := b.Eval(`return [document.querySelectorAll('script:not([src="` + observerPath + `"])').length,document.querySelector('pre').textContent,
			document.querySelector('main').innerText.length]`)
		must(t, err)
		got := v.([]any)
		if got[0] != 0.0 || got[2].(float64) < 2000 {
			t.Errorf("%v scripts, %v characters", got[0], got[2])
		}
		lines := strings.Split(strings.ReplaceAll(got[1].(string), "https://post.example", s.url), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "git clone") {
			t.Fatalf("the commands are %q", lines)
		}
		sh := exec.Command("bash", "-euo", "pipefail", "-c", strings.Join(lines[1:], "\n"))
		sh.Dir = "../.." // as if it were just cloned and built
		if out, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}
