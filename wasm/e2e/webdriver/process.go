package webdriver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// marker is an environment variable that all processes of one browser inherit, however they were started, and whose value
// is the browser's profile. It finds the ones that left the process group, as Chromium does.
const marker = "SEALPOST_E2E_PROFILE"

// family is the processes of one browser.
type family struct {
	profile string
	log     tail

	mu   sync.Mutex
	kids []*exec.Cmd
}

func newFamily(profile string) *family { return &family{profile: profile} }

// start runs a program in a process group of its own, with extra environment and files from descriptor 3 on. Its output goes
// to stdout, if given, and to the log.
func (f *family) start(stdout io.Writer, files []*os.File, env []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	if errors.Is(c.Err, exec.ErrNotFound) {
		return fmt.Errorf("%w: %s", ErrNotInstalled, name)
	}
	c.Env = append(append(os.Environ(), env...), marker+"="+f.profile)
	c.ExtraFiles = files
	c.Stdout, c.Stderr = &f.log, &f.log
	if stdout != nil {
		c.Stdout = io.MultiWriter(&f.log, stdout)
	}
	c.WaitDelay = time.Second
	if err := StartCommand(c); err != nil {
		return fmt.Errorf("failed to start %s: %w", name, err)
	}
	f.mu.Lock()
	f.kids = append(f.kids, c)
	f.mu.Unlock()
	return nil
}

// StartCommand starts c in a process group of its own. It is killed when this process ends, however it ends.
func StartCommand(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	j := job{c, make(chan error, 1)}
	starterOnce.Do(func() { go starter() })
	jobs <- j
	return <-j.done
}

type job struct {
	c    *exec.Cmd
	done chan error
}

var (
	jobs        = make(chan job)
	starterOnce sync.Once
)

// starter starts commands on one thread that lives as long as the process, because the kernel sends a Pdeathsig when the
// thread that forked ends, not the process.
func starter() {
	runtime.LockOSThread()
	for j := range jobs {
		j.done <- j.c.Start()
	}
}

// kill ends all processes of the family, first kindly, and waits until none is left.
func (f *family) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.kids) - 1; i >= 0; i-- {
		c := f.kids[i]
		syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { c.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(2 * time.Second):
		}
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		<-done
	}
	f.kids = nil
	for range 100 {
		pids := f.survivors()
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// crash ends all processes of the family at the same moment, as far as there is one.
func (f *family) crash() {
	f.mu.Lock()
	for _, pid := range f.survivors() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	f.mu.Unlock()
	f.kill()
}

// survivors returns the processes that carry the family's marker.
func (f *family) survivors() []int {
	want := []byte(marker + "=" + f.profile + "\x00")
	envs, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, path := range envs {
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		env, err := os.ReadFile(path) // of a zombie it is empty, of somebody else's process an error
		if err == nil && pid != os.Getpid() && bytes.Contains(append(env, 0), want) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// describe tells of each process its name, the states of its threads and what they wait for: of a browser that hangs. Linux only.
func (f *family) describe() string {
	var all []string
	for _, pid := range descendants(f.survivors()) {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil {
			continue
		}
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		states := map[string]int{}
		for _, path := range threads {
			stat, _ := os.ReadFile(path)
			if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
				states[string(stat[i+2:i+3])]++
			}
		}
		waits, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
		all = append(all, fmt.Sprintf("%s %v %s", bytes.TrimSpace(name), states, waits))
	}
	return strings.Join(all, "; ")
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - 64<<10; over > 0 {
		t.buf = append([]byte(nil), t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
