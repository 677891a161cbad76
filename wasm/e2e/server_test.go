package e2e

import (
	"bytes"
	"database/sql"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// site is a server with stores of its own, behind a tap.
type site struct {
	server
	t      *testing.T
	url    string // where browsers go: the tap
	addr   string // of the server
	scheme string // of that
	tap    *tap
}

// server is what a site stands on.
type server interface {
	start()                   // after stop, on the same address and with the same stores
	stop(sig syscall.Signal)  // waits for its end
	text() string             // its log
	data() string             // folder of its stores
	records() string          // SQLite's file
	parts() map[string]string // paths of the objects that are stored, by SHARE/N-DIGEST
}

// newSite starts a server without rate limits, unless args, those of sealpostd, say otherwise. The test's end stops it.
func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	return newSiteOn(t, groundOf(t), args...)
}

func newSiteOn(t *testing.T, g ground, args ...string) *site {
	t.Helper()
	s := &site{t: t, scheme: "http"}
	s.server, s.addr = g.start(t, append([]string{"-create-rate", "0", "-take-rate", "0", "-miss-rate", "0", "-report-rate", "0", "-call-rate", "0"}, args...))
	s.tap = newTap(t, s.addr)
	s.url = s.tap.url
	return s
}

// database opens the server's records. Stop the server first when writing to them.
func (s *site) database() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.records()+"?_pragma=busy_timeout(10000)")
	must(s.t, err)
	s.t.Cleanup(func() { db.Close() })
	return db
}

// count asks the records for a number.
func (s *site) count(query string, args ...any) (n int) {
	s.t.Helper()
	must(s.t, s.database().QueryRow(query, args...).Scan(&n))
	return n
}

// everything returns all bytes of all files of the stores, by path.
func (s *site) everything() map[string][]byte {
	s.t.Helper()
	all := map[string][]byte{}
	must(s.t, filepath.WalkDir(s.data(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	}))
	return all
}

// eventually waits until ok.
func eventually(t *testing.T, what string, timeout time.Duration, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(timeout); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", timeout, what)
		}
	}
}

// recorder keeps what passes a connection in one direction.
type recorder struct {
	mu  sync.Mutex
	on  bool
	buf bytes.Buffer
}

func (r *recorder) note(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		r.buf.Write(p)
	}
}

func (r *recorder) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.buf.Bytes())
}

// recordedListener notes each byte that its clients send, request lines and headers included.
type recordedListener struct {
	net.Listener
	rec *recorder
}

func (l recordedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordedConn{c, l.rec}, nil
}

type recordedConn struct {
	net.Conn
	rec *recorder
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.rec.note(p[:n])
	return n, err
}

// slowReader lets about rate bytes per second through.
type slowReader struct {
	io.ReadCloser
	rate int
}

func (s *slowReader) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:min(len(p), max(1, s.rate/20))])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(s.rate))
	return n, err
}
