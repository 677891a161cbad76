package server

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

func (s *Server) putManifest(c *call, sh store.Share) error {
	return s.put(c, sh, 0, api.MaxManifestSize)
}

func (s *Server) putPart(c *call, sh store.Share) error {
	n, ok := c.partNumber()
	if !ok {
		return api.NewProblem(api.CodeNotFound)
	}
	return s.put(c, sh, n, partLimit(sh, n))
}

// partLimit is how large part n may be. One that is shorter than the others is taken: whether it is the last turns out at completion.
func partLimit(sh store.Share, n int64) int64 {
	if sh.State == store.Open {
		return min(sh.PartSize, sh.Size-(n-1)*sh.PartSize)
	}
	return sh.PartSize
}

// magicOf is what part n has to begin with.
func magicOf(n int64) string {
	if n <= 1 {
		return api.AgeMagic
	}
	return ""
}

// partNumber returns {n} of the path: 1 … api.MaxParts in its only spelling.
func (c *call) partNumber() (int64, bool) {
	text := c.pathVar("n")
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 1 && n <= api.MaxParts && strconv.FormatInt(n, 10) == text
}

// put takes part n of at most limit bytes.
func (s *Server) put(c *call, sh store.Share, n, limit int64) error {
	digest, err := s.checkPut(c, sh, n, limit)
	if err != nil {
		c.drain() // else the connection is reset under the client's feet, which then never reads why
		return err
	}
	part := store.Part{N: n, Size: c.r.ContentLength, Digest: digest}
	switch there, err := s.isStored(c, sh, part); {
	case err != nil:
		c.drain()
		return err
	case there:
		c.drain()
		return c.empty()
	}
	if err := s.roomForPart(c, sh, part); err != nil {
		c.drain()
		return err
	}
	leave, err := s.enter(c)
	if err != nil {
		return err // and the body stays where it is: to read it would be what there is too much of
	}
	defer leave()
	refund, err := s.chargePart(c, part)
	if err != nil {
		c.drain()
		return err
	}
	stored := false
	defer func() { // also if a store panics to be called again
		if !stored {
			refund()
		}
	}()
	err = s.store(c, sh, part)
	stored = err == nil
	return err
}

// roomForPart is room, but for a part that is reserved: its bytes are counted already. That is asked when there is no room otherwise, which
// is seldom.
func (s *Server) roomForPart(c *call, sh store.Share, part store.Part) error {
	over := s.room(c, part.Size)
	if !errors.Is(over, store.ErrOverTotal) {
		return over
	}
	switch reserved, err := s.meta.Reservation(c.ctx(), sh.ID, part.N); {
	case isGone(err):
		return over
	case err == nil && reserved != part:
		return api.NewProblem(api.CodePartConflict)
	default:
		return err
	}
}

// isStored tells whether part is there already. It is an error if another one is, or if there will not be any more.
func (s *Server) isStored(c *call, sh store.Share, part store.Part) (bool, error) {
	stored, err := s.meta.Part(c.ctx(), sh.ID, part.N)
	switch {
	case err == nil && stored == part:
		return true, nil
	case err == nil && sh.State == store.Open:
		return false, api.NewProblem(api.CodePartConflict)
	case err == nil || isGone(err) && sh.State != store.Open:
		return false, api.NewProblem(api.CodeAlreadyComplete)
	case !isGone(err):
		return false, err
	}
	return false, nil
}

// checkPut checks what can be checked before a byte of the body is read.
func (s *Server) checkPut(c *call, sh store.Share, n, limit int64) (store.Hash, error) {
	size := c.r.ContentLength
	switch {
	case size < 0, size == 0 && c.r.Header.Get("Content-Length") == "":
		return store.Hash{}, api.NewProblem(api.CodeLengthRequired)
	case size > limit:
		return store.Hash{}, api.NewProblem(api.CodeTooLarge)
	case size == 0:
		return store.Hash{}, api.NewProblem(api.CodeWrongSize)
	}
	digest, ok := parseContentDigest(c.r.Header.Values("Content-Digest"))
	if !ok {
		return store.Hash{}, api.NewProblem(api.CodeDigestRequired)
	}
	return digest, nil
}

// store puts the body under its digest.
func (s *Server) store(c *call, sh store.Share, part store.Part) error {
	key := store.Key{Share: sh.ID, N: part.N, Digest: part.Digest}
	if err := s.blobs.Put(c.ctx(), key, c.r.Body, part.Size, magicOf(part.N)); err != nil {
		c.drain()
		return s.unlessGone(c, bodyError(err))
	}
	return s.record(c, sh, part, key)
}

// record has Meta decide whether the object key, which is there, is the part. Our own object is deleted only when it is certain that no
// record names it, nor ever will: after an error of unknown outcome it stays, and is an orphan at worst. So it does where all that is kept
// is too much: there may be room for the same bytes, from another request, in a moment.
func (s *Server) record(c *call, sh store.Share, part store.Part, key store.Key) error {
	now := s.now()
	expires := min(now+seconds(s.cfg.AbandonAfter), sh.Created+seconds(s.cfg.maxOpen()))
	stored, err := s.meta.AddPart(c.settled(), sh.ID, part, now, expires, s.cfg.MaxTotalSize)
	switch {
	case err == nil && stored == part:
		return c.empty()
	case err == nil:
		err = api.NewProblem(api.CodePartConflict)
	case !isGone(err) && !errors.Is(err, store.ErrNotOpen):
		return err
	}
	if stored.Digest != part.Digest {
		s.deleteUnwanted(c, key)
	}
	return missIfNotFound(err)
}

// deleteUnwanted deletes an object that is no part and will not be one.
func (s *Server) deleteUnwanted(c *call, key store.Key) {
	if err := s.blobs.Delete(c.settled(), key); err != nil {
		c.log.Warn("failed to delete an object that is no part, a sweep will", "error", c.scrub(err))
	}
}

// bodyError tells a client that stalls or hangs up from a store that fails.
func bodyError(err error) error {
	var timeout interface{ Timeout() bool }
	stalled := errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded)
	if stalled || errors.Is(err, io.ErrUnexpectedEOF) {
		return api.NewProblem(api.CodeInterrupted)
	}
	return missIfNotFound(err)
}

// unlessGone is err, unless it is of a store that could not keep a part because its share was deleted meanwhile, and cannot tell.
func (s *Server) unlessGone(c *call, err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		if _, gone := s.meta.Share(c.settled(), c.id, s.now()); isGone(gone) {
			return errMiss
		}
	}
	return err
}

// drain reads what is left of a body that is not wanted, as far as a part may go. A client that waits for permission to send
// is not given it.
func (c *call) drain() {
	if c.r.Body != nil && c.r.Header.Get("Expect") == "" && c.r.ContentLength <= api.MaxPartSize {
		io.CopyN(io.Discard, c.r.Body, api.MaxPartSize)
	}
}

// parseContentDigest returns the sha-256 member of an RFC 9530 Content-Digest.
func parseContentDigest(values []string) (h store.Hash, ok bool) {
	for member := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if name != "sha-256" {
			continue
		}
		text, begins := strings.CutPrefix(value, ":")
		text, ends := strings.CutSuffix(text, ":")
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if !begins || !ends || err != nil || len(b) != len(h) {
			return h, false
		}
		return store.Hash(b), true
	}
	return h, false
}

func (s *Server) completeShare(c *call, sh store.Share) error {
	var in api.CompleteShare
	if err := c.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Size < 1 || in.Size > maxShareSize || in.Parts != partCount(in.Size, sh.PartSize):
		return api.NewProblem(api.CodeWrongSize)
	case sh.State == store.Open && in.Size > sh.Size:
		return api.NewProblem(api.CodeTooLarge)
	}
	got, err := s.meta.Complete(c.ctx(), sh.ID, in.Size, in.Parts, s.now())
	switch {
	case errors.Is(err, store.ErrIncomplete):
		return s.incomplete(c, sh, in.Parts)
	case err != nil:
		return missIfNotFound(err)
	}
	return c.json(http.StatusOK, s.wireShare(got, true))
}

// incomplete tells which parts are missing, the manifest (0) among them. None are if it is the sizes that do not add up.
func (s *Server) incomplete(c *call, sh store.Share, parts int64) error {
	stored, err := s.meta.Parts(c.ctx(), sh.ID)
	if err != nil {
		return err
	}
	p := api.NewProblem(api.CodeIncomplete)
	next := int64(0)
	for _, have := range append(stored, store.Part{N: parts + 1}) {
		if last := min(have.N-1, parts); next <= last {
			p.Missing = append(p.Missing, [2]int64{next, last})
		}
		next = have.N + 1
	}
	return p
}

// getParts lists what has arrived. It may wait for news: a share that is complete, or has another number of parts than the
// caller has seen.
func (s *Server) getParts(c *call, sh store.Share) error {
	wait, seen, err := c.waitQuery()
	if err != nil {
		return err
	}
	for wait = min(wait, s.cfg.LongPoll); wait > 0 && sh.State == store.Open; wait -= pollEvery {
		if count, err := s.meta.CountParts(c.ctx(), sh.ID); err != nil || count != seen {
			break // the list, or the error of asking for it
		}
		if err := c.sleep(min(wait, pollEvery)); err != nil {
			return err
		}
		if sh, err = s.meta.Share(c.ctx(), sh.ID, s.now()); err != nil {
			return err
		}
	}
	stored, err := s.meta.Parts(c.ctx(), sh.ID)
	if err != nil {
		return err
	}
	if sh.State == store.Open {
		c.w.Header().Set("Retry-After", "1")
	}
	return c.json(http.StatusOK, s.wireParts(sh, stored))
}

// waitQuery returns how long the caller wants to wait for news, and the number of parts that is none.
func (c *call) waitQuery() (wait time.Duration, seen int64, err error) {
	q := c.r.URL.Query()
	if !q.Has("wait") {
		return 0, 0, nil
	}
	sec, err1 := strconv.ParseUint(q.Get("wait"), 10, 16)
	count, err2 := strconv.ParseUint(q.Get("seen"), 10, 32)
	if err1 != nil || err2 != nil {
		return 0, 0, api.NewProblem(api.CodeBadRequest)
	}
	return time.Duration(sec) * time.Second, int64(count), nil
}

func (s *Server) wireParts(sh store.Share, stored []store.Part) api.Parts {
	list := api.Parts{State: api.State(sh.State), PartSize: sh.PartSize, Size: sh.Size, Ranges: [][2]int64{}, Direct: s.cfg.Direct != nil}
	for _, p := range stored {
		switch last := len(list.Ranges) - 1; {
		case p.N == 0:
			list.Manifest = true
			continue
		case last >= 0 && list.Ranges[last][1] == p.N-1:
			list.Ranges[last][1] = p.N
		default:
			list.Ranges = append(list.Ranges, [2]int64{p.N, p.N})
		}
		list.Count++
	}
	return list
}
