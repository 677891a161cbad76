package conformance

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// call is a call about a share.
type call struct {
	method, rest string
	who          string // the tokens that it takes
	body         any
}

func calls(u *share, ticket token) []call {
	length := int64(len(u.content))
	return []call{
		{"PUT", "/manifest", "owner", u.manifest},
		{"PUT", "/parts/1", "owner", u.part(1)},
		{"GET", "/parts", "owner access reader ticket", nil},
		{"POST", "/complete", "owner", api.CompleteShare{Size: length, Parts: u.parts()}},
		{"GET", "", "owner access reader", nil},
		{"GET", "/manifest", "reader", nil},
		{"POST", "/downloads", "reader", api.TakeDownload{Ticket: ticket.hash()}},
		{"GET", "/parts/1", "ticket", nil},
		{"GET", "/content", "ticket", nil},
		{"POST", "/reports", "access reader", sealed(100)},
		{"PATCH", "", "owner", api.UpdateShare{}},
		{"DELETE", "/downloads/current", "ticket", nil},
		{"DELETE", "", "owner", nil},
	}
}

// make makes a call with a token, at the share or at another path.
func (c *check) make(call call, path, bearer string, header ...string) answer {
	c.Helper()
	if data, ok := call.body.([]byte); ok {
		header = append(header, "Content-Digest", digestOf(data))
	}
	return c.do(call.method, path+call.rest, bearer, call.body, header...)
}

// Whatever does not open a share is answered as if there were none: every call, every token but the right one, every id but the
// right one, and what is gone, in the same bytes.
func testRefusals(c *check) {
	u, other := c.send(sealed(1000)), c.send(sealed(1000))
	locked := c.send(sealed(1000), func(in *api.CreateShare) { in.Password = true })
	ticket := c.taken(u)
	revoked := c.send(sealed(1000))
	c.want(c.do("DELETE", revoked.path(""), revoked.owner.String(), nil), http.StatusNoContent)
	reference := c.refused(c.do("GET", "/api/v1/shares/AAAAAAAAAAAAAAAA", newToken().String(), nil), api.CodeNotFound)
	same := func(what string, a answer) {
		c.Helper()
		if a.method == http.MethodHead {
			a.body = reference.body
		}
		c.wantSame(what, a, reference)
	}
	both := func(k ...token) string { return token(slices.Concat(k...)).String() }
	tokens := map[string]string{
		"owner": u.owner.String(), "access": u.access.String(), "reader": u.bearer(), "ticket": ticket.String(),
		"no": "", "random": newToken().String(), "short": "AAAA", "not base64": "!!!!",
		"31 bytes": both(u.owner[:31]), "33 bytes": both(u.owner, token{0}), "96 bytes": both(u.access, u.reader, u.owner),
		"padded": u.owner.String() + "=", "longer": u.owner.String() + "A", "doubled": u.owner.String() + " " + u.owner.String(),
		"trailing bits": u.owner.String()[:42] + nextLetter(u.owner.String()[42]),
		"other's owner": other.owner.String(), "other's reader": other.bearer(),
		"reader alone": u.reader.String(), "owner twice": both(u.owner, u.owner), "ticket twice": both(ticket, ticket),
		"wrong reader": u.guess(), "wrong access": both(newToken(), u.reader),
		"reversed": both(u.reader, u.access), "access twice": both(u.access, u.access),
		"owner's hash": u.owner.hash().String(), "access hash": u.access.hash().String(), "ticket's hash": ticket.hash().String(),
	}
	for _, call := range calls(u, ticket) {
		who := strings.Fields(call.who)
		slices.Sort(who)
		if described := c.described.Tokens(call.method, u.path(call.rest)); !slices.Equal(described, who) {
			c.Errorf("%s %s takes %v, and is described to take %v", call.method, call.rest, who, described)
		}
		for _, name := range slices.Sorted(maps.Keys(tokens)) {
			opens := slices.Contains(who, name)
			if strings.Contains(call.who, "access") { // what follows the access token is not looked at
				opens = opens || name == "wrong reader" || name == "access twice"
			}
			if !opens {
				same(name+" token", c.make(call, u.path(""), tokens[name]))
			}
		}
		most := u.id[:api.IDSize-1]
		for _, id := range []string{"A", "AAAAAAAAAAAAAAA!", u.id + "A", most, most + nextLetter(u.id[15]), most + "%00", other.id} {
			same("at "+id, c.make(call, "/api/v1/shares/"+id, u.owner.String()))
		}
		same("revoked", c.make(call, revoked.path(""), revoked.owner.String()))
		if !strings.Contains(call.who, "access") && !strings.Contains(call.who, "reader") {
			same("locked", c.make(call, locked.path(""), locked.bearer()))
		}
		for _, header := range []string{"Basic " + u.owner.String(), u.owner.String(), "Bearer", "Bearer" + u.owner.String()} {
			same(header[:6], c.make(call, u.path(""), "", "Authorization", header))
		}
	}
	same("token in the query", c.do("GET", u.path("?access_token="+u.owner.String()), "", nil))
	for _, rest := range []string{"", "/manifest", "/parts", "/parts/1", "/content"} {
		same("HEAD", c.do("HEAD", u.path(rest), newToken().String(), nil))
	}
	c.want(c.do("GET", u.path(""), "", nil, "Authorization", "bearer "+u.access.String()), http.StatusOK)
	c.want(c.do("GET", u.path(""), u.bearer(), nil), http.StatusOK)
	c.wantWhole(u, ticket) // nothing of this did anything
	if s := c.state(u); *s.Taken != 1 {
		c.Errorf("%d taken", *s.Taken)
	}
}

// nextLetter returns another letter of the base64url alphabet, which stands for other trailing bits.
func nextLetter(letter byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[(strings.IndexByte(alphabet, letter)+1)%len(alphabet)])
}

// Passwords may be guessed as often as the budget allows, which comes back with time. The right one costs nothing, and who does
// not have the link cannot use tries up.
func testPassword(c *check) {
	u := c.send(sealed(100), func(in *api.CreateShare) { in.Password = true })
	enter := func(bearer string) answer { return c.do("GET", u.path("/manifest"), bearer, nil) }
	stranger := token(append(newToken(), u.reader...)).String()
	for range 20 {
		c.want(enter(u.bearer()), http.StatusOK)
		c.refused(enter(stranger), api.CodeNotFound)
		c.want(c.do("GET", u.path(""), u.guess(), nil), http.StatusOK)
	}
	budget := c.triesLeft(enter(u.guess())) + 1
	used := time.Now()
	for left := budget - 2; left >= 0; left-- {
		var a answer
		switch left % 3 { // wherever a password is asked for, the count is the same
		case 0:
			a = enter(u.guess())
		case 1:
			a = c.do("HEAD", u.path("/manifest"), u.guess(), nil)
			if a.status != http.StatusUnauthorized {
				c.Fatal(a)
			}
			continue
		default:
			a = c.do("POST", u.path("/downloads"), u.guess(), api.TakeDownload{Ticket: newToken().hash()})
		}
		if got := c.triesLeft(a); got != left && time.Since(used) < time.Second {
			c.Fatalf("%d tries left, want %d", got, left)
		}
	}
	a := enter(u.guess())
	for range 10 { // a slow machine may have been given some back
		if a.code() == api.CodeWrongPassword {
			a = enter(u.guess())
		}
	}
	first := into[api.Problem](c, c.refused(a, api.CodeTooManyTries)).RetryAfter
	c.refused(c.take(u, newToken()), api.CodeTooManyTries) // the right password, too: else guessing could go on
	c.refused(enter(stranger), api.CodeNotFound)
	c.want(c.do("GET", u.path(""), u.access.String(), nil), http.StatusOK)
	time.Sleep(2 * time.Second)
	wait := first
	if a = enter(u.guess()); a.code() == api.CodeTooManyTries {
		wait = into[api.Problem](c, a).RetryAfter
		if wait >= first {
			c.Errorf("the next try is in %d seconds, two seconds ago it was in %d", wait, first)
		}
	}
	if wait := time.Duration(wait) * time.Second; wait > c.patience() {
		return
	}
	time.Sleep(time.Duration(wait)*time.Second + 200*time.Millisecond)
	c.want(enter(u.bearer()), http.StatusOK)
	c.triesLeft(enter(u.guess()))
	c.refused(enter(u.guess()), api.CodeTooManyTries)
}

// triesLeft returns how many tries are left after a wrong password.
func (c *check) triesLeft(a answer) int64 {
	c.Helper()
	p := into[api.Problem](c, c.refused(a, api.CodeWrongPassword))
	if p.TriesLeft == nil {
		c.Fatalf("%s: does not tell the tries left", a)
	}
	return *p.TriesLeft
}

// Many who know the password and open a link all at once are not taken for someone who guesses; and guesses in parallel cannot
// outrun the count.
func testPasswordInParallel(c *check) {
	u := c.send(sealed(100), func(in *api.CreateShare) { in.Password = true })
	together(40, func(int) {
		if a := c.do("GET", u.path("/manifest"), u.bearer(), nil); !bytes.Equal(a.body, u.manifest) {
			c.Errorf("right password: %s", a)
		}
	})
	budget := c.triesLeft(c.do("GET", u.path("/manifest"), u.guess(), nil)) + 1
	began := time.Now()
	var wrong atomic.Int64
	together(int(budget)+20, func(int) {
		switch a := c.do("GET", u.path("/manifest"), u.guess(), nil); a.code() {
		case api.CodeWrongPassword:
			wrong.Add(1)
		case api.CodeTooManyTries:
		default:
			c.Error(a)
		}
	})
	if got := wrong.Load() + 1; got < budget || got > budget && time.Since(began) < time.Second {
		c.Errorf("%d guesses were answered of a budget of %d", got, budget)
	}
}
