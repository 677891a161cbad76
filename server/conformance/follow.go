package conformance

import (
	"bytes"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// A download may begin while the upload is still running, and gets at each part as soon as that is there.
func testFollow(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(2*size + 30)))
	ticket := c.taken(u).String()
	for _, path := range []string{"/parts/1", "/parts/3", "/content"} {
		c.refused(c.do("GET", u.path(path), ticket, nil), api.CodeNotReady)
		if a := c.do("HEAD", u.path(path), ticket, nil); a.status != http.StatusConflict || a.header.Get("Retry-After") == "" {
			c.Errorf("%s", a)
		}
	}
	c.refused(c.do("GET", u.path("/manifest"), u.bearer(), nil), api.CodeNotReady)
	for _, n := range []string{"4", "0", "01", "-1", "x", "5000"} {
		c.refused(c.do("GET", u.path("/parts/"+n), ticket, nil), api.CodeNotFound)
	}
	want := api.Parts{State: api.StateOpen, PartSize: int64(size), Size: int64(2*size + 30), Ranges: [][2]int64{}, Direct: c.target.Direct != ""}
	c.wantList(u, ticket, want)

	c.want(c.put(u, 3, u.part(3)), http.StatusNoContent)
	want.Count, want.Ranges = 1, [][2]int64{{3, 3}}
	c.wantList(u, ticket, want)
	for _, rng := range []string{"", "bytes=5-"} {
		a := c.do("GET", u.path("/parts/3"), ticket, nil, "Range", rng)
		if !bytes.HasSuffix(u.part(3), a.body) || len(a.body) < 25 {
			c.Errorf("part 3, which has arrived: %s", a)
		}
	}
	c.refused(c.do("GET", u.path("/parts/1"), ticket, nil), api.CodeNotReady)
	c.want(c.put(u, 0, u.manifest), http.StatusNoContent)
	want.Manifest = true
	c.wantList(u, ticket, want)
	c.upload(u)
	c.refused(c.do("GET", u.path("/content"), ticket, nil), api.CodeNotReady)
	c.want(c.complete(u), http.StatusOK)
	want.State, want.Count, want.Ranges = api.StateReady, 3, [][2]int64{{1, 3}}
	c.wantList(u, ticket, want)
	c.refused(c.do("GET", u.path("/parts/4"), ticket, nil), api.CodeNotFound)
}

// wantList checks what owner, recipients and whoever has the link are told has arrived, and when to ask again.
func (c *check) wantList(u *share, ticket string, want api.Parts) {
	c.Helper()
	for _, bearer := range []string{ticket, u.owner.String(), u.access.String(), u.bearer()} {
		a := c.want(c.do("GET", u.path("/parts"), bearer, nil), http.StatusOK)
		if got := into[api.Parts](c, a); !reflect.DeepEqual(got, want) {
			c.Errorf("listed %+v, want %+v", got, want)
		}
		if again := a.header.Get("Retry-After"); (again != "") != (want.State == api.StateOpen) {
			c.Errorf("Retry-After is %q of a share that is %s", again, want.State)
		}
	}
}

// Who has seen all that there is may ask to be answered when there is more. Where requests do not wait, they are answered at
// once; else neither before there is news, nor much later.
func testWaiting(c *check) {
	u := c.create(newShare(sealed(2 * c.partSize())))
	ticket := c.taken(u).String()
	for _, query := range []string{"?wait=x&seen=0", "?wait=1", "?wait=-1&seen=0", "?wait=1&seen=-1",
		"?wait=1.5&seen=0", "?wait=99999999999&seen=0"} {
		c.refused(c.do("GET", u.path("/parts")+query, ticket, nil), api.CodeBadRequest)
	}
	type news struct {
		list  api.Parts
		after time.Duration
	}
	var asking sync.WaitGroup
	defer asking.Wait()
	ask := func(query string) <-chan news {
		began, answered := time.Now(), make(chan news, 1)
		asking.Go(func() {
			list := into[api.Parts](c, c.do("GET", u.path("/parts")+query, ticket, nil))
			answered <- news{list, time.Since(began)}
		})
		return answered
	}
	if n := <-ask("?wait=60&seen=1"); n.list.Count != 0 || n.after > 5*time.Second {
		c.Errorf("that there is less than was seen is told after %v: %+v", n.after, n.list)
	}
	if n := <-ask("?wait=0&seen=0"); n.after > 5*time.Second {
		c.Errorf("who does not want to wait waits for %v", n.after)
	}
	quiet := <-ask("?wait=2&seen=0")
	if !c.has(LongPolls) {
		if quiet.after > time.Second+500*time.Millisecond {
			c.Errorf("without long polls, a request waits for %v", quiet.after)
		}
		return
	}
	if quiet.after < time.Second || quiet.list.Count != 0 {
		c.Errorf("no news after %v: %+v", quiet.after, quiet.list)
	}
	const pause = 700 * time.Millisecond
	for _, event := range []struct {
		query string
		cause func()
		state api.State
		count int64
	}{
		{"?wait=60&seen=0", func() { c.want(c.put(u, 2, u.part(2)), http.StatusNoContent) }, api.StateOpen, 1},
		{"?wait=60&seen=1", func() { c.want(c.put(u, 1, u.part(1)), http.StatusNoContent) }, api.StateOpen, 2},
		{"?wait=60&seen=2", func() {
			c.want(c.put(u, 0, u.manifest), http.StatusNoContent)
			c.want(c.complete(u), http.StatusOK)
		}, api.StateReady, 2},
	} {
		answered := ask(event.query)
		time.Sleep(pause)
		event.cause()
		if n := <-answered; n.list.Count != event.count || n.list.State != event.state || n.after < pause {
			c.Errorf("%s: after %v %+v", event.query, n.after, n.list)
		}
	}
	if n := <-ask("?wait=60&seen=2"); n.after > 5*time.Second {
		c.Errorf("of a complete share there is no more news, and it is waited for during %v", n.after)
	}
}
