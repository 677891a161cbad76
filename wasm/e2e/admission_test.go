package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// tokens is a file of upload tokens, as their operator manages it.
type tokens struct {
	t    *testing.T
	path string
}

func (k tokens) run(args ...string) string {
	k.t.Helper()
	out, err := exec.Command(filepath.Join(programs, "sealpostd"), append([]string{"token", "-upload-tokens", k.path}, args...)...).Output()
	must(k.t, err)
	return strings.TrimSpace(string(out))
}

// askedForToken waits until the page asks for an upload token.
func askedForToken(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	must(t, b.WaitFor(`return document.querySelector('main').dataset.state==='error'&&document.querySelector('[data-hook=token]')?.value===''`, patience))
	wantTold(t, b, "title", "upload token")
}

// giveToken writes a token into the page's field and sends with it.
func giveToken(t *testing.T, b *webdriver.Browser, token string) {
	t.Helper()
	must(t, b.SetValue("[data-hook=token]", token))
	must(t, b.Click("[data-hook=token-use]"))
}

// wantSent waits until what was refused is sent.
func wantSent(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	must(t, b.WaitFor("return document.querySelector('main').dataset.state!=='error'", patience))
	wantState(t, b, patience, "done")
}

// TestUploadToken: a page without an upload token asks for one when somebody wants to send, refuses what is none, sends with the right one,
// keeps it as the link is kept, sealed, and asks again when it was revoked. Who receives is asked for nothing.
func TestUploadToken(t *testing.T) {
	t.Parallel()
	someEngine(t, func(t *testing.T, engine string) {
		k := tokens{t, filepath.Join(t.TempDir(), "tokens")}
		alice, bob := k.run("new", "alice"), k.run("new", "bob")
		s := newSiteOn(t, onSealpostd, "-upload-tokens", k.path)
		b := launch(t, engine, webdriver.Options{})
		p := parcel{note: "sent by somebody who may", expiry: "86400", downloads: "0"}
		s.fill(t, b, p)
		must(t, b.Click("[data-hook=start]"))
		askedForToken(t, b)
		if visible(t, b, "[data-hook=start]") {
			t.Error("a button that sends without a token is there, too")
		}
		wantKept(t, b, p)
		if s.count("SELECT count(*) FROM shares") != 0 {
			t.Error("a share was made without a token")
		}
		giveToken(t, b, alice[:42])
		wantTold(t, b, "token-error", "43 letters")
		giveToken(t, b, strings.Repeat("A", 43))
		askedForToken(t, b)
		giveToken(t, b, " "+alice+" ")
		wantSent(t, b)
		link, err := b.Value("[data-hook=link]")
		must(t, err)

		s.send(t, b, parcel{note: "it was kept"})
		if v, err := b.Eval(`const text=[JSON.stringify(localStorage),JSON.stringify(sessionStorage)];
			for(const {name} of await indexedDB.databases()){
				const db=await new Promise((ok,no)=>{const r=indexedDB.open(name);r.onsuccess=()=>ok(r.result);r.onerror=no});
				for(const store of db.objectStoreNames){
					const all=await new Promise(ok=>{const r=db.transaction(store).objectStore(store).getAll();r.onsuccess=()=>ok(r.result)});
					text.push(JSON.stringify(all,(_,v)=>v instanceof ArrayBuffer||ArrayBuffer.isView(v)?new TextDecoder('latin1').decode(v):v));
				}
				db.close();
			}
			return text.join().includes(a[0])`, alice); err != nil || v != false {
			t.Errorf("the token lies open in the browser: %v, %v", v, err)
		}

		k.run("revoke", "alice")
		eventually(t, "the token is revoked", patience, func() bool {
			req, err := http.NewRequest("POST", s.url+"/api/v1/shares", strings.NewReader("{}"))
			must(t, err)
			req.Header.Set("Authorization", "Bearer "+alice)
			resp, err := http.DefaultClient.Do(req)
			must(t, err)
			resp.Body.Close()
			return resp.StatusCode == http.StatusUnauthorized
		})
		s.fill(t, b, p)
		must(t, b.SetValue("[data-hook=keep]", "no"))
		must(t, b.Click("[data-hook=start]"))
		askedForToken(t, b)
		giveToken(t, b, bob)
		wantSent(t, b)
		s.fill(t, b, p) // the page is another, and nothing was kept
		must(t, b.Click("[data-hook=start]"))
		askedForToken(t, b)

		open(t, b, link, "ready")
	})
}

// TestSignIn: where a proxy vouches for who may send, a page of somebody who is not signed in says so when they want to send, and nothing is
// lost until they are. Who receives need not be.
func TestSignIn(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-upload-header", "X-Signed-In", "-trusted-proxies", "127.0.0.0/8")
		signedIn := func(is bool) {
			s.tap.set(func(tp *tap) {
				tp.delays = func(r *http.Request) {
					r.Header.Del("X-Signed-In") // of a client
					if is {
						r.Header.Set("X-Signed-In", "ada")
					}
				}
			})
		}
		signedIn(false)
		b := launch(t, engine, webdriver.Options{})
		p := parcel{note: "sent by somebody who may", password: "secret", expiry: "3600", downloads: "3"}
		s.fill(t, b, p)
		must(t, b.Click("[data-hook=start]"))
		wantTrouble(t, b, "Sign in to send", "receiving needs nothing")
		wantKept(t, b, p)
		signedIn(true)
		must(t, b.Click("[data-hook=start]"))
		wantSent(t, b)
		link, err := b.Value("[data-hook=link]")
		must(t, err)
		signedIn(false)
		open(t, b, link, "locked")
		unlock(t, b, "secret")
		wantState(t, b, patience, "ready")
		s.mine(t, b)
		r := s.reader(t, link, "secret")
		twice(t, b, r.of("revoke")) // by who made it, however long that is ago
		r.wantRow(t, b, "e.dataset.state==='gone'")
	})
}

// TestLimitsAreTold: whoever may send no more today, or more than there is room for, is told which it is and when to come back, and what they
// have chosen stays.
func TestLimitsAreTold(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "large.bin"), 3<<20)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, c := range []struct {
			flags       []string
			first       bool // one is sent before
			title, text string
		}{
			{[]string{"-daily-shares", "1"}, true, "enough for a day", "as many shares.*Try again in "},
			{[]string{"-daily-size", "2MiB"}, false, "enough for a day", "Send less, or try again in "},
			{[]string{"-max-total-size", "2MiB"}, false, "keeps as much as it may", "Send less, try again later"},
		} {
			s := newSite(t, c.flags...)
			if c.first {
				s.send(t, b, parcel{note: "one"})
			}
			p := parcel{files: []string{file}, note: "another", expiry: "3600", downloads: "0"}
			s.fill(t, b, p)
			must(t, b.Click("[data-hook=start]"))
			wantTrouble(t, b, c.title, c.text)
			wantKept(t, b, p)
		}
	})
}

// TestCrowded: a server that takes in one part at a time, of this browser or of all, is sent one after the other, and nobody notices.
func TestCrowded(t *testing.T) {
	sometimes(t)
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "crowded.bin"), 8<<20)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, flag := range []string{"-parts-in-flight", "-client-parts-in-flight"} {
			s := newSite(t, flag, "1", "-part-size", "1MiB")
			s.tap.set(func(tp *tap) { tp.slowUp = 512 << 10 }) // so that parts meet
			link := s.send(t, b, parcel{files: []string{file}})
			s.wantBytes(t, link, "", file)
			refused := 0
			for _, n := range s.tap.sendings(t) {
				refused += n - 1
			}
			if refused == 0 {
				t.Errorf("%s: no part was refused", flag)
			}
		}
	})
}
