package server

import (
	"net/http"
	"regexp"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// Observer is told what a Server does, so that it can be counted. It is told no id, token, name or address, and no word that a client
// made up: each of its arguments has few values. It is safe for concurrent use and returns at once.
type Observer interface {
	// Answered is told of each request that has come to its end.
	Answered(a Answer)
	// Swept is told of each sweep of "shares", "reservations", "reports", "charges" (by days) or "orphans", and how many it removed. An err
	// means that some are left.
	Swept(what string, removed int, err error)
}

// Answer is what became of a request.
type Answer struct {
	Method  string        // one of those that there are, or "other"
	Route   string        // the path as it stands in the routes; "page" or "asset" for what is none of them
	Status  int           // 0 if the connection was cut before there was one
	Problem api.Code      // "" for none
	Cut     bool          // the body was not sent to its end
	Damaged bool          // a part of the share is not there, is too short or cannot be read, which is no client's doing
	Took    time.Duration // from the header of the request to the last byte of the answer
}

// nobody observes nothing.
type nobody struct{}

func (nobody) Answered(Answer)          {}
func (nobody) Swept(string, int, error) {}

const requestIDHeader = "X-Request-Id"

// requestIDForm is what proxies make up: a UUID, or hexadecimal digits. No id or token of ours looks like that, so that none gets into
// a log this way.
var requestIDForm = regexp.MustCompile(`^[0-9A-Fa-f-]{16,64}$`)

// requestName is what a call is named in the log and in its answer: as a proxy has named it, or anew. Anybody else's name is not believed,
// since they could give many requests one name, or another's. Pages have none: they are not logged.
func (s *Server) requestName(r *http.Request) string {
	if s.cfg.RequestID == nil {
		return ""
	}
	if name := r.Header.Get(requestIDHeader); requestIDForm.MatchString(name) {
		if peer, err := parseAddr(r.RemoteAddr); err == nil && s.trusts(peer) {
			return name
		}
	}
	return s.cfg.RequestID()
}

// network is that of a client, which many share: an IPv4 /24, or a /48 of IPv6.
func (s *Server) network(r *http.Request) string {
	addr := s.clientAddr(r)
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

// servePage answers what is none of the routes. Pages come out of memory, so a writer around the writer is in nobody's way.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	a := Answer{Method: knownMethod(r.Method), Route: "asset"}
	if _, document := documentName(r.URL.Path); document {
		a.Route = "page"
	}
	began := s.cfg.Now()
	noting := &statusWriter{ResponseWriter: w}
	defer func() {
		a.Status, a.Took = noting.status, s.cfg.Now().Sub(began)
		s.cfg.Observer.Answered(a)
	}()
	s.cfg.Pages.ServeHTTP(noting, r)
}

// statusWriter notes the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
