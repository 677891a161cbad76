//go:build !js

package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// All that is kept ends at a byte, before a byte of a body is read, and what is there can be read and deleted all the same.
func TestTotal(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.MaxTotalSize = 1000 })
	l := h.create(600)
	content := sealed(600)
	h.send(l, content) // and a manifest of 100
	in, _ := terms(301)
	h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeOverTotal)
	open := h.create(300)
	h.want(h.put(open, "manifest", sealed(301)), 507, api.CodeOverTotal)
	h.want(h.put(open, "manifest", sealed(100)), 204, "")
	rest := sealed(300)
	h.want(h.put(open, "parts/1", rest), 507, api.CodeOverTotal)
	unread := httptest.NewRequest("PUT", open.path+"/parts/1", untouched{t})
	unread.ContentLength = 300
	unread.Header.Set("Expect", "100-continue")
	unread.Header.Set("Authorization", "Bearer "+open.owner)
	unread.Header.Set("Content-Digest", digestOf(rest))
	w := httptest.NewRecorder()
	if h.srv.ServeHTTP(w, unread); w.Code != 507 {
		t.Errorf("got %d", w.Code)
	}
	ticket := h.mustTake(l)
	if a := h.do("GET", l.path+"/content", ticket, nil); string(a.body) != string(content) {
		t.Errorf("what is kept cannot be read: %d", a.status)
	}
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	h.want(h.put(open, "parts/1", rest), 204, "")
	h.want(h.complete(open, 300, 1), 200, "")
}

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.ErrUnexpectedEOF
}

// Of parts that race for the last room, as many are taken as fit.
func TestTotalRacing(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.MaxTotalSize = 4500 })
	l := h.create(1000)
	var wg sync.WaitGroup
	answers := make([]answer, 12)
	others := make([]link, len(answers))
	for i := range others {
		others[i] = h.create(1000)
	}
	for i := range answers {
		wg.Go(func() { answers[i] = h.put(others[i], "parts/1", sealed(1000)) })
	}
	wg.Wait()
	taken := 0
	for _, a := range answers {
		if a.status == 204 {
			taken++
		} else if a.code() != api.CodeOverTotal {
			t.Errorf("got %d %s", a.status, a.body)
		}
	}
	usage, err := h.meta.Usage(t.Context())
	if taken != 4 || usage != 4000 || err != nil {
		t.Errorf("%d parts were taken, and %d bytes are kept, %v", taken, usage, err)
	}
	h.want(h.put(l, "manifest", sealed(501)), 507, api.CodeOverTotal)
}

// fullBlobs are Blobs without room.
type fullBlobs struct{ store.Blobs }

func (fullBlobs) HasRoom(context.Context) error { return store.ErrFull }

func TestNoRoom(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.Blobs = fullBlobs{c.Blobs} })
	in, _ := terms(1)
	h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeStorageFull)
}

// A client makes so much in a day and no more; another may, and so may the same tomorrow. What is no new share is not counted.
func TestDaily(t *testing.T) {
	h := newHost(t, func(c *server.Config) {
		c.Daily = store.Daily{Shares: 3, Bytes: 1000}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	post := func(address string, in api.CreateShare) answer {
		return h.do("POST", "/api/v1/shares", "", in, "X-Forwarded-For", address)
	}
	h.now = time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	in, _ := terms(400)
	for range 5 { // one and the same
		if a := post("192.0.2.1", in); a.status/100 != 2 {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	other := in
	other.Lifetime++
	h.want(post("192.0.2.1", other), 409, api.CodeShareConflict)
	in, _ = terms(601)
	a := h.want(post("192.0.2.1", in), 429, api.CodeDailyBytes)
	if a.header.Get("Retry-After") != "3600" {
		t.Errorf("wait %s", a.header.Get("Retry-After"))
	}
	for range 2 {
		in, _ = terms(300)
		h.want(post("192.0.2.1", in), 201, "")
	}
	in, _ = terms(1)
	h.want(post("192.0.2.1", in), 429, api.CodeDailyShares)
	h.want(post("192.0.2.2", in), 201, "")
	h.pass(time.Hour)
	if err := h.srv.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, _ = terms(1000)
	h.want(post("192.0.2.1", in), 201, "")
	if text := h.log.String(); strings.Contains(text, "192.0.2.") {
		t.Errorf("the log tells addresses:\n%s", text)
	}
}

// A manifest is no way past the limit of a day: a large one is charged, once, to whoever sends it and before it is read, and not if it is not
// kept. Small ones are free.
func TestDailyManifest(t *testing.T) {
	const limit, free = 1 << 20, 64 << 10
	h := newHost(t, func(c *server.Config) {
		c.Daily = store.Daily{Shares: 6, Bytes: limit}
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	h.now = time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	put := func(address string, l link, data []byte) answer {
		return h.do("PUT", l.path+"/manifest", l.owner, data, "Content-Digest", digestOf(data), "X-Forwarded-For", address)
	}
	var all []link
	for range 6 { // shares that announce nothing to speak of, made elsewhere
		all = append(all, h.create(1))
	}
	h.want(put("192.0.2.1", all[0], sealed(free)), 204, "")
	large := sealed(limit - 1)
	h.want(put("192.0.2.1", all[1], append([]byte("not sealed"), large...)[:limit-1]), 422, api.CodeNotSealed)
	wrong := h.do("PUT", all[1].path+"/manifest", all[1].owner, large, "Content-Digest", digestOf(large[1:]), "X-Forwarded-For", "192.0.2.1")
	h.want(wrong, 400, api.CodeDigestMismatch)
	for range 3 { // one and the same
		h.want(put("192.0.2.1", all[1], large), 204, "")
	}
	a := h.want(put("192.0.2.1", all[2], sealed(free+1)), 429, api.CodeDailyBytes)
	if a.header.Get("Retry-After") != "3600" {
		t.Errorf("wait %s", a.header.Get("Retry-After"))
	}
	unread := httptest.NewRequest("PUT", all[2].path+"/manifest", untouched{t})
	unread.RemoteAddr = "192.0.2.1:5"
	unread.ContentLength = free + 1
	unread.Header.Set("Expect", "100-continue")
	unread.Header.Set("Authorization", "Bearer "+all[2].owner)
	unread.Header.Set("Content-Digest", digestOf(large))
	w := httptest.NewRecorder()
	if h.srv.ServeHTTP(w, unread); w.Code != 429 {
		t.Errorf("got %d", w.Code)
	}
	in, _ := terms(2)
	h.want(h.do("POST", "/api/v1/shares", "", in, "X-Forwarded-For", "192.0.2.1"), 429, api.CodeDailyBytes)
	h.want(put("192.0.2.1", all[2], sealed(free)), 204, "")
	h.want(put("192.0.2.2", all[3], sealed(free+1)), 204, "")
	h.pass(time.Hour)
	h.want(put("192.0.2.1", all[4], sealed(free+1)), 204, "")
}

// A store that is called anew, as that of a Worker is, has the manifest charged once.
func TestDailyManifestAgain(t *testing.T) {
	again := &abortingBlobs{}
	h := newHost(t, func(c *server.Config) {
		again.Blobs, c.Blobs = c.Blobs, again
		c.Daily = store.Daily{Bytes: 200_000}
	})
	l, manifest := h.create(1), sealed(199_999)
	r := httptest.NewRequest("PUT", l.path+"/manifest", bytes.NewReader(manifest))
	r.RemoteAddr = "127.0.0.1:5"
	r.Header.Set("Authorization", "Bearer "+l.owner)
	r.Header.Set("Content-Digest", digestOf(manifest))
	func() {
		defer func() { recover() }()
		h.srv.ServeHTTP(httptest.NewRecorder(), r)
	}()
	if again.calls != 1 {
		t.Fatalf("it was called %d times", again.calls)
	}
	h.want(h.put(l, "manifest", manifest), 204, "")
}

// abortingBlobs aborts the first Put.
type abortingBlobs struct {
	store.Blobs
	calls int
}

func (b *abortingBlobs) Put(ctx context.Context, key store.Key, body io.Reader, size int64, magic string) error {
	if b.calls++; b.calls == 1 {
		panic(http.ErrAbortHandler)
	}
	return b.Blobs.Put(ctx, key, body, size, magic)
}

// loud are the lines of the log that an operator is woken by.
func (h *host) loud() (lines []string) {
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (h *host) wantLoud(n int, last string) {
	h.t.Helper()
	if lines := h.loud(); len(lines) != n || n > 0 && !strings.Contains(lines[n-1], last) {
		h.t.Errorf("%d lines are loud, want %d, the last with %q:\n%s", len(lines), n, last, strings.Join(lines, ""))
	}
}

// What a client can bring about as often as it likes is nothing to wake an operator for; that there is no room is, now and then.
func TestLoudTotal(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.MaxTotalSize = 3 * partSize })
	in, _ := terms(3*partSize + 1)
	h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeOverTotal)
	l := h.create(2 * partSize)
	h.send(l, sealed(2*partSize)) // and a manifest: there is no room for a part
	h.wantLoud(0, "")
	full := `level=WARN msg="as much is kept as may be"`
	for range 3 {
		in, _ := terms(partSize)
		h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeOverTotal)
	}
	h.wantLoud(1, full)
	open := h.create(1)
	h.want(h.put(open, "manifest", sealed(partSize)), 507, api.CodeOverTotal)
	h.wantLoud(1, full)
	h.pass(30 * time.Minute) // and the shares are still there
	h.want(h.put(open, "manifest", sealed(partSize)), 507, api.CodeOverTotal)
	h.wantLoud(1, full)
	h.pass(30 * time.Minute)
	h.want(h.put(open, "manifest", sealed(partSize)), 507, api.CodeOverTotal)
	h.wantLoud(2, full)
}

// A disk that is full is an error, each time.
func TestLoudDisk(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.Blobs = fullBlobs{c.Blobs} })
	for i := range 3 {
		in, _ := terms(1)
		h.want(h.do("POST", "/api/v1/shares", "", in), 507, api.CodeStorageFull)
		h.wantLoud(i+1, "level=ERROR")
	}
}

// Who deletes a share while a part of it arrives, or claims a size beyond all measure, is answered, and no failure of ours.
func TestLoudOwners(t *testing.T) {
	h := newHost(t)
	l, content := h.create(1000), sealed(1000)
	body, w := io.Pipe()
	req, _ := http.NewRequest("PUT", h.url+l.path+"/parts/1", body)
	req.ContentLength = 1000
	req.Header.Set("Authorization", "Bearer "+l.owner)
	req.Header.Set("Content-Digest", digestOf(content))
	status := make(chan int)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	w.Write(content[:500])
	for range 1000 { // until the file is begun
		if files, _ := filepath.Glob(filepath.Join(h.dir, "blobs", "*", l.id, ".t*")); len(files) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	w.Write(content[500:])
	w.Close()
	if got := <-status; got != 404 {
		t.Errorf("the part is answered %d, want 404", got)
	}
	l = h.create(100)
	h.send(l, sealed(100))
	for _, size := range []int64{math.MaxInt64, math.MaxInt64 - partSize, 1 << 60} {
		in := api.CompleteShare{Size: size, Parts: (size + partSize - 1) / partSize}
		h.want(h.do("POST", l.path+"/complete", l.owner, in), 400, api.CodeWrongSize)
	}
	h.wantLoud(0, "")
}

// gate lets max bodies in, of whom it may be.
type gate struct {
	mu      sync.Mutex
	in, max int
	err     error
	left    int
}

func (g *gate) Enter(string) (func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.in >= g.max {
		return nil, g.err
	}
	g.in++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.in--
		g.left++
	}, nil
}

// What is under way is bounded, and whatever comes of it leaves its place; reading takes none.
func TestFlights(t *testing.T) {
	g := &gate{max: 1, err: server.ErrKeyFull}
	h := newHost(t, func(c *server.Config) { c.Flights = g })
	l, content := h.create(100), sealed(100)
	h.send(l, content)
	if g.left != 2 || g.in != 0 {
		t.Errorf("%d left, %d are in", g.left, g.in)
	}
	g.max = 0
	other := h.create(100)
	a := h.want(h.put(other, "parts/1", sealed(100)), 429, api.CodeTooManyParts)
	if a.header.Get("Retry-After") == "" {
		t.Error("does not say when")
	}
	g.err = server.ErrFull
	h.want(h.put(other, "parts/1", sealed(100)), 503, api.CodeBusy)
	h.want(h.put(l, "parts/1", content), 204, "") // is there already
	if a := h.do("GET", l.path+"/content", h.mustTake(l), nil); a.status != 200 {
		t.Errorf("got %d", a.status)
	}
	g.max = 1
	h.want(h.put(other, "parts/1", []byte("not sealed, but long enough to be")), 422, api.CodeNotSealed)
	r, w := io.Pipe()
	req, _ := http.NewRequest("PUT", h.url+other.path+"/parts/1", r)
	req.ContentLength = 100
	req.Header.Set("Authorization", "Bearer "+other.owner)
	req.Header.Set("Content-Digest", digestOf(content))
	go func() {
		w.Write([]byte(api.AgeMagic))
		w.CloseWithError(errors.New("hangs up"))
	}()
	if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if a := h.put(other, "parts/1", content); a.status == 204 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("a client that hung up keeps its place: %d %s", a.status, a.body)
		}
	}
}

// Who asks too often with one token is refused, and neither another address nor another token is.
func TestCallLimit(t *testing.T) {
	calls := &counting{max: 5, keys: map[string]int{}}
	h := newHost(t, func(c *server.Config) {
		c.CallLimiter = calls
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	l := h.create(10)
	get := func(address, token string) answer { return h.do("GET", l.path, token, nil, "X-Forwarded-For", address) }
	for range 5 {
		h.want(get("192.0.2.1", l.access), 200, "")
	}
	h.want(get("192.0.2.1", l.access), 429, api.CodeTooManyRequests)
	_, wrong := newToken()
	for range 20 {
		get("192.0.2.2", wrong)
	}
	h.want(get("192.0.2.2", l.access), 200, "")
	h.want(get("192.0.2.1", l.owner), 200, "")
	for range 5 { // asked for a ticket as well as for access, counted once
		h.do("GET", l.path+"/parts", wrong, nil, "X-Forwarded-For", "192.0.2.3")
	}
	h.want(h.do("GET", l.path+"/parts", wrong, nil, "X-Forwarded-For", "192.0.2.3"), 429, api.CodeTooManyRequests)
	for key := range calls.keys {
		if strings.Contains(key, l.access) {
			t.Error("a key has the token in it")
		}
	}
}

// Who takes a great many downloads waits, and nobody else does; nor does who goes on with one that they have. Strangers use up nothing.
func TestTakeLimit(t *testing.T) {
	takes := &counting{max: 3, keys: map[string]int{}}
	h := newHost(t, func(c *server.Config) {
		c.TakeLimiter = takes
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	})
	l := h.create(100, func(c *api.CreateShare) { c.MaxDownloads = 0 })
	h.send(l, sealed(100))
	take := func(address, bearer string, ticket []byte) answer {
		return h.do("POST", l.path+"/downloads", bearer, api.TakeDownload{Ticket: api.HashToken(ticket)}, "X-Forwarded-For", address)
	}
	_, wrong := newToken()
	for range 5 {
		ticket, _ := newToken()
		h.want(take("192.0.2.1", wrong+wrong, ticket), 404, api.CodeNotFound)
	}
	mine, text := newToken()
	h.want(take("192.0.2.1", l.bearer, mine), 200, "")
	for range 2 {
		ticket, _ := newToken()
		h.want(take("192.0.2.1", l.bearer, ticket), 200, "")
	}
	other, _ := newToken()
	a := h.want(take("192.0.2.1", l.bearer, other), 429, api.CodeTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("does not say when")
	}
	h.want(take("192.0.2.1", l.bearer, mine), 200, "")
	if a := h.do("GET", l.path+"/content", text, nil, "X-Forwarded-For", "192.0.2.1"); a.status != 200 {
		t.Errorf("content: %d", a.status)
	}
	h.want(take("192.0.2.2", l.bearer, other), 200, "")
	if sh := into[api.Share](t, h.do("GET", l.path, l.owner, nil)); *sh.Taken != 4 {
		t.Errorf("%d downloads are taken, want 4", *sh.Taken)
	}
}

func TestUploadTokens(t *testing.T) {
	right, rightText := newToken()
	creates, misses := &counting{max: 3, keys: map[string]int{}}, &counting{max: 4, keys: map[string]int{}}
	h := newHost(t, func(c *server.Config) {
		c.UploadTokens = func(token store.Hash) bool { return token == sha256.Sum256(right) }
		c.CreateLimiter, c.MissLimiter = creates, misses
	})
	if c := into[api.Config](t, h.do("GET", "/api/v1/config", "", nil)); c.Uploads != api.UploadsToken {
		t.Errorf("uploads are %q", c.Uploads)
	}
	in, l := terms(100)
	_, wrong := newToken()
	for _, token := range []string{"", wrong, "junk", rightText + rightText} {
		a := h.want(h.do("POST", "/api/v1/shares", token, in), 401, api.CodeUploadToken)
		if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Error("does not say what it asks for")
		}
	}
	h.want(h.do("POST", "/api/v1/shares", wrong, in), 429, api.CodeTooManyRequests)
	sh := into[api.Share](t, h.want(h.do("POST", "/api/v1/shares", rightText, in), 201, "")) // those took nothing of its rate
	l.id, l.path = sh.ID, "/api/v1/shares/"+sh.ID
	h.send(l, sealed(10 + len(api.AgeMagic))[:len(api.AgeMagic)]) // who has the owner's token needs no other
	h.want(h.do("GET", l.path, rightText, nil), 429, api.CodeTooManyRequests)
	h.mustTake(l)
}

// A proxy vouches, and nobody else can do so in its place.
func TestUploadHeader(t *testing.T) {
	const header = "X-Remote-User"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	h := newHost(t, func(c *server.Config) { c.UploadHeader, c.TrustedProxies = header, proxies })
	right, rightText := newToken()
	both := newHost(t, func(c *server.Config) {
		c.UploadHeader, c.TrustedProxies = header, proxies
		c.UploadTokens = func(token store.Hash) bool { return token == sha256.Sum256(right) }
	})
	post := func(h *host, peer, token string, names ...string) (int, api.Uploads) {
		ask := func(method, path, body string) answer {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.RemoteAddr = peer
			r.Header["X-Remote-User"] = names
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.srv.ServeHTTP(w, r)
			return answer{w.Code, w.Header(), w.Body.Bytes()}
		}
		return ask("POST", "/api/v1/shares", "{").status, into[api.Config](t, ask("GET", "/api/v1/config", "")).Uploads
	}
	const admitted = 400 // and then the body is looked at
	for _, c := range []struct {
		peer  string
		names []string
		want  int
	}{
		{"10.0.0.1:5", []string{"alice"}, admitted},
		{"[::ffff:10.0.0.1]:5", []string{"alice"}, admitted},
		{"10.0.0.1:5", []string{"älice ☃"}, admitted},
		{"10.0.0.1:5", nil, 403},
		{"10.0.0.1:5", []string{""}, 403},
		{"10.0.0.1:5", []string{" "}, 403},
		{"10.0.0.1:5", []string{"(null)"}, 403},
		{"10.0.0.1:5", []string{"-"}, 403},
		{"10.0.0.1:5", []string{"mallory", "alice"}, 403},
		{"10.0.0.1:5", []string{"alice", ""}, 403},
		{"10.0.0.1:5", []string{strings.Repeat("a", 1025)}, 403},
		{"192.0.2.1:5", []string{"alice"}, 403},
		{"junk", []string{"alice"}, 403},
		{"", []string{"alice"}, 403},
	} {
		want := map[int]api.Uploads{admitted: api.UploadsOpen, 403: api.UploadsSignIn}[c.want]
		if got, uploads := post(h, c.peer, "", c.names...); got != c.want || uploads != want {
			t.Errorf("%s, %.40q: %d %q, want %d", c.peer, c.names, got, uploads, c.want)
		}
	}
	for _, h := range []*host{h, both} {
		if got, _ := post(h, "10.0.0.1:5", "", "alice"); got != admitted {
			t.Errorf("got %d", got)
		}
	}
	if got, _ := post(both, "192.0.2.1:5", rightText, "alice"); got != admitted {
		t.Errorf("with a token: %d", got)
	}
	if got, uploads := post(both, "192.0.2.1:5", "", "alice"); got != 401 || uploads != api.UploadsToken {
		t.Errorf("with neither: %d %q", got, uploads)
	}
	if text := h.log.String() + both.log.String(); strings.Contains(text, "alice") || strings.Contains(text, "mallory") {
		t.Error("the log tells names")
	}
	for _, change := range []func(*server.Config){
		func(c *server.Config) { c.UploadHeader = header },
		func(c *server.Config) { c.UploadHeader, c.TrustedProxies = "X Remote", proxies },
		func(c *server.Config) { c.MaxTotalSize = -1 },
		func(c *server.Config) { c.Daily.Bytes = -1 },
	} {
		c := server.Config{Blobs: h.blobs, Meta: h.meta, Now: time.Now, Log: nil}
		if change(&c); c.Check() == nil {
			t.Errorf("accepted: %+v", c)
		}
	}
}

// FuzzHeaders: whatever a stranger puts into headers, nobody is admitted by it, and nothing breaks.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"", "alice", "10.0.0.1", "10.0.0.1, 10.0.0.2", "[::1]:80", "Bearer x", "bearer  ", "\x00", "unknown"} {
		f.Add(s, s, s)
	}
	s, err := server.New(server.Config{Blobs: fullBlobs{}, Meta: unusedMeta{}, Now: time.Now, Log: slog.New(slog.DiscardHandler), UploadHeader: "X-Remote-User",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		UploadTokens:   func(store.Hash) bool { return false }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user, forwarded, authorization string) {
		r := httptest.NewRequest("POST", "/api/v1/shares", strings.NewReader("{}"))
		r.RemoteAddr = "192.0.2.1:5"
		r.Header["X-Remote-User"] = []string{user}
		r.Header["X-Forwarded-For"] = []string{forwarded}
		r.Header["Authorization"] = []string{authorization}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != 401 {
			t.Errorf("got %d", w.Code)
		}
		r.RemoteAddr = "10.0.0.1:5"
		r.Header.Del("X-Remote-User")
		w = httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != 401 {
			t.Errorf("by the proxy, but vouching for nobody: %d", w.Code)
		}
	})
}

type unusedMeta struct{ store.Meta }
