package conformance

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// An address may make so many shares in a minute, and some more as time goes by.
func testCreateLimit(c *check) {
	wantLimit(c, c.target.Tight.Creates, func(c *check) answer {
		return c.do("POST", "/api/v1/shares", "", newShare(sealed(1)).terms)
	}, http.StatusCreated)
}

// Who presents nothing right many times is not even told any more that there is nothing. Who does is not kept from anything.
func testMissLimit(c *check) {
	u := c.tight().send(sealed(100))
	ticket := newToken()
	wantLimit(c, c.target.Tight.Misses, func(c *check) answer {
		a := c.do("GET", u.path("/parts"), newToken().String(), nil)
		if a.code() == api.CodeTooManyRequests {
			c.want(c.do("GET", u.path(""), u.access.String(), nil), http.StatusOK)
			c.want(c.take(u, ticket), http.StatusOK)
			c.wantWhole(u, ticket)
		}
		return a
	}, http.StatusNotFound)
}

// wantLimit makes calls until its address has made too many, waits as it is told to, and then may again. Another address may
// all the while.
func wantLimit(c *check, perMinute int, call func(*check) answer, status int) {
	c.Helper()
	one, other := c.tight(), c.tight()
	a, made := call(one), 0
	for ; a.status == status; made++ {
		if made > 20*perMinute {
			c.Fatalf("%d calls were not too many", made)
		}
		a = call(one)
	}
	c.refused(a, api.CodeTooManyRequests)
	if made < perMinute {
		c.Errorf("%d calls were too many, and %d are allowed", made, perMinute)
	}
	c.want(call(other), status)
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || wait > 61 {
		c.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	if wait := time.Duration(wait) * time.Second; wait <= c.patience() {
		time.Sleep(wait)
		c.want(call(one), status)
	}
}
