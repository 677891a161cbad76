package conformance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// The table holds for whatever is answered; do checks it each time. This is a look at one answer of each kind.
func testHeaders(c *check) {
	u := c.send(sealed(100))
	ticket := c.taken(u).String()
	for _, call := range []struct {
		method, path, bearer string
		status               int
		header               []string
	}{
		{"GET", "/api/v1/config", "", 200, nil},
		{"HEAD", "/api/v1/config", "", 200, nil},
		{"GET", "/api/v1/nothing", "", 404, nil},
		{"OPTIONS", "/api/v1/config", "", 405, nil},
		{"POST", "/api/v1/shares", "", 400, nil},
		{"GET", u.path(""), u.owner.String(), 200, nil},
		{"GET", u.path(""), "", 404, nil},
		{"GET", u.path("/manifest"), u.bearer(), 200, nil},
		{"GET", u.path("/content"), ticket, 200, nil},
		{"HEAD", u.path("/content"), ticket, 200, nil},
		{"GET", u.path("/content"), ticket, 206, []string{"Range", "bytes=0-1"}},
		{"GET", u.path("/content"), ticket, 416, []string{"Range", "bytes=100-"}},
		{"GET", u.path("/parts/1"), ticket, 200, nil},
		{"GET", u.path("/parts"), ticket, 200, nil},
		{"GET", "/healthz", "", 200, nil},
		{"DELETE", u.path("/downloads/current"), ticket, 204, nil},
		{"DELETE", u.path(""), u.owner.String(), 204, nil},
	} {
		c.want(c.do(call.method, call.path, call.bearer, nil, call.header...), call.status)
	}
}

func testManyHeaders(c *check) {
	c.want(c.do("GET", "/api/v1/config", "", nil, "X-Long", strings.Repeat("x", 8<<10)), http.StatusOK)
	conn := c.dial() // what is answered to a megabyte is not the server's own answer, or none: the connection may be cut
	go fmt.Fprintf(conn, "GET /api/v1/config HTTP/1.1\r\nHost: %s\r\nX-Long: %s\r\n\r\n", c.host().Host,
		strings.Repeat("x", 1<<20))
	if resp, err := c.readFrom(conn, "GET"); err == nil && resp.StatusCode < 400 {
		c.Errorf("a megabyte of headers is answered %d", resp.StatusCode)
	}
	c.want(c.do("GET", "/api/v1/config", "", nil), http.StatusOK)
}

// dial returns a connection, for what net/http would not send.
func (c *check) dial() net.Conn {
	c.Helper()
	u := c.host()
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err == nil && u.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: u.Hostname()})
	}
	if err != nil {
		c.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(answerWithin))
	c.Cleanup(func() { conn.Close() })
	return conn
}

// head is the head of a request with a body of so many bytes, as it is sent.
func (c *check) head(method, path string, bearer string, length int, lines ...string) string {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n",
		method, path, c.host().Host, bearer, length)
	for _, line := range lines {
		head += line + "\r\n"
	}
	return head + "\r\n"
}

// readFrom reads the head of one answer.
func (c *check) readFrom(r io.Reader, method string) (*http.Response, error) {
	return http.ReadResponse(bufio.NewReader(r), &http.Request{Method: method})
}

// read reads one answer to a request for path.
func (c *check) read(conn net.Conn, method, path string) (answer, error) {
	resp, err := c.readFrom(conn, method)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{method: method, path: path, status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(resp.Body); err == nil {
		c.verify(a)
	}
	return a, err
}

// What a body's length is said to be is what it is.
func testLengths(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(size)))
	// Without a length a body is not taken; only JSON may come so.
	a := c.do("PUT", u.partPath(1), u.owner.String(), io.MultiReader(bytes.NewReader(u.content)), "Content-Digest",
		digestOf(u.content))
	c.refused(a, api.CodeLengthRequired)
	a = c.do("PUT", u.partPath(0), u.owner.String(), io.MultiReader(bytes.NewReader(u.manifest)), "Content-Digest",
		digestOf(u.manifest))
	c.refused(a, api.CodeLengthRequired)
	text, err := json.Marshal(newShare(sealed(1)).terms)
	if err != nil {
		c.Fatal(err)
	}
	c.want(c.do("POST", "/api/v1/shares", "", io.MultiReader(bytes.NewReader(text))), http.StatusCreated)

	// What is sent beyond the length is not part of the body, whatever becomes of the connection.
	conn := c.dial()
	lines := []string{"Content-Digest: " + digestOf(u.content)}
	go fmt.Fprintf(conn, "%s%s%s", c.head("PUT", u.partPath(1), u.owner.String(), size, lines...), u.content,
		randomBytes(1000))
	if a, err := c.read(conn, "PUT", u.partPath(1)); err != nil || a.status != http.StatusNoContent {
		c.Fatalf("a body and more: %s, %v", a, err)
	}
	// A body that comes in pieces is as good.
	conn = c.dial()
	fmt.Fprint(conn, c.head("PUT", u.partPath(0), u.owner.String(), len(u.manifest), "Content-Digest: "+digestOf(u.manifest)))
	for piece := range bytesIn(u.manifest, 5) {
		time.Sleep(20 * time.Millisecond)
		conn.Write(piece)
	}
	if a, err := c.read(conn, "PUT", u.partPath(0)); err != nil || a.status != http.StatusNoContent {
		c.Fatalf("a body in pieces: %s, %v", a, err)
	}
	c.want(c.complete(u), http.StatusOK)
	c.wantWhole(u, c.taken(u))
}

// bytesIn yields data in n pieces.
func bytesIn(data []byte, n int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range n {
			if !yield(data[i*len(data)/n : (i+1)*len(data)/n]) {
				return
			}
		}
	}
}

// Of a body that ends early nothing is kept, and who is still there to be told so is told so.
func testCutBodies(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(size)))
	terms, err := json.Marshal(newShare(sealed(1)).terms)
	if err != nil {
		c.Fatal(err)
	}
	for _, cut := range []struct {
		method, path string
		data         []byte
		line         string
	}{
		{"PUT", u.partPath(1), u.content, "Content-Digest: " + digestOf(u.content)},
		{"PUT", u.partPath(0), u.manifest, "Content-Digest: " + digestOf(u.manifest)},
		{"POST", "/api/v1/shares", terms, "Content-Type: application/json"},
	} {
		for _, sent := range []int{0, 1, len(cut.data) / 2, len(cut.data) - 1} {
			conn := c.dial()
			fmt.Fprint(conn, c.head(cut.method, cut.path, u.owner.String(), len(cut.data), cut.line))
			conn.Write(cut.data[:sent])
			if half, ok := conn.(interface{ CloseWrite() error }); ok && c.has(HalfClose) {
				half.CloseWrite()
				if a, err := c.read(conn, cut.method, cut.path); err != nil || a.code() != api.CodeInterrupted {
					c.Errorf("%d bytes of %d: %s, %v", sent, len(cut.data), a, err)
				}
			}
			conn.Close()
		}
	}
	if list := c.list(u); list.Manifest || list.Count != 0 {
		c.Errorf("of bodies that were cut, there is %+v", list)
	}
	c.upload(u)
	c.want(c.complete(u), http.StatusOK)
	c.wantWhole(u, c.taken(u))
}

// Who waits for permission to send learns what is wrong without having sent anything, and else gets permission.
func testExpectations(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(size)))
	digest := "Content-Digest: " + digestOf(u.content)
	for code, request := range map[api.Code]string{
		api.CodeTooLarge:       c.head("PUT", u.partPath(1), u.owner.String(), size+1, digest, "Expect: 100-continue"),
		api.CodeDigestRequired: c.head("PUT", u.partPath(1), u.owner.String(), size, "Expect: 100-continue"),
		api.CodeNotFound:       c.head("PUT", u.partPath(1), newToken().String(), size, digest, "Expect: 100-continue"),
	} {
		conn := c.dial()
		fmt.Fprint(conn, request)
		if a, err := c.read(conn, "PUT", u.partPath(1)); err != nil || a.code() != code {
			c.Errorf("%s, %v: want %q", a, err, code)
		}
	}
	conn := c.dial()
	fmt.Fprint(conn, c.head("PUT", u.partPath(1), u.owner.String(), size, digest, "Expect: 100-continue"))
	const permission = "HTTP/1.1 100 Continue\r\n\r\n"
	got := make([]byte, len(permission))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != permission {
		c.Fatalf("got %q instead of permission, %v", got, err)
	}
	conn.Write(u.content)
	if a, err := c.read(conn, "PUT", u.partPath(1)); err != nil || a.status != http.StatusNoContent {
		c.Errorf("with permission: %s, %v", a, err)
	}
}
