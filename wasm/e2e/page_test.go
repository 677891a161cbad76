package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// moving is true once a transfer has come some way.
const moving = `return /sending|receiving/.test(document.querySelector('main').dataset.state)&&
	document.querySelector('[data-hook=progress]').value>0`

const patience = 60 * time.Second // for a step that takes a second or two on an idle machine

// parcel is what a test sends.
type parcel struct {
	files     []string // paths, chosen with the file input
	folder    string   // path, chosen with the folder input, natively or by script
	empty     string   // name of an empty folder, dropped by script
	note      string
	password  string
	expiry    string // value of the choice; "" keeps the default
	downloads string
	patience  time.Duration
	opened    func() // is called before anything is chosen
}

// send sends p through the page and returns the link.
func (s *site) send(t *testing.T, b *webdriver.Browser, p parcel) string {
	t.Helper()
	s.fill(t, b, p)
	must(t, b.Click("[data-hook=start]"))
	wantState(t, b, max(p.patience, patience), "done")
	link, err := b.Value("[data-hook=link]")
	must(t, err)
	if !strings.HasPrefix(link, s.url+"/d/") {
		t.Fatalf("the link is %q", link)
	}
	return link
}

// fill opens the page and makes it ready to send p.
func (s *site) fill(t *testing.T, b *webdriver.Browser, p parcel) {
	t.Helper()
	must(t, b.Go(s.url+"/"))
	must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
	if p.opened != nil {
		p.opened()
	}
	if len(p.files) > 0 {
		must(t, b.SendKeys("[data-hook=files]", strings.Join(p.files, "\n")))
	}
	if p.folder != "" {
		chooseFolder(t, b, p.folder)
	}
	if p.empty != "" {
		dropEmptyFolder(t, b, p.empty)
	}
	for hook, value := range map[string]string{"note": p.note, "password": p.password, "expiry": p.expiry, "downloads": p.downloads} {
		if value != "" {
			must(t, b.SetValue("[data-hook="+hook+"]", value))
		}
	}
	wantState(t, b, max(p.patience, patience), "ready")
	must(t, b.WaitFor("return !document.querySelector('[data-hook=start]').disabled", patience))
}

// chooseFolder chooses a folder natively in Chromium. The drivers of the others cannot, so there the files are chosen
// natively, as many single ones, and handed to the folder input as a browser would: with their paths. The bytes come from
// disk all the same.
func chooseFolder(t *testing.T, b *webdriver.Browser, dir string) {
	t.Helper()
	chooseFolderIn(t, b, "folder", dir)
}

func chooseFolderIn(t *testing.T, b *webdriver.Browser, hook, dir string) {
	t.Helper()
	if b.Engine == "chromium" {
		must(t, b.SendKeys("[data-hook="+hook+"]", dir))
		return
	}
	_, err := b.Eval(`window.chosen=[];const i=document.createElement('input');i.type='file';i.multiple=true;i.id='chooser';document.body.append(i)`)
	must(t, err)
	var paths, names []string
	root := filepath.Dir(dir)
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		paths, names = append(paths, path), append(names, name)
		return err
	}))
	const batch = 500
	for i := 0; i < len(paths); i += batch {
		n := min(batch, len(paths)-i)
		must(t, b.SendKeys("#chooser", strings.Join(paths[i:i+n], "\n")))
		v, err := b.Eval(`const i=document.getElementById('chooser');const n=i.files.length;
			[...i.files].forEach((f,k)=>{if(f.name!==a[0][k].split('/').pop())throw new Error(f.name+' is not '+a[0][k]);
				Object.defineProperty(f,'webkitRelativePath',{value:a[0][k]});window.chosen.push(f)});
			i.value='';return n`, names[i:i+n])
		must(t, err)
		if v != float64(n) {
			t.Fatalf("chose %v of %d files", v, n)
		}
	}
	_, err = b.Eval(`document.getElementById('chooser').remove();const d=new DataTransfer();for(const f of window.chosen)d.items.add(f);
		const i=document.querySelector('[data-hook='+a[0]+']');const files=d.files;
		window.chosen.forEach((f,k)=>{if(files[k].webkitRelativePath!==f.webkitRelativePath)
			Object.defineProperty(files[k],'webkitRelativePath',{value:f.webkitRelativePath})});
		Object.defineProperty(i,'files',{value:files,configurable:true});
		i.dispatchEvent(new Event('change',{bubbles:true}));delete i.files;delete window.chosen`, hook)
	must(t, err)
}

// dropEmptyFolder drops a folder that has nothing in it, which is the only way to send one.
func dropEmptyFolder(t *testing.T, b *webdriver.Browser, name string) {
	t.Helper()
	_, err := b.Eval(`const entry={isDirectory:true,isFile:false,name:a[0],createReader:()=>({readEntries:ok=>ok([])})};
		const e=new Event('drop',{bubbles:true,cancelable:true});
		Object.defineProperty(e,'dataTransfer',{value:{files:[],types:['Files'],items:[{kind:'file',webkitGetAsEntry:()=>entry,getAsFile:()=>null}]}});
		document.querySelector('main').dispatchEvent(e)`, name)
	must(t, err)
}

// wantState waits until the page is in one of the wanted states, and gives up when it gets into a last one that is not.
func wantState(t *testing.T, b *webdriver.Browser, timeout time.Duration, want ...string) string {
	t.Helper()
	stop := append([]string{"error", "gone", "done"}, want...)
	err := b.WaitFor("return a[0].includes(document.querySelector('main')?.dataset.state)", timeout, stop)
	state, _ := b.Attr("main", "data-state")
	if err != nil || !slices.Contains(want, state) {
		t.Fatalf("%s: state is %q, want %q (%v); message: %q", b.Engine, state, want, err, message(b))
	}
	return state
}

// message is the error that the page shows, or "".
func message(b *webdriver.Browser) string {
	v, _ := b.Eval(`const e=document.querySelector('[data-hook=error]');return e&&!e.hidden?e.textContent:''`)
	s, _ := v.(string)
	return s
}

// open opens a link afresh and waits for the state.
func open(t *testing.T, b *webdriver.Browser, link string, want ...string) string {
	t.Helper()
	must(t, b.Go("about:blank"))
	must(t, b.Go(link))
	return wantState(t, b, patience, want...)
}

// unlock gives the password to a page that asks for it.
func unlock(t *testing.T, b *webdriver.Browser, password string) {
	t.Helper()
	must(t, b.SetValue("[data-hook=password]", password))
	must(t, b.Click("[data-hook=unlock]"))
}

// receive opens the link and saves all that is in it. It returns the path of the saved file.
func receive(t *testing.T, b *webdriver.Browser, link, password string, wait time.Duration) string {
	t.Helper()
	open(t, b, link, "ready", "locked")
	if password != "" {
		unlock(t, b, password)
		wantState(t, b, patience, "ready")
	}
	return save(t, b, "[data-hook=download]", wait)
}

// save clicks a button that saves something, and returns the path of the saved file once the page says that it is whole.
func save(t *testing.T, b *webdriver.Browser, button string, wait time.Duration) string {
	t.Helper()
	before := saved(b)
	must(t, b.Click(button))
	must(t, b.WaitFor("return document.querySelector('main').dataset.state!=='ready'", patience))
	wantState(t, b, max(wait, patience), "done")
	return newFile(t, b, before)
}

// newFile is the path of the file that was saved since there were those before.
func newFile(t *testing.T, b *webdriver.Browser, before []string) (path string) {
	t.Helper()
	eventually(t, "the browser has written the file: "+fmt.Sprint(listing(b)), patience, func() bool {
		for _, p := range saved(b) {
			if !slices.Contains(before, p) && unchanging(b, p) {
				path = p
			}
		}
		return path != ""
	})
	return path
}

// saved lists the files that look complete to a person who looks into the downloads folder.
func saved(b *webdriver.Browser) []string {
	entries, _ := os.ReadDir(b.Downloads)
	var paths []string
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".part", ".crdownload", ".wkdownload":
			continue
		}
		if strings.HasPrefix(e.Name(), ".") || keptByFirefox(b, e) {
			continue // Chromium begins under a hidden name
		}
		paths = append(paths, filepath.Join(b.Downloads, e.Name()))
	}
	return paths
}

// keptByFirefox says whether the file is the empty one with which Firefox keeps the place of NAME.EXT while it writes to
// NAME.EXT.part or NAME.random.EXT.part, and after it failed to.
func keptByFirefox(b *webdriver.Browser, e os.DirEntry) bool {
	if info, err := e.Info(); err != nil || info.Size() > 0 {
		return err == nil && exists(filepath.Join(b.Downloads, e.Name()+".part"))
	}
	ext := filepath.Ext(e.Name())
	stem := strings.TrimSuffix(e.Name(), ext)
	others, _ := os.ReadDir(b.Downloads)
	return slices.ContainsFunc(others, func(o os.DirEntry) bool {
		return strings.HasPrefix(o.Name(), stem) && strings.HasSuffix(o.Name(), ext+".part")
	})
}

// listing is all that lies in the downloads folder, with sizes, for messages.
func listing(b *webdriver.Browser) (all []string) {
	entries, _ := os.ReadDir(b.Downloads)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			all = append(all, fmt.Sprintf("%s (%d)", e.Name(), info.Size()))
		}
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// unchanging says whether the file has had its size for a moment, and nothing is left of the way it was written.
func unchanging(b *webdriver.Browser, path string) bool {
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			return -1
		}
		return info.Size()
	}
	for first, range5 := size(), 0; range5 < 5; range5++ {
		time.Sleep(60 * time.Millisecond)
		if first < 0 || size() != first || !slices.Contains(saved(b), path) {
			return false
		}
	}
	return true
}
