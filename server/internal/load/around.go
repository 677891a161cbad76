package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is what is there around the senders and receivers until its context is done.
type crowd struct {
	began     sync.WaitGroup // done when each of the crowd is in place, or failed to get there
	all       sync.WaitGroup
	here, cut atomic.Int64
}

// end waits for the crowd and returns how many got into place, and how many of them the server sent away.
func (c *crowd) end() (here, cut int) {
	c.all.Wait()
	return int(c.here.Load()), int(c.cut.Load())
}

// atOnce is how many of a crowd make their first request at the same time. What all of them do to a server at once is another test.
const atOnce = 64

// startSlow begins uploads of a part that trickle. They never end: when ctx is done they are broken off, and deleted.
func (r *run) startSlow(ctx context.Context) *crowd {
	w := &crowd{}
	w.began.Add(r.Slow)
	turns := make(chan struct{}, atOnce)
	for range r.Slow {
		w.all.Go(func() {
			c := newClient(r.Config, r.tally)
			defer c.close()
			s := r.newShare()
			turns <- struct{}{}
			err := c.create(ctx, s, 0)
			<-turns
			if err != nil {
				w.began.Done()
				return
			}
			b := s.part(r.bodies, 1)
			body := &trickle{ctx: ctx, body: b.reader(), burst: r.SlowBurst, rate: r.SlowRate, burstSent: sync.OnceFunc(w.began.Done)}
			defer body.burstSent()
			w.here.Add(1)
			if c.putSlowly(ctx, s, b, body); ctx.Err() == nil {
				w.cut.Add(1)
			}
		})
	}
	return w
}

// putSlowly sends part 1 with the bytes of body as they come. Whatever is answered is not counted.
func (c *client) putSlowly(ctx context.Context, s *share, b body, body io.Reader) {
	req, err := c.prepare(ctx, request{method: http.MethodPut, path: fmt.Sprintf("/%s/parts/1", s.id), bearer: s.owner, body: b})
	if err != nil {
		return
	}
	req.Body = io.NopCloser(body)
	if res, err := c.http.Do(req); err == nil {
		res.Body.Close()
	}
}

// trickle reads burst bytes at once and then rate bytes a second, in up to ten pieces.
type trickle struct {
	ctx         context.Context
	body        io.Reader
	burst, rate int64
	burstSent   func()
}

func (t *trickle) Read(p []byte) (int, error) {
	if t.burst > 0 {
		n, err := t.body.Read(p[:min(int64(len(p)), t.burst)])
		t.burst -= int64(n)
		return n, err
	}
	t.burstSent()
	piece := max(1, t.rate/10)
	select {
	case <-t.ctx.Done():
		return 0, t.ctx.Err()
	case <-time.After(time.Duration(piece) * time.Second / time.Duration(t.rate)):
	}
	return t.body.Read(p[:min(int64(len(p)), piece)])
}

// startIdle opens connections that ask for the configuration, by HTTP/1.1, and then are kept open without a word.
func (r *run) startIdle(ctx context.Context) *crowd {
	w := &crowd{}
	w.began.Add(r.Idle)
	turns := make(chan struct{}, atOnce)
	for range r.Idle {
		w.all.Go(func() {
			turns <- struct{}{}
			conn, err := Idle(ctx, r.Config)
			<-turns
			w.began.Done()
			if err != nil {
				r.tally.fail("connect", "connection")
				return
			}
			defer conn.Close()
			w.here.Add(1)
			<-ctx.Done()
			conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := conn.Read(make([]byte, 1)); !os.IsTimeout(err) {
				w.cut.Add(1)
			}
		})
	}
	return w
}

// Idle returns a connection over which a request was answered and that is kept open.
func Idle(ctx context.Context, c Config) (net.Conn, error) {
	at, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	port := at.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[at.Scheme]
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(at.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if at.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{RootCAs: c.Roots, ServerName: at.Hostname()})
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if err := ask(conn, at.Host, at.Path+"/api/v1/config"); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, nil
}

func ask(conn net.Conn, host, path string) error {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err = io.Copy(io.Discard, res.Body); err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	return err
}
