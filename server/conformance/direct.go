package conformance

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sealpost/sealpost/server/api"
)

// hasDirect tells whether there is anything to test, and checks that what is told of shares says the same.
func (c *check) hasDirect(u *share) bool {
	c.Helper()
	direct := c.target.Direct != ""
	a := c.want(c.do("GET", u.path(""), u.owner.String(), nil), http.StatusOK)
	if got := into[api.Share](c, a).Direct; got != direct {
		c.Errorf("%s: direct is %v", a, got)
	}
	if got := c.list(u).Direct; got != direct {
		c.Errorf("the list of parts has direct %v", got)
	}
	return direct
}

func partOf(data []byte) api.DirectPart {
	return api.DirectPart{Size: int64(len(data)), Digest: sha256.Sum256(data)}
}

// testNoDirect: a deployment that moves all parts itself has none of these calls.
func testNoDirect(c *check) {
	u := c.send(sealed(100))
	if c.hasDirect(u) {
		return
	}
	ticket := c.taken(u)
	for method, bearer := range map[string]string{"GET": ticket.String(), "POST": u.owner.String(), "PUT": u.owner.String()} {
		var body any
		if method != "GET" {
			body = partOf(u.content)
		}
		if a := c.do(method, u.path("/parts/1/direct"), bearer, body); a.code() != api.CodeNotFound {
			c.Errorf("%s", a)
		}
	}
}

// past makes the request that an answer names.
func (c *check) past(a answer, body []byte, header ...string) (status int, data []byte) {
	c.Helper()
	d := into[api.Direct](c, c.want(a, http.StatusOK))
	if !strings.HasPrefix(d.URL, c.target.Direct+"/") || d.Expires <= into[api.Config](c, c.do("GET", "/api/v1/config", "", nil)).Now {
		c.Errorf("%s: goes elsewhere, or is over", a)
	}
	req, err := http.NewRequestWithContext(c.Context(), d.Method, d.URL, bytes.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for name, value := range d.Headers {
		req.Header.Set(name, value)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, data
}

// direct asks for a request by which part n goes past the server, and confirm says that it was made.
func (c *check) direct(u *share, n int64, part api.DirectPart) answer {
	c.Helper()
	return c.do("POST", u.partPath(n)+"/direct", u.owner.String(), part)
}

func (c *check) confirm(u *share, n int64, part api.DirectPart) answer {
	c.Helper()
	return c.do("PUT", u.partPath(n)+"/direct", u.owner.String(), part)
}

// testDirectParts: a share of which some parts come by the server and others past it, and that is read in both ways.
func testDirectParts(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(3*size + 100)))
	if !c.hasDirect(u) {
		return
	}
	c.want(c.put(u, 0, u.manifest), http.StatusNoContent)
	for _, n := range []int64{4, 1, 3} {
		part := partOf(u.part(n))
		if a := c.confirm(u, n, part); a.code() != api.CodeNotReady {
			c.Errorf("before it is there: %s", a)
		}
		first := c.direct(u, n, part)
		again := c.direct(u, n, part)
		if status, text := c.past(first, u.part(n)); status != http.StatusOK {
			c.Fatalf("part %d: %d %s", n, status, text)
		}
		if status, _ := c.past(again, u.part(n)); status != http.StatusPreconditionFailed {
			c.Errorf("part %d again: %d", n, status)
		}
		if list := c.list(u); int64(list.Count) > 3 {
			c.Errorf("listed %+v", list)
		}
		shorter := part
		shorter.Size--
		if a := c.confirm(u, n, shorter); a.code() != api.CodeWrongSize {
			c.Errorf("with another size: %s", a)
		}
		for range 2 {
			c.want(c.confirm(u, n, part), http.StatusNoContent)
		}
		if a := c.confirm(u, n, shorter); a.code() != api.CodePartConflict {
			c.Errorf("with another size, when it is a part: %s", a)
		}
		c.want(c.direct(u, n, part), http.StatusNoContent)
		c.want(c.put(u, n, u.part(n)), http.StatusNoContent)
	}
	c.missing(u, [2]int64{2, 2})
	c.want(c.direct(u, 2, partOf(u.part(2))), http.StatusOK) // which is not made use of
	c.want(c.put(u, 2, u.part(2)), http.StatusNoContent)
	c.want(c.complete(u), http.StatusOK)
	shorter := api.DirectPart{Size: 10, Digest: partOf(u.part(1)).Digest}
	if a := c.confirm(u, 1, shorter); a.code() != api.CodeAlreadyComplete {
		c.Errorf("with another size, when the share is complete: %s", a)
	}

	ticket := c.taken(u) // and every byte is still there
	whole := c.want(c.do("GET", u.path("/content"), ticket.String(), nil), http.StatusOK)
	var pieces []byte
	for n := int64(1); n <= 4; n++ {
		status, data := c.past(c.do("GET", u.partPath(n)+"/direct", ticket.String(), nil), nil)
		if status != http.StatusOK {
			c.Errorf("part %d: %d", n, status)
		}
		pieces = append(pieces, data...)
	}
	status, data := c.past(c.do("GET", u.partPath(2)+"/direct", ticket.String(), nil), nil, "Range", "bytes=10-19")
	if status != http.StatusPartialContent || !bytes.Equal(data, u.part(2)[10:20]) {
		c.Errorf("range: %d", status)
	}
	if !bytes.Equal(whole.body, u.content) || !bytes.Equal(pieces, u.content) {
		c.Error("what was read is not what was sent")
	}
}

// testDirectRefusals: what may not go past the server any more than through it.
func testDirectRefusals(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(2*size + 30)))
	if !c.hasDirect(u) {
		return
	}
	one, two, three := u.part(1), u.part(2), u.part(3)
	for _, call := range []func(*share, int64, api.DirectPart) answer{c.direct, c.confirm} {
		for _, r := range []struct {
			n    int64
			part api.DirectPart
			code api.Code
		}{
			{1, api.DirectPart{Size: 0, Digest: sha256.Sum256(nil)}, api.CodeWrongSize},
			{1, api.DirectPart{Size: -1, Digest: sha256.Sum256(nil)}, api.CodeWrongSize},
			{1, api.DirectPart{Size: 10}, api.CodeBadRequest},
			{1, api.DirectPart{Size: int64(size) + 1, Digest: sha256.Sum256(one)}, api.CodeTooLarge},
			{3, api.DirectPart{Size: 31, Digest: sha256.Sum256(three)}, api.CodeTooLarge},
			{4, partOf(three), api.CodeTooLarge},
			{4097, partOf(three), api.CodeNotFound},
		} {
			if a := call(u, r.n, r.part); a.code() != r.code {
				c.Errorf("%s: want %q", a, r.code)
			}
		}
	}
	for _, bearer := range []string{"", u.bearer(), u.access.String(), newToken().String()} {
		for _, method := range []string{"POST", "PUT"} {
			if a := c.do(method, u.partPath(1)+"/direct", bearer, partOf(one)); a.code() != api.CodeNotFound {
				c.Errorf("somebody else: %s", a)
			}
		}
	}
	if a := c.do("POST", u.path("/manifest/direct"), u.owner.String(), partOf(one)); a.code() != api.CodeNotFound {
		c.Errorf("the manifest: %s", a)
	}

	// What does not begin as an age file, which nobody sees before it is there.
	plain := append([]byte("x"), one[1:]...)
	if status, text := c.past(c.direct(u, 1, partOf(plain)), plain); status != http.StatusOK {
		c.Fatalf("%d %s", status, text)
	}
	if a := c.confirm(u, 1, partOf(plain)); a.code() != api.CodeNotSealed {
		c.Errorf("%s", a)
	}
	if a := c.confirm(u, 1, partOf(plain)); a.code() != api.CodeNotReady {
		c.Errorf("it was kept: %s", a)
	}
	if a := c.direct(u, 1, partOf(one)); a.code() != api.CodePartConflict {
		c.Errorf("another part in its place: %s", a)
	}
	if a := c.put(u, 1, one); a.code() != api.CodePartConflict {
		c.Errorf("another part in its place, through the server: %s", a)
	}

	// One request for each of many bodies: of one place one is taken.
	var taken int
	for i := range 10 {
		if a := c.direct(u, 2, partOf(fmt.Appendf(nil, "%d", i))); a.status == http.StatusOK {
			taken++
		} else if a.code() != api.CodePartConflict {
			c.Errorf("%s", a)
		}
	}
	if taken != 1 {
		c.Errorf("%d requests for as many bodies of one part", taken)
	}

	whole := c.send(sealed(100))
	if a := c.direct(whole, 2, partOf(two)); a.code() != api.CodeAlreadyComplete {
		c.Errorf("a complete share: %s", a)
	}
	c.want(c.do("DELETE", u.path(""), u.owner.String(), nil), http.StatusNoContent)
	if a := c.direct(u, 3, partOf(three)); a.code() != api.CodeNotFound {
		c.Errorf("a deleted share: %s", a)
	}
}

// testDirectTickets: only who has a ticket is told where a part is, and nothing is there when the share is gone.
func testDirectTickets(c *check) {
	u := c.create(newShare(sealed(100)))
	if !c.hasDirect(u) {
		return
	}
	get := func(bearer string, n int64) answer {
		c.Helper()
		return c.do("GET", u.partPath(n)+"/direct", bearer, nil)
	}
	early := c.taken(u)
	if a := get(early.String(), 1); a.code() != api.CodeNotReady {
		c.Errorf("before it is there: %s", a)
	}
	c.upload(u)
	c.want(c.complete(u), http.StatusOK)
	for _, bearer := range []string{"", u.bearer(), u.owner.String(), newToken().String()} {
		if a := get(bearer, 1); a.code() != api.CodeNotFound {
			c.Errorf("without a ticket: %s", a)
		}
	}
	if a := get(early.String(), 2); a.code() != api.CodeNotFound {
		c.Errorf("no such part: %s", a)
	}
	there := get(early.String(), 1)
	if status, data := c.past(there, nil); status != http.StatusOK || !bytes.Equal(data, u.content) {
		c.Errorf("%d", status)
	}
	c.want(c.finish(u, early), http.StatusNoContent)
	if a := get(early.String(), 1); a.code() != api.CodeNotFound {
		c.Errorf("when it is finished: %s", a)
	}
	c.want(c.do("DELETE", u.path(""), u.owner.String(), nil), http.StatusNoContent)
	if status, _ := c.past(there, nil); status != http.StatusNotFound {
		c.Errorf("when the share is gone: %d", status)
	}
}
