package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/metrics"
)

// As many connections as there may be are served, over all listeners; the next waits for one that ends. Whoever answers finds the very socket.
func TestConnections(t *testing.T) {
	const most = 3
	bound := newConnections(&limitOptions{connections: most}, nil, metrics.New(""))
	var listeners []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, bound.limit(l))
	}
	var wrapped atomic.Bool
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, tcp := conn.(*net.TCPConn)
			wrapped.Store(!tcp)
			conn.Close()
			return
		}
		io.WriteString(w, "ok")
	})}
	bound.watch(s)
	done := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { done <- s.Serve(l) }()
	}
	dial := func(i int) net.Conn {
		conn, err := net.Dial("tcp", listeners[i%2].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	answers := func(conn net.Conn, path string, patience time.Duration) bool {
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		b := make([]byte, 1)
		_, err := conn.Read(b)
		return err == nil
	}
	var conns []net.Conn
	for i := range most {
		conns = append(conns, dial(i))
		if !answers(conns[i], "/", 10*time.Second) {
			t.Fatalf("connection %d is not served", i)
		}
	}
	for _, end := range []func(net.Conn){
		func(c net.Conn) { c.Close() },
		func(c net.Conn) { answers(c, "/hijack", 10*time.Second) },
	} {
		next := dial(len(conns))
		if answers(next, "/", 200*time.Millisecond) {
			t.Fatal("one connection too many is served")
		}
		end(conns[0])
		next.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := next.Read(make([]byte, 1)); err != nil {
			t.Fatalf("who has waited is not served: %v", err)
		}
		conns = append(conns[1:], next)
	}
	if wrapped.Load() {
		t.Error("the socket is wrapped")
	}
	waits := dial(0) // while the server ends
	time.Sleep(50 * time.Millisecond)
	s.Close()
	for range listeners {
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	}
	waits.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := waits.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("who waited when it ended: %v", err)
	}
	for until := time.Now().Add(10 * time.Second); len(bound.room) > 0 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	if len(bound.room) != 0 {
		t.Errorf("%d places are not given back", len(bound.room))
	}
}

// TestConnectionsOfClient: an address has as many as it may, and one more is closed; another address, a proxy that is trusted and a Unix
// socket are not kept out by that. What is counted is in the metrics.
func TestConnectionsOfClient(t *testing.T) {
	m := metrics.New("")
	bound := newConnections(&limitOptions{connections: 100, clientConnections: 2}, prefixes{netip.MustParsePrefix("127.0.0.3/32")}, m)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })}
	bound.watch(s)
	var done sync.WaitGroup
	serve := func(network, address string) net.Addr {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		done.Go(func() { s.Serve(bound.limit(l)) })
		return l.Addr()
	}
	tcp, socket := serve("tcp", "127.0.0.1:0"), serve("unix", filepath.Join(t.TempDir(), "s"))
	defer done.Wait()
	defer s.Close()
	open := func(from string, to net.Addr) (net.Conn, bool) {
		t.Helper()
		var d net.Dialer
		if from != "" {
			d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
		}
		conn, err := d.Dial(to.Network(), to.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		_, err = conn.Read(make([]byte, 1))
		if os.IsTimeout(err) {
			t.Fatal("nothing happens")
		}
		return conn, err == nil
	}
	var conns []net.Conn
	for range 2 {
		conn, ok := open("127.0.0.1", tcp)
		if !ok {
			t.Fatal("one of two is closed")
		}
		conns = append(conns, conn)
	}
	for range 3 {
		if _, ok := open("127.0.0.1", tcp); ok {
			t.Fatal("one too many of an address is served")
		}
		for what, to := range map[string]struct {
			from string
			addr net.Addr
		}{"another address": {"127.0.0.2", tcp}, "a proxy": {"127.0.0.3", tcp}, "a socket": {"", socket}} {
			conn, ok := open(to.from, to.addr)
			if !ok {
				t.Errorf("%s is kept out", what)
			}
			if what == "another address" {
				conn.Close()
			}
		}
	}
	conns[0].Close()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, ok := open("127.0.0.1", tcp); ok {
			break
		}
		if time.Now().After(until) {
			t.Fatal("a place is not given back")
		}
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`sealpost_connections \d`, `sealpost_connections_refused_total [3-9]`, `sealpost_connections_delayed_total 0`} {
		if !regexp.MustCompile("(?m)^" + want).MatchString(w.Body.String()) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
}

// TestConnectionsBounded: it is what sealpostd does, over HTTP/2 too, whose connections end where others do.
func TestConnectionsBounded(t *testing.T) {
	s := runHere(t, 1, "-listen", "127.0.0.1:0", "-max-connections", "1")
	address := strings.TrimPrefix(s.addresses[0], "http://")
	first, second := clientOf(t, "tcp", address, nil), clientOf(t, "tcp", address, nil)
	if resp, _ := get(t, first, "http://post.example/healthz"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	second.Timeout = 300 * time.Millisecond
	if resp, err := second.Get("http://post.example/healthz"); err == nil {
		t.Errorf("a second connection is answered %s", resp.Status)
	}
	first.CloseIdleConnections()
	second.Timeout = 10 * time.Second
	if resp, _ := get(t, second, "http://post.example/healthz"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}

	bound := newConnections(&limitOptions{connections: 1}, nil, metrics.New(""))
	web := httptest.NewUnstartedServer(metrics.New("").InFlight(http.NotFoundHandler()))
	web.EnableHTTP2 = true
	web.Listener = bound.limit(web.Listener)
	bound.watch(web.Config)
	watched := web.Config.ConnState
	web.StartTLS() // has a hook of its own, and calls ours
	defer web.Close()
	if watched == nil {
		t.Fatal("nobody watches")
	}
	client := web.Client()
	for range 3 {
		resp, err := client.Get(web.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("it is %s", resp.Proto)
		}
		client.CloseIdleConnections()
	}
}

// OPTIONS * is answered here, like anything else, and not by net/http.
func TestOptionsOfServer(t *testing.T) {
	s := runHere(t, 1, "-listen", "127.0.0.1:0")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.addresses[0], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(answer); !strings.HasPrefix(text, "HTTP/1.1 4") || !strings.Contains(text, "X-Content-Type-Options: nosniff") {
		t.Errorf("answered %q", text)
	}
}
