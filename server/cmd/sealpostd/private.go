package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/sealpost/sealpost/server/internal/metrics"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/observed"
)

// The private listener is for the operator and their Prometheus, and for nobody else:
//
//	GET  /metrics        see package metrics
//	GET  /debug/pprof/   profiles of the running program
//	GET  /healthz        as in public
//	GET  /readyz         as in public, but it says why not
//	GET  /drain          {"draining": …, "inFlight": …}
//	POST /drain          take no new shares and be unready from now on; DELETE takes that back
//
// It has no passwords: whoever reaches it may do all of that. So there is none by default, and then no draining by command; one on
// localhost is reached by all users of the machine. Pages that a browser on the machine has open cannot change anything here.

// drainState is the answer to /drain.
type drainState struct {
	Draining bool  `json:"draining"`
	InFlight int64 `json:"inFlight"` // requests that the public listener is at
}

// watch is what a process knows of itself.
type watch struct {
	readiness // of the stores as they are watched
	metrics   *metrics.Metrics
}

func newWatch(blobs store.Blobs, meta store.Meta, logger *slog.Logger) *watch {
	m := metrics.New(build())
	w := &watch{metrics: m, readiness: readiness{log: logger,
		blobs: observed.Blobs(blobs, m.Store("blobs")), meta: observed.Meta(meta, m.Store("meta"))}}
	m.Totals(func(ctx context.Context) (store.Totals, error) { return w.meta.Totals(ctx, time.Now().Unix()) })
	m.Gauge("ready", "Whether requests should come here.", func() bool { return w.Ready(context.Background()) == nil })
	m.Gauge("draining", "Whether no new shares are taken.", w.draining.Load)
	return w
}

// private is what the private listener serves.
func (w *watch) private() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.metrics.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", http.NotFound) // it may have secrets
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "ok\n") })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, r *http.Request) {
		if err := w.Ready(r.Context()); err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		io.WriteString(rw, "ok\n")
	})
	mux.HandleFunc("/drain", w.serveDrain)
	return withoutPages(mux)
}

// withoutPages refuses what a page of a browser would change, of whatever origin: one whose name leads here by now is of the same.
func withoutPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !reads && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "") {
			http.Error(w, "not for pages", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (w *watch) serveDrain(rw http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost, http.MethodDelete:
		on := r.Method == http.MethodPost
		if w.draining.Swap(on) != on {
			w.log.Warn("draining", "on", on)
		}
	default:
		rw.Header().Set("Allow", "DELETE, GET, POST")
		http.Error(rw, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(drainState{w.draining.Load(), w.metrics.InFlightNow()})
}

// servePrivate serves the private listener until the returned function is called. An address of "" is none; it may be that of a Unix
// socket, which keeps out who is not of the server's user or group.
func servePrivate(address string, h http.Handler, say func(string)) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := listenAt(address)
	if err != nil {
		return nil, fmt.Errorf("failed to listen in private: %w", err)
	}
	if listener.Addr().Network() == "unix" {
		say("metrics on " + address)
	} else {
		say(fmt.Sprintf("metrics on http://%s/metrics", listener.Addr()))
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: noLog}
	go s.Serve(listener)
	return func() { s.Close() }, nil
}
