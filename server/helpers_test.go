// The stores do not compile for js.

//go:build !js

package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// partSize is small, so that shares of several parts are.
const partSize = api.MinPartSize

// host is a server over real stores, with a clock that tests move.
type host struct {
	t     *testing.T
	srv   *server.Server
	url   string
	blobs *disk.Store
	meta  *sqlite.Store
	log   *syncBuffer
	dir   string // with blobs and meta.db

	mu  sync.Mutex
	now time.Time
}

func (h *host) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *host) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHost(t *testing.T, change ...func(*server.Config)) *host {
	t.Helper()
	dir := t.TempDir()
	h := &host{t: t, now: time.Now(), log: &syncBuffer{}, dir: dir}
	var err error
	if h.blobs, err = disk.Open(filepath.Join(dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.blobs.Close() })
	if h.meta, err = sqlite.Open(filepath.Join(dir, "meta.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.meta.Close() })
	c := server.Config{Blobs: h.blobs, Meta: h.meta, Now: h.clock, PartSize: partSize, Build: "test",
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&c)
	}
	if h.srv, err = server.New(c); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(h.srv)
	t.Cleanup(ts.Close)
	h.url = ts.URL
	return h
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) code() api.Code {
	var p api.Problem
	json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) problem(t *testing.T) api.Problem {
	t.Helper()
	return into[api.Problem](t, a)
}

func into[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("answer %d is not JSON: %v: %q", a.status, err, a.body)
	}
	return v
}

// do sends a request; body is nil, bytes, or something to be JSON. header holds names and values in turn.
func (h *host) do(method, path, token string, body any, header ...string) answer {
	h.t.Helper()
	var r io.Reader
	var contentType string
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	case string:
		r, contentType = strings.NewReader(b), "application/json"
	default:
		j, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		r, contentType = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequest(method, h.url+path, r)
	if err != nil {
		h.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Errorf("%s failed: %v", method, err)
		return answer{}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Errorf("%s: failed to read answer: %v", method, err)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

func (h *host) want(a answer, status int, code api.Code) answer {
	h.t.Helper()
	if a.status != status || a.code() != code {
		h.t.Fatalf("got %d %q, want %d %q: %s", a.status, a.code(), status, code, a.body)
	}
	return a
}

// link is what sender and recipient know of a share.
type link struct{ id, access, bearer, owner, path string }

func newToken() ([]byte, string) {
	b := make([]byte, api.TokenSize)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b, enc(b)
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// terms returns a valid request to create a share, and the tokens for it.
func terms(size int64) (api.CreateShare, link) {
	access, accessText := newToken()
	reader, _ := newToken()
	owner, ownerText := newToken()
	return api.CreateShare{Access: api.HashToken(access), Reader: api.HashToken(reader), Owner: api.HashToken(owner),
			Size: size, Lifetime: 3600, MaxDownloads: 5},
		link{access: accessText, bearer: enc(append(access, reader...)), owner: ownerText}
}

func (h *host) create(size int64, change ...func(*api.CreateShare)) link {
	h.t.Helper()
	in, l := terms(size)
	for _, f := range change {
		f(&in)
	}
	sh := into[api.Share](h.t, h.want(h.do("POST", "/api/v1/shares", "", in), 201, ""))
	l.id, l.path = sh.ID, "/api/v1/shares/"+sh.ID
	return l
}

// sealed returns size bytes that look sealed.
func sealed(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	copy(b, api.AgeMagic)
	return b
}

func digestOf(b []byte) string {
	d := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(d[:]) + ":"
}

func (h *host) put(l link, what string, data []byte) answer {
	h.t.Helper()
	return h.do("PUT", l.path+"/"+what, l.owner, data, "Content-Digest", digestOf(data))
}

// send uploads content and completes.
func (h *host) send(l link, content []byte) (manifest []byte) {
	h.t.Helper()
	manifest = sealed(100)
	h.want(h.put(l, "manifest", manifest), 204, "")
	n := 0
	for from := 0; from < len(content); from += partSize {
		n++
		h.want(h.put(l, fmt.Sprintf("parts/%d", n), content[from:min(from+partSize, len(content))]), 204, "")
	}
	h.want(h.complete(l, len(content), n), 200, "")
	return manifest
}

func (h *host) complete(l link, size, parts int) answer {
	h.t.Helper()
	return h.do("POST", l.path+"/complete", l.owner, api.CompleteShare{Size: int64(size), Parts: int64(parts)})
}

// take takes a download and returns the answer with the ticket.
func (h *host) take(l link) (answer, string) {
	h.t.Helper()
	ticket, text := newToken()
	return h.do("POST", l.path+"/downloads", l.bearer, api.TakeDownload{Ticket: api.HashToken(ticket)}), text
}

func (h *host) mustTake(l link) string {
	h.t.Helper()
	a, ticket := h.take(l)
	h.want(a, 200, "")
	return ticket
}

// objects counts which of these bytes are stored: the manifest's, then those of part 1, 2 …
func (h *host) objects(l link, data ...[]byte) (n int) {
	for i, d := range data {
		r, err := h.blobs.Open(h.t.Context(), store.Key{Share: l.id, N: int64(i), Digest: sha256.Sum256(d)}, 0, 1)
		if err == nil {
			r.Close()
			n++
		}
	}
	return n
}

// post returns a call with a body of so many bytes that comes bit by bit.
func (h *host) post(ctx context.Context, path, token string, body io.Reader, size int64) func() (*http.Response, error) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	req.ContentLength = size
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/octet-stream")
	return func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) }
}

// request returns a call whose answer is not read yet.
func (h *host) request(method, path, token string) func() (*http.Response, error) {
	h.t.Helper()
	req, err := http.NewRequest(method, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) }
}
