package conformance

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// now is the deployment's clock.
func (c *check) now() int64 {
	c.Helper()
	return into[api.Config](c, c.want(c.do("GET", "/api/v1/config", "", nil), http.StatusOK)).Now
}

// wantLife checks that a share that was completed after a moment, and has just been answered, lives for so long from then.
func (c *check) wantLife(s api.Share, after, lifetime int64) {
	c.Helper()
	if s.Lifetime != lifetime || s.Expires < after+lifetime || s.Expires > s.Now+lifetime {
		c.Errorf("completed after %d, for %d seconds: %+v", after, lifetime, s)
	}
}

// until waits for a moment of the deployment's clock.
func (c *check) until(moment int64) {
	c.Helper()
	for c.now() < moment {
		time.Sleep(200 * time.Millisecond)
	}
}

// Expired is gone, at the second, for everyone and everything.
func testExpiry(c *check) {
	const soon, later, muchLater = int64(3), int64(8), int64(600)
	lasting := func(seconds int64) func(*api.CreateShare) {
		return func(in *api.CreateShare) { in.Lifetime = seconds }
	}
	prolonged := c.send(sealed(100), lasting(later))
	longer := muchLater
	c.want(c.do("PATCH", prolonged.path(""), prolonged.owner.String(), api.UpdateShare{Lifetime: &longer}), http.StatusOK)
	if s := c.state(prolonged); s.Expires < s.Now+muchLater-later {
		c.Errorf("prolonged to %+v", s)
	}

	u := c.create(newShare(sealed(100)), lasting(soon))
	ticket := c.taken(u)
	c.upload(u)
	time.Sleep(1100 * time.Millisecond) // the lifetime begins with completion
	began := c.now()
	ready := into[api.Share](c, c.want(c.complete(u), http.StatusOK))
	c.wantLife(ready, began, soon)
	if a := c.do("GET", u.path("/content"), ticket.String(), nil); c.now() < ready.Expires && !bytes.Equal(a.body, u.content) {
		c.Errorf("before it expires: %s", a)
	}
	c.until(ready.Expires)
	c.wantGone(u, ticket)

	// What was prolonged outlives what it was first given. A lifetime counts from completion, so a shorter one may be over.
	c.until(c.state(prolonged).Expires - muchLater + later)
	c.wantWhole(prolonged, c.taken(prolonged))
	shorter := int64(1)
	c.want(c.do("PATCH", prolonged.path(""), prolonged.owner.String(), api.UpdateShare{Lifetime: &shorter}), http.StatusOK)
	c.wantGone(prolonged)
}

// An upload that nobody goes on with is given up, and each part postpones that.
func testAbandoned(c *check) {
	tight := c.tight()
	u := tight.create(newShare(sealed(2*tight.partSize() + 1)))
	first := tight.state(u)
	limit := first.Expires - first.Now
	if limit < 2 || time.Duration(limit)*time.Second > c.patience() {
		c.Fatalf("the Tight deployment gives uploads up after %d seconds", limit)
	}
	for n := int64(1); n <= 3; n++ {
		time.Sleep(time.Duration(limit) * time.Second / 3)
		c.want(tight.put(u, n, u.part(n)), http.StatusNoContent)
	}
	last := tight.state(u)
	if last.Expires <= first.Expires {
		c.Errorf("an upload that goes on was to be given up at %d, and now at %d", first.Expires, last.Expires)
	}
	tight.until(last.Expires)
	tight.wantGone(u)
}

// The terms may be changed later, within the limits, and what the owner is told of them the recipient is not.
func testTerms(c *check) {
	u := c.send(sealed(100))
	change := func(in api.UpdateShare) answer {
		c.Helper()
		return c.do("PATCH", u.path(""), u.owner.String(), in)
	}
	n := func(v int64) *int64 { return &v }
	for _, lifetime := range []int64{-1, 0, c.config.MaxLifetime + 1} {
		c.refused(change(api.UpdateShare{Lifetime: &lifetime, MaxDownloads: n(1)}), api.CodeBadLifetime)
	}
	for _, downloads := range []int64{-1, c.config.MaxDownloads + 1} {
		c.refused(change(api.UpdateShare{Lifetime: n(60), MaxDownloads: &downloads}), api.CodeBadDownloads)
	}
	before := c.state(u)
	for _, body := range []string{"{}", `{"lifetime":null}`, `{"size":1,"later":true}`} {
		after := into[api.Share](c, c.want(c.do("PATCH", u.path(""), u.owner.String(), body), http.StatusOK))
		if after.Lifetime != before.Lifetime || after.MaxDownloads != before.MaxDownloads ||
			after.Expires != before.Expires || after.Size != before.Size {
			c.Errorf("%s made %+v of %+v", body, after, before)
		}
	}
	got := into[api.Share](c, c.want(change(api.UpdateShare{Lifetime: n(7200), MaxDownloads: n(0)}), http.StatusOK))
	if got.Lifetime != 7200 || got.MaxDownloads != 0 || got.Left != nil || got.Expires != before.Expires+3600 {
		c.Errorf("changed to %+v", got)
	}
	first, second := c.taken(u), c.taken(u)
	// A limit below what was taken leaves none, and takes nothing away from who has one.
	got = into[api.Share](c, c.want(change(api.UpdateShare{MaxDownloads: n(1)}), http.StatusOK))
	if *got.Left != 0 || *got.Taken != 2 || got.Lifetime != 7200 {
		c.Errorf("changed to %+v", got)
	}
	c.refused(c.take(u, newToken()), api.CodeNoDownloadsLeft)
	c.wantWhole(u, first)
	c.wantWhole(u, second)
	c.want(change(api.UpdateShare{MaxDownloads: n(3)}), http.StatusOK)
	c.wantWhole(u, c.taken(u))
	for _, bearer := range []string{u.access.String(), u.bearer()} {
		told := into[api.Share](c, c.want(c.do("GET", u.path(""), bearer, nil), http.StatusOK))
		if told.Taken != nil || told.Left == nil || *told.Left != 0 || told.Size != 100 || told.Parts != 1 ||
			told.Expires != before.Expires+3600 {
			c.Errorf("a recipient is told %+v", told)
		}
	}
	// An upload's terms may be changed while it is open.
	open := c.create(newShare(sealed(100)))
	c.want(c.do("PATCH", open.path(""), open.owner.String(), api.UpdateShare{Lifetime: n(120), MaxDownloads: n(1)}),
		http.StatusOK)
	c.taken(open)
	c.refused(c.take(open, newToken()), api.CodeNoDownloadsLeft)
	c.upload(open)
	began := c.now()
	c.wantLife(into[api.Share](c, c.want(c.complete(open), http.StatusOK)), began, 120)
}

// Revoked is gone at once, tickets included, complete or not.
func testRevoke(c *check) {
	ready, open := c.send(sealed(100)), c.create(newShare(sealed(100)))
	c.want(c.put(open, 1, open.part(1)), http.StatusNoContent)
	for _, u := range []*share{ready, open} {
		ticket := c.taken(u)
		c.want(c.do("DELETE", u.path(""), u.owner.String(), nil), http.StatusNoContent)
		c.wantGone(u, ticket)
	}
}

// Who is in the middle of a download when the share is revoked gets all of it, or learns that it is not all. He does not get
// another byte by another request.
func testRevokeDuringDownload(c *check) {
	const size = 24 << 20 // more than the buffers on the way take
	u := newShare(sealed(size))
	u.terms.Size = c.config.MaxShareSize // makes large parts
	c.create(u)
	c.upload(u)
	c.want(c.complete(u), http.StatusOK)
	ticket := c.taken(u)
	path := u.path("/content")
	if !c.wholeContent(u) {
		path = u.partPath(1)
	}
	conn := c.dial()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetReadBuffer(16 << 10)
	}
	io.WriteString(conn, c.head("GET", path, ticket.String(), 0))
	buffer := make([]byte, 8<<10)
	if n, err := io.ReadFull(conn, buffer); err != nil {
		c.Fatalf("after %d bytes: %v", n, err)
	}
	c.want(c.do("DELETE", u.path(""), u.owner.String(), nil), http.StatusNoContent)
	c.wantGone(u, ticket)
	resp, err := c.readFrom(io.MultiReader(bytes.NewReader(buffer), conn), http.MethodGet)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.Fatalf("the download was answered %d", resp.StatusCode)
	}
	if got, err := io.ReadAll(resp.Body); err == nil &&
		!bytes.Equal(got, u.content[:min(len(u.content), int(resp.ContentLength))]) {
		c.Errorf("%d bytes came as if they were all", len(got))
	}
}

// What is uploaded while the share is revoked is gone as well.
func testRevokeDuringUpload(c *check) {
	size := c.partSize()
	for range c.rounds(3, 30) {
		u := c.create(newShare(sealed(8 * size)))
		pause := time.Duration(c.rnd.IntN(20)) * time.Millisecond
		var uploading sync.WaitGroup
		for n := range u.parts() + 1 {
			uploading.Go(func() {
				a := c.put(u, n, u.part(n))
				if a.status != http.StatusNoContent && a.code() != api.CodeNotFound && a.code() != api.CodeUnavailable { // ask again
					c.Errorf("part %d of a share that is revoked: %s", n, a)
				}
			})
		}
		time.Sleep(pause)
		a := c.do("DELETE", u.path(""), u.owner.String(), nil)
		uploading.Wait()
		c.want(a, http.StatusNoContent)
		c.wantGone(u)
	}
}
