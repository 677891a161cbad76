package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/metrics"
)

const testStall = 200 * time.Millisecond

// dial sends a request up to here, and leaves the connection to the test.
func dial(t *testing.T, h http.HandlerFunc, head string) net.Conn {
	t.Helper()
	s := httptest.NewServer(withDeadlines(h, testStall, uncounted{}))
	t.Cleanup(s.Close)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprint(c, head)
	return c
}

func within(t *testing.T, what string, c <-chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal(what + " goes on")
		return nil
	}
}

func TestStalledRequest(t *testing.T) {
	got := make(chan error, 1)
	dial(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
	if err := within(t, "the body", got); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestStalledResponse(t *testing.T) {
	got := make(chan error, 1)
	dial(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.CopyN(w, zeros{}, 1<<40)
		got <- err
	}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := within(t, "the response", got); err == nil {
		t.Error("a client that reads nothing got everything")
	}
}

// Slow but steady is fine, in both directions, and so is an answer that takes long after the body has come.
func TestSlow(t *testing.T) {
	got := make(chan error, 1)
	c := dial(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			got <- err
			return
		}
		for range 6 {
			time.Sleep(testStall / 2)
			io.WriteString(w, "x")
			http.NewResponseController(w).Flush()
		}
		got <- r.Context().Err()
	}, fmt.Sprintf("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 6*readChunk))
	for range 6 {
		time.Sleep(testStall / 2)
		fmt.Fprint(c, strings.Repeat("y", readChunk))
	}
	if err := within(t, "the call", got); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A body that trickles occupies a connection, and room that was set aside for it, without getting anywhere.
func TestTrickle(t *testing.T) {
	got := make(chan error, 1)
	c := dial(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
	go func() {
		for {
			if _, err := fmt.Fprint(c, "y"); err != nil {
				return
			}
			time.Sleep(testStall / 8)
		}
	}()
	select {
	case err := <-got:
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * testStall):
		t.Error("the body goes on, a byte at a time")
	}
}

type uncounted struct{}

func (uncounted) Received(int64) {}
func (uncounted) Sent(int64)     {}

// fileWriter is a ResponseWriter that notes from what it was to read.
type fileWriter struct {
	*httptest.ResponseRecorder
	file bool
}

func (w *fileWriter) ReadFrom(src io.Reader) (int64, error) {
	limited, ok := src.(*io.LimitedReader)
	if ok {
		_, w.file = limited.R.(*os.File)
	}
	return io.Copy(io.Discard, src)
}

// A file reaches the connection as what it is, whatever counts and watches on the way: so the system can send it.
func TestFilesAreNotHidden(t *testing.T) {
	name := filepath.Join(t.TempDir(), "part")
	if err := os.WriteFile(name, make([]byte, 3*writeChunk+1), 0o600); err != nil {
		t.Fatal(err)
	}
	m := metrics.New("")
	h := m.InFlight(withDeadlines(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if n, err := io.CopyN(w, f, 3*writeChunk); n != 3*writeChunk || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}), testStall, m))
	w := &fileWriter{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !w.file {
		t.Error("the file was hidden")
	}
}
