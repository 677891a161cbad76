package server

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// idBytes is how many random bytes make an id.
const idBytes = 12

func (s *Server) getConfig(c *call) error {
	w := s.cfg.wire()
	w.Uploads = s.uploads(c.r)
	return c.json(http.StatusOK, w)
}

// wireShare is what a holder of the link is told of sh; the owner is told how often it was taken, too.
func (s *Server) wireShare(sh store.Share, owner bool) api.Share {
	w := api.Share{
		ID:           sh.ID,
		State:        api.State(sh.State),
		Password:     sh.Password,
		Size:         sh.Size,
		PartSize:     sh.PartSize,
		Parts:        sh.Parts,
		Now:          s.now(),
		Created:      sh.Created,
		Expires:      sh.Expires,
		Lifetime:     sh.Lifetime,
		MaxDownloads: sh.MaxDownloads,
		Direct:       s.cfg.Direct != nil,
	}
	if sh.MaxDownloads > 0 {
		left := max(0, sh.MaxDownloads-sh.Taken) // an owner may set the limit below what was taken
		w.Left = &left
	}
	if owner {
		w.Taken = &sh.Taken
	}
	return w
}

func (s *Server) createShare(c *call) error {
	var in api.CreateShare
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := s.checkTerms(&in.Lifetime, &in.MaxDownloads); err != nil {
		return err
	}
	switch none := (api.Hash{}); {
	case in.Access == none || in.Reader == none || in.Owner == none || in.Size < 1:
		return api.NewProblem(api.CodeBadRequest)
	case in.Size > s.cfg.MaxShareSize:
		return api.NewProblem(api.CodeTooLarge)
	}
	if err := s.roomForShare(c, in.Size); err != nil {
		return err
	}
	refund, err := s.charge(c, 1, in.Size)
	if err != nil {
		return err
	}
	want := s.newShare(in)
	got, err := s.meta.Create(c.ctx(), want)
	if err != nil || got.ID != want.ID {
		refund()
	}
	switch {
	case err != nil:
		return err
	case got.ID == want.ID:
		c.w.Header().Set("Location", s.cfg.BasePath+"/api/v1/shares/"+got.ID)
		return c.json(http.StatusCreated, s.wireShare(got, true))
	case !sameTerms(got, want):
		return api.NewProblem(api.CodeShareConflict)
	}
	return c.json(http.StatusOK, s.wireShare(got, true))
}

func (s *Server) newShare(in api.CreateShare) store.Share {
	id := make([]byte, idBytes)
	rand.Read(id) // never fails
	now := s.now()
	return store.Share{
		ID:           tokenEncoding.EncodeToString(id),
		Access:       store.Hash(in.Access),
		Reader:       store.Hash(in.Reader),
		Owner:        store.Hash(in.Owner),
		State:        store.Open,
		Password:     in.Password,
		PartSize:     s.cfg.partSize(in.Size),
		Size:         in.Size,
		Created:      now,
		Expires:      now + seconds(s.cfg.AbandonAfter),
		Lifetime:     in.Lifetime,
		MaxDownloads: in.MaxDownloads,
	}
}

// sameTerms tells whether a repeated request asks for the share that it got. A complete share no longer knows the size that
// was announced for it.
func sameTerms(got, want store.Share) bool {
	return got.Access == want.Access && got.Reader == want.Reader && got.Password == want.Password &&
		got.Lifetime == want.Lifetime && got.MaxDownloads == want.MaxDownloads &&
		(got.Size == want.Size || got.State == store.Ready && got.Size <= want.Size)
}

// checkTerms checks what the sender or owner chose; nil is not chosen.
func (s *Server) checkTerms(lifetime, downloads *int64) error {
	if lifetime != nil && (*lifetime < 1 || *lifetime > seconds(s.cfg.MaxLifetime)) {
		return api.NewProblem(api.CodeBadLifetime)
	}
	if downloads != nil && (*downloads < 0 || *downloads > s.cfg.MaxDownloads) {
		return api.NewProblem(api.CodeBadDownloads)
	}
	return nil
}

func (s *Server) getShare(c *call, sh store.Share, owner bool) error {
	return c.json(http.StatusOK, s.wireShare(sh, owner))
}

func (s *Server) updateShare(c *call, sh store.Share) error {
	var in api.UpdateShare
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := s.checkTerms(in.Lifetime, in.MaxDownloads); err != nil {
		return err
	}
	got, err := s.meta.Update(c.ctx(), sh.ID, store.Change{Lifetime: in.Lifetime, MaxDownloads: in.MaxDownloads}, s.now())
	if err != nil {
		return missIfNotFound(err)
	}
	return c.json(http.StatusOK, s.wireShare(got, true))
}

func (s *Server) deleteShare(c *call, sh store.Share) error {
	err := s.meta.Remove(c.settled(), sh.ID, s.now())
	if errors.Is(err, store.ErrFull) { // the room that the record needs may be that of the bytes
		if err = s.blobs.DeleteShare(c.settled(), sh.ID); err == nil {
			err = s.meta.Remove(c.settled(), sh.ID, s.now())
		}
	}
	if err != nil {
		return missIfNotFound(err)
	}
	s.purgeNow(c)
	return c.empty()
}

// purgeNow takes the bytes of a removed share away at once. It is gone to everyone already, so what fails is left for the next
// sweep.
func (s *Server) purgeNow(c *call) {
	if err := s.purge(c.settled(), c.id); err != nil {
		c.log.Error("failed to purge a removed share, will try again", "error", c.scrub(err))
	}
}

// pollEvery is how often a waiting request looks for news.
const pollEvery = 500 * time.Millisecond

// sleep waits, unless the client hangs up before.
func (c *call) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx().Done():
		return c.ctx().Err()
	}
}

func isGone(err error) bool { return errors.Is(err, store.ErrNotFound) }
