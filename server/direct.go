package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// How long a request that a client was given can be begun. The first is enough for a part that waits behind others on a slow line. The last
// bounds how long somebody can read on whose ticket has ended; where the share has, its bytes are gone.
const (
	directPutLasts = 15 * time.Minute
	directPutDone  = 20 * time.Minute // by then what was begun is there, or taken not to come
	directGetLasts = 5 * time.Minute
)

// sendDirect tells the owner how to put a part into the store, for which room is reserved. The room is given back when the request has ended
// and no bytes are there; those that are count until they are deleted. A share that is removed counts, with every part of it that could be put,
// until the last of its requests has ended: see purge. So of all such requests no more comes than was counted, but for bodies that somebody
// begins to send in time and ends later than directPutDone: these are not counted, and lie there until SweepOrphans deletes them, which it
// does when their share is open no more.
func (s *Server) sendDirect(c *call, sh store.Share) error {
	part, err := s.directPart(c, sh)
	if err != nil {
		return err
	}
	reserved, stored, err := s.meta.ReservePart(c.ctx(), sh.ID, part, s.now(), s.now()+seconds(directPutDone), s.cfg.MaxTotalSize)
	switch {
	case err != nil:
		return missIfNotFound(err)
	case reserved != part:
		return api.NewProblem(api.CodePartConflict)
	case stored:
		return c.empty()
	}
	r, err := s.cfg.Direct.PutRequest(c.ctx(), store.Key{Share: sh.ID, N: part.N, Digest: part.Digest}, part.Size, directPutLasts)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, s.wireDirect(r, directPutLasts))
}

// confirmDirect makes a part of what the owner says to have put into the store, if it is there.
func (s *Server) confirmDirect(c *call, sh store.Share) error {
	part, err := s.directPart(c, sh)
	if err != nil {
		return err
	}
	switch there, err := s.isStored(c, sh, part); {
	case err != nil:
		return err
	case there:
		return c.empty()
	}
	key := store.Key{Share: sh.ID, N: part.N, Digest: part.Digest}
	switch err := s.cfg.Direct.Confirm(c.ctx(), key, part.Size, magicOf(part.N)); {
	case isGone(err):
		return notReady()
	case errors.Is(err, store.ErrSize): // which is what the caller says, and nothing against what is there
		return api.NewProblem(api.CodeWrongSize)
	case errors.Is(err, store.ErrDigest), errors.Is(err, store.ErrMagic):
		s.deleteUnwanted(c, key) // whatever anybody says, it is no part
		return err
	case err != nil:
		return err
	}
	return s.record(c, sh, part, key)
}

// directPart is the part that the owner names.
func (s *Server) directPart(c *call, sh store.Share) (store.Part, error) {
	n, ok := c.partNumber()
	if !ok || s.cfg.Direct == nil {
		return store.Part{}, api.NewProblem(api.CodeNotFound)
	}
	var in api.DirectPart
	if err := c.decode(&in); err != nil {
		return store.Part{}, err
	}
	switch {
	case in.Digest == api.Hash{}:
		return store.Part{}, api.NewProblem(api.CodeBadRequest)
	case in.Size < 1:
		return store.Part{}, api.NewProblem(api.CodeWrongSize)
	case in.Size > partLimit(sh, n):
		return store.Part{}, api.NewProblem(api.CodeTooLarge)
	}
	return store.Part{N: n, Size: in.Size, Digest: store.Hash(in.Digest)}, nil
}

// getDirect tells the holder of a ticket how to read a part from the store.
func (s *Server) getDirect(c *call, sh store.Share) error {
	if s.cfg.Direct == nil {
		return api.NewProblem(api.CodeNotFound)
	}
	part, err := s.findPart(c, sh)
	if err != nil {
		return err
	}
	r, err := s.cfg.Direct.GetRequest(c.ctx(), store.Key{Share: sh.ID, N: part.N, Digest: part.Digest}, directGetLasts)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, s.wireDirect(r, directGetLasts))
}

func (s *Server) wireDirect(r store.Request, lasts time.Duration) api.Direct {
	headers := r.Header
	if headers == nil {
		headers = map[string]string{}
	}
	return api.Direct{Method: r.Method, URL: r.URL, Headers: headers, Expires: s.now() + seconds(lasts)}
}
