package conformance

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/sealpost/sealpost/server/api"
)

// token is 32 random bytes. They are not of the seed: a deployment remembers the tokens of earlier runs.
type token []byte

func newToken() token { return randomBytes(api.TokenSize) }

func (k token) String() string { return base64.RawURLEncoding.EncodeToString(k) }
func (k token) hash() api.Hash { return api.HashToken(k) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// sealed returns bytes that look like an age file, at least as many as its first line has.
func sealed(size int) []byte {
	b := randomBytes(max(size, len(api.AgeMagic)))
	copy(b, api.AgeMagic)
	return b
}

// share is what its sender and its recipients know, together.
type share struct {
	id                    string
	owner, access, reader token
	terms                 api.CreateShare
	partSize              int64
	manifest, content     []byte
}

// newShare returns a share that may be created: some hours long, for five downloads.
func newShare(content []byte) *share {
	u := &share{owner: newToken(), access: newToken(), reader: newToken(), manifest: sealed(500), content: content}
	u.terms = api.CreateShare{Access: u.access.hash(), Reader: u.reader.hash(), Owner: u.owner.hash(),
		Size: int64(len(content)), Lifetime: 3600, MaxDownloads: 5}
	return u
}

// bearer is what a recipient presents: access and reader token.
func (u *share) bearer() string { return token(append(bytes.Clone(u.access), u.reader...)).String() }

// guess is what one presents who has the link and a wrong password.
func (u *share) guess() string { return token(append(bytes.Clone(u.access), newToken()...)).String() }

func (u *share) path(rest string) string { return "/api/v1/shares/" + u.id + rest }

// partPath is where part n is; the manifest is part 0.
func (u *share) partPath(n int64) string {
	if n == 0 {
		return u.path("/manifest")
	}
	return u.path(fmt.Sprintf("/parts/%d", n))
}

// parts returns how many the content makes.
func (u *share) parts() int64 { return (int64(len(u.content)) + u.partSize - 1) / u.partSize }

func (u *share) part(n int64) []byte {
	if n == 0 {
		return u.manifest
	}
	return u.content[(n-1)*u.partSize : min(n*u.partSize, int64(len(u.content)))]
}

// create makes the share, with other terms where change says so.
func (c *check) create(u *share, change ...func(*api.CreateShare)) *share {
	c.Helper()
	for _, f := range change {
		f(&u.terms)
	}
	got := into[api.Share](c, c.want(c.do("POST", "/api/v1/shares", "", u.terms), http.StatusCreated))
	u.id, u.partSize = got.ID, got.PartSize
	return u
}

// partSize returns the size of small shares' parts.
func (c *check) partSize() int { return int(c.create(newShare(sealed(1))).partSize) }

// put uploads bytes as part n.
func (c *check) put(u *share, n int64, data []byte) answer {
	c.Helper()
	return c.do("PUT", u.partPath(n), u.owner.String(), data, "Content-Digest", digestOf(data))
}

// digestOf is the Content-Digest of data.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func (c *check) complete(u *share) answer {
	c.Helper()
	in := api.CompleteShare{Size: int64(len(u.content)), Parts: u.parts()}
	return c.do("POST", u.path("/complete"), u.owner.String(), in)
}

// send creates, uploads and completes a share.
func (c *check) send(content []byte, change ...func(*api.CreateShare)) *share {
	c.Helper()
	u := c.create(newShare(content), change...)
	c.upload(u)
	c.want(c.complete(u), http.StatusOK)
	return u
}

// upload sends manifest and parts, some at once.
func (c *check) upload(u *share) {
	c.Helper()
	const lanes = 4
	together(lanes, func(lane int) {
		for n := int64(lane); n <= u.parts(); n += lanes {
			if a := c.put(u, n, u.part(n)); a.status != http.StatusNoContent {
				c.Errorf("part %d: %s", n, a)
			}
		}
	})
	if c.Failed() {
		c.FailNow()
	}
}

// take asks for a download.
func (c *check) take(u *share, ticket token) answer {
	c.Helper()
	return c.do("POST", u.path("/downloads"), u.bearer(), api.TakeDownload{Ticket: ticket.hash()})
}

// taken returns the ticket of a download.
func (c *check) taken(u *share) token {
	c.Helper()
	ticket := newToken()
	c.want(c.take(u, ticket), http.StatusOK)
	return ticket
}

func (c *check) finish(u *share, ticket token) answer {
	c.Helper()
	return c.do("DELETE", u.path("/downloads/current"), ticket.String(), nil)
}

// state returns what the owner is told.
func (c *check) state(u *share) api.Share {
	c.Helper()
	return into[api.Share](c, c.want(c.do("GET", u.path(""), u.owner.String(), nil), http.StatusOK))
}

// wholeContent tells whether the content can be had as one body.
func (c *check) wholeContent(u *share) bool {
	return c.target.MaxContentParts == 0 || u.parts() <= c.target.MaxContentParts
}

// wantWhole checks that a ticket gets every byte of a share, in parts and as one body.
func (c *check) wantWhole(u *share, ticket token) {
	c.Helper()
	if a := c.do("GET", u.path("/manifest"), u.bearer(), nil); !bytes.Equal(a.body, u.manifest) {
		c.Errorf("other bytes than the manifest's: %s", a)
	}
	for n := int64(1); n <= u.parts(); n++ {
		if a := c.do("GET", u.partPath(n), ticket.String(), nil); !bytes.Equal(a.body, u.part(n)) {
			c.Errorf("other bytes than those of part %d: %s", n, a)
		}
	}
	if c.wholeContent(u) {
		if a := c.do("GET", u.path("/content"), ticket.String(), nil); !bytes.Equal(a.body, u.content) {
			c.Errorf("other bytes than the content's, %d of %d: %s", len(a.body), len(u.content), a)
		}
	}
}

// wantGone checks that nobody gets anything of a share any more, whatever he presents.
func (c *check) wantGone(u *share, tickets ...token) {
	c.Helper()
	c.refused(c.do("GET", u.path(""), u.owner.String(), nil), api.CodeNotFound)
	c.refused(c.do("GET", u.path(""), u.access.String(), nil), api.CodeNotFound)
	c.refused(c.do("GET", u.path("/manifest"), u.bearer(), nil), api.CodeNotFound)
	c.refused(c.take(u, newToken()), api.CodeNotFound)
	c.refused(c.put(u, 1, u.content[:min(len(u.content), 1000)]), api.CodeNotFound)
	c.refused(c.complete(u), api.CodeNotFound)
	c.refused(c.do("PATCH", u.path(""), u.owner.String(), "{}"), api.CodeNotFound)
	c.refused(c.do("DELETE", u.path(""), u.owner.String(), nil), api.CodeNotFound)
	for _, ticket := range tickets {
		c.refused(c.take(u, ticket), api.CodeNotFound)
		c.refused(c.finish(u, ticket), api.CodeNotFound)
		for _, rest := range []string{"/parts", "/parts/1", "/content"} {
			c.refused(c.do("GET", u.path(rest), ticket.String(), nil), api.CodeNotFound)
		}
	}
}
