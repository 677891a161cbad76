package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// tap stands between browsers and server.
type tap struct {
	url     string
	rec     recorder
	ledger  ledger
	handler http.Handler

	mu        sync.Mutex
	loses     func(*http.Request) bool // answers that never come back, though the server did what it was asked to
	slowUp    int                      // bytes per second of each request body; 0 is not slowed
	slowDown  int                      // of each answer with sealed bytes
	fetched   map[string]int64         // bytes of each part that browsers were sent, by "id/n"
	cutsDown  func() int64             // after so many bytes an answer with sealed bytes breaks; 0: it does not
	observing bool
	inject    string                           // script that pages run before their own
	older     string                           // build whose pages are given for those of another one, oldBuild, which has the same files
	rolled    bool                             // its pages are given again; the addresses of both go on to answer
	scripts   map[string]string                // and workers, by the end of their address
	refuses   func(*http.Request) *api.Problem // what is answered in the server's place, unless it is nil
	delays    func(*http.Request)              // may wait before a request goes on
	spoils    string                           // suffix of an address of which half arrives
	uncached  bool                             // browsers ask for everything each time
	language  string                           // that every browser asks for; "" leaves it to them
}

func newTap(t *testing.T, addr string) *tap {
	t.Helper()
	tp := &tap{ledger: newLedger(), fetched: map[string]int64{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	tp.url = "http://" + l.Addr().String()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: addr})
			r.Out.Host = r.In.Host
			tp.mu.Lock()
			if tp.language != "" {
				r.Out.Header.Set("Accept-Language", tp.language)
			}
			if rest, is := strings.CutPrefix(r.Out.URL.Path, "/b/"+oldBuild+"/"); is && tp.older != "" {
				r.Out.URL.Path = "/b/" + tp.older + "/" + rest
			}
			tp.mu.Unlock()
			if tp.is(tp.scripted) {
				r.Out.Header.Del("Accept-Encoding")
				r.Out.Header.Del("If-None-Match")
			}
		},
		// Keep-alive connections would outlive a restart of the server.
		Transport:      &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		ModifyResponse: tp.change,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	tp.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == observerPath {
			w.Header().Set("Content-Type", "text/javascript")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
			io.WriteString(w, observer+"\n")
			tp.mu.Lock()
			defer tp.mu.Unlock()
			io.WriteString(w, tp.inject)
			return
		}
		defer tp.ledger.begin(r)()
		tp.mu.Lock()
		refuses := tp.refuses
		tp.mu.Unlock()
		if refuses != nil {
			if p := refuses(r); p != nil {
				io.Copy(io.Discard, r.Body) // else some browsers take the answer for a broken connection
				refuse(w, p)
				return
			}
		}
		tp.mu.Lock()
		lost, slow, delay := tp.loses != nil && tp.loses(r), tp.slowUp, tp.delays
		tp.mu.Unlock()
		if delay != nil {
			delay(r)
		}
		if slow > 0 && r.ContentLength > 0 {
			r.Body = &slowReader{r.Body, slow}
		}
		if lost {
			w = discard{w.Header()}
		}
		proxy.ServeHTTP(w, r)
		if lost {
			panic(http.ErrAbortHandler)
		}
	})
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: tp.handler}
	go srv.Serve(recordedListener{l, &tp.rec})
	t.Cleanup(func() { srv.Close() })
	return tp
}

// scripted says whether pages get a script of ours.
func (tp *tap) scripted() bool {
	return tp.observing || tp.inject != "" || tp.older != "" && !tp.rolled || len(tp.scripts) > 0 || tp.spoils != ""
}

func (tp *tap) is(f func() bool) bool {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return f()
}

// change slows sealed bytes down and puts the observer into pages.
func (tp *tap) change(r *http.Response) error {
	tp.ledger.answered(r)
	tp.mu.Lock()
	slow, scripted, spoils, older := tp.slowDown, tp.scripted(), tp.spoils, tp.older
	if tp.rolled {
		older = ""
	}
	if tp.uncached {
		r.Header.Set("Cache-Control", "no-store")
	}
	tp.mu.Unlock()
	path := r.Request.URL.Path
	if slow > 0 && (strings.Contains(path, "/parts/") || strings.HasSuffix(path, "/content")) {
		r.Body = &slowReader{r.Body, slow}
	}
	if strings.Contains(path, "/parts/") && r.StatusCode == http.StatusPartialContent {
		r.Body = tp.count(path, r.Body)
	}
	if own := tp.script(path); own != "" {
		return tp.rewrite(r, func(script []byte) []byte { return append([]byte(own+"\n"), script...) })
	}
	if spoils != "" && strings.HasSuffix(path, spoils) {
		return tp.rewrite(r, func(whole []byte) []byte { return whole[:len(whole)/2] })
	}
	if !scripted || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || r.StatusCode != http.StatusOK {
		return nil
	}
	return tp.rewrite(r, func(page []byte) []byte {
		if older != "" {
			page = bytes.ReplaceAll(page, []byte(older), []byte(oldBuild))
		}
		return bytes.Replace(page, []byte("<head>"), []byte(`<head><script src="`+observerPath+`"></script>`), 1)
	})
}

const oldBuild = "old"

// script is what a worker runs before its own.
func (tp *tap) script(path string) string {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for end, script := range tp.scripts {
		if strings.HasSuffix(path, end) {
			return script
		}
	}
	return ""
}

// rewrite changes an answer, which is not to be kept by caches.
func (tp *tap) rewrite(r *http.Response, f func([]byte) []byte) error {
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return err
	}
	body = f(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.Header.Set("Cache-Control", "no-store")
	r.Header.Del("ETag")
	return nil
}

// answer has the requests that match refused with a problem, as the server would, from now on; none with a nil problem.
func (tp *tap) answer(method, suffix string, p *api.Problem) {
	tp.set(func(tp *tap) {
		tp.refuses = func(r *http.Request) *api.Problem {
			if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
				return p
			}
			return nil
		}
	})
}

// cut breaks the connection for requests to addresses with any of these in them, until mend is called.
func (tp *tap) cut(parts ...string) (mend func()) {
	tp.set(func(tp *tap) {
		tp.delays = func(r *http.Request) {
			for _, part := range parts {
				if strings.Contains(r.URL.Path, part) {
					panic(http.ErrAbortHandler)
				}
			}
		}
	})
	return func() { tp.set(func(tp *tap) { tp.delays = nil }) }
}

// set changes how the tap behaves from the next request on.
func (tp *tap) set(f func(*tap)) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	f(tp)
}

// record starts to keep every byte that browsers send.
func (tp *tap) record() {
	tp.rec.mu.Lock()
	defer tp.rec.mu.Unlock()
	tp.rec.on = true
}

// loseOnce loses the first answer to each different request that match names, and returns a function that tells which.
func (tp *tap) loseOnce(match func(*http.Request) bool) (lost func() []string) {
	seen := map[string]bool{}
	tp.set(func(tp *tap) {
		tp.loses = func(r *http.Request) bool {
			key := r.Method + " " + r.URL.Path
			if seen[key] || !match(r) {
				return false
			}
			seen[key] = true
			return true
		}
	})
	return func() (keys []string) {
		tp.mu.Lock()
		defer tp.mu.Unlock()
		for key := range seen {
			keys = append(keys, key)
		}
		return keys
	}
}

// refuse answers as the server does when it can not do what it is asked to.
func refuse(w http.ResponseWriter, p *api.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// discard is the ResponseWriter of an answer that gets lost.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// The observer notes what went wrong in a page, from before its first script on. The policy allows it, being of this origin.
const (
	observerPath = "/observer-of-the-tests.js"
	observer     = `window.observed=[];
addEventListener('securitypolicyviolation',e=>observed.push('violation: '+e.violatedDirective+' '+e.blockedURI+' '+e.sourceFile+':'+e.lineNumber));
addEventListener('error',e=>observed.push('error: '+(e.message??'loading '+(e.target?.src??e.target?.href))),true);
addEventListener('unhandledrejection',e=>observed.push('rejection: '+e.reason));
for(const k of ['error','warn']){const f=console[k];console[k]=(...a)=>{observed.push(k+': '+a.join(' '));f.apply(console,a)}}`
)

// observe makes the tap watch pages from now on.
func (tp *tap) observe() { tp.set(func(tp *tap) { tp.observing = true }) }

// wantQuiet fails the test if anything went wrong in the page since it was loaded.
func wantQuiet(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	wantQuietBut(t, b, "(?!)")
}

var unknownShare = regexp.MustCompile(`/api/v1/shares/[\w-]{16} - Failed to load resource: .* 404`)

// wantQuietBut lets pass what matches a pattern of JavaScript.
func wantQuietBut(t *testing.T, b *webdriver.Browser, pattern string) {
	t.Helper()
	v, err := b.Eval("return window.observed?.filter(s=>!new RegExp(a[0]).test(s))??'not observed'", pattern)
	must(t, err)
	if list, ok := v.([]any); !ok || len(list) > 0 {
		t.Errorf("%s: the page is not quiet: %v", b.Engine, v)
	}
	for _, line := range b.Console() {
		if unknownShare.MatchString(line) {
			continue // Chromium writes down there what the page has asked about, and was told
		}
		t.Errorf("%s: on the console: %s", b.Engine, line)
	}
}
