package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/metrics"
)

// As many connections as there may be are served, over all listeners; the next waits for one that ends. Whoever answers finds the very socket.
func TestConnections(t *testing.T) {
	const most = 3
	bound := newConnections(most)
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

	bound := newConnections(1)
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
