package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// glance is what a person sees of a transfer at a moment, in the page and in the tab, or hears.
type glance struct {
	State   string
	Percent int
	Bar     float64 // from 0 to 1
	Title   string
	Icon    string
	Rate    string
	Saved   string
	Status  string
	Warns   bool // before it is closed
}

const glanceScript = `const $=h=>document.querySelector('[data-hook='+h+']');const bar=$('progress');
	const e=new Event('beforeunload',{cancelable:true});dispatchEvent(e);
	return [document.querySelector('main').dataset.state,$('percent').textContent,bar.value/bar.max,document.title,
		document.querySelector('link[rel=icon]').href,$('rate').textContent,$('saved').textContent,
		$('status').textContent,e.defaultPrevented]`

// glanceAt looks at the page.
func glanceAt(t *testing.T, b *webdriver.Browser) (g glance) {
	t.Helper()
	v, err := b.Eval(glanceScript)
	must(t, err)
	all := v.([]any)
	for i, to := range map[int]*string{0: &g.State, 3: &g.Title, 4: &g.Icon, 5: &g.Rate, 6: &g.Saved, 7: &g.Status} {
		*to, _ = all[i].(string)
	}
	g.Percent = number(t, all[1].(string))
	g.Bar, _ = all[2].(float64)
	g.Warns, _ = all[8].(bool)
	return g
}

// number is the first one in a text.
func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(text))
	if err != nil {
		t.Fatalf("no number in %q", text)
	}
	return n
}

// watch looks at the page five times a second while it is in the state, which it must reach.
func watch(t *testing.T, b *webdriver.Browser, state string, each func(glance)) (seen []glance) {
	t.Helper()
	must(t, b.WaitFor("return document.querySelector('main').dataset.state===a[0]", patience, state))
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(200 * time.Millisecond) {
		g := glanceAt(t, b)
		if g.State != state {
			return seen
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %s: %+v", state, g)
		}
		each(g)
		seen = append(seen, g)
	}
}

// wantHonest wants of what was seen of a transfer that it went forward only, did not say that it was over before it was, showed
// in the tab, asked before it was closed, and did not chatter.
func wantHonest(t *testing.T, seen []glance, took time.Duration) {
	t.Helper()
	if len(seen) < 10 {
		t.Fatalf("seen only %d times, which proves nothing", len(seen))
	}
	titles, icons, said := map[string]bool{}, map[string]bool{}, []string{}
	rated, left := 0, 0
	for i, g := range seen {
		if i > 0 && (g.Percent < seen[i-1].Percent || g.Bar < seen[i-1].Bar) {
			t.Errorf("went back from %d %% (%f) to %d %% (%f)", seen[i-1].Percent, seen[i-1].Bar, g.Percent, g.Bar)
		}
		if g.Percent >= 100 || g.Bar >= 1 {
			t.Errorf("says %d %% while under way", g.Percent)
		}
		var told int // a second old at most, but the page may be late with it
		if _, err := fmt.Sscanf(g.Title, "%d\u00a0%% · Sealpost", &told); err != nil || told > g.Percent || told < seen[max(0, i-8)].Percent {
			t.Errorf("title is %q at %d %%", g.Title, g.Percent)
		}
		if !g.Warns {
			t.Errorf("the tab can be closed at %d %%", g.Percent)
		}
		if g.Status != "" && (len(said) == 0 || said[len(said)-1] != g.Status) {
			said = append(said, g.Status)
		}
		titles[g.Title], icons[g.Icon] = true, true
		if strings.Contains(g.Rate, "/s") {
			rated++
		}
		if strings.Contains(g.Rate, "about") {
			left++
		}
	}
	if len(titles) < 5 || len(icons) < 5 {
		t.Errorf("%d titles and %d icons, want at least 5 of each", len(titles), len(icons))
	}
	for icon := range icons {
		if !strings.HasPrefix(icon, "data:image/svg+xml,") {
			t.Errorf("icon is %.60s", icon)
		}
	}
	if rated == 0 || left == 0 {
		t.Errorf("of %d glances, %d saw a rate and %d a time left", len(seen), rated, left)
	}
	if most := int(took / (10 * time.Second)); len(said) > most || len(said) == 0 && took > 12*time.Second {
		t.Errorf("said %d things in %v, want between 1 and %d: %q", len(said), took, most, said)
	}
	t.Logf("seen %d times in %v, said %q", len(seen), took.Round(time.Millisecond), said)
}

// wantAtRest wants that nothing of a transfer is left in the tab.
func wantAtRest(t *testing.T, b *webdriver.Browser, title string) {
	t.Helper()
	g := glanceAt(t, b)
	if g.Title != title || !strings.HasSuffix(g.Icon, "seal.svg") || g.Warns || g.Status != "" {
		t.Errorf("afterwards: %+v, want title %q", g, title)
	}
}

// TestProgress: what one is shown of sending and receiving over a slow line is true, and one need not look at the page for it.
func TestProgress(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		r := random(t)
		const size = 24 << 20
		file := noiseFile(t, r, filepath.Join(t.TempDir(), "secret name.bin"), size)
		b := launch(t, engine, webdriver.Options{})
		s.tap.observe()
		s.fill(t, b, parcel{files: []string{file}})

		s.tap.set(func(tp *tap) { tp.slowUp = 512 << 10 }) // three at once: 16 seconds
		begun := time.Now()
		must(t, b.Click("[data-hook=start]"))
		seen := watch(t, b, "sending", func(g glance) {
			stored := int64(len(s.parts())) << 20
			if shown := int64(g.Bar * size); shown > stored+1<<20 {
				t.Errorf("shows %d bytes when the server has at most %d", shown, stored)
			}
			if g.Saved != "" {
				t.Errorf("noise: %s", g.Saved)
			}
		})
		wantState(t, b, patience, "done")
		wantHonest(t, seen, time.Since(begun))
		wantAtRest(t, b, "Sealed · Sealpost")
		wantQuiet(t, b)
		share, err := b.Value("[data-hook=link]")
		must(t, err)

		open(t, b, share, "ready")
		s.tap.set(func(tp *tap) { tp.slowDown = 512 << 10 })
		begun = time.Now()
		must(t, b.Click("[data-hook=download]"))
		seen = watch(t, b, "receiving", func(glance) {})
		wantState(t, b, patience, "done")
		wantHonest(t, seen, time.Since(begun))
		wantAtRest(t, b, "Saved · Sealpost")
		wantQuiet(t, b)
	})
}

// TestProgressSaved: what compression spares is told, of text; and a cancelled transfer leaves the tab as it was.
func TestProgressSaved(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "1MiB")
	file := writeFile(t, filepath.Join(t.TempDir(), "text.txt"), prose(random(t), 24<<20))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{file}})
		s.tap.set(func(tp *tap) { tp.slowUp = 512 << 10 })
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(`return /saved \d+/.test(document.querySelector('[data-hook=saved]').textContent)`, patience))
		if g := glanceAt(t, b); number(t, g.Saved) < 10 || number(t, g.Saved) > 99 {
			t.Errorf("text: %q", g.Saved)
		}
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		wantAtRest(t, b, "Send files · Sealpost")
	})
}

// TestProgressStands: when nothing moves, that is said and nothing is made up.
func TestProgressStands(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "stands.bin"), 12<<20)
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{file}})
		s.tap.set(func(tp *tap) { tp.slowUp = 512 << 10 })
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving, patience))
		s.tap.set(func(tp *tap) { tp.slowUp = 1 }) // of what begins from now on
		must(t, b.WaitFor(`return /Nothing is moving/.test(document.querySelector('[data-hook=status]').textContent)`, patience))
		if g := glanceAt(t, b); strings.Contains(g.Rate, "about") || strings.Contains(g.Rate, "/s") || g.Rate != g.Status {
			t.Errorf("while nothing moves: %+v", g)
		}
		_, err := b.Eval("dispatchEvent(new Event('offline'))")
		must(t, err)
		if g := glanceAt(t, b); !strings.Contains(g.Rate, "Waiting for the connection") {
			t.Errorf("offline: %+v", g)
		}
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		wantAtRest(t, b, "Send files · Sealpost")
	})
}
