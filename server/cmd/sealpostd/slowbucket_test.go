package main_test

import (
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/internal/load"
)

// slowLine passes connections on to an address, late: each piece of up to 32 KiB, in either direction, waits for up to the delay.
type slowLine struct {
	net.Listener
	delay atomic.Int64 // nanoseconds
}

func newSlowLine(t *testing.T, to string) *slowLine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &slowLine{Listener: l}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go s.pass(near, far)
			go s.pass(far, near)
		}
	}()
	return s
}

func (s *slowLine) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if delay := s.delay.Load(); delay > 0 {
			time.Sleep(time.Duration(rand.Int64N(delay)))
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			if err == io.EOF && werr == nil {
				to.(*net.TCPConn).CloseWrite()
			}
			return
		}
	}
}

// TestSlowBucket: an object store that answers late, and for two seconds hardly at all, costs time and nothing else: no request fails,
// and every byte and count is right.
func TestSlowBucket(t *testing.T) {
	t.Parallel()
	rnd := seeded(t)
	s3 := services.S3(t)
	bucket := s3.Bucket(t)
	line := newSlowLine(t, strings.TrimPrefix(s3.Endpoint(), "http://"))
	flags := append(inBucket(t, s3, bucket), onPostgres(t)...)
	direct := append([]string{}, flags...)
	flags = append(flags, "-s3-endpoint", "http://"+line.Addr().String())
	d := start(t, filepath.Join(t.TempDir(), "none"), flags...)
	line.delay.Store(int64(50 * time.Millisecond))
	over := make(chan struct{})
	l := startLoad(t, d.url, rnd, load.Config{Senders: 4, Receivers: 6, Downloads: 2, Duration: time.Hour, Over: over})
	for range long(1, 20) {
		time.Sleep(time.Second)
		line.delay.Store(int64(2 * time.Second))
		time.Sleep(500 * time.Millisecond)
		line.delay.Store(int64(50 * time.Millisecond))
	}
	close(over)
	r := l.wantExact(t, 2)
	t.Logf("%d shares, %d downloads", r.Shares, r.Taken)
	line.delay.Store(0)
	d.stop(t)
	p := &place{data: "none", flags: direct}
	p.wantSound(t, false)
	if left := (&pair{bucket: s3.Folder(bucket)}).objects(t); len(left) > 0 {
		t.Errorf("%d objects are left", len(left))
	}
}
