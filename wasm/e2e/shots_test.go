package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestScreenshots keeps a picture of each state of both pages, wide and narrow, light and dark, in each engine, for people to
// look at. It runs when SEALPOST_SCREENSHOTS names a folder.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SEALPOST_SCREENSHOTS")
	if dir == "" {
		t.Skip("SEALPOST_SCREENSHOTS is not set")
	}
	must(t, os.MkdirAll(dir, 0o755))
	r := random(t)
	files := t.TempDir()
	several := []string{
		writeFile(t, filepath.Join(files, "Letter to Grüße 📮.txt"), prose(r, 40_000)),
		writeFile(t, filepath.Join(files, rtlName), prose(r, 1_234_567)),
		noiseFile(t, r, filepath.Join(files, "photographs of the harbour, July.zip"), 12<<20),
	}
	eachEngine(t, func(t *testing.T, engine string) {
		for _, dark := range []bool{false, true} {
			light := map[bool]string{false: "light", true: "dark"}[dark]
			t.Run(light, func(t *testing.T) {
				b := launch(t, engine, webdriver.Options{Dark: dark})
				for _, size := range []struct {
					name          string
					width, height int
				}{{"wide", 1280, 900}, {"phone", 390, 844}} {
					must(t, b.SetWindowSize(size.width, size.height))
					shoot := func(name string) {
						t.Helper()
						png, err := b.Screenshot()
						must(t, err)
						must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.png", name, size.name, light, engine)), png, 0o644))
					}
					photograph(t, b, several, shoot)
				}
			})
		}
	})
}

// photograph leads the browser through all states.
func photograph(t *testing.T, b *webdriver.Browser, files []string, shoot func(string)) {
	s := newSite(t, "-part-size", "1MiB")
	must(t, b.Go(s.url+"/"))
	must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	shoot("upload-idle")
	sealed := parcel{files: files, note: "The harbour, as promised.\nSee you on Sunday!", password: "open sesame", downloads: "5"}
	s.fill(t, b, sealed)
	shoot("upload-ready")
	s.tap.set(func(tp *tap) { tp.slowUp = 2 << 20 })
	must(t, b.Click("[data-hook=start]"))
	must(t, b.WaitFor("return document.querySelector('[data-hook=progress]').value>0", patience))
	shoot("upload-sending")
	s.tap.set(func(tp *tap) { tp.slowUp = 0 })
	wantState(t, b, patience, "done")
	shoot("upload-done")
	share, err := b.Value("[data-hook=link]")
	must(t, err)

	open(t, b, share, "locked")
	shoot("download-locked")
	unlock(t, b, "open barley")
	must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
	shoot("download-wrong-password")
	unlock(t, b, "open sesame")
	wantState(t, b, patience, "ready")
	shoot("download-ready")
	s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
	must(t, b.Click("[data-hook=download]"))
	must(t, b.WaitFor("return document.querySelector('[data-hook=progress]').value>0", patience))
	shoot("download-receiving")
	s.tap.set(func(tp *tap) { tp.slowDown = 0 })
	wantState(t, b, patience, "done")
	shoot("download-done")

	open(t, b, s.url+"/d/AAAAAAAAAAAAAAAA#"+s.reader(t, share, "-").fragment, "gone")
	shoot("download-gone")
	open(t, b, strings.Split(share, "#")[0], "error")
	shoot("download-error")
	s.tap.set(func(tp *tap) { // loading is what one sees while no answer comes
		tp.loses = func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/shares") }
	})
	open(t, b, share, "loading")
	shoot("download-loading")
	s.tap.set(func(tp *tap) { tp.loses = nil })
	s.fill(t, b, sealed)
	s.tap.set(func(tp *tap) { tp.refuses = true })
	must(t, b.Click("[data-hook=start]"))
	wantState(t, b, patience, "error")
	shoot("upload-error")
}
