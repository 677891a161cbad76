package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sys/unix"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/store"
)

// line passes connections on to a database, until it is cut.
type line struct {
	net.Listener
	mu   sync.Mutex
	ends []net.Conn   // under mu
	left atomic.Int64 // bytes that still pass on to the database; fewer than 0 if the line is whole
}

// newLine returns a line, and the address of the database at the other end of it.
func newLine(t *testing.T, address string) (*line, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	quiet := net.ListenConfig{KeepAlive: -1} // an end that is deaf is not to be heard either
	listener, err := quiet.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Listener: listener}
	l.left.Store(-1)
	go l.serve(u.Host)
	u.Host = l.Addr().String()
	return l, u.String()
}

func (l *line) serve(to string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		if l.left.Load() >= 0 {
			l.keep(near)
			continue
		}
		far, err := (&net.Dialer{KeepAlive: -1}).Dial("tcp", to)
		if err != nil {
			near.Close()
			continue
		}
		l.keep(near, far)
		go l.pass(near, far)
		go func() {
			io.Copy(near, far)
			if l.left.Load() < 0 {
				near.Close()
			}
		}()
	}
}

// keep keeps ends for Close.
func (l *line) keep(ends ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, ends...)
}

// cut has the line pass on n bytes, and then nothing, in either direction, and tell nobody.
func (l *line) cut(n int64) { l.left.Store(n) }

// pass passes on what goes to the database.
func (l *line) pass(near, far net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := near.Read(buf)
		if left := l.left.Load(); left >= 0 {
			far.Write(buf[:min(int64(n), left)])
			time.Sleep(100 * time.Millisecond) // for what it makes of that
			deaden(far)
			return
		}
		if _, werr := far.Write(buf[:n]); err != nil || werr != nil {
			far.Close()
			return
		}
	}
}

// deaden has the system drop whatever comes in by a connection, so that it does not even say to the other end that it has got it.
func deaden(c net.Conn) error {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
	})
	return errors.Join(cerr, err)
}

// deaden is for the ends that there are; later connections pass.
func (l *line) deaden(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.ends {
		if err := deaden(end); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *line) Close() {
	l.Listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range l.ends {
		end.Close()
	}
}

// TestSilentServer: a server that the network cuts off in the midst of a batch holds up only what is about the same share, and sweeps,
// and these until PostgreSQL has noticed; it is told that the database is out of reach.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	p := services.Postgres(t)
	address := p.Schema(t)
	l, through := newLine(t, address)
	other := open(t, address)
	silent := open(t, through)
	defer l.Close()
	sh, beside := ready(t, other, 1), ready(t, other, 2)
	report := func(s store.Meta, id string, size int) error {
		return s.AddReport(context.Background(), store.Report{ID: id, Share: sh.ID, Received: now, Sealed: bytes.Repeat([]byte(id), size)},
			store.ReportLimit{Share: 10, All: 10})
	}
	if err := report(silent, "a", 1); err != nil { // which has the statements prepared
		t.Fatal(err)
	}

	l.cut(2500)
	cut := time.Now()
	told := make(chan error, 1)
	go func() { told <- report(silent, "b", 60_000) }()
	stuck := func() bool {
		return strings.TrimSpace(p.SQL(t, `SELECT COUNT(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
			WHERE a.wait_event = 'ClientRead' AND a.state = 'active' AND l.locktype = 'advisory'`)) != "0"
	}
	for !stuck() {
		if time.Since(cut) > 5*time.Second {
			t.Fatal("it is not cut off in the midst of a batch")
		}
		time.Sleep(50 * time.Millisecond)
	}

	swept := make(chan error, 1)
	go func() {
		_, err := other.Doomed(context.Background(), now, now, 10)
		swept <- err
	}()
	time.Sleep(200 * time.Millisecond) // it waits now
	began := time.Now()
	if _, err := other.Create(t.Context(), share(3)); err != nil {
		t.Errorf("another share: %v", err)
	}
	if _, err := other.TakeDownload(t.Context(), beside.ID, store.Hash{1}, now); err != nil {
		t.Errorf("another share's download: %v", err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("other shares were held up for %v", d)
	}
	if err := <-swept; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a sweep meanwhile: %v", err)
	}

	for {
		_, err := other.Doomed(t.Context(), now, now, 10)
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrUnavailable) || time.Since(cut) > 30*time.Second {
			t.Fatalf("sweeping after %v: %v", time.Since(cut), err)
		}
	}
	t.Logf("PostgreSQL noticed after %v", time.Since(cut))
	if err := <-told; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the one that was cut off is told %v", err)
	}
	if d := time.Since(cut); d > 30*time.Second {
		t.Errorf("it was told after %v", d)
	}
	if err := report(other, "c", 60_000); err != nil {
		t.Errorf("the same share: %v", err)
	}
	if all, err := other.Reports(t.Context(), store.Report{}, 10); err != nil || len(all) != 2 {
		t.Errorf("%d reports, %v", len(all), err)
	}
}

// TestSilentDatabase: connections to a database that is there no more, as another has taken over, do not cost the next calls their time.
func TestSilentDatabase(t *testing.T) {
	t.Parallel()
	l, through := newLine(t, services.Postgres(t).Schema(t))
	s := open(t, through)
	defer l.Close()
	var held []*pgxpool.Conn
	for range 8 {
		c, err := s.Pool().Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	for _, c := range held {
		c.Release()
	}
	time.Sleep(500 * time.Millisecond) // all is acknowledged, and so nothing is sent again
	l.deaden(t)
	time.Sleep(21 * time.Second)
	began := time.Now()
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > 4*time.Second {
		t.Errorf("it took %v", d)
	}
}
