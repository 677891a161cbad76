package conformance

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// As many tickets get a download as may, however many ask at once, and asking twice makes no difference.
func testExactDownloads(c *check) {
	for round := range c.rounds(2, 20) {
		permitted := int64(1 + c.rnd.IntN(8))
		u := c.create(newShare(sealed(1000)), func(in *api.CreateShare) { in.MaxDownloads = permitted })
		if round%2 == 0 { // it may be taken before and after
			c.upload(u)
			c.want(c.complete(u), http.StatusOK)
		}
		var mu sync.Mutex
		var leased []token
		var spent atomic.Int64
		together(48, func(int) {
			ticket := newToken()
			first, again := c.take(u, ticket), c.take(u, ticket)
			switch {
			case first.status == http.StatusOK && again.status == http.StatusOK:
				mu.Lock()
				leased = append(leased, ticket)
				mu.Unlock()
			case first.code() == api.CodeNoDownloadsLeft && again.code() == api.CodeNoDownloadsLeft:
				spent.Add(1)
			default:
				c.Errorf("first %s, again %s", first, again)
			}
		})
		if int64(len(leased)) != permitted || spent.Load() != 48-permitted {
			c.Errorf("of %d permitted downloads %d were taken, %d refused", permitted, len(leased), spent.Load())
		}
		if s := c.state(u); *s.Taken != permitted || *s.Left != 0 {
			c.Errorf("%d taken, %d left", *s.Taken, *s.Left)
		}
		if round%2 == 0 {
			for _, ticket := range leased {
				c.wantWhole(u, ticket)
			}
		}
	}
}

// What a ticket opens, what it costs, and what becomes of it.
func testTickets(c *check) {
	u := c.send(sealed(100))
	ticket := newToken()
	for i := range 3 {
		got := into[api.Share](c, c.want(c.take(u, ticket), http.StatusOK))
		if got.Taken != nil || got.Left == nil || *got.Left != 4 || got.State != api.StateReady || got.Parts != 1 {
			c.Errorf("time %d: %+v", i, got)
		}
	}
	// Finished, it opens nothing, until it is taken up again; that costs nothing either.
	for range 2 {
		c.wantWhole(u, ticket)
		for range 2 {
			c.want(c.finish(u, ticket), http.StatusNoContent)
			c.refused(c.do("GET", u.path("/content"), ticket.String(), nil), api.CodeNotFound)
			c.refused(c.do("GET", u.path("/parts/1"), ticket.String(), nil), api.CodeNotFound)
			c.refused(c.do("GET", u.path("/parts"), ticket.String(), nil), api.CodeNotFound)
		}
		c.want(c.take(u, ticket), http.StatusOK)
	}
	if s := c.state(u); *s.Taken != 1 || *s.Left != 4 {
		c.Errorf("%d taken, %d left", *s.Taken, *s.Left)
	}
	// It is of this share alone. The same bytes may be another share's ticket.
	other := c.send(sealed(100))
	c.refused(c.do("GET", other.path("/content"), ticket.String(), nil), api.CodeNotFound)
	c.refused(c.finish(other, ticket), api.CodeNotFound)
	c.want(c.take(other, ticket), http.StatusOK)
	c.wantWhole(other, ticket)
	c.refused(c.finish(u, newToken()), api.CodeNotFound)

	// Any number of downloads means any.
	any := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 0 })
	for range 7 {
		ticket := newToken()
		if got := into[api.Share](c, c.want(c.take(any, ticket), http.StatusOK)); got.Left != nil || got.MaxDownloads != 0 {
			c.Errorf("left of any number: %+v", got)
		}
		c.wantWhole(any, ticket)
		c.want(c.finish(any, ticket), http.StatusNoContent)
	}
	if s := c.state(any); *s.Taken != 7 {
		c.Errorf("%d taken", *s.Taken)
	}
}

// A download that was begun may be gone on with, though nothing of it was heard for a while, and nobody else may begin one. It
// makes no difference whether it was begun while the upload was still running.
func testLeases(c *check) {
	limited := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 2 })
	unlimited := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 0 })
	saved, first, second := c.taken(limited), c.taken(limited), c.taken(unlimited)
	early := c.create(newShare(sealed(100)), func(in *api.CreateShare) { in.MaxDownloads = 1 })
	follower := c.taken(early)
	c.upload(early)
	c.want(c.complete(early), http.StatusOK)
	c.want(c.finish(limited, saved), http.StatusNoContent)
	time.Sleep(4 * time.Second) // for sweeps to come by
	c.wantWhole(limited, first)
	c.wantWhole(unlimited, second)
	c.refused(c.take(early, newToken()), api.CodeNoDownloadsLeft)
	c.wantWhole(early, follower)
	c.want(c.finish(early, follower), http.StatusNoContent)
	c.wantGone(early, follower)
	c.want(c.take(limited, saved), http.StatusOK)
	c.refused(c.take(limited, newToken()), api.CodeNoDownloadsLeft)
	if s := c.state(limited); *s.Taken != 2 {
		c.Errorf("%d taken", *s.Taken)
	}
}

// Who did not hear the answer asks again with the same ticket, and that costs nothing.
func testLostAnswers(c *check) {
	for range c.rounds(5, 100) {
		u, ticket := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 1 }), newToken()
		for range 3 {
			c.askAndHangUp(u, ticket, time.Duration(c.rnd.IntN(5))*time.Millisecond)
		}
		c.want(c.take(u, ticket), http.StatusOK)
		c.refused(c.take(u, newToken()), api.CodeNoDownloadsLeft)
		if s := c.state(u); *s.Taken != 1 {
			c.Errorf("%d taken", *s.Taken)
		}
		c.wantWhole(u, ticket)
	}
}

// askAndHangUp sends the request for a download and does not wait for the answer.
func (c *check) askAndHangUp(u *share, ticket token, after time.Duration) {
	c.Helper()
	body, err := json.Marshal(api.TakeDownload{Ticket: ticket.hash()})
	if err != nil {
		c.Fatal(err)
	}
	conn := c.dial()
	fmt.Fprintf(conn, "%s%s", c.head("POST", u.path("/downloads"), u.bearer(), len(body),
		"Content-Type: application/json"), body)
	time.Sleep(after)
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // a reset, not a polite end
	}
	conn.Close()
}

// When all downloads are taken and each is saved, the share is gone, and not earlier.
func testSpent(c *check) {
	u := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 2 })
	first, second := c.taken(u), c.taken(u)
	c.refused(c.take(u, newToken()), api.CodeNoDownloadsLeft)
	c.want(c.finish(u, first), http.StatusNoContent)
	c.want(c.finish(u, first), http.StatusNoContent)
	c.wantWhole(u, second)
	c.want(c.finish(u, second), http.StatusNoContent)
	c.wantGone(u, first, second)

	// A download of what is still arriving may end before the upload does; the upload goes on.
	open := c.create(newShare(sealed(100)), func(in *api.CreateShare) { in.MaxDownloads = 1 })
	ticket := c.taken(open)
	c.upload(open)
	c.want(c.finish(open, ticket), http.StatusNoContent)
	if s := c.state(open); s.State != api.StateOpen || *s.Taken != 1 {
		c.Errorf("after its only download, a share that is still open: %+v", s)
	}

	// Finished by all at once.
	many := c.send(sealed(100), func(in *api.CreateShare) { in.MaxDownloads = 8 })
	tickets := make([]token, 8)
	for i := range tickets {
		tickets[i] = c.taken(many)
	}
	together(len(tickets), func(i int) {
		if a := c.finish(many, tickets[i]); a.status != http.StatusNoContent {
			c.Error(a)
		}
	})
	c.wantGone(many, tickets...)
}
