package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	packetSize = 16 << 10
	burst      = 5 * time.Millisecond // what a line that was idle, or whose sleeper overslept, may catch up with
	sockets    = 256 << 10            // what the kernel may buffer besides: a modem's queue, not a machine's
)

// A line is a TCP proxy that is as slow as a network: in each direction all connections share so many bytes a second, and
// what has left arrives a while later. It loses and reorders nothing, which TCP would hide anyway.
type line struct {
	l        net.Listener
	target   string
	delay    time.Duration // one way
	up, down *bucket
}

// newLine proxies to target, from an address of its own.
func newLine(target string, bytesPerSecond float64, roundTrip time.Duration) (*line, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &line{l: listener, target: target, delay: roundTrip / 2}
	l.up, l.down = &bucket{rate: bytesPerSecond}, &bucket{rate: bytesPerSecond}
	go l.serve()
	return l, nil
}

func (l *line) addr() string { return l.l.Addr().String() }

// Close refuses new connections. Those that are there end by themselves.
func (l *line) Close() error { return l.l.Close() }

func (l *line) serve() {
	for {
		c, err := l.l.Accept()
		if err != nil {
			return
		}
		go l.connect(c.(*net.TCPConn))
	}
}

func (l *line) connect(client *net.TCPConn) {
	time.Sleep(2 * l.delay) // the handshake
	c, err := net.Dial("tcp", l.target)
	if err != nil {
		reset(client)
		return
	}
	server := c.(*net.TCPConn)
	var wg sync.WaitGroup
	wg.Go(func() { l.carry(server, client, l.up) })
	wg.Go(func() { l.carry(client, server, l.down) })
	wg.Wait()
	client.Close()
	server.Close()
}

type packet struct {
	data []byte
	due  time.Time
}

// carry carries all that src sends to dst, and that it ended. A broken connection breaks the other.
func (l *line) carry(dst, src *net.TCPConn, b *bucket) {
	src.SetReadBuffer(sockets)
	packets := make(chan packet, 1+int(b.rate*l.delay.Seconds())/packetSize*2)
	go func() {
		defer close(packets)
		for {
			data := make([]byte, packetSize)
			n, err := src.Read(data)
			if n > 0 {
				left := b.take(time.Now(), n)
				time.Sleep(time.Until(left)) // so that the sender feels how slow the line is
				packets <- packet{data[:n], left.Add(l.delay)}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					reset(dst)
				}
				return
			}
		}
	}()
	for p := range packets {
		time.Sleep(time.Until(p.due))
		if _, err := dst.Write(p.data); err != nil {
			reset(src)
			break
		}
	}
	for range packets { // until the reader has ended
	}
	dst.CloseWrite()
}

// reset ends a connection so that the other end sees that it broke.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

// A bucket says when bytes have left a line that carries rate of them a second.
type bucket struct {
	rate float64

	mu   sync.Mutex
	free time.Time // when all that was booked so far has left
}

// take books n bytes and returns when the last of them has left.
func (b *bucket) take(now time.Time, n int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if earliest := now.Add(-burst); b.free.Before(earliest) {
		b.free = earliest
	}
	b.free = b.free.Add(time.Duration(float64(n) / b.rate * float64(time.Second)))
	if b.free.Before(now) {
		return now
	}
	return b.free
}
