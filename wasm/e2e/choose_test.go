package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestChoosing: what is pasted, dropped and written is taken as it was meant, and nothing of it is cut or lost without a word.
func TestChoosing(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		must(t, b.Go(s.url+"/"))
		must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))

		// Office programs put a picture of the text beside it.
		const paste = `const d=new DataTransfer();for(const [n,t] of a[1])d.items.add(new File([n],n,{type:t}));if(a[2])d.setData('text/plain',a[2]);
			const e=new ClipboardEvent('paste',{bubbles:true,cancelable:true});Object.defineProperty(e,'clipboardData',{value:d});
			return document.querySelector(a[0]).dispatchEvent(e)`
		picture := [][]string{{"image.png", "image/png"}}
		if v, err := b.Eval(paste, "[data-hook=note]", picture, "text"); err != nil || v != true {
			t.Errorf("%s: text with a picture of it is not pasted as text: %v, %v", engine, v, err)
		}
		if v, err := b.Eval(paste, "[data-hook=note]", picture, ""); err != nil || v != false {
			t.Errorf("%s: a picture is not taken: %v, %v", engine, v, err)
		}
		must(t, b.WaitFor("return document.querySelectorAll('[data-hook=file]').length===1", patience))

		v, err := b.Eval(`const n=document.querySelector('[data-hook=note]');n.focus();document.execCommand('insertText',false,'word '.repeat(8000));return n.value.length`)
		if err != nil || v != 40_000.0 {
			t.Errorf("%s: of 40000 pasted characters there are %v, %v", engine, v, err)
		}

		// Text may be dropped where one writes, and nothing that is dropped leads away from the page.
		for place, taken := range map[string]bool{"[data-hook=note]": false, "main": true} {
			v, err := b.Eval(`const d=new DataTransfer();d.setData('text/plain','http://elsewhere.example/');
				return ['dragover','drop'].map(n=>{const e=new DragEvent(n,{bubbles:true,cancelable:true});
					Object.defineProperty(e,'dataTransfer',{value:d});return !document.querySelector(a[0]).dispatchEvent(e)})`, place)
			must(t, err)
			if got := v.([]any); got[0] != taken || got[1] != taken {
				t.Errorf("%s: text that is dropped on %s is taken from the browser: %v, want %v", engine, place, got, taken)
			}
		}

		// A folder in which the browser may not read everything.
		_, err = b.Eval(`const no=(ok,fail)=>fail(new DOMException('denied','NotReadableError'));
			const file={name:'secret.txt',isFile:true,isDirectory:false,file:no};let given=false;
			const folder={name:'folder',isDirectory:true,createReader:()=>({readEntries:ok=>ok(given?[]:(given=true,[file]))})};
			const e=new Event('drop',{bubbles:true,cancelable:true});
			Object.defineProperty(e,'dataTransfer',{value:{files:[],types:['Files'],items:[{kind:'file',webkitGetAsEntry:()=>folder,getAsFile:()=>null}]}});
			document.querySelector('main').dispatchEvent(e)`)
		must(t, err)
		must(t, b.WaitFor("return /folder\\/secret.txt.*nothing of what came with it/.test(document.querySelector('[data-hook=error]').textContent)", patience))
		wantState(t, b, patience, "ready")
	})
}

// TestLinkComes: the link can be copied as soon as there is one, and not before.
func TestLinkComes(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		release := s.tap.hold("/api/v1/shares")
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{note: "soon"})
		must(t, b.Click("[data-hook=start]"))
		wantState(t, b, patience, "sending")
		const disabled = "return document.querySelector('[data-hook=copy]').disabled"
		if v, err := b.Eval(disabled); err != nil || v != true {
			t.Errorf("a link that is not there can be copied: %v, %v", v, err)
		}
		release()
		wantState(t, b, patience, "done")
		if v, err := b.Eval(disabled); err != nil || v != false {
			t.Errorf("the link cannot be copied: %v, %v", v, err)
		}
	})
}

// TestWithoutScripts: a page whose scripts may not run says so, and does not seem to be loading or to be of use.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := launch(t, "chromium", webdriver.Options{Args: []string{"--blink-settings=scriptEnabled=false"}})
	for path, title := range map[string]string{"/": "Send files · Sealpost", "/d/AAAAAAAAAAAAAAAA#key": "Receive files · Sealpost", "/mine": "My shares · Sealpost"} {
		must(t, b.Go(s.url+path))
		v, err := b.Eval("return [document.title,document.body.innerText]")
		must(t, err)
		got := v.([]any)
		if text := strings.Join(strings.Fields(got[1].(string)), " "); got[0] != title ||
			!strings.HasPrefix(text, "Sealpost This page needs JavaScript It seals and opens files in your browser") || strings.Count(text, ".") != 2 {
			t.Errorf("%s is %q and says %q", path, got[0], text)
		}
		if dir := os.Getenv("SEALPOST_SCREENSHOTS"); dir != "" {
			shot, err := b.Screenshot()
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, "without-scripts.png"), shot, 0o644))
		}
	}
}
