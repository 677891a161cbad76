package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/sealpost/sealpost/server/api"
)

// resource is something that is read by ranges.
type resource struct {
	path, bearer string
	data         []byte
	edges        []int // where parts meet
}

// resources returns what can be read of a share.
func (c *check) resources(u *share) []resource {
	ticket := c.taken(u).String()
	size, last := int(u.partSize), len(u.content)
	all := []resource{
		{u.path("/manifest"), u.bearer(), u.manifest, nil},
		{u.partPath(1), ticket, u.part(1), nil},
		{u.partPath(u.parts()), ticket, u.part(u.parts()), nil},
	}
	if c.wholeContent(u) {
		edges := []int{size - 1, size, size + 1, last - last%size - 1, last - last%size}
		all = append(all, resource{u.path("/content"), ticket, u.content, edges})
	}
	return all
}

func testRanges(c *check) {
	u := c.send(sealed(2*c.partSize() + 77))
	tags := map[string]bool{}
	all := c.resources(u)
	for _, r := range all {
		whole := c.want(c.do("GET", r.path, r.bearer, nil), http.StatusOK)
		etag := whole.header.Get("ETag")
		if !bytes.Equal(whole.body, r.data) || tags[etag] || !strings.HasPrefix(etag, `"`) ||
			whole.header.Get("Accept-Ranges") != "bytes" {
			c.Errorf("%s: %d bytes, %v", r.path, len(whole.body), whole.header)
		}
		disposition := ""
		if strings.HasSuffix(r.path, "/content") {
			disposition = `attachment; filename="content.age"`
		}
		if got := whole.header.Get("Content-Disposition"); got != disposition {
			c.Errorf("%s: Content-Disposition is %q", r.path, got)
		}
		tags[etag] = true
		c.wantRanges(r, etag)
	}
	if s := c.state(u); *s.Taken != 1 {
		c.Errorf("all of this took %d downloads", *s.Taken)
	}
}

// wantRanges asks a resource for all kinds of ranges.
func (c *check) wantRanges(r resource, etag string) {
	c.Helper()
	size := len(r.data)
	edges := append([]int{0, 1, size - 1, size}, r.edges...)
	for _, from := range edges {
		for _, last := range edges {
			if from <= last && from < size {
				c.wantRange(r, from, last)
			}
		}
		if from < size {
			c.wantSlice(r, from, size, fmt.Sprintf("bytes=%d-", from))
		}
		if from > 0 {
			c.wantSlice(r, size-from, size, fmt.Sprintf("bytes=-%d", from))
		}
	}
	const huge = "99999999999999999999"
	c.wantSlice(r, 0, size, "bytes=-"+huge)
	c.wantSlice(r, 0, size, "bytes=0-"+huge)
	c.wantSlice(r, 1, 3, "Bytes=1-2")
	c.wantSlice(r, 1, 3, "bytes=1-2", "If-Range", etag)
	for _, ignored := range [][]string{
		{"bytes=0-0,2-3"}, {"bytes=3-2"}, {"bytes=-"}, {"bytes="}, {"bytes"}, {"bytes=+1-2"}, {"bytes=a-b"}, {"bytes=1-2-3"},
		{"lines=0-1"}, {"bytes=1-2", "If-Range", `"other"`}, {"bytes=1-2", "If-Range", "W/" + etag},
		{"bytes=1-2", "If-Range", "Wed, 21 Oct 2026 07:28:00 GMT"}, {fmt.Sprintf("bytes=%d-", size), "If-Range", `"other"`},
	} {
		a := c.do("GET", r.path, r.bearer, nil, append([]string{"Range"}, ignored...)...)
		if a.status != http.StatusOK || !bytes.Equal(a.body, r.data) || a.header.Get("Content-Range") != "" {
			c.Errorf("%q: %s, %d bytes", ignored, a, len(a.body))
		}
	}
	for _, outside := range []string{fmt.Sprintf("bytes=%d-", size), fmt.Sprintf("bytes=%d-%d", size, size+5),
		"bytes=-0", "bytes=" + huge + "-"} {
		a := c.refused(c.do("GET", r.path, r.bearer, nil, "Range", outside), api.CodeBadRange)
		if got := a.header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", size) {
			c.Errorf("%s: Content-Range is %q", outside, got)
		}
	}
}

// wantRange asks for the bytes from first to last, which may lie beyond the end.
func (c *check) wantRange(r resource, first, last int) {
	c.Helper()
	c.wantSlice(r, first, min(last+1, len(r.data)), fmt.Sprintf("bytes=%d-%d", first, last))
}

func (c *check) wantSlice(r resource, from, to int, rng string, header ...string) {
	c.Helper()
	a := c.do("GET", r.path, r.bearer, nil, append([]string{"Range", rng}, header...)...)
	want := fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(r.data))
	if got := a.header.Get("Content-Range"); a.status != http.StatusPartialContent || got != want ||
		!bytes.Equal(a.body, r.data[from:to]) {
		c.Errorf("%s of %s: %d, Content-Range is %q, want %q, %d bytes", rng, r.path, a.status, got, want, len(a.body))
	}
}

// Ranges at random, several at a time, are the bytes that they say.
func testRandomRanges(c *check) {
	u := c.send(sealed(c.partSize()*(2+c.rnd.IntN(5)) + 1 + c.rnd.IntN(1000)))
	for _, r := range c.resources(u) {
		type span struct{ first, last int }
		spans := make([]span, c.rounds(30, 2000))
		for i := range spans {
			first := c.rnd.IntN(len(r.data))
			spans[i] = span{first, first + c.rnd.IntN(len(r.data))}
		}
		const lanes = 8
		together(lanes, func(lane int) {
			for i := lane; i < len(spans); i += lanes {
				c.wantRange(r, spans[i].first, spans[i].last)
			}
		})
	}
}

// HEAD is answered as GET is, without the body, and consumes nothing.
func testHeads(c *check) {
	u := c.send(sealed(c.partSize() + 5))
	ticket := newToken()
	c.want(c.take(u, ticket), http.StatusOK)
	for path, bearer := range map[string]string{
		"/api/v1/config": "", u.path(""): u.access.String(), u.path("/manifest"): u.bearer(), u.path("/parts"): u.owner.String(),
		u.path("/parts/1"): ticket.String(), u.path("/parts/2"): ticket.String(), u.path("/content"): ticket.String(),
		u.path("/parts/3"): ticket.String(), "/api/v1/nothing": "", "/healthz": "",
	} {
		if strings.HasSuffix(path, "/content") && !c.wholeContent(u) {
			continue
		}
		get, head := c.do("GET", path, bearer, nil), c.do("HEAD", path, bearer, nil)
		get.body = nil
		if path == "/api/v1/config" || path == u.path("") {
			get.header.Del("Content-Length") // they tell the time
			head.header.Del("Content-Length")
		}
		c.wantSame("HEAD", head, get)
	}
	// A range of nothing is nothing: HEAD tells of the whole.
	a := c.do("HEAD", u.path("/parts/1"), ticket.String(), nil, "Range", "bytes=1-2")
	if a.status != http.StatusOK || a.header.Get("Content-Length") != fmt.Sprint(len(u.part(1))) {
		c.Errorf("%s: %v", a, a.header)
	}
	if s := c.state(u); *s.Taken != 1 {
		c.Errorf("all of this took %d downloads", *s.Taken)
	}
}

// Content of more parts than one answer can have is refused, with a problem that says so; ranges of it are not.
func testLongContent(c *check) {
	most := c.target.MaxContentParts
	if !c.hasLongContent() {
		c.Skipf("there is no such content, or it takes too long to make, with a limit of %d parts (0 is none)", most)
	}
	size := c.partSize()
	u := c.send(sealed(size * int(most)))
	c.wantWhole(u, c.taken(u))
	longer := c.send(sealed(size*int(most) + 1))
	ticket := c.taken(longer)
	c.refused(c.do("GET", longer.path("/content"), ticket.String(), nil), api.CodeReadParts)
	r := resource{longer.path("/content"), ticket.String(), longer.content, nil}
	for _, first := range []int{0, size - 1, len(longer.content) - 2} {
		c.wantRange(r, first, first+1)
	}
	c.wantWhole(longer, ticket)
}
