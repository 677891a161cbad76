package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"github.com/sealpost/sealpost/server/api"
)

const lifetime = 3600 // seconds; what a run that was killed leaves goes by itself

// share is one that hammer made, with all its secrets. They come from the seed: nothing that matters is behind them.
type share struct {
	n                        int64 // of the run
	id                       string
	owner, access, reader    []byte
	size, partSize, manifest int64
	fetched, finished        atomic.Int64
}

// newToken returns one that the seed decides.
func newToken(r *rand.Rand) []byte {
	token := make([]byte, api.TokenSize)
	for i := range token {
		token[i] = byte(r.Uint32())
	}
	return token
}

func (s *share) parts() int64 { return (s.size + s.partSize - 1) / s.partSize }

func (s *share) both() []byte { return append(append([]byte{}, s.access...), s.reader...) }

// part returns the bytes of part n; 0 is the manifest.
func (s *share) part(b *bodies, n int64) body {
	if n == 0 {
		return b.part(s.n, 0, s.manifest)
	}
	return b.part(s.n, n, min(s.partSize, s.size-(n-1)*s.partSize))
}

func (c *client) create(ctx context.Context, s *share, downloads int64) error {
	var got api.Share
	err := c.do(ctx, request{kind: createShare, method: http.MethodPost, want: http.StatusCreated, again: http.StatusOK, answer: &got,
		json: api.CreateShare{Access: api.HashToken(s.access), Reader: api.HashToken(s.reader), Owner: api.HashToken(s.owner),
			Size: s.size, Lifetime: lifetime, MaxDownloads: downloads}})
	s.id, s.partSize = got.ID, got.PartSize
	return err
}

// put sends part n.
func (c *client) put(ctx context.Context, s *share, n int64, b body) error {
	r := request{kind: putPart, method: http.MethodPut, path: fmt.Sprintf("/%s/parts/%d", s.id, n), bearer: s.owner, body: b,
		want: http.StatusNoContent}
	if n == 0 {
		r.kind, r.path = putManifest, "/"+s.id+"/manifest"
	}
	return c.do(ctx, r)
}

func (c *client) complete(ctx context.Context, s *share) error {
	var got api.Share
	err := c.do(ctx, request{kind: completeShare, method: http.MethodPost, path: "/" + s.id + "/complete", bearer: s.owner,
		json: api.CompleteShare{Size: s.size, Parts: s.parts()}, want: http.StatusOK, answer: &got})
	if err == nil && (got.State != api.StateReady || got.Size != s.size || got.Parts != s.parts()) {
		c.tally.fail(completeShare, "wrong answer")
		return fmt.Errorf("complete share has state %s, %d bytes, %d parts", got.State, got.Size, got.Parts)
	}
	return err
}

func (c *client) take(ctx context.Context, s *share, ticket []byte) error {
	return c.do(ctx, request{kind: takeDownload, method: http.MethodPost, path: "/" + s.id + "/downloads", bearer: s.both(),
		json: api.TakeDownload{Ticket: api.HashToken(ticket)}, want: http.StatusOK})
}

// takeTooMany wants to be refused.
func (c *client) takeTooMany(ctx context.Context, s *share, ticket []byte) error {
	return c.do(ctx, request{kind: takeDownload, method: http.MethodPost, path: "/" + s.id + "/downloads", bearer: s.both(),
		json: api.TakeDownload{Ticket: api.HashToken(ticket)}, want: http.StatusGone, code: api.CodeNoDownloadsLeft})
}

// get fetches part n and compares it.
func (c *client) get(ctx context.Context, s *share, n int64, ticket []byte, b body) error {
	r := request{kind: getPart, method: http.MethodGet, path: fmt.Sprintf("/%s/parts/%d", s.id, n), bearer: ticket, check: b,
		want: http.StatusOK}
	if n == 0 {
		r.kind, r.path, r.bearer = getManifest, "/"+s.id+"/manifest", s.both()
	}
	return c.do(ctx, r)
}

func (c *client) finish(ctx context.Context, s *share, ticket []byte) error {
	return c.do(ctx, request{kind: finish, method: http.MethodDelete, path: "/" + s.id + "/downloads/current", bearer: ticket,
		want: http.StatusNoContent, again: http.StatusNotFound})
}

// counted asks as the owner, and wants taken downloads to be told of.
func (c *client) counted(ctx context.Context, s *share, taken int64) error {
	var got api.Share
	err := c.do(ctx, request{kind: getShare, method: http.MethodGet, path: "/" + s.id, bearer: s.owner, want: http.StatusOK, answer: &got})
	if err == nil && (got.State != api.StateReady || got.Taken == nil || *got.Taken != taken) {
		c.tally.fail(getShare, "wrong count")
		return fmt.Errorf("share has another count than %d downloads", taken)
	}
	return err
}

// gone asks as the owner, and wants to be told that there is nothing.
func (c *client) gone(ctx context.Context, s *share) error {
	return c.do(ctx, request{kind: getShare, method: http.MethodGet, path: "/" + s.id, bearer: s.owner, want: http.StatusNotFound,
		code: api.CodeNotFound})
}

func (c *client) delete(ctx context.Context, s *share) error {
	return c.do(ctx, request{kind: deleteShare, method: http.MethodDelete, path: "/" + s.id, bearer: s.owner, want: http.StatusNoContent,
		again: http.StatusNotFound})
}
