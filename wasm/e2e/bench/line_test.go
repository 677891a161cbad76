package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// TestBucket: what is booked leaves one after the other at the rate, but not before it came; of idle time no more than a
// burst can be used later.
func TestBucket(t *testing.T) {
	b := &bucket{rate: 1e6}
	now := time.Unix(1000, 0)
	for _, idle := range []time.Duration{0, time.Second, time.Hour} {
		now = now.Add(idle)
		// Without a burst it would be 4, 6, 8 and 10.
		for i, want := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 5 * time.Millisecond} {
			if got := b.take(now, []int{4000, 2000, 2000, 2000}[i]).Sub(now); got != want {
				t.Errorf("packet %d after %v idle leaves after %v, want %v", i, idle, got, want)
			}
		}
	}
	if got, want := b.take(now.Add(2*time.Millisecond), 1000).Sub(now), 6*time.Millisecond; got != want {
		t.Errorf("a packet behind others leaves after %v, want %v", got, want)
	}
}

// echoServer sends back what it gets, once it has got all of it.
func echoServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				all, err := io.ReadAll(c)
				if err != nil {
					return
				}
				c.Write(all)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, l *line) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.addr())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// TestLine: two connections share the rate in each direction, what arrives is what was sent, the end included, and nothing
// is faster than the line. How much slower a busy machine makes it is not asserted.
func TestLine(t *testing.T) {
	t.Parallel()
	const size, rate, roundTrip = 300_000, 4e6, 40 * time.Millisecond
	l, err := newLine(echoServer(t), rate, roundTrip)
	must(t, err)
	defer l.Close()
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			data := make([]byte, size)
			rand.NewChaCha8([32]byte{byte(i)}).Read(data)
			c := dial(t, l)
			if _, err := c.Write(data); err != nil {
				t.Error(err)
			}
			c.CloseWrite()
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, data) {
				t.Errorf("connection %d: got %d bytes, %v", i, len(got), err)
			}
		})
	}
	wg.Wait()
	// The first answer begins when as much has come up as one of them sends.
	least := time.Duration(3*size/rate*float64(time.Second)) + 2*roundTrip - 2*burst
	if took := time.Since(begun); took < least {
		t.Errorf("took %v, less than %v", took, least)
	}
}

// TestLineDelay: a question and its answer take the handshake and a round trip.
func TestLineDelay(t *testing.T) {
	t.Parallel()
	const roundTrip = 60 * time.Millisecond
	l, err := newLine(echoServer(t), 1e9, roundTrip)
	must(t, err)
	defer l.Close()
	begun := time.Now()
	c := dial(t, l)
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	if got, err := io.ReadAll(c); err != nil || string(got) != "?" {
		t.Fatalf("got %q, %v", got, err)
	}
	if took := time.Since(begun); took < 2*roundTrip {
		t.Errorf("took %v, less than %v", took, 2*roundTrip)
	}
}

// TestLineBreaks: a connection that breaks on one side of the line breaks on the other, and does not look as if it had
// ended.
func TestLineBreaks(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 1))
			reset(c.(*net.TCPConn))
		}
	}()
	l, err := newLine(server.Addr().String(), 1e9, 0)
	must(t, err)
	defer l.Close()
	c := dial(t, l)
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err == nil {
		t.Errorf("got %q and a proper end", got)
	}
	server.Close()
	c = dial(t, l)
	if got, err := io.ReadAll(c); err == nil {
		t.Errorf("without a server: got %q and a proper end", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
