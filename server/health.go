package server

import (
	"io"
	"net/http"
	"strconv"

	"github.com/sealpost/sealpost/server/api"
)

// getHealth says that this process answers. It asks no store: a supervisor that restarts a server for a full disk helps nobody.
func (s *Server) getHealth(c *call) error { return c.ok() }

// getReady says whether requests should come here, for whoever spreads them over several servers. It does not say why not: anyone may
// ask.
func (s *Server) getReady(c *call) error {
	if s.cfg.Ready != nil && s.cfg.Ready(c.ctx()) != nil {
		return api.NewProblem(api.CodeUnavailable)
	}
	return c.ok()
}

// ok answers with two letters.
func (c *call) ok() error {
	const text = "ok\n"
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	c.begin(http.StatusOK)
	if c.r.Method != http.MethodHead {
		n, _ := io.WriteString(c.w, text)
		c.bytes += int64(n)
	}
	return nil
}
