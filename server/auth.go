package server

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// errMiss says that the caller has shown nothing that opens the share: no token, a malformed or a wrong one, or there is no
// such share. These must not be told apart, so there is only this one error for them.
var errMiss = errors.New("no such share for this token")

// shareEndpoint answers for a share that the caller is entitled to.
type shareEndpoint func(*call, store.Share) error

// tokenEncoding refuses non-zero trailing bits, so that a token has one spelling.
var tokenEncoding = base64.RawURLEncoding.Strict()

// bearer returns the token that the caller presents: 32 bytes (owner, access or ticket) or 64 (access and reader).
func (c *call) bearer() ([]byte, error) {
	if !validID(c.id) {
		return nil, errMiss
	}
	return c.bearerToken()
}

// bearerToken is bearer for a call that is about no share.
func (c *call) bearerToken() ([]byte, error) {
	scheme, text, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errMiss
	}
	token, err := tokenEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(token) != api.TokenSize && len(token) != 2*api.TokenSize {
		return nil, errMiss
	}
	return token, nil
}

func validID(id string) bool {
	b, err := tokenEncoding.DecodeString(id)
	return err == nil && len(id) == api.IDSize && len(b) == idBytes
}

// proves tells whether token is what want is the hash of.
func proves(token []byte, want store.Hash) bool {
	got := api.HashToken(token)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// present returns the share and the token that is presented for it. Nothing is proven yet.
func (s *Server) present(c *call) (store.Share, []byte, error) {
	token, err := c.bearer()
	if err != nil {
		return store.Share{}, nil, err
	}
	if err := s.calls(c, token); err != nil {
		return store.Share{}, nil, err
	}
	sh, err := s.meta.Share(c.ctx(), c.id, s.now())
	return sh, token, missIfNotFound(err)
}

func missIfNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errMiss
	}
	return err
}

// anyone may call.
func (s *Server) anyone(e endpoint) endpoint { return e }

// closingRetry is after how many seconds a sender asks again who was turned away by an instance that is about to stop. By then whoever
// spreads requests sends them to another.
const closingRetry = 5

// uploader may make shares: whoever is admitted, as fast as the limiter says, unless this instance is about to stop. Who is not admitted does
// not count there, so that they use up nothing of others at the same address.
func (s *Server) uploader(e endpoint) endpoint {
	return func(c *call) error {
		if s.cfg.Closing != nil && s.cfg.Closing() {
			p := api.NewProblem(api.CodeUnavailable)
			p.RetryAfter = closingRetry
			return p
		}
		if err := s.admit(c); err != nil {
			return err
		}
		if p := limited(s.cfg.CreateLimiter, s.clientKey(c.r)); p != nil {
			return p
		}
		return e(c)
	}
}

// owner presents the owner token.
func (s *Server) owner(e shareEndpoint) endpoint {
	return func(c *call) error {
		sh, token, err := s.present(c)
		switch {
		case err != nil:
			return err
		case len(token) != api.TokenSize || !proves(token, sh.Owner):
			return errMiss
		}
		return e(c, sh)
	}
}

// holder presents the access token, alone or followed by a reader token that is not looked at, or the owner token. The
// endpoint is told which.
func (s *Server) holder(e func(c *call, sh store.Share, owner bool) error) endpoint {
	return func(c *call) error {
		sh, token, err := s.present(c)
		if err != nil {
			return err
		}
		owner := len(token) == api.TokenSize && proves(token, sh.Owner)
		if !owner && !proves(token[:api.TokenSize], sh.Access) {
			return errMiss
		}
		return e(c, sh, owner)
	}
}

// recipient presents what a holder does who is not the owner.
func (s *Server) recipient(e shareEndpoint) endpoint {
	return s.holder(func(c *call, sh store.Share, owner bool) error {
		if owner {
			return errMiss
		}
		return e(c, sh)
	})
}

// reader presents access and reader token. Who has only the link may guess the password as often as the budget allows; who
// does not have the link cannot use it up.
func (s *Server) reader(e shareEndpoint) endpoint {
	return func(c *call) error {
		sh, token, err := s.present(c)
		switch {
		case err != nil:
			return err
		case len(token) != 2*api.TokenSize || !proves(token[:api.TokenSize], sh.Access):
			return errMiss
		case !sh.Password && !proves(token[api.TokenSize:], sh.Reader):
			return errMiss
		case sh.Password:
			if err := s.tryPassword(c, sh, token[api.TokenSize:]); err != nil {
				return err
			}
		}
		return e(c, sh)
	}
}

// tryPassword has Meta decide in one step whether the budget allows an answer, so that guesses in parallel cannot outrun the
// count, and those who know the password cannot be refused because of each other.
func (s *Server) tryPassword(c *call, sh store.Share, token []byte) error {
	right := proves(token, sh.Reader)
	left, wait, err := s.meta.Try(c.ctx(), sh.ID, right, s.cfg.Budget, s.now())
	switch {
	case errors.Is(err, store.ErrExhausted):
		p := api.NewProblem(api.CodeTooManyTries)
		p.RetryAfter = max(wait, 1)
		return p
	case err != nil:
		return missIfNotFound(err)
	case !right:
		p := api.NewProblem(api.CodeWrongPassword)
		p.TriesLeft = &left
		return p
	}
	return nil
}

// ticket presents the ticket of a download that was taken.
func (s *Server) ticket(e shareEndpoint) endpoint {
	return s.presented(func(c *call, ticket store.Hash) error {
		sh, err := s.meta.Ticket(c.ctx(), c.id, ticket, s.now())
		if err != nil {
			return missIfNotFound(err)
		}
		return e(c, sh)
	})
}

// presented hands the hash of whatever token is presented to an endpoint that has Meta check it.
func (s *Server) presented(e func(c *call, token store.Hash) error) endpoint {
	return func(c *call) error {
		token, err := c.bearer()
		switch {
		case err != nil:
			return err
		case len(token) != api.TokenSize:
			return errMiss
		}
		if err := s.calls(c, token); err != nil {
			return err
		}
		return e(c, store.Hash(api.HashToken(token)))
	}
}

// follower presents what holder does, or a ticket.
func (s *Server) follower(e shareEndpoint) endpoint {
	asHolder, asTicket := s.holder(func(c *call, sh store.Share, _ bool) error { return e(c, sh) }), s.ticket(e)
	return func(c *call) error {
		if err := asHolder(c); !errors.Is(err, errMiss) {
			return err
		}
		return asTicket(c)
	}
}
