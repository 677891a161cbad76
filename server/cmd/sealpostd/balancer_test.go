package main_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// balancer spreads requests over servers that say that they are ready, by turns. A request that a server has not begun with, because it
// could not be reached or takes none any more, goes to another one; one that breaks off is the client's to repeat.
type balancer struct {
	url string

	mu    sync.Mutex
	all   []*backend
	turns int
}

// backend is a server behind a balancer.
type backend struct {
	url       *url.URL
	transport *http.Transport
	ready     bool
	requests  int // under way
	served    int
}

const askReadyEvery = 20 * time.Millisecond

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{}
	front := httptest.NewServer(b)
	b.url = front.URL
	over := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(askReadyEvery):
				b.ask()
			}
		}
	})
	t.Cleanup(func() {
		close(over)
		asking.Wait()
		front.CloseClientConnections()
		front.Close()
	})
	return b
}

// add puts a server behind b and waits until it gets requests.
func (b *balancer) add(t *testing.T, d *daemon) *backend {
	t.Helper()
	at, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	s := &backend{url: at, transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}} // a kept one may close as it is used
	b.mu.Lock()
	b.all = append(b.all, s)
	b.mu.Unlock()
	b.wait(t, "a server does not get ready", func() bool { return s.ready })
	return s
}

// remove takes a server out that is gone.
func (b *balancer) remove(s *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.all {
		if b.all[i] == s {
			b.all = append(b.all[:i:i], b.all[i+1:]...)
			return
		}
	}
}

// wait waits for what is true under the lock of b.
func (b *balancer) wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b.mu.Lock()
		ok := is()
		b.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// ask asks all servers whether they are ready.
func (b *balancer) ask() {
	b.mu.Lock()
	all := append([]*backend{}, b.all...)
	b.mu.Unlock()
	for _, s := range all {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url.String()+"/readyz", nil)
		ready := false
		if err == nil {
			if res, err := s.transport.RoundTrip(req); err == nil {
				res.Body.Close()
				ready = res.StatusCode == http.StatusOK
			}
		}
		cancel()
		b.mu.Lock()
		s.ready = ready
		b.mu.Unlock()
	}
}

// pick returns a server that is ready and not among those tried, or nil. Whoever gets one has to put it back.
func (b *balancer) pick(tried map[*backend]bool) *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns++
	for i := range b.all {
		if s := b.all[(b.turns+i)%len(b.all)]; s.ready && !tried[s] {
			s.requests++
			s.served++
			return s
		}
	}
	return nil
}

func (b *balancer) putBack(s *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.requests--
}

// ServeHTTP implements [http.Handler]. It keeps a body, which is small here, for the next server.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	tried := map[*backend]bool{}
	for {
		s := b.pick(tried)
		if s == nil {
			http.Error(w, "no server is ready", http.StatusBadGateway)
			return
		}
		tried[s] = true
		if b.pass(s, w, r, body) {
			return
		}
	}
}

var errNotBegun = errors.New("the server takes no such request")

// pass has s answer a request, and returns false if it did not begin with it.
func (b *balancer) pass(s *backend, w http.ResponseWriter, r *http.Request, body []byte) (answered bool) {
	defer b.putBack(s)
	answered = true
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(s.url)
			p.Out.Body, p.Out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			if len(body) == 0 {
				p.Out.Body = http.NoBody
			}
		},
		Transport:     s.transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ModifyResponse: func(res *http.Response) error {
			if res.StatusCode == http.StatusServiceUnavailable && r.Method == http.MethodPost && r.URL.Path == "/api/v1/shares" {
				return errNotBegun
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			var dial *net.OpError
			if errors.Is(err, errNotBegun) || errors.As(err, &dial) && dial.Op == "dial" {
				answered = false
				return
			}
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
	return answered
}
