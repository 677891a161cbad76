package load_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/internal/load"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// host is a server over real stores, behind whatever a test puts before it.
type host struct {
	*httptest.Server
	blobs string
}

func newHost(t *testing.T, http2 bool, before func(http.Handler) http.Handler, configure ...func(*server.Config)) *host {
	t.Helper()
	dir := t.TempDir()
	blobs, err := disk.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	meta, err := sqlite.Open(filepath.Join(dir, "meta.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { meta.Close() })
	var handler http.Handler
	c := server.Config{Blobs: blobs, Meta: meta, Now: time.Now, PartSize: api.MinPartSize, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range configure {
		f(&c)
	}
	handler, err = server.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if before != nil {
		handler = before(handler)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = http2
	if http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return &host{s, filepath.Join(dir, "blobs")}
}

// config is a small run: shares of three parts, the last of which is short.
func (h *host) config() load.Config {
	return load.Config{URL: h.URL, Seed: 1, Senders: 3, Receivers: 5, Size: 2*api.MinPartSize + 10, Manifest: 100, Downloads: 4,
		Bytes: 8 * (2*api.MinPartSize + 10), Duration: time.Minute}
}

func mustRun(t *testing.T, c load.Config) *load.Report {
	t.Helper()
	r, err := load.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// nothingLeft checks that no part is in the store.
func (h *host) nothingLeft(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.blobs, "??", "*", "*"))
	if err != nil || len(files) != 0 {
		t.Errorf("%d parts are left, error %v", len(files), err)
	}
}

// calls returns the counts as text.
func calls(r *load.Report) string {
	var all []string
	for _, c := range r.Calls {
		all = append(all, fmt.Sprintf("%s %d", c.Name, c.Count))
	}
	return strings.Join(all, ", ")
}

// Eight shares with four downloads each make so many requests and bytes, and no other number.
func TestExact(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2"} {
		t.Run(version, func(t *testing.T) {
			h := newHost(t, version == "HTTP/2", func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Proto[:6] != version[:6] {
						t.Errorf("request by %s", r.Proto)
					}
					next.ServeHTTP(w, r)
				})
			})
			c := h.config()
			if version == "HTTP/2" {
				c.HTTP2, c.Roots = true, x509.NewCertPool()
				c.Roots.AddCert(h.Certificate())
			}
			r := mustRun(t, c)
			if err := r.Err(); err != nil {
				t.Error(err)
			}
			const want = "create share 8, put manifest 8, put part 24, complete 8, take download 40, get manifest 32, get part 96, " +
				"finish 32, get share 16"
			if got := calls(r); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			each := c.Size + c.Manifest
			if r.Shares != 8 || r.Gone != 8 || r.Sent != 8*each || r.Received != 32*each || r.Taken != 32 || r.Refused != 8 || r.Wrong != 0 {
				t.Errorf("got %+v", r)
			}
			h.nothingLeft(t)
		})
	}
}

// Without receivers shares are deleted by their owner.
func TestSendersAlone(t *testing.T) {
	h := newHost(t, false, nil)
	c := h.config()
	c.Receivers = 0
	r := mustRun(t, c)
	const want = "create share 8, put manifest 8, put part 24, complete 8, get share 16, delete share 8"
	if got := calls(r); got != want || r.Err() != nil || r.Gone != 8 {
		t.Errorf("got  %s\nwant %s\n%+v", got, want, r)
	}
	h.nothingLeft(t)
}

// A server that changes one byte of one answer is found out, and only that is.
func TestWrongByte(t *testing.T) {
	var done atomic.Bool
	h := newHost(t, false, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/parts/2") && !done.Swap(true) {
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
				body := rec.Body.Bytes()
				body[len(body)-1]++
				w.Write(body)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	r := mustRun(t, h.config())
	if r.Wrong != 1 || r.Err() == nil || r.Errors[load.Failure{Call: "get part", What: "wrong bytes"}] != 1 || len(r.Errors) != 1 {
		t.Errorf("got %+v", r)
	}
	h.nothingLeft(t) // the share that could not be brought to its end is deleted
}

// Refusals are counted by their code.
func TestErrorsByCode(t *testing.T) {
	var n atomic.Int64
	h := newHost(t, false, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1/shares" && n.Add(1) == 3 {
				http.Error(w, `{"code":"too-many-requests"}`, http.StatusTooManyRequests)
				return
			}
			if r.URL.Path == "/api/v1/shares" && n.Load() == 5 {
				http.Error(w, "a proxy's page", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	c := h.config()
	c.Senders = 1
	r := mustRun(t, c)
	if len(r.Errors) != 2 || r.Errors[load.Failure{Call: "create share", What: "too-many-requests"}] != 1 ||
		r.Errors[load.Failure{Call: "create share", What: "status 502"}] != 1 || r.Shares != 6 || r.Err() == nil {
		t.Errorf("got %+v", r)
	}
}

// Answers that are lost after the server did what was asked are asked for again, and all counts stay exact.
func TestRetry(t *testing.T) {
	var n, lost atomic.Int64
	h := newHost(t, false, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%7 != 0 {
				next.ServeHTTP(w, r)
				return
			}
			lost.Add(1)
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	})
	c := h.config()
	c.Retry = 30 * time.Second
	r := mustRun(t, c)
	if err := r.Err(); err != nil || r.Taken != 32 || r.Refused != 8 || r.Gone != 8 || lost.Load() == 0 {
		t.Errorf("error %v, %d answers lost, %+v", err, lost.Load(), r)
	}
	h.nothingLeft(t)
}

// Slow uploads and idle connections are there for as long as the rest takes, and leave nothing.
func TestAround(t *testing.T) {
	var slow, most atomic.Int64
	h := newHost(t, false, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && r.ContentLength == api.MinPartSize {
				most.Store(max(most.Load(), slow.Add(1)))
				defer slow.Add(-1)
			}
			next.ServeHTTP(w, r)
		})
	})
	c := h.config()
	c.Senders, c.Receivers, c.Duration = 0, 0, 500*time.Millisecond
	c.Slow, c.SlowBurst, c.SlowRate, c.Idle = 20, 1000, 100, 30
	r := mustRun(t, c)
	if r.Err() != nil || r.Slow != 20 || r.SlowCut != 0 || r.Idle != 30 || r.IdleCut != 0 || most.Load() != 20 {
		t.Errorf("%d uploads at once, %+v", most.Load(), r)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), "20 slow uploads, 0 of them") {
		t.Errorf("%v\n%s", err, text.String())
	}
	h.nothingLeft(t)
}

// A run that is stopped deletes what it made.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var puts atomic.Int64
	h := newHost(t, false, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if r.Method == http.MethodPut && puts.Add(1) == 10 {
				stop()
			}
		})
	})
	c := h.config()
	c.Bytes = 1 << 40
	if _, err := load.Run(ctx, c); err != nil {
		t.Fatal(err)
	}
	h.nothingLeft(t)
}

func TestPlan(t *testing.T) {
	good := load.Config{Senders: 1, Receivers: 1, Size: 100, Manifest: 100, Downloads: 1, Bytes: 100, Duration: time.Second}
	for name, change := range map[string]func(*load.Config){
		"no bytes":          func(c *load.Config) { c.Bytes = 99 },
		"no time":           func(c *load.Config) { c.Duration = 0 },
		"no senders":        func(c *load.Config) { c.Senders = 0 },
		"no downloads":      func(c *load.Config) { c.Downloads = 0 },
		"small share":       func(c *load.Config) { c.Size = 45 },
		"large manifest":    func(c *load.Config) { c.Manifest = api.MaxManifestSize + 1 },
		"slow without rate": func(c *load.Config) { c.Slow, c.SlowBurst = 1, 100 },
	} {
		c := good
		change(&c)
		if _, err := load.Run(t.Context(), c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
