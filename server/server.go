// Package server is the blind post office: it takes sealed parts in, keeps them until they expire, and hands them out to
// whoever proves the link. It never holds a key. The calls are in package api, the storage contract in package store.
//
// A Server is an http.Handler for every platform, natively as on Cloudflare Workers. It has no listener, no file, no
// goroutine and no clock of its own, keeps nothing between requests but when it last warned of what clients can repeat, and never
// wraps a part's ResponseWriter or body: what they implement beyond the interface (sendfile, a raw stream) is what lets bytes bypass
// this program. Whoever mounts it calls Sweep every minute or so, and SweepOrphans every hour or so.
//
// Who may do what is decided in auth.go by tokens of which only the SHA-256 is stored. Whatever is unknown, expired, revoked,
// spent, malformed or not permitted gets one and the same answer.
//
// It does not protect against its operator denying service, counting, or serving another page than the published one.
package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sealpost/sealpost/server/store"
)

// Server answers the API, and the pages if it was given any. Make one with New. It is safe for concurrent use.
type Server struct {
	cfg     Config
	blobs   store.Blobs
	meta    store.Meta
	headers []header // of every answer
	mux     http.Handler

	totalFull, reportsFull seldom
}

// New returns a Server, or an error that says what is wrong with c.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("failed to configure server: %w", err)
	}
	s := &Server{cfg: c, blobs: c.Blobs, meta: c.Meta}
	origin := ""
	if c.Direct != nil {
		origin = c.Direct.Origin()
	}
	s.headers = securityHeaders(origin)
	s.mux = s.router()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, h := range s.headers {
		w.Header().Set(h.name, h.value)
	}
	if s.cfg.BasePath != "" {
		own := s.below(r)
		if r.URL.Path == s.cfg.BasePath { // of a host whose root is something else, people write only so much
			http.Redirect(w, r, s.cfg.BasePath+"/", http.StatusPermanentRedirect)
			return
		}
		if own == nil {
			plain(w, r, http.StatusNotFound)
			return
		}
		r = own
	}
	s.mux.ServeHTTP(w, r)
}

// below returns r as it would be without the base path, or nil if it is for something else on the same host.
func (s *Server) below(r *http.Request) *http.Request {
	path, ok := strings.CutPrefix(r.URL.Path, s.cfg.BasePath)
	raw, _ := strings.CutPrefix(r.URL.RawPath, s.cfg.BasePath)
	if !ok || !strings.HasPrefix(path, "/") {
		return nil
	}
	own, u := *r, *r.URL
	u.Path, u.RawPath = path, raw
	own.URL = &u
	return &own
}

// now is the current time as stores want it.
func (s *Server) now() int64 { return s.cfg.Now().Unix() }

// idle is the time since when a lease must have been unused to count as over.
func (s *Server) idle() int64 { return s.now() - seconds(s.cfg.LeaseIdle) }
