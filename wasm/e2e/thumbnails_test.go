package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// photo is a JPEG, red on the left and blue on the right, with what a camera writes into it: that it is to be turned, and where it was.
func photo(t *testing.T, width, height, orientation int, place string) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{200, 20, 20, 255}
			if x > width/2 {
				c = color.RGBA{20, 20, 200, 255}
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, m, nil))
	tiff := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x02"),
		0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0, // Orientation
		0x01, 0x0e, 0, 2, 0, 0, 0, byte(len(place)), 0, 0, 0, 38, // ImageDescription
		0, 0, 0, 0)
	tiff = append(tiff, place...)
	app1 := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+2)), tiff...)
	return append(append([]byte{0xff, 0xd8}, app1...), b.Bytes()[2:]...)
}

// TestThumbnails: of pictures that are sent small ones are sealed with the names, drawn anew, as they are to be held, and without what
// cameras wrote into them. Who opens the link sees them in a gallery, which costs nothing, and looks at one by pressing it.
func TestThumbnails(t *testing.T) {
	sometimes(t)
	const place = "CANARY-OF-THE-PLACE"
	dir := t.TempDir()
	var files []string
	for name, data := range map[string][]byte{"a turned.jpg": photo(t, 900, 600, 6, place), "b clear.png": picture(t, 640, 400), "c small.png": picture(t, 20, 10),
		"d claims.png": claimedPNG(t, 60_000, 60_000, false), "e none.jpg": []byte("<html>"), "f text.txt": []byte("text")} {
		files = append(files, writeFile(t, filepath.Join(dir, name), data))
	}
	slices.Sort(files)
	want := inventory(t, dir)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		s.tap.set(func(tp *tap) { // on a busy machine they take longer than a person would be kept waiting
			tp.scripts = map[string]string{"/worker/upload.js": `{const now=performance.now.bind(performance),later=setTimeout;
				performance.now=()=>now()/20;self.setTimeout=(f,ms,...a)=>later(f,ms===2500?60000:ms,...a)}`}
		})
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: files, downloads: "1"})
		r := s.reader(t, share, "")
		_, sealed := r.call(t, "GET", "/manifest", r.keys.Bearer(), nil)
		opener, err := seal.NewOpener(r.keys.Identity, sealed)
		must(t, err)
		for _, e := range opener.Manifest().Entries {
			has := strings.HasSuffix(e.Name, "turned.jpg") || strings.HasSuffix(e.Name, "clear.png") || strings.HasSuffix(e.Name, "small.png")
			if has != (len(e.Thumbnail) > 0) || len(e.Thumbnail) > 12<<10 || bytes.Contains(e.Thumbnail, []byte(place)) || bytes.Contains(e.Thumbnail, []byte("Exif")) {
				t.Errorf("%s: %s has a thumbnail of %d bytes", engine, e.Name, len(e.Thumbnail))
			}
		}

		open(t, b, share, "ready")
		must(t, b.WaitFor("return [...document.querySelectorAll('[data-hook=thumbnail] img')].filter(i=>i.naturalWidth>0).length===3", patience))
		v, err := b.Eval(`return [...document.querySelectorAll('[data-hook=thumbnail] img')].map(i=>{
			const c=document.createElement('canvas');c.width=i.naturalWidth;c.height=i.naturalHeight;const x=c.getContext('2d',{willReadFrequently:true});x.drawImage(i,0,0);
			const at=(h,v)=>{const [r,,b]=x.getImageData(h*(c.width-1),v*(c.height-1),1,1).data;return r>b+60?'red':b>r+60?'blue':'other'};
			return [c.width,c.height,at(.5,.1),at(.5,.9)].join(' ')}).join()`)
		if got, ok := v.(string); err != nil || !ok || !strings.HasPrefix(got, "160 240 red blue,240 150 ") || !strings.Contains(got, ",20 10 ") {
			t.Errorf("%s: the thumbnails are %v, %v", engine, v, err)
		}
		for _, v := range []view{narrow, wide} {
			must(t, b.SetWindowSize(v.width, v.height))
			wantNoSidewaysScrolling(t, b, "gallery, "+v.name)
		}
		if n := s.taken(r.id); n != 0 {
			t.Errorf("%d downloads were taken for thumbnails", n)
		}
		must(t, b.Click("[data-hook=thumbnail][aria-label$='clear.png']"))
		wantViewer(t, b, "asking", "image")
		must(t, b.Click("[data-hook=viewer-take]"))
		wantViewer(t, b, "shown", "image")
		must(t, b.WaitFor("return document.querySelector('.stage img').naturalWidth===640", patience))
		must(t, b.Click("[data-hook=viewer-close]"))
		wantSame(t, untar(t, save(t, b, "[data-hook=download]", 0)), want)
		wantQuiet(t, b)
	})
}

// TestNastyThumbnails: thumbnails are as their sender made them. What is no small picture is not shown, whatever it is, and many take no
// more of the page than few.
func TestNastyThumbnails(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	s.tap.observe()
	strays := s.strays()
	small := picture(t, 40, 30)
	entries := []seal.Entry{
		{Name: "good.png", Thumbnail: small},
		{Name: "claims.png", Thumbnail: claimedPNG(t, 30_000, 30_000, false)},
		{Name: "drawing.png", Thumbnail: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="top.hacked=1"/>`)},
		{Name: "page.png", Thumbnail: []byte("<script>top.hacked=1</script>")},
		{Name: "cut.png", Thumbnail: small[:100]},
		{Name: "dot.gif", Thumbnail: []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x3b")},
		{Name: "\u202efdp.png", Thumbnail: small},
		{Name: "program.exe", Thumbnail: small}, // which is nothing to be looked at
	}
	for i := range 3000 {
		entries = append(entries, seal.Entry{Name: fmt.Sprintf("many/%04d.png", i), Thumbnail: small})
	}
	share := s.seal(t, seal.KindTar, "", entries)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		must(t, b.WaitFor("return [...document.querySelectorAll('[data-hook=thumbnail] img')].filter(i=>i.naturalWidth>0).length>100", patience))
		v, err := b.Eval(`const labels=[...document.querySelectorAll('[data-hook=thumbnail]')].map(e=>e.getAttribute('aria-label'));
			return [String(window.hacked),labels.length<500,['good','claims','drawing','page','dot','program'].map(n=>labels.some(l=>l.includes(n+'.'))).join(),labels.some(l=>l.includes('\u202e'))].join(' ')`)
		if err != nil || v != "undefined true true,false,false,false,false,false false" {
			t.Errorf("%s: %v, %v", engine, v, err)
		}
		if found := strays(); len(found) > 0 {
			t.Errorf("%s: requests other than for the share: %q", engine, found)
		}
		wantQuiet(t, b)
	})
}
