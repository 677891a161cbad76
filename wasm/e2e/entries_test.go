package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// A bundle is a share that was made without a browser, and what is in it.
type bundle struct {
	link    string
	entries []seal.Entry
	bytes   map[string][]byte
}

// sealBundle makes a share of files of noise. A name that ends in "/" is that of an empty folder.
func (s *site) sealBundle(t *testing.T, r *rand.Rand, names []string, size func(name string) int) bundle {
	t.Helper()
	b := bundle{bytes: map[string][]byte{}}
	for i, name := range names {
		e := seal.Entry{Name: name, Modified: 1_600_000_000 + int64(i)*86_400}
		if !strings.HasSuffix(name, "/") {
			b.bytes[name] = noise(r, size(name))
			e.Size = int64(len(b.bytes[name]))
		}
		b.entries = append(b.entries, e)
	}
	b.link = s.sealFrom(t, seal.KindTar, "", b.entries, 0, func(i int, p []byte, from int64) error {
		copy(p, b.bytes[names[i]][from:])
		return nil
	})
	return b
}

// harbour are names as they are in a folder that somebody sends.
func harbour() (names []string) {
	names = []string{"harbour/list of all that is in it.txt", "harbour/letters/Grüße an Ömer.pdf", "harbour/letters/old/invoice 10.txt",
		"harbour/letters/old/invoice 9.txt", "harbour/empty folder/"}
	for i := range 70 {
		names = append(names, fmt.Sprintf("harbour/photographs/IMG %d.jpg", 170-i))
	}
	return names
}

func harbourSize(name string) int {
	if strings.Contains(name, "photographs") {
		return 20_000
	}
	return 150_000 + len(name)
}

// shownRows are the names of the rows that are there, folders with what they say.
func shownRows(t *testing.T, b *webdriver.Browser) (rows []string) {
	t.Helper()
	v, err := b.Eval(`return [...document.querySelectorAll('[data-hook=entries]>li')].map(e=>e.dataset.name)`)
	must(t, err)
	for _, name := range v.([]any) {
		rows = append(rows, name.(string))
	}
	return rows
}

// wantRows waits until these are the first rows.
func wantRows(t *testing.T, b *webdriver.Browser, want ...string) {
	t.Helper()
	err := b.WaitFor(`const rows=[...document.querySelectorAll('[data-hook=entries]>li')].map(e=>e.dataset.name);
		return !document.querySelector('[data-hook=entries]').hasAttribute('aria-busy')&&a[0].every((name,i)=>rows[i]===name)`, patience, want)
	if err != nil {
		t.Fatalf("%s: the rows are %q, want %q", b.Engine, shownRows(t, b), want)
	}
}

// search types what is searched, as a person does, and waits for what is told of it.
func search(t *testing.T, b *webdriver.Browser, words, told string) {
	t.Helper()
	must(t, b.SetValue("[data-hook=filter]", words))
	wantTold(t, b, "found", told)
}

// TestEntries: a bundle is a tree. Who receives it opens folders, puts them in order, finds something by a part of its name and saves
// that alone, or a folder.
func TestEntries(t *testing.T) {
	t.Parallel()
	r := random(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "64KiB")
		s.tap.observe()
		share := s.sealBundle(t, r, harbour(), harbourSize)
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share.link, "ready")
		if n, err := b.Attr("[data-hook=entries]", "data-count"); err != nil || n != "75" {
			t.Errorf("there are %s entries, %v", n, err)
		}
		wantRows(t, b, "harbour/list of all that is in it.txt", "harbour/letters/", "harbour/empty folder/", "harbour/photographs/")
		if text, err := b.Text("[data-hook=folder][data-name='harbour/photographs/']"); err != nil || !strings.Contains(text, "70 files") || !strings.Contains(text, "1.40") {
			t.Errorf("a folder says %q, %v", text, err)
		}
		must(t, b.Click("[data-name='harbour/letters/'] [data-hook=toggle]"))
		wantRows(t, b, "harbour/list of all that is in it.txt", "harbour/letters/", "harbour/letters/Grüße an Ömer.pdf", "harbour/letters/old/", "harbour/empty folder/")
		must(t, b.Click("[data-name='harbour/letters/old/'] [data-hook=toggle]"))
		must(t, b.SetValue("[data-hook=sort]", "name"))
		wantRows(t, b, "harbour/letters/", "harbour/letters/old/", "harbour/letters/old/invoice 9.txt", "harbour/letters/old/invoice 10.txt",
			"harbour/letters/Grüße an Ömer.pdf", "harbour/photographs/", "harbour/empty folder/", "harbour/list of all that is in it.txt")
		must(t, b.SetValue("[data-hook=sort]", "size"))
		wantRows(t, b, "harbour/photographs/", "harbour/letters/")
		must(t, b.SetValue("[data-hook=sort]", "date"))
		wantRows(t, b, "harbour/photographs/", "harbour/empty folder/", "harbour/letters/")

		search(t, b, "IMG 1", `^70 of 75 have`)
		search(t, b, "no such thing <b>", `^Nothing in it is called “no such thing <b>”\.$`)
		search(t, b, "omer GRUSSE", `^1 of 75 has`)
		wantRows(t, b, "harbour/letters/Grüße an Ömer.pdf")
		if text, err := b.Text("[data-hook=entry] .name"); err != nil || text != "harbour/letters/Grüße an Ömer.pdf" {
			t.Errorf("it is shown as %q, %v", text, err)
		}
		got := save(t, b, "[data-hook=entry] [data-hook=entry-download]", 0)
		if data, err := os.ReadFile(got); err != nil || !bytes.Equal(data, share.bytes["harbour/letters/Grüße an Ömer.pdf"]) || filepath.Base(got) != "Grüße an Ömer.pdf" {
			t.Errorf("%d bytes are saved as %q, %v", len(data), filepath.Base(got), err)
		}
		wantTold(t, b, "facts", `^1\.\d+.MB of 2\.\d+.MB were fetched for this`)
		wantRows(t, b, "harbour/letters/Grüße an Ömer.pdf") // it is as it was left
		search(t, b, "", `^$`)
		wantRows(t, b, "harbour/photographs/")

		want := map[string]string{}
		for _, e := range share.entries {
			if strings.HasPrefix(e.Name, "harbour/letters/") {
				want[e.Name] = fmt.Sprintf("%d bytes %x, %d", e.Size, sha256.Sum256(share.bytes[e.Name]), e.Modified)
			}
		}
		got = save(t, b, "[data-name='harbour/letters/'] [data-hook=folder-download]", 0)
		wantSame(t, untar(t, got), want)
		if filepath.Base(got) != "letters.tar" {
			t.Errorf("the folder is saved as %q", filepath.Base(got))
		}
		wantQuiet(t, b)
	})
}

// TestEntriesByKeyboard: arrow keys go through the tree, in and out of folders, and never lose the focus; Tab leads to what can be done
// with a row, and out of the list.
func TestEntriesByKeyboard(t *testing.T) {
	sometimes(t)
	r := random(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		share := s.sealBundle(t, r, harbour(), harbourSize)
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share.link, "ready")
		press := func(keys ...rune) {
			t.Helper()
			for _, key := range keys {
				must(t, b.Press(key))
			}
		}
		tabTo(t, b, "[data-hook=filter]")
		tabTo(t, b, "[data-hook=sort]")
		tabTo(t, b, "[data-name='harbour/letters/'] [data-hook=toggle]")
		press(webdriver.Enter)
		wantFocus(t, b, "[data-name='harbour/letters/'] [data-hook=toggle][aria-expanded=true]")
		press(webdriver.Right)
		wantFocus(t, b, "[data-name='harbour/letters/Grüße an Ömer.pdf'] button")
		press(webdriver.Down)
		wantFocus(t, b, "[data-name='harbour/letters/old/'] button")
		press(webdriver.Right)
		wantFocus(t, b, "[data-name='harbour/letters/old/'] button")
		wantRows(t, b, "harbour/list of all that is in it.txt", "harbour/letters/", "harbour/letters/Grüße an Ömer.pdf", "harbour/letters/old/", "harbour/letters/old/invoice 10.txt")
		press(webdriver.Left, webdriver.Left)
		wantFocus(t, b, "[data-name='harbour/letters/'] button")
		press(webdriver.Left)
		wantRows(t, b, "harbour/list of all that is in it.txt", "harbour/letters/", "harbour/empty folder/")
		press(webdriver.End)
		wantFocus(t, b, "[data-name='harbour/photographs/'] button")
		press(webdriver.Right, webdriver.End)
		wantFocus(t, b, "[data-name='harbour/photographs/IMG 101.jpg'] button")
		press(webdriver.Home)
		wantFocus(t, b, "[data-name='harbour/list of all that is in it.txt'] button")
		tabTo(t, b, "[data-name='harbour/list of all that is in it.txt'] [data-hook=entry-download]")
		press(webdriver.Down)
		wantFocus(t, b, "[data-name='harbour/letters/'] [data-hook=folder-download]") // in the same column
		press(webdriver.Up)
		before := saved(b)
		press(webdriver.Enter)
		wantFocus(t, b, "[data-state=done] h1")
		if data, err := os.ReadFile(newFile(t, b, before)); err != nil || !bytes.Equal(data, share.bytes["harbour/list of all that is in it.txt"]) {
			t.Errorf("%d bytes were saved, %v", len(data), err)
		}
	})
}

// TestWholeParts: for one file out of a share of many parts its parts are fetched, and those with the table, each of them whole and
// once; of the first no more than what every content begins with. A connection that breaks changes nothing about that.
func TestWholeParts(t *testing.T) {
	sometimes(t)
	r := random(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		var names []string
		for i := range 30 {
			names = append(names, fmt.Sprintf("%02d.bin", i))
		}
		share := s.sealBundle(t, r, names, func(name string) int {
			if name == "15.bin" {
				return 300_000
			}
			return 400_000
		})
		id := s.reader(t, share.link, "").id
		sizes := map[int64]int64{}
		for name, path := range s.parts() {
			var n int64
			if _, err := fmt.Sscanf(strings.TrimPrefix(name, id+"/"), "%d-", &n); err == nil && strings.HasPrefix(name, id) && n > 0 {
				info, err := os.Stat(path)
				must(t, err)
				sizes[n] = info.Size()
			}
		}
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share.link, "ready")
		cuts := 3
		s.tap.set(func(tp *tap) {
			tp.slowDown = 1 << 20 // else all is on its way when it breaks
			tp.cutsDown = func() int64 {
				if cuts == 0 {
					return 0
				}
				cuts--
				return 150 << 10
			}
		})
		got := save(t, b, "[data-name='15.bin'] [data-hook=entry-download]", 0)
		if data, err := os.ReadFile(got); err != nil || !bytes.Equal(data, share.bytes["15.bin"]) {
			t.Errorf("%d bytes were saved, %v", len(data), err)
		}
		var sum int64
		parts := 0
		s.tap.set(func(tp *tap) {
			for n, size := range sizes {
				sent := tp.fetched[fmt.Sprintf("%s/%d", id, n)]
				sum += sent
				if n == 1 && sent == 184 || sent == 0 {
					continue
				}
				parts++
				if again := sent - size; again < 0 || again > 3*40<<10 { // what was on its way when it broke
					t.Errorf("of part %d, which has %d bytes, %d were sent", n, size, sent)
				}
				if last := int64(len(sizes)); n != last && n != last-1 && (n < 6 || n > 8) { // it is in the sixth and seventh frame
					t.Errorf("part %d was sent", n)
				}
			}
		})
		if cuts > 0 {
			t.Errorf("%d answers were still to be cut", cuts)
		}
		if parts < 3 || parts > 5 {
			t.Errorf("%d of %d parts were sent", parts, len(sizes))
		}
		t.Logf("%s: for %d bytes %d were sent, of %d parts of %d", engine, 300_000, sum, parts, len(sizes))
		wantTold(t, b, "facts", `^\d\.\d+.MB of 1\d\.\d.MB were fetched for this`)
	})
}

// sluggish is a page that takes longer than that to heed what one does.
const sluggish = 400 * time.Millisecond

// TestVeryLongList: a share of a hundred thousand things opens in seconds, and the page stays quick: scrolling, putting in order,
// searching, opening and closing what is all of it, with a few rows at a time.
func TestVeryLongList(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	entries := make([]seal.Entry, 100_000)
	for i := range entries {
		entries[i].Name = fmt.Sprintf("many/of them/%06d.txt", i*7919%50_000)
		if i >= 50_000 {
			entries[i].Name = fmt.Sprintf("many/of them/others/Größe %d.txt", i)
		}
	}
	found := 0
	for i := 50_000; i < 100_000; i++ {
		if strings.Contains(fmt.Sprint(i), "77") {
			found++
		}
	}
	share := s.seal(t, seal.KindTar, "", entries)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		_, err := b.Eval(observing)
		must(t, err)
		quick := func(what string) {
			t.Helper()
			v, err := b.Eval(`await new Promise(r=>setTimeout(r,100));const longest=window.stalled;window.stalled=0;
				return [longest,document.querySelectorAll('[data-hook=entries]>li').length]`)
			must(t, err)
			stood, rows := time.Duration(v.([]any)[0].(float64)*float64(time.Millisecond)), v.([]any)[1].(float64)
			t.Logf("%s, %s: the page stood still for %v at most, with %v rows", engine, what, stood.Round(time.Millisecond), rows)
			if stood > sluggish {
				t.Errorf("%s, %s: the page stood still for %v", engine, what, stood)
			}
			if rows < 5 || rows > 200 {
				t.Errorf("%s, %s: there are %v rows", engine, what, rows)
			}
		}
		if n, err := b.Attr("[data-hook=entries]", "data-count"); err != nil || n != "100000" {
			t.Errorf("there are %s entries, %v", n, err)
		}
		wantRows(t, b, "many/of them/000000.txt", "many/of them/007919.txt")
		quick("opened")
		for _, to := range []string{"l.scrollHeight", "l.scrollHeight/3", "l.scrollTop+100", "l.scrollTop-300"} {
			_, err := b.Eval("const l=document.querySelector('[data-hook=entries]');l.scrollTop=" + to)
			must(t, err)
			must(t, b.WaitFor(`const l=document.querySelector('[data-hook=entries]').getBoundingClientRect();
				const there=document.elementFromPoint(l.left+20,l.top+l.height/2);return !!there?.closest('[data-row]')`, patience))
		}
		quick("scrolled")
		must(t, b.SetValue("[data-hook=sort]", "name"))
		wantRows(t, b, "many/of them/others/", "many/of them/000000.txt", "many/of them/000001.txt")
		quick("in order")
		must(t, b.Click("[data-hook=toggle]"))
		wantRows(t, b, "many/of them/others/", "many/of them/others/Größe 50000.txt", "many/of them/others/Größe 50001.txt")
		quick("all of it open")
		if v, err := b.Eval("const e=document.querySelectorAll('[data-row]')[2];return e.ariaLevel+' '+e.ariaPosInSet+' '+e.ariaSetSize"); err != nil || v != "2 2 50000" {
			t.Errorf("a row says that it is %v, %v", v, err)
		}
		must(t, b.Press(webdriver.End))
		wantFocus(t, b, "[data-hook=entry] button")
		if v, err := b.Eval("return document.activeElement.closest('li').dataset.name"); err != nil || v != "many/of them/049999.txt" {
			t.Errorf("the last is %v, %v", v, err)
		}
		if n := elements(t, b, "[data-hook=entries] button:not([tabindex='-1'])"); n != 2 { // of the row that one is at: it can be looked at and saved
			t.Errorf("Tab stops at %d buttons of the list", n)
		}
		must(t, b.Press(webdriver.Home))
		wantFocus(t, b, "[data-hook=folder] button")
		quick("from end to end")
		search(t, b, "GROSSE 77", fmt.Sprintf(`^%d,%03d of 100,000 have`, found/1000, found%1000))
		wantRows(t, b, "many/of them/others/Größe 50077.txt", "many/of them/others/Größe 50177.txt")
		quick("searched")
		got := save(t, b, "[data-hook=entry]:nth-child(2) [data-hook=entry-download]", 0)
		if filepath.Base(got) != "Größe 50177.txt" {
			t.Errorf("saved as %s", got)
		}
		search(t, b, "", "^$")
		quick("all again")
	})
}

// TestNamesInTree: no name that a sender can give breaks the layout, nor does a folder that is deep in others.
func TestNamesInTree(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	s.tap.observe()
	names := []string{emojiName, rtlName + "/" + rtlName, spaceName, longName, longName[:100] + "/" + longName, strings.Repeat("W", 255),
		strings.Repeat("👩‍👩‍👧‍👦", 10), "a\u202efdp.exe/b\u2066\u0007.txt", " /leading", "x/" + strings.Repeat("W", 255) + "/y"}
	for i := range 10 {
		names = append(names, strings.Repeat("ten/levels/of/100/which/are/shown/as/one/folder/", i+1)+fmt.Sprintf("%d.txt", i))
	}
	entries := make([]seal.Entry, len(names))
	for i, name := range names {
		entries[i] = seal.Entry{Name: name, Modified: 1_600_000_000}
	}
	share := s.seal(t, seal.KindTar, "", entries)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		open(t, b, share, "ready")
		if n := elements(t, b, "[data-hook=folder]"); n != 15 {
			t.Errorf("there are %d folders", n)
		}
		for _, v := range []view{wide, phone, narrow} {
			must(t, b.SetWindowSize(v.width, v.height))
			for _, top := range []string{"0", "l.scrollHeight"} {
				_, err := b.Eval("const l=document.querySelector('[data-hook=entries]');l.scrollTop=" + top)
				must(t, err)
				settle(t, b)
				wantNoSidewaysScrolling(t, b, v.name)
				wantNothingCut(t, b, v.name)
			}
		}
		wantQuiet(t, b)
	})
}
