package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// listed is a row of the list.
type listed struct {
	ID, State, Name, Until, Left string
	Taken                        int
	Asked                        bool
}

// mine opens the list and returns it, when the server was asked about all that is in it.
func (s *site) mine(t *testing.T, b *webdriver.Browser) []listed {
	t.Helper()
	must(t, b.Go(s.url+"/mine"))
	must(t, b.WaitFor(`return document.querySelector('main').dataset.state!=='loading'&&
		[...document.querySelectorAll('[data-hook=share]')].every(e=>e.dataset.state==='gone'||e.hasAttribute('data-asked'))`, patience))
	return list(t, b)
}

func list(t *testing.T, b *webdriver.Browser) (all []listed) {
	t.Helper()
	v, err := b.Eval(`return JSON.stringify([...document.querySelectorAll('[data-hook=share]')].map(e=>({ID:e.dataset.id,State:e.dataset.state,
		Name:e.querySelector('.name').textContent,Until:e.querySelector('[data-hook=until]').textContent,Asked:e.hasAttribute('data-asked'),
		Left:e.querySelector('[data-hook=left]').dataset.left,Taken:Number(e.querySelector('[data-hook=left]').dataset.taken)})))`)
	must(t, err)
	must(t, json.Unmarshal([]byte(v.(string)), &all))
	return all
}

// of is a selector of something in the row of a share.
func (r reader) of(hook string) string {
	return fmt.Sprintf("[data-hook=share][data-id='%s'] [data-hook=%s]", r.id, hook)
}

// twice presses a button that asks first.
func twice(t *testing.T, b *webdriver.Browser, css string) {
	t.Helper()
	must(t, b.Click(css))
	must(t, b.WaitFor("return /Really/.test(document.querySelector(a[0])?.textContent)", patience, css))
	must(t, b.Click(css))
}

// wantRow waits until the row of a share is as it should be.
func (r reader) wantRow(t *testing.T, b *webdriver.Browser, condition string) {
	t.Helper()
	err := b.WaitFor(`const e=document.querySelector("[data-hook=share][data-id='"+a[0]+"']");
		const text=h=>e.querySelector('[data-hook='+h+']').textContent;return e&&(`+condition+")", patience, r.id)
	if err != nil {
		t.Fatalf("%v; the list is %+v", err, list(t, b))
	}
}

// keptLinks is how many links the browser keeps.
func keptLinks(t *testing.T, b *webdriver.Browser) int {
	t.Helper()
	v, err := b.Eval(`if(!(await indexedDB.databases()).some(d=>d.name==='sealpost shares'))return 0;
		const db=await new Promise((ok,no)=>{const r=indexedDB.open('sealpost shares');r.onsuccess=()=>ok(r.result);r.onerror=no});
		const n=await new Promise(ok=>{const r=db.transaction('shares').objectStore('shares').count();r.onsuccess=()=>ok(r.result)});db.close();return n`)
	must(t, err)
	return int(v.(float64))
}

// TestMine: who has sent three things sees them, the newest first; copies a link again, prolongs and shortens one, changes how often
// it may be downloaded and sees how often it was, takes it back, and forgets one, which still works for others.
func TestMine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	letter := writeFile(t, filepath.Join(dir, "letter <b>.txt"), []byte("a letter"))
	writeFile(t, filepath.Join(dir, "harbour", "one.jpg"), noise(random(t), 50_000))
	writeFile(t, filepath.Join(dir, "harbour", "two.jpg"), noise(random(t), 50_000))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		first := s.reader(t, s.send(t, b, parcel{files: []string{letter}, expiry: "3600"}), "")
		note := s.reader(t, s.send(t, b, parcel{note: "a note"}), "")
		folder := s.reader(t, s.send(t, b, parcel{folder: filepath.Join(dir, "harbour"), downloads: "5"}), "")
		must(t, b.WaitFor("return document.querySelector('[data-hook=keeping] a')?.getAttribute('href')==='/mine'", patience))
		wantQuiet(t, b)

		rows := s.mine(t, b)
		want := []listed{
			{ID: folder.id, State: "ready", Name: "harbour/", Left: "5"}, {ID: note.id, State: "ready", Name: "A note", Left: "any"},
			{ID: first.id, State: "ready", Name: "letter <b>.txt", Left: "any"},
		}
		for i, row := range rows {
			row.Until, row.Asked = "", false
			if len(rows) != 3 || row != want[i] {
				t.Fatalf("the list is %+v", rows)
			}
		}

		_, err := b.Eval("Object.defineProperty(navigator,'clipboard',{value:{writeText:async t=>{window.copied=t}},configurable:true})")
		must(t, err)
		must(t, b.Click(first.of("share-copy")))
		must(t, b.WaitFor("return window.copied===a[0]", patience, s.url+"/d/"+first.id+"#"+first.fragment))

		must(t, b.Click(first.of("share-qr")))
		must(t, b.WaitForElement("[data-hook=qr-window] svg", patience))
		must(t, b.Click("[data-hook=qr-close]"))
		wantFocus(t, b, first.of("share-qr"))

		terms := func(r reader, hook, value string) api.Share {
			t.Helper()
			must(t, b.Click(r.of("extend")))
			must(t, b.WaitForElement(r.of("terms"), patience))
			v, err := b.Eval(`const e=document.querySelector(a[0]);const o=[...e.options].find(o=>o.text===a[1]);e.value=o?.value??'there is no '+a[1];
				e.dispatchEvent(new Event('change',{bubbles:true}));return e.selectedOptions[0]?.text`, r.of(hook), value)
			if err != nil || v != value {
				t.Fatalf("%s cannot be %q, %v, %v", hook, value, v, err)
			}
			must(t, b.Click(r.of("terms-save")))
			r.wantRow(t, b, "!e.querySelector('form')")
			wantFocus(t, b, r.of("extend"))
			share, ok := r.share(t)
			if !ok {
				t.Fatal("it is gone")
			}
			return share
		}
		if share := terms(first, "expiry", "for 7 days from now"); share.Expires-share.Now < 7*86400-60 || share.Expires-share.Now > 7*86400+2 {
			t.Errorf("prolonged to %d s", share.Expires-share.Now)
		}
		first.wantRow(t, b, "text('until').includes('Open for 7 days more')||text('until').includes('6 days')")
		if share := terms(first, "expiry", "for as long as possible"); share.Lifetime != 30*86400 {
			t.Errorf("prolonged to %d s", share.Lifetime)
		}
		if share := terms(first, "expiry", "for 5 minutes from now"); share.Expires-share.Now > 302 || share.Expires-share.Now < 200 {
			t.Errorf("shortened to %d s", share.Expires-share.Now)
		}
		folder.take(t)
		folder.take(t)
		rows = s.mine(t, b)
		if rows[0].Taken != 2 || rows[0].Left != "3" {
			t.Errorf("after two downloads the row is %+v", rows[0])
		}
		if share := terms(folder, "downloads", "1 more download"); share.MaxDownloads != 3 || *share.Left != 1 {
			t.Errorf("changed to %d downloads", share.MaxDownloads)
		}
		folder.wantRow(t, b, "text('left')==='2 of 3 downloads taken, 1 left.'")
		if share := terms(folder, "downloads", "any number of downloads"); share.MaxDownloads != 0 {
			t.Errorf("changed to %d downloads", share.MaxDownloads)
		}
		folder.wantRow(t, b, "text('left')==='2 downloads taken, any number left.'")

		must(t, b.Click(folder.of("revoke")))
		if _, ok := folder.share(t); !ok {
			t.Error("it is gone without another word")
		}
		must(t, b.Click(folder.of("revoke")))
		folder.wantRow(t, b, "e.dataset.state==='gone'&&/^Taken back/.test(text('until'))")
		wantFocus(t, b, folder.of("share-forget"))
		if _, ok := folder.share(t); ok {
			t.Error("it is still there")
		}
		twice(t, b, note.of("share-forget"))
		eventually(t, "the note is not in the list", patience, func() bool { return len(list(t, b)) == 2 })
		if _, ok := note.share(t); !ok {
			t.Error("what was forgotten here is gone")
		}
		wantQuiet(t, b)
		rows = s.mine(t, b)
		if len(rows) != 2 || rows[0].State != "gone" || !strings.HasPrefix(rows[0].Until, "Taken back") || rows[1].ID != first.id {
			t.Errorf("the list is %+v", rows)
		}
		open(t, b, s.url+"/d/"+folder.id+"#"+folder.fragment, "gone")
	})
}

// TestGoneElsewhere: what the server does not have any more is told as far as that can be known, and what has no answer is not called gone.
func TestGoneElsewhere(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		spent := s.reader(t, s.send(t, b, parcel{note: "spent", downloads: "1"}), "")
		limited := s.reader(t, s.send(t, b, parcel{note: "limited", downloads: "5"}), "")
		free := s.reader(t, s.send(t, b, parcel{note: "free"}), "")
		spent.take(t)
		s.mine(t, b)
		spent.wantRow(t, b, "text('left')==='1 of 1 downloads taken, 0 left.'")
		_, err := s.database().Exec("UPDATE shares SET expires=1")
		must(t, err)
		mend := s.tap.cut("/api/v1/")
		must(t, b.Go(s.url+"/mine"))
		must(t, b.WaitFor("return /cannot be reached.*said before/.test(document.querySelector('[data-hook=error]').textContent)", patience))
		free.wantRow(t, b, "e.dataset.state==='ready'&&/as of today/.test(e.textContent)")
		mend()
		_, err = b.Eval("document.querySelector('[data-hook=retry]').click()") // or the page has asked by then
		must(t, err)
		spent.wantRow(t, b, "e.dataset.state==='gone'&&/^It was downloaded as often/.test(text('until'))")
		limited.wantRow(t, b, "e.dataset.state==='gone'&&/downloaded as often.*taken back.*or taken down/.test(text('until'))")
		free.wantRow(t, b, "e.dataset.state==='gone'&&/taken back on another device, or taken down/.test(text('until'))")
		must(t, b.WaitFor("return document.querySelector('[data-hook=error]').hidden", patience))

		var asked atomic.Int32
		s.tap.set(func(tp *tap) {
			tp.delays = func(r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/api/v1/shares/") {
					asked.Add(1)
				}
			}
		})
		if rows := s.mine(t, b); len(rows) != 3 || asked.Load() != 0 {
			t.Errorf("of what is gone the server was asked again, %d times: %+v", asked.Load(), rows)
		}
		twice(t, b, "[data-hook=forget-all]")
		must(t, b.WaitFor("return document.querySelector('main').dataset.state==='empty'", patience))
		if n := keptLinks(t, b); n != 0 {
			t.Errorf("%d links are left", n)
		}
	})
}

// TestServersTerms: what the server does not allow is told in words, and nothing is changed by it.
func TestServersTerms(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		r := s.reader(t, s.send(t, b, parcel{note: "terms"}), "")
		s.mine(t, b)
		for code, said := range map[api.Code]string{api.CodeBadLifetime: "Choose a shorter time", api.CodeBadDownloads: "Choose fewer"} {
			s.tap.answer("PATCH", r.id, api.NewProblem(code))
			if v, _ := b.Eval("return !!document.querySelector('[data-hook=terms]')"); v != true {
				must(t, b.Click(r.of("extend")))
			}
			must(t, b.WaitForElement(r.of("terms"), patience))
			must(t, b.SetValue(r.of("downloads"), "5"))
			must(t, b.Click(r.of("terms-save")))
			must(t, b.WaitFor("return document.querySelector(a[0]).textContent.includes(a[1])", patience, r.of("share-error"), said))
		}
		s.tap.answer("", "", nil)
		must(t, b.Click(r.of("terms-cancel")))
		r.wantRow(t, b, "e.querySelector('[data-hook=share-error]').hidden&&!e.querySelector('form')")
		if share, ok := r.share(t); !ok || share.MaxDownloads != 0 {
			t.Errorf("the share is %+v", share)
		}
	})
}

// TestNotKept: a person may choose that a link is not kept, before it is sent and after, and the choice lasts.
func TestNotKept(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		b := launch(t, engine, webdriver.Options{})
		const keeping = "return new RegExp(a[0]).test(document.querySelector('[data-hook=keeping]').textContent)"
		s.send(t, b, parcel{note: "forgotten after"})
		must(t, b.WaitFor(keeping, patience, "is listed under My shares"))
		if n := keptLinks(t, b); n != 1 {
			t.Errorf("%d links are kept", n)
		}
		must(t, b.Click("[data-hook=unkeep]"))
		must(t, b.WaitFor(keeping, patience, "has forgotten the link"))
		wantFocus(t, b, "[data-hook=copy]")
		if n := keptLinks(t, b); n != 0 {
			t.Errorf("%d links are left", n)
		}
		must(t, b.Click("[data-hook=again]"))
		must(t, b.SetValue("[data-hook=keep]", "no"))
		must(t, b.SetValue("[data-hook=note]", "never kept"))
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "done")
		must(t, b.WaitFor(keeping, patience, "does not keep the link"))
		s.send(t, b, parcel{note: "nor this one"})
		must(t, b.WaitFor(keeping, patience, "does not keep the link"))
		if n := keptLinks(t, b); n != 0 {
			t.Errorf("%d links are kept", n)
		}
		if v, err := b.Value("[data-hook=keep]"); err != nil || v != "no" {
			t.Errorf("the choice is %q, %v", v, err)
		}
		if rows := s.mine(t, b); len(rows) != 0 {
			t.Errorf("the list is %+v", rows)
		}
	})
}

// TestLinksExpire: what has expired is erased, on the page that lists it while it is open, and on any other when it is visited.
func TestLinksExpire(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-lifetimes", "8s,1h", "-default-lifetime", "1h")
		b := launch(t, engine, webdriver.Options{})
		r := s.reader(t, s.send(t, b, parcel{note: "soon over", expiry: "8"}), "")
		s.mine(t, b)
		r.wantRow(t, b, "e.dataset.state==='ready'")
		r.wantRow(t, b, "e.dataset.state==='gone'&&/^It has expired/.test(text('until'))")
		eventually(t, "its link is erased", patience, func() bool { return keptLinks(t, b) == 0 })

		s.send(t, b, parcel{note: "soon over, too", expiry: "8"})
		s.send(t, b, parcel{note: "later"})
		must(t, b.Go("about:blank"))
		time.Sleep(8 * time.Second)
		must(t, b.Go(s.url+"/d/AAAAAAAAAAAAAAAA#"+r.fragment))
		wantState(t, b, patience, "gone")
		eventually(t, "one link is erased", patience, func() bool { return keptLinks(t, b) == 1 })
	})
}

// TestUnfinishedMine: an unfinished upload is in the list, with a way to go on with it, and can be given up there.
func TestUnfinishedMine(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "512KiB")
		b := launch(t, engine, webdriver.Options{})
		file := mixedFile(t, "unfinished.bin", 7<<20)
		done := s.reader(t, s.send(t, b, parcel{note: "finished"}), "")
		was := s.begin(t, b, parcel{files: []string{file}}, func() { must(t, b.Go(s.url+"/mine")) })
		r := s.reader(t, was.link, "")
		r.wantRow(t, b, "e.dataset.state==='open'")
		if rows := s.mine(t, b); len(rows) != 2 || rows[0].ID != r.id || rows[0].Name != "unfinished.bin" || rows[1].ID != done.id {
			t.Fatalf("the list is %+v", rows)
		}
		must(t, b.Click(r.of("share-go")))
		must(t, b.WaitForElement("[data-hook=offer-files]", patience))
		must(t, b.SendKeys("[data-hook=offer-files]", file))
		s.wantResumed(t, b, was)
		if rows := s.mine(t, b); len(rows) != 2 || rows[0].ID != r.id || rows[0].State != "ready" {
			t.Errorf("the list is %+v", rows)
		}

		// One whose link is not to be kept is there for as long as it is unfinished, as its key is.
		choose := func(keep string) {
			t.Helper()
			must(t, b.Go(s.url+"/"))
			must(t, b.WaitFor("return document.querySelector('[data-hook=keep]').value===(localStorage.getItem('sealpost keep')??'yes')", patience))
			must(t, b.SetValue("[data-hook=keep]", keep))
			must(t, b.WaitFor("return localStorage.getItem('sealpost keep')===a[0]", patience, keep))
		}
		choose("no")
		was = s.begin(t, b, parcel{files: []string{file}}, func() { must(t, b.Go(s.url+"/mine")) })
		r = s.reader(t, was.link, "")
		r.wantRow(t, b, "e.dataset.state==='open'")
		if n := keptLinks(t, b); n != 2 {
			t.Errorf("%d links are kept", n)
		}
		s.mine(t, b)
		twice(t, b, r.of("share-forget"))
		eventually(t, "it is given up", patience, func() bool { return len(list(t, b)) == 2 && journaled(t, b) == 0 })
		if _, ok := r.share(t); ok {
			t.Error("the server still has it")
		}

		// What is cancelled is not kept.
		s.tap.set(func(tp *tap) { tp.slowUp = 192 << 10 })
		choose("yes")
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving, patience))
		if n := keptLinks(t, b); n != 3 {
			t.Errorf("%d links are kept", n)
		}
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		if n := keptLinks(t, b); n != 2 {
			t.Errorf("%d links are kept of what was cancelled", n-2)
		}
	})
}

// TestNothingIsKept: where a browser keeps nothing, sending works, and the page says that there is no list.
func TestNothingIsKept(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		const forbid = "IDBFactory.prototype.open=()=>{throw new DOMException('no','SecurityError')};"
		s.tap.set(func(tp *tap) {
			tp.inject = forbid
			tp.scripts = map[string]string{"/worker/upload.js": forbid}
		})
		b := launch(t, engine, webdriver.Options{})
		s.send(t, b, parcel{note: "not kept"})
		must(t, b.WaitFor("return /does not keep the link/.test(document.querySelector('[data-hook=keeping]').textContent)", patience))
		s.mine(t, b)
		if said := message(b); !strings.Contains(said, "keeps nothing for this page") {
			t.Errorf("the page says %q", said)
		}
	})
}

// TestLongList: thousands of links are listed at once, and the server is asked only about those that are looked at.
func TestLongList(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		var asked atomic.Int32
		s.tap.set(func(tp *tap) {
			tp.refuses = func(r *http.Request) *api.Problem {
				if !strings.HasPrefix(r.URL.Path, "/api/v1/shares/") {
					return nil
				}
				asked.Add(1)
				return api.NewProblem(api.CodeNotFound)
			}
		})
		b := launch(t, engine, webdriver.Options{})
		must(t, b.Go(s.url+"/mine"))
		wantState(t, b, patience, "empty")
		const n = 3000
		_, err := b.Eval(`const {put}=await import(document.querySelector('script[src$="/js/mine.js"]').src.replace('mine.js','kept.js'));
			await put(Array.from({length:a[0]},(_,i)=>({id:String(i).padStart(16,'A'),fragment:'E'.repeat(44),owner:'o'.repeat(43),password:false,kind:'file',names:['file '+i],
				more:0,files:1,size:i,created:Date.now()+i,expires:Date.now()+3600e3,lifetime:3600,maxDownloads:0,taken:0,state:'ready',seen:Date.now(),gone:''})))`, n)
		must(t, err)
		t0 := time.Now()
		must(t, b.Go(s.url+"/mine"))
		wantState(t, b, patience, "ready")
		took := time.Since(t0)
		if rows := list(t, b); len(rows) > 400 || rows[0].Name != fmt.Sprint("file ", n-1) {
			t.Errorf("%d rows, the first is %+v", len(rows), rows[0])
		}
		must(t, b.WaitFor("return document.querySelector('[data-hook=share]').dataset.state==='gone'", patience))
		time.Sleep(time.Second)
		t.Logf("%s lists %d links in %v, and asks about %d of them", engine, n, took.Round(time.Millisecond), asked.Load())
		if asked.Load() > 60 || took > 10*time.Second {
			t.Errorf("%d questions, %v", asked.Load(), took)
		}
		err = b.WaitFor("scrollTo(0,document.documentElement.scrollHeight);return document.querySelectorAll('[data-hook=share]').length>=600", patience)
		if err != nil {
			t.Errorf("%v: there are %d rows", err, len(list(t, b)))
		}
	})
}
