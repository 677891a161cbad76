package e2e

import (
	"bufio"
	"bytes"
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
)

// onSealpostd has sites stand on a process with a folder.
var onSealpostd = ground{engines: webdriver.Engines, start: startSealpostd}

// sealpostd is that process.
type sealpostd struct {
	t       *testing.T
	program string // path of it
	args    []string
	folder  string
	addr    string
	cmd     *exec.Cmd
	exited  chan struct{}
	mu      sync.Mutex
	log     bytes.Buffer
}

// startSealpostd starts a server with debug logs that sweeps every second.
func startSealpostd(t *testing.T, args []string) (server, string) {
	t.Helper()
	s := &sealpostd{t: t, program: filepath.Join(programs, "sealpostd"), folder: filepath.Join(t.TempDir(), "data"), addr: "127.0.0.1:0"}
	s.args = append([]string{"-data", s.folder, "-log-level", "debug", "-sweep", "1s"}, args...)
	s.start()
	t.Cleanup(func() {
		s.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("the server's log ends:\n%s", tailOf(s.text(), 4000))
		}
	})
	return s, s.addr
}

// start runs sealpostd.
func (s *sealpostd) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.program, append([]string{"-listen", s.addr}, s.args...)...)
	pipe, err := s.cmd.StderrPipe()
	must(s.t, err)
	must(s.t, webdriver.StartCommand(s.cmd))
	s.exited = make(chan struct{})
	listening := make(chan string, 1)
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		re := regexp.MustCompile(`listening on https?://(\S+)`)
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
	case address := <-listening:
		s.addr, _, _ = strings.Cut(address, "/") // without a base path
	case <-s.exited:
		s.t.Fatalf("sealpostd ended:\n%s", s.text())
	case <-time.After(20 * time.Second):
		s.t.Fatalf("sealpostd does not listen:\n%s", s.text())
	}
}

// stop ends sealpostd with a signal and waits for it.
func (s *sealpostd) stop(sig syscall.Signal) {
	s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(40 * time.Second):
		s.cmd.Process.Kill()
		<-s.exited
	}
}

func (s *sealpostd) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func tailOf(text string, n int) string { return text[max(0, len(text)-n):] }

func (s *sealpostd) data() string { return s.folder }

func (s *sealpostd) records() string { return filepath.Join(s.folder, "meta.db") }

func (s *sealpostd) parts() map[string]string {
	all := map[string]string{}
	filepath.WalkDir(filepath.Join(s.folder, "blobs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), "-") {
			all[filepath.Base(filepath.Dir(path))+"/"+d.Name()] = path
		}
		return nil
	})
	return all
}
