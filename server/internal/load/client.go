package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// client makes the requests of one sender or receiver, one at a time, over one connection.
type client struct {
	base  string
	http  *http.Client
	tally *tally
	retry time.Duration // how long to repeat what may pass
	buf   []byte        // that bodies are checked in
}

// newTransport returns one that speaks the version which c asks for and no other.
func newTransport(c Config) *http.Transport {
	var p http.Protocols
	p.SetHTTP1(!c.HTTP2)
	p.SetHTTP2(c.HTTP2)
	p.SetUnencryptedHTTP2(c.HTTP2)
	return &http.Transport{
		Protocols:          &p,
		TLSClientConfig:    &tls.Config{RootCAs: c.Roots},
		MaxConnsPerHost:    1,
		DisableCompression: true,
		WriteBufferSize:    64 << 10,
		ReadBufferSize:     64 << 10,
	}
}

func newClient(c Config, t *tally) *client {
	return &client{base: c.URL, http: &http.Client{Transport: newTransport(c)}, tally: t, retry: c.Retry, buf: make([]byte, 64<<10)}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// request is what is asked of the server.
type request struct {
	kind   kind
	method string
	path   string // below /api/v1/shares
	bearer []byte
	json   any  // or
	body   body // if it has a size
	want   int  // status
	again  int  // status that is as good if the request is repeated, whose first answer may be lost
	code   api.Code
	answer any  // to decode into, or
	check  body // to compare with, if it has a size
}

const (
	retryPause = 50 * time.Millisecond
	attempt    = 5 * time.Minute // at most for one request
)

// do makes a request, again if it fails in a way that may pass. What it does not return nil for is in the tally.
func (c *client) do(ctx context.Context, r request) error {
	began := time.Now()
	for first := true; ; first = false {
		err := c.once(ctx, r, !first)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if time.Since(began) >= c.retry || !mayPass(err) {
			c.tally.fail(r.kind, failureOf(err))
			return fmt.Errorf("failed to %s: %w", r.kind, err)
		}
		c.tally.retry()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause):
		}
	}
}

// once makes a request and notes how it went if it went well.
func (c *client) once(ctx context.Context, r request, again bool) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	req, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	began := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if again && r.again != 0 && res.StatusCode == r.again {
		r.want = r.again
	}
	if res.StatusCode != r.want {
		return problemOf(res)
	}
	n, err := c.read(res, r)
	if err != nil {
		return err
	}
	c.tally.succeed(r.kind, n+r.body.size(), time.Since(began))
	return nil
}

func (c *client) prepare(ctx context.Context, r request) (*http.Request, error) {
	var send io.Reader
	var size int64
	var contentType string
	if r.json != nil {
		text, err := json.Marshal(r.json)
		if err != nil {
			return nil, err
		}
		send, size, contentType = bytes.NewReader(text), int64(len(text)), "application/json"
	} else if r.body.size() > 0 {
		send, size, contentType = r.body.reader(), r.body.size(), "application/octet-stream"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+"/api/v1/shares"+r.path, send)
	if err != nil {
		return nil, err
	}
	req.ContentLength = size
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.body.size() > 0 {
		digest := r.body.digest()
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	}
	if r.bearer != nil {
		req.Header.Set("Authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(r.bearer))
	}
	return req, nil
}

// read reads an answer that has the status it should have, and returns how many bytes of a share there were.
func (c *client) read(res *http.Response, r request) (int64, error) {
	switch {
	case r.check.size() > 0:
		return r.check.check(res.Body, c.buf)
	case r.code != "":
		var p *api.Problem
		if err := problemOf(res); !errors.As(err, &p) || p.Code != r.code {
			return 0, err
		}
	case r.answer != nil:
		if err := json.NewDecoder(io.LimitReader(res.Body, api.MaxJSONBody)).Decode(r.answer); err != nil {
			return 0, fmt.Errorf("failed to decode answer: %w", err)
		}
	}
	io.Copy(io.Discard, io.LimitReader(res.Body, api.MaxJSONBody))
	return 0, nil
}

// problemOf returns what an answer says is wrong. A proxy may have answered, so it need not be a problem of ours.
func problemOf(res *http.Response) error {
	p := &api.Problem{}
	body, err := io.ReadAll(io.LimitReader(res.Body, api.MaxJSONBody))
	if err != nil || json.Unmarshal(body, p) != nil || p.Code == "" {
		p = &api.Problem{Code: api.Code(fmt.Sprintf("status %d", res.StatusCode)), Detail: http.StatusText(res.StatusCode)}
	}
	p.Status = res.StatusCode
	return p
}

// mayPass tells whether it makes sense to ask again: when the connection broke, the server is stopping, or a proxy finds none.
func mayPass(err error) bool {
	var p *api.Problem
	if errors.As(err, &p) {
		return p.Code == api.CodeInterrupted || p.Status >= 500 && p.Code != api.CodeStorageFull
	}
	return !errors.Is(err, errWrongBytes)
}

func failureOf(err error) string {
	var p *api.Problem
	switch {
	case errors.As(err, &p):
		return string(p.Code)
	case errors.Is(err, errWrongBytes):
		return errWrongBytes.Error()
	}
	return "connection"
}
