package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// A view is how large the window is. A picture shows all of the page, below the fold too.
type view struct {
	name          string
	width, height int
	tile          int // its width on the contact sheet
}

var (
	wide   = view{"wide", 1280, 900, 470}
	phone  = view{"phone", 390, 844, 260}
	narrow = view{"320", 320, 640, 260}
	zoomed = view{"wide", 640, 450, 470} // of a window as wide, in which everything is twice as large
)

// appearances are the ways in which people see the page.
var appearances = []struct {
	name    string
	options webdriver.Options
	views   []view
	lacking string // engine that has no such thing
}{
	{"light", webdriver.Options{}, []view{wide, phone, narrow}, ""},
	{"dark", webdriver.Options{Dark: true}, []view{wide, phone, narrow}, ""},
	{"forced", webdriver.Options{ForcedColors: true}, []view{wide, phone}, "webkit"},
	{"still", webdriver.Options{ReducedMotion: true}, []view{wide}, ""},
	{"zoom", webdriver.Options{Scale: 2}, []view{zoomed}, ""},
}

// TestScreenshots keeps a picture of each state of both pages, and contact sheets of them, in each engine, for people to look
// at: wide, phone and 320 CSS pixels, light and dark, with forced colours, without motion, at twice the size. It runs when
// SEALPOST_SCREENSHOTS names a folder.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SEALPOST_SCREENSHOTS")
	if dir == "" {
		t.Skip("SEALPOST_SCREENSHOTS is not set")
	}
	must(t, os.MkdirAll(dir, 0o755))
	files := walkFiles(t, random(t))
	eachEngine(t, func(t *testing.T, engine string) {
		for _, look := range appearances {
			if engine == look.lacking {
				continue
			}
			t.Run(look.name, func(t *testing.T) {
				b := launch(t, engine, look.options)
				must(t, b.Go("about:blank"))
				sheets := map[string]*sheet{}
				for _, v := range look.views {
					sheets[v.name] = &sheet{tile: v.tile}
				}
				walk(t, b, files, func(state string) {
					t.Helper()
					for _, v := range look.views {
						shot := photograph(t, b, v)
						must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.png", engine, look.name, v.name, state)), shot, 0o644))
						picture, err := png.Decode(bytes.NewReader(shot))
						must(t, err)
						sheets[v.name].add(caption(t, b, state), picture)
					}
				})
				for name, s := range sheets {
					must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("sheet-%s-%s-%s.png", engine, look.name, name)), s.png(t), 0o644))
				}
			})
		}
	})
}

// photograph returns a PNG of the whole page in the view.
func photograph(t *testing.T, b *webdriver.Browser, v view) []byte {
	t.Helper()
	for h, tried := v.height, 0; h > 0 && tried < 3; tried++ {
		must(t, b.SetWindowSize(v.width, h))
		more, err := b.Eval("const all=document.documentElement;return all.scrollHeight>all.clientHeight?all.scrollHeight:0")
		must(t, err)
		h = int(more.(float64))
	}
	settle(t, b)
	shot, err := b.Screenshot()
	must(t, err)
	return shot
}

// settle waits for fonts and for motion that ends, a little longer than any of it should take.
func settle(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	_, err := b.Eval(`await Promise.race([new Promise(r=>setTimeout(r,1500)),(async()=>{await document.fonts.ready;
		await Promise.allSettled(document.getAnimations().filter(m=>m.effect.getComputedTiming().endTime<Infinity).map(m=>m.finished));
		await new Promise(r=>requestAnimationFrame(()=>requestAnimationFrame(r)))})()])`)
	must(t, err)
}

// caption lets the browser write text.
func caption(t *testing.T, b *webdriver.Browser, text string) image.Image {
	t.Helper()
	v, err := b.Eval(`const c=document.createElement('canvas');c.width=500;c.height=28;const x=c.getContext('2d');
		x.fillStyle='white';x.fillRect(0,0,c.width,c.height);x.fillStyle='black';x.font='18px sans-serif';x.fillText(a[0],2,20);
		return [...x.getImageData(0,0,c.width,c.height).data].filter((_,i)=>i%4===0).map(n=>String.fromCharCode(n)).join('')`, text)
	must(t, err)
	grey := image.NewGray(image.Rect(0, 0, 500, 28))
	for i, n := range []rune(v.(string)) {
		grey.Pix[i] = byte(n)
	}
	return grey
}
