package main

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A conn is a client with one connection, which makes one request at a time. It does as little as it can, so that the server
// is what is measured. An answer with another status than 2xx, or fewer bytes than announced, is an error.
type conn interface {
	// get fetches path and returns how many bytes the body had. Each piece goes to sink, if that is not nil.
	get(path, bearer string, sink io.Writer) (int64, error)
	// put sends body. The digest is that of Content-Digest; a server that knows nothing of it ignores it.
	put(path, bearer, digest string, body []byte) error
	close()
}

const (
	readBuffer = 256 << 10
	patience   = 2 * time.Minute // for one request
)

// dial connects to t.
func dial(t target) (conn, error) {
	c, err := net.DialTimeout("tcp", t.addr, patience)
	if err != nil {
		return nil, err
	}
	if t.roots != nil {
		protocol := map[bool]string{false: "http/1.1", true: "h2"}[t.http2]
		s := tls.Client(c, &tls.Config{RootCAs: t.roots, ServerName: cmp.Or(t.name, "localhost"), NextProtos: []string{protocol}})
		if err := s.Handshake(); err != nil {
			c.Close()
			return nil, err
		}
		if got := s.ConnectionState().NegotiatedProtocol; t.http2 && got != protocol {
			c.Close()
			return nil, fmt.Errorf("server speaks %q, not %s", got, protocol)
		}
		c = s
	}
	if t.http2 {
		return newHTTP2(c)
	}
	return &http1{c: c, r: bufio.NewReader(c), buf: make([]byte, readBuffer)}, nil
}

type http1 struct {
	c   net.Conn
	r   *bufio.Reader
	buf []byte
}

func (h *http1) close() { h.c.Close() }

func head(method, path, bearer, digest string, size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path)
	if bearer != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", bearer)
	}
	if method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", size)
	}
	if digest != "" {
		fmt.Fprintf(&b, "Content-Digest: %s\r\n", digest)
	}
	return b.String()
}

func (h *http1) get(path, bearer string, sink io.Writer) (int64, error) {
	h.c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(h.c, head(http.MethodGet, path, bearer, "", 0)+"\r\n"); err != nil {
		return 0, err
	}
	res, err := h.answer()
	if err != nil {
		return 0, err
	}
	if res.ContentLength < 0 {
		return 0, errors.New("answer does not say how long it is")
	}
	for left := res.ContentLength; left > 0; {
		var from io.Reader = h.c
		if h.r.Buffered() > 0 {
			from = h.r
		}
		n, err := from.Read(h.buf[:min(left, readBuffer)])
		if left -= int64(n); err != nil {
			return res.ContentLength - left, err
		}
		if sink != nil {
			sink.Write(h.buf[:n])
		}
	}
	return res.ContentLength, nil
}

func (h *http1) put(path, bearer, digest string, body []byte) error {
	_, err := h.send(http.MethodPut, path, bearer, digest, "application/octet-stream", body)
	return err
}

// send makes a request with a body and returns the answer's.
func (h *http1) send(method, path, bearer, digest, contentType string, body []byte) ([]byte, error) {
	h.c.SetDeadline(time.Now().Add(patience))
	buffers := net.Buffers{[]byte(head(method, path, bearer, digest, len(body)) + "Content-Type: " + contentType + "\r\n\r\n"), body}
	if _, err := buffers.WriteTo(h.c); err != nil {
		return nil, err
	}
	res, err := h.answer()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(res.Body)
}

func (h *http1) answer() (*http.Response, error) {
	res, err := http.ReadResponse(h.r, nil)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, statusError(res)
	}
	return res, nil
}

// statusError reads what is left of an answer, so that the connection can be used on.
func statusError(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return &wrongStatus{res.StatusCode, string(text)}
}

type wrongStatus struct {
	status int
	text   string
}

func (e *wrongStatus) Error() string { return fmt.Sprintf("status %d: %.200s", e.status, e.text) }
