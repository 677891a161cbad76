package server

import (
	"crypto/sha256"
	"net/http"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// notReady answers for what has not arrived in an upload that is still running.
func notReady() *api.Problem {
	p := api.NewProblem(api.CodeNotReady)
	p.RetryAfter = 1
	return p
}

func (s *Server) getManifest(c *call, sh store.Share) error {
	manifest, err := s.arrived(c, sh, 0)
	if err != nil {
		return err
	}
	return s.sendPart(c, sh, manifest)
}

func (s *Server) getPart(c *call, sh store.Share) error {
	part, err := s.findPart(c, sh)
	if err != nil {
		return err
	}
	return s.sendPart(c, sh, part)
}

// findPart returns the part that the path names.
func (s *Server) findPart(c *call, sh store.Share) (store.Part, error) {
	n, ok := c.partNumber()
	if !ok || sh.State == store.Open && n > partCount(sh.Size, sh.PartSize) || sh.State == store.Ready && n > sh.Parts {
		return store.Part{}, api.NewProblem(api.CodeNotFound)
	}
	return s.arrived(c, sh, n)
}

// arrived returns part n, if it is there.
func (s *Server) arrived(c *call, sh store.Share, n int64) (store.Part, error) {
	part, err := s.meta.Part(c.ctx(), sh.ID, n)
	if isGone(err) && sh.State == store.Open {
		return part, notReady()
	}
	return part, err
}

func (s *Server) sendPart(c *call, sh store.Share, part store.Part) error {
	return s.send(c, sh, []store.Part{part}, part.Size, part.Digest)
}

// getContent sends all parts as one body.
func (s *Server) getContent(c *call, sh store.Share) error {
	if sh.State != store.Ready {
		return notReady()
	}
	parts, err := s.meta.Parts(c.ctx(), sh.ID)
	if err != nil {
		return err
	}
	if len(parts) > 0 && parts[0].N == 0 {
		parts = parts[1:]
	}
	if int64(len(parts)) < sh.Parts {
		return store.ErrNotFound // a sweep was faster
	}
	digests := sha256.New()
	for _, p := range parts[:sh.Parts] {
		digests.Write(p.Digest[:])
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="content.age"`)
	return s.send(c, sh, parts[:sh.Parts], sh.Size, store.Hash(digests.Sum(nil)))
}

func (s *Server) takeDownload(c *call, sh store.Share) error {
	var in api.TakeDownload
	if err := c.decode(&in); err != nil {
		return err
	}
	if in.Ticket == (api.Hash{}) {
		return api.NewProblem(api.CodeBadRequest)
	}
	if err := s.takes(c, sh, store.Hash(in.Ticket)); err != nil {
		return err
	}
	got, err := s.meta.TakeDownload(c.ctx(), sh.ID, store.Hash(in.Ticket), s.now())
	if err != nil {
		return missIfNotFound(err)
	}
	return c.json(http.StatusOK, s.wireShare(got, false))
}

// takes returns the problem of a client that takes too many downloads. Each is a record, and of a share that may be downloaded any number of
// times there is no end to them. Who goes on with one adds nothing, so is let through: the store is asked about that only when it matters.
func (s *Server) takes(c *call, sh store.Share, ticket store.Hash) error {
	p := limited(s.cfg.TakeLimiter, s.clientKey(c.r))
	if p == nil {
		return nil
	}
	switch _, err := s.meta.Ticket(c.ctx(), sh.ID, ticket, s.now()); {
	case err == nil:
		return nil
	case !isGone(err):
		return err
	}
	return p
}

func (s *Server) finishDownload(c *call, ticket store.Hash) error {
	spent, err := s.meta.FinishDownload(c.settled(), c.id, ticket, s.now(), s.idle())
	if err != nil {
		return missIfNotFound(err)
	}
	if spent {
		s.purgeNow(c)
	}
	return c.empty()
}
