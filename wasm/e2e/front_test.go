package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// wantAllThere sends files and a note, looks at them, saves them, and takes them back in the list of what was sent: whatever a page asks of the
// place where it is.
func (s *site) wantAllThere(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	dir := t.TempDir()
	wav, file := filepath.Join(dir, "tone.wav"), mixedFile(t, "other.bin", 3<<20)
	command(t, nil, "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "90", wav)
	link := s.send(t, b, parcel{files: []string{wav, file}, note: "a note", password: "secret"})
	r := s.reader(t, link, "secret")

	open(t, b, link, "locked")
	unlock(t, b, "secret")
	wantState(t, b, patience, "ready")
	must(t, b.WaitForElement("[data-hook=preview]", patience))
	look(t, b, "tone.wav")
	if state, text := shown(t, b); state != "shown" {
		t.Errorf("%s: the sound is %s: %s", b.Engine, state, text)
	} else {
		wantPlays(t, b, "tone.wav") // by the service worker
	}
	must(t, b.Click("[data-hook=viewer-close]"))
	got := save(t, b, "[data-name='other.bin'] [data-hook=entry-download]", patience)
	if g, w := fileHash(t, got), fileHash(t, file); g != w {
		t.Errorf("got %s, want %s", g, w)
	}

	s.mine(t, b)
	r.wantRow(t, b, "e.dataset.state==='ready'")
	if v, err := b.Eval(`return [...document.querySelectorAll('a[href]')].map(a=>a.href).filter(h=>!h.startsWith(a[0]+'/')).join()`, s.url); err != nil || v != "" {
		t.Errorf("%s: links elsewhere: %v, %v", b.Engine, v, err)
	}
	backup := export(t, b)
	twice(t, b, r.of("revoke"))
	r.wantRow(t, b, "e.dataset.state==='gone'")
	if _, ok := r.share(t); ok {
		t.Error("it was not taken back")
	}
	if told := add(t, b, backup, spell); !strings.Contains(told, "1 link") && !strings.Contains(told, "already") {
		t.Errorf("the list, added again: %q", told)
	}
	must(t, b.Go(s.url+"/how"))
	must(t, b.WaitFor("return document.querySelector('h1')?.textContent.length>0", patience))
	open(t, b, link, "gone")
}

// TestBelowPath: all of it works below a path of a host, and asks for nothing above it.
func TestBelowPath(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-base-path", "/some/where", "-part-size", "1MiB")
		s.url += "/some/where"
		s.addr += "/some/where"
		s.tap.observe()
		strays := make(chan string, 100)
		s.tap.set(func(tp *tap) {
			tp.delays = func(r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/some/where/") && r.URL.Path != "/favicon.ico" { // which browsers ask for where there is no page
					select {
					case strays <- r.URL.Path:
					default:
					}
				}
			}
		})
		b := launch(t, engine, webdriver.Options{})
		s.wantAllThere(t, b)
		must(t, b.Go(strings.TrimSuffix(s.url, "/where")+"/where"))
		must(t, b.WaitFor("return document.querySelector('main')?.dataset.page==='upload'&&location.pathname==='/some/where/'", patience))
		close(strays)
		for path := range strays {
			if path != "/some/where" {
				t.Errorf("%s: asked for %s", engine, path)
			}
		}
		wantQuiet(t, b)
	})
}

// TestHTTPS: the server serves pages and parts over HTTPS itself, by HTTP/2.
func TestHTTPS(t *testing.T) {
	sometimes(t)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	someEngine(t, func(t *testing.T, engine string) {
		s := newSiteOn(t, onSealpostd, "-tls-cert", cert, "-tls-key", key, "-part-size", "1MiB")
		_, port, _ := strings.Cut(s.addr, ":")
		s.url, s.scheme = "https://localhost:"+port, "https" // past the tap, which speaks plain HTTP
		b := launch(t, engine, webdriver.Options{AnyCertificate: true})
		s.wantAllThere(t, b)
		v, err := b.Eval(`return performance.getEntriesByType('navigation')[0].nextHopProtocol`)
		if must(t, err); v != "h2" && !(engine == "webkit" && v == "") { // which some WebKits do not tell
			t.Errorf("%s: the page came by %q", engine, v)
		}
	})
}
