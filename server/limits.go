package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// Limits of what is taken in. None of them is asked about what is read, but for the rate of new downloads, so that whoever holds a link gets
// what it opens, however much others send. Rates are kept by whoever makes the Limiters and Flights, for one process; what a client makes in a day, and all that is
// kept, is counted in Meta, exactly, for all processes together.

// Flights bounds how much is under way at once. It is safe for concurrent use, and bounds its own memory.
type Flights interface {
	// Enter counts one more of key until leave is called, or returns ErrKeyFull or ErrFull.
	Enter(key string) (leave func(), err error)
}

// What Flights answer.
var (
	ErrKeyFull = errors.New("too many of this client at once")
	ErrFull    = errors.New("too many at once")
)

// enter lets the body of c be taken in, for as long as that takes.
func (s *Server) enter(c *call) (leave func(), _ error) {
	if s.cfg.Flights == nil {
		return func() {}, nil
	}
	leave, err := s.cfg.Flights.Enter(s.clientKey(c.r))
	if err == nil {
		return leave, nil
	}
	code := api.CodeBusy
	if errors.Is(err, ErrKeyFull) {
		code = api.CodeTooManyParts
	}
	p := api.NewProblem(code)
	p.RetryAfter = 2
	return nil, p
}

// room returns the problem of size bytes more than may be kept, as far as it can be told before they come. AddPart has the last word.
func (s *Server) room(c *call, size int64) error {
	if s.cfg.MaxTotalSize == 0 {
		return nil
	}
	usage, err := s.meta.Usage(c.ctx())
	if err != nil || usage <= s.cfg.MaxTotalSize-size {
		return err
	}
	// Anyone can announce more than there is room for. It is worth a word where a part would be too much.
	if usage > s.cfg.MaxTotalSize-s.cfg.PartSize && s.totalFull.due(s.now()) {
		c.log.Warn("as much is kept as may be", "bytes", usage, "limit", s.cfg.MaxTotalSize)
	}
	return store.ErrOverTotal
}

// roomForShare returns the problem of a share for which there is no room at all, so that its sender learns that before they begin.
func (s *Server) roomForShare(c *call, size int64) error {
	if roomy, ok := s.blobs.(store.Roomy); ok {
		if err := roomy.HasRoom(c.ctx()); err != nil {
			return err
		}
	}
	return s.room(c, size)
}

const daySeconds = 24 * 60 * 60

// freeManifest is up to how many bytes a manifest is not charged. Those of ordinary shares have less.
const freeManifest = 64 << 10

// chargePart counts a part that is new. What the parts have together was charged when it was announced, but for the manifest: that would else
// be a way past the limit, of a share that announces next to nothing. Of two requests that bring the same one at the same time both are charged.
func (s *Server) chargePart(c *call, part store.Part) (refund func(), _ error) {
	if part.N != 0 || part.Size <= freeManifest {
		return func() {}, nil
	}
	return s.charge(c, 0, part.Size)
}

// charge counts shares, and bytes, against what their client may make in a day. refund takes that back, if it turns out that there is nothing
// new. A charge that a crash keeps from being taken back counts until the day ends.
func (s *Server) charge(c *call, shares, bytes int64) (refund func(), _ error) {
	limit := s.cfg.Daily
	if shares == 0 {
		limit.Shares = 0
	}
	if limit == (store.Daily{}) {
		return func() {}, nil
	}
	now := s.now()
	made := store.Charge{Client: s.clientKey(c.r), Day: now / daySeconds, Shares: shares, Bytes: bytes}
	err := s.meta.Charge(c.ctx(), made, limit)
	code := api.CodeDailyShares
	switch {
	case errors.Is(err, store.ErrOverBytes):
		code = api.CodeDailyBytes
	case err != nil && !errors.Is(err, store.ErrOverShares):
		return nil, err
	}
	if err != nil {
		p := api.NewProblem(code)
		p.RetryAfter = daySeconds - now%daySeconds
		return nil, p
	}
	return func() {
		made.Shares, made.Bytes = -made.Shares, -made.Bytes
		if err := s.meta.Charge(c.settled(), made, limit); err != nil {
			c.log.Warn("failed to take a charge back", "error", c.scrub(err))
		}
	}, nil
}

// calls returns the problem of a caller that asks too often with one token. Another address, or another token, has a count of its own, so
// that nobody can use up what a holder of the link may ask.
func (s *Server) calls(c *call, token []byte) error {
	if s.cfg.CallLimiter == nil || c.counted {
		return nil
	}
	c.counted = true
	if p := limited(s.cfg.CallLimiter, s.clientKey(c.r)+" "+api.HashToken(token).String()); p != nil {
		return p
	}
	return nil
}

// maxVouched bounds the name that a proxy gives: what is longer is none.
const maxVouched = 1024

// noName is what some proxies put into a header for a person who is not there.
var noName = []string{"", "-", "(null)"}

// uploads is what a request shows, or still has to show, for making shares.
func (s *Server) uploads(r *http.Request) api.Uploads {
	switch {
	case s.cfg.UploadTokens == nil && s.cfg.UploadHeader == "", s.vouched(r):
		return api.UploadsOpen
	case s.cfg.UploadTokens != nil:
		return api.UploadsToken
	}
	return api.UploadsSignIn
}

// vouched tells whether the peer is a trusted proxy that names somebody. Where there are two names one may be the client's own, which the
// proxy has left there: then it vouches for nobody. The name itself is of no interest, and goes nowhere.
func (s *Server) vouched(r *http.Request) bool {
	if s.cfg.UploadHeader == "" {
		return false
	}
	peer, err := parseAddr(r.RemoteAddr)
	names := r.Header.Values(s.cfg.UploadHeader)
	return err == nil && s.trusts(peer) && len(names) == 1 && len(names[0]) <= maxVouched && !slices.Contains(noName, strings.TrimSpace(names[0]))
}

// admit returns nil if the caller may make shares. Who shows a wrong token often is told so less often.
func (s *Server) admit(c *call) error {
	switch s.uploads(c.r) {
	case api.UploadsOpen:
		return nil
	case api.UploadsSignIn:
		return api.NewProblem(api.CodeSignIn)
	}
	token, err := c.bearerToken()
	if err == nil && len(token) == api.TokenSize && s.cfg.UploadTokens(store.Hash(api.HashToken(token))) {
		return nil
	}
	if p := limited(s.cfg.MissLimiter, s.clientKey(c.r)); p != nil {
		return p
	}
	return api.NewProblem(api.CodeUploadToken)
}
