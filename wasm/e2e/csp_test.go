package e2e

import (
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestQuiet: sending and receiving break neither the page's security policy nor anything else that a console would tell.
func TestQuiet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tap.observe()
	dir := filepath.Join(t.TempDir(), "quiet")
	writeFile(t, filepath.Join(dir, "one.txt"), prose(random(t), 2<<20))
	writeFile(t, filepath.Join(dir, "two.txt"), nil)
	eachEngine(t, func(t *testing.T, engine string) {
		for _, plain := range []bool{false, true} {
			if plain && engine != "webkit" {
				continue
			}
			t.Run(map[bool]string{false: "usual", true: "plain"}[plain], func(t *testing.T) {
				b := launch(t, engine, webdriver.Options{Plain: plain})
				share := s.send(t, b, parcel{folder: dir, password: "quiet", note: "<b onclick=alert(1)>note</b><script>alert(2)</script>"})
				wantQuiet(t, b)
				receive(t, b, share, "quiet", 0)
				wantQuiet(t, b)
				save(t, b, "[data-hook=entry-download]", 0)
				wantQuiet(t, b)
				if v, err := b.Eval("return crossOriginIsolated&&isSecureContext"); err != nil || v != true {
					t.Errorf("isolated: %v, %v", v, err)
				}
				if v, err := b.Eval("return location.hash+location.search"); err != nil || v != "" {
					t.Errorf("the address bar still has %q, %v", v, err)
				}
			})
		}
	})
}

// TestPolicy: the policy is in force. What an injected element might try fails, and the observer of TestQuiet sees it.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tap.observe()
	eachEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		must(t, b.Go(s.url+"/"))
		for what, script := range map[string]string{
			"innerHTML":     `document.body.innerHTML='<p>'`,
			"eval":          `await new Promise(ok=>setTimeout(ok,50));window.eval('1')`, // within the driver's own call it is allowed
			"script's text": `const e=document.createElement('script');e.text='window.ran=1';document.head.append(e);if(!window.ran)throw new Error('did not run')`,
			"other hosts":   `await fetch('http://127.0.0.1:9/')`,
		} {
			if v, err := b.Eval(script + ";return 'worked'"); err == nil {
				t.Errorf("%s: %v", what, v)
			}
		}
		must(t, b.WaitFor("return window.observed.some(o=>o.startsWith('violation:'))", patience))
	})
}
