package e2e

import (
	"bytes"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
)

// TestPassword: a wrong password is told as that, with the tries that are left, and the right one opens afterwards.
func TestPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := random(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "secret.txt"), prose(r, 100_000))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		// The sender's keyboard composed the letters, the recipient's did not.
		link := s.send(t, b, parcel{files: []string{file}, password: "p\u00e4ssw\u00f6rt 🔑"})
		open(t, b, link, "locked")
		if v, err := b.Eval("return document.querySelectorAll('[data-hook=entry]').length"); err != nil || v != 0.0 {
			t.Errorf("entries before the password: %v, %v", v, err)
		}
		var told []string
		for _, wrong := range []string{"password", "P\u00c4SSW\u00d6RT 🔑"} {
			unlock(t, b, wrong)
			must(t, b.WaitFor(`const e=document.querySelector('[data-hook=error]');
				return !e.hidden&&/\d+ more tries/.test(e.textContent)&&e.textContent!==a[0]`, patience, strings.Join(told, "")))
			told = []string{message(b)}
			wantState(t, b, patience, "locked")
		}
		unlock(t, b, "pa\u0308sswo\u0308rt 🔑")
		wantState(t, b, patience, "ready")
		got := save(t, b, "[data-hook=download]", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	})
}

// TestTries: when all tries are used up the page says so and waits; the link itself stays good.
func TestTries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := launch(t, "chromium", webdriver.Options{})
	file := writeFile(t, filepath.Join(t.TempDir(), "secret.txt"), []byte("secret"))
	share := s.send(t, b, parcel{files: []string{file}, password: "right"})
	open(t, b, share, "locked")
	for n := 0; ; n++ {
		before := message(b)
		unlock(t, b, "wrong"+strings.Repeat("g", n))
		must(t, b.WaitFor("const e=document.querySelector('[data-hook=error]');return !e.hidden&&e.textContent&&e.textContent!==a[0]", patience, before))
		if strings.Contains(message(b), "Too many") {
			break
		}
		if n > 20 {
			t.Fatal("no end of tries")
		}
	}
	wantState(t, b, patience, "locked")
	if _, ok := s.reader(t, share, "right").share(t); !ok {
		t.Error("the share is gone")
	}
}

// TestDownloadsLimit: of two people who both see a share with one download left, one gets it. A spent share leaves nothing.
func TestDownloadsLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "once.bin"), noise(random(t), 3<<20))
	for _, pair := range [][2]string{{"chromium", "firefox"}, {"webkit", "chromium"}} {
		t.Run(pair[0]+" "+pair[1], func(t *testing.T) {
			t.Parallel()
			browsers := launchAll(t, webdriver.Options{}, pair[0], pair[1])
			a, b := browsers[0], browsers[1]
			twice := s.send(t, a, parcel{files: []string{file}, downloads: "2"})
			once := s.send(t, a, parcel{files: []string{file}, downloads: "1"})
			receive(t, a, twice, "", 0)
			receive(t, b, twice, "", 0)
			open(t, a, twice, "gone")

			open(t, a, once, "ready")
			open(t, b, once, "ready")
			got := save(t, b, "[data-hook=download]", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			if text, err := b.Text("main"); err != nil || !strings.Contains(text, "nothing of it is left on the server") || strings.Contains(text, "Save again") {
				t.Errorf("after the last download the page says %q, %v", text, err)
			}
			must(t, a.Click("[data-hook=download]"))
			wantState(t, a, patience, "gone")
			open(t, b, once, "gone")
			wantNoParts(t, s, once)
			wantNoParts(t, s, twice)
		})
	}
}

// wantNoParts waits until the server has no byte of the share any more.
func wantNoParts(t *testing.T, s *site, share string) {
	t.Helper()
	id := s.reader(t, share, "-").id
	eventually(t, "the bytes of the share are gone", 10*time.Second, func() bool {
		for name := range s.parts() {
			if strings.HasPrefix(name, id+"/") {
				return false
			}
		}
		return true
	})
}

// TestExpiry: after its time a share is gone, for a page that is open already, too, and so are its bytes.
func TestExpiry(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-lifetimes", "6s,1h")
	file := writeFile(t, filepath.Join(t.TempDir(), "soon.txt"), []byte("soon gone"))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}, expiry: "6"})
		sent := time.Now()
		open(t, b, share, "ready")
		time.Sleep(time.Until(sent.Add(7 * time.Second)))
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, patience, "gone")
		open(t, b, share, "gone")
		wantNoParts(t, s, share)
		if found := saved(b); len(found) > 0 {
			t.Errorf("saved: %q", found)
		}
	})
}

// TestTomorrow: what a page says of moments is still true on the next day, if it has stayed open. It finds out by itself that a
// share has expired.
func TestTomorrow(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-lifetimes", "6s,1d,3d")
	s.tap.set(func(tp *tap) {
		tp.inject = `const RealDate=Date;let days=0;addEventListener('morning',()=>days++);const now=()=>RealDate.now()+days*864e5;
			Date=class extends RealDate{constructor(...a){if(a.length)super(...a);else super(now())}static now(){return now()}}`
	})
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		wantLeads := func(before, after string) {
			t.Helper()
			must(t, b.WaitFor("return new RegExp(a[0]).test(document.querySelector('[data-hook=lead]').textContent)", patience, before))
			_, err := b.Eval("dispatchEvent(new Event('morning'))")
			must(t, err)
			comeBack(t, b)
			if lead, err := b.Text("[data-hook=lead]"); err != nil || !regexp.MustCompile(after).MatchString(lead) {
				t.Errorf("%s: the next day the page says %q, %v, want %s", engine, lead, err, after)
			}
		}
		s.send(t, b, parcel{note: "until tomorrow", expiry: "86400"})
		wantLeads("until tomorrow, ", "until today, ")
		open(t, b, s.send(t, b, parcel{note: "three days", expiry: "259200"}), "ready")
		wantLeads("Sealed today, .* for 3 days more", "Sealed yesterday, .* for (2 days|4[78] hours) more")

		open(t, b, s.send(t, b, parcel{note: "soon gone", expiry: "6"}), "ready")
		time.Sleep(7 * time.Second)
		comeBack(t, b)
		wantState(t, b, patience, "gone")
	})
}

// TestNothingThere: revoked, unknown, wrong and mutilated links lead to a page that says so.
func TestNothingThere(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	s.tap.record()
	file := writeFile(t, filepath.Join(t.TempDir(), "there.txt"), []byte("there"))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}})
		r := s.reader(t, share, "")
		base, _, _ := strings.Cut(share, "#")
		open(t, b, s.url+"/d/AAAAAAAAAAAAAAAA#"+r.fragment, "gone")
		open(t, b, base+"#"+link.New(false).String(), "gone") // somebody else's key: it cannot be told that the share exists
		for _, bad := range []string{base, base + "#" + r.fragment[:43], base + "#" + r.fragment + "A", base + "#!" + r.fragment[1:],
			base + "#" + link.New(false).String()[:1] + "_" + r.fragment[2:]} {
			open(t, b, bad, "error", "gone")
			if state, _ := b.Attr("main", "data-state"); state == "error" && message(b) == "" {
				t.Errorf("no message for %q", bad)
			}
		}
		open(t, b, share, "ready") // nothing of this harmed it

		owner := regexp.MustCompile(`(?s)PUT /api/v1/shares/` + regexp.QuoteMeta(r.id) + `/manifest .{0,900}?[Aa]uthorization: Bearer ([\w-]{43})`)
		m := owner.FindSubmatch(s.tap.rec.bytes())
		if m == nil {
			t.Fatal("the owner's token was not seen")
		}
		if status, body := r.call(t, "DELETE", "", string(m[1]), nil); status/100 != 2 {
			t.Fatalf("revoke: %d %s", status, body)
		}
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, patience, "gone")
		open(t, b, share, "gone")
		wantNoParts(t, s, share)
	})
}

// TestCancel: an upload that is cancelled half-way leaves nothing on the server, and what was chosen is still there.
func TestCancel(t *testing.T) {
	sometimes(t)
	s := newSite(t, "-part-size", "1MiB")
	file := noiseFile(t, random(t), filepath.Join(t.TempDir(), "half.bin"), 24<<20)
	s.tap.set(func(tp *tap) { tp.slowUp = 1 << 20 })
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		s.fill(t, b, parcel{files: []string{file}})
		must(t, b.Click("[data-hook=start]"))
		must(t, b.WaitFor(moving+"&&document.querySelector('[data-hook=link]').value", patience))
		share, err := b.Value("[data-hook=link]")
		must(t, err)
		r := s.reader(t, share, "")
		if got, ok := r.share(t); !ok || got.State != "open" {
			t.Errorf("before: %+v, %v", got, ok)
		}
		must(t, b.Click("[data-hook=cancel]"))
		wantState(t, b, patience, "ready")
		if _, ok := r.share(t); ok {
			t.Error("the share is still there")
		}
		wantNoParts(t, s, share)
		if v, err := b.Value("[data-hook=link]"); err != nil || v != "" {
			t.Errorf("the page still shows the link %q, %v", v, err)
		}
	})
	t.Cleanup(func() {
		if bytes.Contains([]byte(s.text()), []byte("level=ERROR")) {
			t.Error("the server logged an error")
		}
	})
}

// TestLostAnswers: each request of an upload and of a download is carried out while its answer is lost, once. Nothing is
// stored or counted twice.
func TestLostAnswers(t *testing.T) {
	sometimes(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "lost.bin"), noise(random(t), 3<<20))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "1MiB")
		lost := s.tap.loseOnce(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/shares") })
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}, downloads: "2"})
		r := s.reader(t, share, "")
		open(t, b, share, "ready")
		got := save(t, b, "[data-hook=download]", 0)
		if g, w := fileHash(t, got), fileHash(t, file); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		if state, ok := r.share(t); !ok || state.Left == nil || *state.Left != 1 {
			t.Errorf("afterwards: %+v, %v", state, ok)
		}
		all := strings.Join(lost(), "\n") + "\n"
		for _, key := range []string{"POST /api/v1/shares", "PUT /api/v1/shares/" + r.id + "/manifest", "PUT /api/v1/shares/" + r.id + "/parts/1",
			"POST /api/v1/shares/" + r.id + "/complete", "POST /api/v1/shares/" + r.id + "/downloads"} {
			if !strings.Contains(all, key+"\n") {
				t.Errorf("no answer to %s was lost", key)
			}
		}
		if n := s.count("SELECT count(*) FROM shares"); n != 1 {
			t.Errorf("there are %d shares, want 1", n)
		}
	})
}
