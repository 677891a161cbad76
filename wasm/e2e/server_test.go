package e2e

import (
	"bufio"
	"bytes"
	"database/sql"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	_ "modernc.org/sqlite"
)

// site is a sealpostd with a folder of its own, behind a tap.
type site struct {
	t    *testing.T
	url  string // where browsers go: the tap
	data string
	tap  *tap

	program string // path of sealpostd
	args    []string
	addr    string // of sealpostd
	cmd     *exec.Cmd
	exited  chan struct{}
	mu      sync.Mutex
	log     bytes.Buffer
}

// newSite starts a server with debug logs and no rate limits, unless args say otherwise. The test's end stops it.
func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{t: t, program: filepath.Join(programs, "sealpostd"), data: filepath.Join(t.TempDir(), "data"), addr: "127.0.0.1:0"}
	s.args = append([]string{"-data", s.data, "-log-level", "debug", "-sweep", "1s", "-create-rate", "0", "-miss-rate", "0"}, args...)
	s.start()
	s.tap = newTap(t, s.addr)
	s.url = s.tap.url
	t.Cleanup(func() {
		s.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("the server's log ends:\n%s", tailOf(s.text(), 4000))
		}
	})
	return s
}

// start runs sealpostd, after a stop on the same address again.
func (s *site) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.program, append([]string{"-listen", s.addr}, s.args...)...)
	pipe, err := s.cmd.StderrPipe()
	must(s.t, err)
	must(s.t, webdriver.StartCommand(s.cmd))
	s.exited = make(chan struct{})
	listening := make(chan string, 1)
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		re := regexp.MustCompile(`listening on http://(\S+)`)
		lines := bufio.NewReader(pipe)
		for {
			line, err := lines.ReadString('\n')
			s.mu.Lock()
			s.log.WriteString(line)
			s.mu.Unlock()
			if m := re.FindStringSubmatch(line); m != nil {
				listening <- m[1]
			}
			if err != nil {
				cmd.Wait()
				return
			}
		}
	}(s.cmd, s.exited)
	select {
	case s.addr = <-listening:
	case <-s.exited:
		s.t.Fatalf("sealpostd ended:\n%s", s.text())
	case <-time.After(20 * time.Second):
		s.t.Fatalf("sealpostd does not listen:\n%s", s.text())
	}
}

// stop ends sealpostd with a signal and waits for it.
func (s *site) stop(sig syscall.Signal) {
	s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(40 * time.Second):
		s.cmd.Process.Kill()
		<-s.exited
	}
}

func (s *site) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func tailOf(text string, n int) string { return text[max(0, len(text)-n):] }

// database opens the server's records. Stop the server first when writing to them.
func (s *site) database() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.data, "meta.db")+"?_pragma=busy_timeout(10000)")
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

// everything returns all bytes of all files below the data folder, by path.
func (s *site) everything() map[string][]byte {
	s.t.Helper()
	all := map[string][]byte{}
	must(s.t, filepath.WalkDir(s.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	}))
	return all
}

// parts lists the objects that are stored, whatever share they belong to.
func (s *site) parts() []string {
	var names []string
	filepath.WalkDir(filepath.Join(s.data, "blobs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), "-") {
			names = append(names, path)
		}
		return nil
	})
	return names
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
