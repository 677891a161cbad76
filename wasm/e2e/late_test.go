package e2e

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// latecomers keeps the first try of each request to the API from the server, so that the browser tries again, and lets the server have
// it later: when another try was answered, or when everything is over.
type latecomers struct {
	mu      sync.Mutex
	r       *rand.Rand
	seen    map[string]bool
	kept    map[string]*http.Request
	overdue []*http.Request // for when everything is over
	answers map[string]int  // of the server, by method and status
}

// stand stands between a browser and next.
func (l *latecomers) stand(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/v1/shares") {
			next.ServeHTTP(w, r)
			return
		}
		key := r.Method + " " + r.URL.Path + " " + r.Header.Get("Range")
		if l.keep(key, r) {
			panic(http.ErrAbortHandler) // all that the browser learns
		}
		next.ServeHTTP(w, r)
		if late := l.due(key); late != nil {
			l.deliver(next, late)
		}
	})
}

// keep keeps the first try of a request.
func (l *latecomers) keep(key string, r *http.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[key] {
		return false
	}
	l.seen[key] = true
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return true
	}
	late := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	late.Header, late.Host = r.Header.Clone(), r.Host
	if l.r.IntN(2) == 0 {
		l.kept[key] = late
	} else {
		l.overdue = append(l.overdue, late)
	}
	return true
}

func (l *latecomers) due(key string) *http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	late := l.kept[key]
	delete(l.kept, key)
	return late
}

func (l *latecomers) deliver(next http.Handler, late *http.Request) {
	w := httptest.NewRecorder()
	next.ServeHTTP(w, late)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[late.Method+" "+http.StatusText(w.Code)]++
}

// end delivers what is left, in any order.
func (l *latecomers) end(next http.Handler) {
	l.r.Shuffle(len(l.overdue), func(i, k int) { l.overdue[i], l.overdue[k] = l.overdue[k], l.overdue[i] })
	for _, late := range l.overdue {
		l.deliver(next, late)
	}
}

// TestLate: what a browser has given up and sent again arrives after all, after its retry, or when everything is over. It changes
// nothing: all bytes are there once, the download counts once, and what was deleted is not there again.
func TestLate(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for _, downloads := range []string{"3", "1"} {
			s := newSite(t, "-part-size", "512KiB")
			tapped := s.tap.handler
			l := &latecomers{r: random(t), seen: map[string]bool{}, kept: map[string]*http.Request{}, answers: map[string]int{}}
			srv := httptest.NewServer(l.stand(tapped))
			t.Cleanup(srv.Close)
			s.url = srv.URL
			file := mixedFile(t, "late.bin", 3<<20)
			link := s.send(t, b, parcel{files: []string{file}, downloads: downloads})
			got := receive(t, b, link, "", 0)
			if g, w := fileHash(t, got), fileHash(t, file); g != w {
				t.Errorf("got %s, want %s", g, w)
			}
			must(t, os.Remove(got)) // WebKit puts the next one in its place
			if downloads == "1" {
				eventually(t, "it is deleted", patience, func() bool { return len(s.parts()) == 0 })
			}
			kept := len(l.overdue)
			l.end(tapped)
			t.Logf("%s, of %s downloads: %d came when everything was over: %v", engine, downloads, kept, l.answers)
			s.tap.sendings(t)
			if len(l.answers) == 0 || kept == 0 {
				t.Error("nothing came late, so this proves nothing")
			}
			if downloads == "1" {
				if n := s.count("SELECT count(*) FROM shares WHERE state='ready'"); n != 0 || len(s.parts()) != 0 {
					t.Errorf("%d shares and %d parts are there again", n, len(s.parts()))
				}
				continue
			}
			if n, taken := s.count("SELECT count(*) FROM shares"), s.count("SELECT sum(taken) FROM shares"); n != 1 || taken != 1 {
				t.Errorf("there are %d shares, and %d downloads were taken", n, taken)
			}
			s.wantBytes(t, link, "", file)
		}
	})
}
