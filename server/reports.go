package server

import (
	"bytes"
	"crypto/rand"
	"io"
	"mime"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// addReport keeps what a recipient has sealed to the operator. It is not opened here, nor could it be.
func (s *Server) addReport(c *call, sh store.Share) error {
	sealed, err := s.report(c, sh)
	if err != nil {
		c.drain() // as for a part
		return err
	}
	id := make([]byte, idBytes)
	rand.Read(id) // never fails
	r := store.Report{ID: tokenEncoding.EncodeToString(id), Share: sh.ID, Received: s.now(), Sealed: sealed}
	if err := s.meta.AddReport(c.settled(), r, s.cfg.ReportLimit); err != nil {
		return missIfNotFound(err)
	}
	c.log.Warn("a report came in") // of which share, the log does not tell
	return c.empty()
}

// report reads the body. What is still being sent cannot be reported: beginning a share costs nothing, and the room for reports is not to
// be filled with reports of empty ones.
func (s *Server) report(c *call, sh store.Share) ([]byte, error) {
	size := c.r.ContentLength
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case s.cfg.ReportRecipient == "":
		return nil, api.NewProblem(api.CodeReportsOff)
	case sh.State != store.Ready:
		return nil, notReady()
	case kind != "application/octet-stream":
		return nil, api.NewProblem(api.CodeBadRequest)
	case size < 0, size == 0 && c.r.Header.Get("Content-Length") == "":
		return nil, api.NewProblem(api.CodeLengthRequired)
	case size > api.MaxReportSize:
		return nil, api.NewProblem(api.CodeTooLarge)
	}
	if p := limited(s.cfg.ReportLimiter, s.clientKey(c.r)); p != nil {
		return nil, p
	}
	sealed, err := io.ReadAll(io.LimitReader(c.r.Body, size))
	switch {
	case err != nil || int64(len(sealed)) < size:
		return nil, api.NewProblem(api.CodeInterrupted)
	case !bytes.HasPrefix(sealed, []byte(api.AgeMagic)):
		return nil, api.NewProblem(api.CodeNotSealed)
	}
	return sealed, nil
}
