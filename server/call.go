package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// endpoint answers a call, or returns the error that is to be answered.
type endpoint func(*call) error

// call is one request on its way. It notes what was answered, so that the ResponseWriter need not be wrapped for the log.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	id     string // of the share, not checked yet
	log    *slog.Logger
	status int      // 0 until the header is sent
	bytes  int64    // of the body
	code   api.Code // of the problem that was answered

	counted bool // by the CallLimiter
	damaged bool // a part was, or could not be read
}

func (c *call) ctx() context.Context { return c.r.Context() }

// pathVar returns what stands in the path for {name}.
func (c *call) pathVar(name string) string { return mux.Vars(c.r)[name] }

// settled is for what has to be brought to its end even if the client hangs up.
func (c *call) settled() context.Context { return context.WithoutCancel(c.r.Context()) }

// handler mounts an endpoint. The path is logged as it stands in the routes, with its {id}.
func (s *Server) handler(path string, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r, id: mux.Vars(r)["id"], log: s.cfg.Log}
		if name := s.requestName(r); name != "" {
			w.Header().Set(requestIDHeader, name)
			c.log = s.cfg.Log.With("request", name)
		}
		began := s.cfg.Now()
		defer func() {
			v := recover()
			if v != nil && v != http.ErrAbortHandler {
				c.log.Error("panic", "route", path, "error", c.scrub(fmt.Errorf("%v", v)), "stack", string(debug.Stack()))
				if c.status == 0 {
					c.problem(api.NewProblem(api.CodeInternal))
					v = nil
				}
			}
			s.settle(c, path, s.cfg.Now().Sub(began), v != nil)
			if v != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		w.Header().Set("Cache-Control", "no-store")
		if err := e(c); err != nil {
			s.fail(c, path, err)
		}
	})
}

// settle tells log and observer of a request that is over.
func (s *Server) settle(c *call, path string, took time.Duration, cut bool) {
	method := knownMethod(c.r.Method)
	s.cfg.Observer.Answered(Answer{Method: method, Route: path, Status: c.status, Problem: c.code, Cut: cut, Damaged: c.damaged, Took: took})
	level := slog.LevelDebug
	if c.status >= 400 {
		level = slog.LevelInfo
	}
	if !c.log.Enabled(c.ctx(), level) {
		return
	}
	log := c.log
	if s.cfg.LogNetworks {
		log = log.With("network", s.network(c.r))
	}
	log.Log(c.ctx(), level, "request", "method", method, "route", path, "status", c.status, "bytes", c.bytes, "duration", took)
}

// knownMethod keeps out of the log what a client made up.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// fail answers err. Once bytes are out it can only cut the connection, so that no client takes the answer for a whole one.
func (s *Server) fail(c *call, path string, err error) {
	if c.damaged = errors.Is(err, errDamaged); c.damaged {
		c.log.Error("a part is damaged, or cannot be read", "route", path, "error", c.scrub(err))
	}
	if c.status != 0 {
		if !c.damaged {
			c.log.Info("response cut short", "route", path, "error", c.scrub(err))
		}
		panic(http.ErrAbortHandler)
	}
	if errors.Is(err, store.ErrUnavailable) {
		c.drain() // whatever a sender was about to send; it is told to send it again
	}
	p := s.problemOf(c, err)
	switch {
	case errors.Is(err, store.ErrAllReports):
		if s.reportsFull.due(s.now()) {
			c.log.Warn("no room is left for reports, and all are of shares that are there")
		}
	case p.Code == api.CodeInternal, p.Code == api.CodeStorageFull, errors.Is(err, store.ErrUnavailable):
		c.log.Error("request failed", "route", path, "code", p.Code, "error", c.scrub(err))
	}
	c.problem(p)
}

// seldom is when something was last worth a line: clients can bring it about as often as they like. The zero value is never.
type seldom struct{ at atomic.Int64 }

// due tells whether an hour has passed.
func (s *seldom) due(now int64) bool {
	last := s.at.Load()
	return (last == 0 || now < last || now-last >= 60*60) && s.at.CompareAndSwap(last, now)
}

// storeProblems is the one table from errors to codes.
var storeProblems = []struct {
	err  error
	code api.Code
}{
	{store.ErrNotFound, api.CodeNotFound},
	{store.ErrConflict, api.CodeAlreadyComplete},
	{store.ErrNotOpen, api.CodeAlreadyComplete},
	{store.ErrIncomplete, api.CodeIncomplete},
	{store.ErrSpent, api.CodeNoDownloadsLeft},
	{store.ErrExhausted, api.CodeTooManyTries},
	{store.ErrDigest, api.CodeDigestMismatch},
	{store.ErrMagic, api.CodeNotSealed},
	{store.ErrSize, api.CodeInterrupted}, // the length was checked before, so the body fell short of it
	{store.ErrEnough, api.CodeEnoughReports},
	{store.ErrAllReports, api.CodeStorageFull},
	{store.ErrFull, api.CodeStorageFull},
	{store.ErrOverTotal, api.CodeOverTotal},
	{store.ErrTooMany, api.CodeReadParts},
	{store.ErrUnavailable, api.CodeUnavailable},
	{context.Canceled, api.CodeUnavailable},
	{context.DeadlineExceeded, api.CodeUnavailable},
}

func (s *Server) problemOf(c *call, err error) *api.Problem {
	if errors.Is(err, errMiss) {
		return s.missProblem(c)
	}
	var p *api.Problem
	if errors.As(err, &p) {
		return p
	}
	for _, row := range storeProblems {
		if errors.Is(err, row.err) {
			return api.NewProblem(row.code)
		}
	}
	return api.NewProblem(api.CodeInternal)
}

// problem writes p.
func (c *call) problem(p *api.Problem) {
	h := c.w.Header()
	h.Del("ETag")
	h.Del("Accept-Ranges")
	h.Del("Content-Disposition")
	if p.Code != api.CodeBadRange {
		h.Del("Content-Range")
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(p.RetryAfter, 10))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="sealpost"`)
	}
	c.code = p.Code
	c.write(p.Status, "application/problem+json", p)
}

// json writes v.
func (c *call) json(status int, v any) error {
	c.write(status, "application/json", v)
	return nil
}

func (c *call) write(status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("BUG: failed to encode answer: " + err.Error())
	}
	body = append(body, '\n')
	c.w.Header().Set("Content-Type", contentType)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.begin(status)
	if c.r.Method != http.MethodHead {
		n, _ := c.w.Write(body) // a client that hung up learns nothing from an error
		c.bytes += int64(n)
	}
}

// empty answers 204.
func (c *call) empty() error {
	c.begin(http.StatusNoContent)
	return nil
}

func (c *call) begin(status int) {
	c.status = status
	c.w.WriteHeader(status)
}

// decode reads a JSON body into v. Unknown members are ignored, so that newer clients can talk to older servers.
func (c *call) decode(v any) error {
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return api.NewProblem(api.CodeBadRequest)
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, api.MaxJSONBody+1))
	switch {
	case err != nil:
		return api.NewProblem(api.CodeInterrupted)
	case len(body) > api.MaxJSONBody:
		return api.NewProblem(api.CodeTooLarge)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return api.NewProblem(api.CodeBadRequest)
	}
	return nil
}

// scrub returns the text of err for the log, without the share's id and the client's address.
func (c *call) scrub(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return scrubID(err, c.id)
}

func scrubID(err error, id string) string {
	if id == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), id, "{id}")
}
