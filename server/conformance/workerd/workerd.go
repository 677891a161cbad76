//go:build !js

// Package workerd runs Sealpost's Worker for tests as it is deployed: the bundle that make worker makes, on the runtime that
// Cloudflare has, with R2 and D1 in a folder of the test and nothing but this machine.
//
//	w := workerd.Start(t, "worker.mjs", "SEALPOST_PART_SIZE:64KiB")
//	resp, err := http.Get(w.URL + "/api/v1/config")
//
// wrangler and workerd come with npm ci in server/cmd/worker, which make deps does. Without them tests are skipped, or fail
// with CI=true. wrangler gets a copy of what it reads, because it restarts a Worker when that changes, as it does when another
// test builds.
package workerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sources are what wrangler reads, from the root.
var sources = []string{"server/cmd/worker/*.mjs", "server/cmd/worker/wrangler.jsonc", "server/cmd/worker/testdata", "server/cmd/worker/build",
	"server/store/*/*.mjs", "server/store/internal/records/schema"}

// Worker is one that runs.
type Worker struct {
	URL       string
	State     string // folder of its stores
	Inspector int    // port on 127.0.0.1 where the isolate can be looked into
	Log       *Log

	t    testing.TB
	dir  string // folder that wrangler works in
	args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when wrangler has ended
}

// Log is what a Worker and wrangler have written.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Own returns what the Worker itself has written; wrangler tells of each call besides, with its path.
func (l *Log) Own() string {
	var own strings.Builder
	for line := range strings.Lines(l.String()) {
		if !strings.HasPrefix(line, "[wrangler:info]") {
			own.WriteString(line)
		}
	}
	return own.String()
}

// root is the folder of go.mod.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, found := os.Stat(filepath.Join(dir, "go.mod")); found == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("failed to find go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
})

// locked runs f while no other process of tests does: the build is in one place for all of them.
func locked(root string, f func() error) error {
	file, err := os.Open(filepath.Join(root, "server/cmd/worker/package.json"))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("failed to lock %s: %w", file.Name(), err)
	}
	return f()
}

var build = sync.OnceValue(func() error {
	root, err := root()
	if err != nil {
		return err
	}
	return locked(root, func() error {
		if out, err := exec.Command("make", "-C", root, "worker").CombinedOutput(); err != nil {
			return fmt.Errorf("failed to make worker: %w\n%s", err, out)
		}
		return nil
	})
})

// Need builds the Worker, once. Where wrangler is not installed it skips the test, or fails it with CI=true.
func Need(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(wrangler(t)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("wrangler is not installed, run make deps: %v", err)
		}
		t.Skip("wrangler is not installed, run make deps")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
}

func wrangler(t testing.TB) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "server/cmd/worker/node_modules/wrangler/bin/wrangler.js")
}

// copied returns a copy of the Worker's folder, with what lies around it.
func copied(t testing.TB) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	from := os.DirFS(root)
	err = locked(root, func() error {
		for _, pattern := range sources {
			names, err := fs.Glob(from, pattern)
			if err != nil || len(names) == 0 {
				return fmt.Errorf("failed to find %s: %w", pattern, err)
			}
			for _, name := range names {
				if err := copyAll(to, from, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, "server/cmd/worker")
}

func copyAll(to string, from fs.FS, name string) error {
	return fs.WalkDir(from, name, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(to, name), data)
	})
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// Lost tells what wrangler's proxy answers when the connection to workerd that it had kept was closed meanwhile, as happens on a
// busy machine. GET and HEAD it makes again itself.
func Lost(status int, body []byte) bool {
	return status == http.StatusServiceUnavailable && bytes.HasPrefix(body, []byte("Your worker restarted mid-request."))
}

// Wrangler returns a command of wrangler in a copy of the Worker's folder.
func Wrangler(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	Need(t)
	return command(ctx, copied(t), t.TempDir(), append([]string{wrangler(t)}, args...)...)
}

// command is a program of Node's that is or has wrangler, told to keep to this machine and to a folder.
func command(ctx context.Context, dir, state string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CI=1", "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_SEND_ERROR_REPORTS=false",
		"CLOUDFLARE_CF_FETCH_ENABLED=false", "WRANGLER_HIDE_BANNER=true", "WRANGLER_WRITE_LOGS=false",
		"WRANGLER_REGISTRY_PATH="+filepath.Join(state, "registry"), "XDG_CONFIG_HOME="+state)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // wrangler starts workerd: the group is ended
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// Start starts a Worker with empty stores, which the test's end stops. Main is worker.mjs, or another module; vars are
// NAME:VALUE.
func Start(t testing.TB, main string, vars ...string) *Worker {
	t.Helper()
	Need(t)
	w := &Worker{State: t.TempDir(), Log: &Log{}, t: t, dir: copied(t)}
	w.migrate()
	port := freePort(t)
	w.URL, w.Inspector = "http://127.0.0.1:"+strconv.Itoa(port), freePort(t)
	w.args = []string{wrangler(t), "dev", main, "--local", "--ip", "127.0.0.1", "--port", strconv.Itoa(port), "--inspector-port", strconv.Itoa(w.Inspector),
		"--persist-to", w.State, "--show-interactive-dev-session=false", "--log-level", "log", "--test-scheduled"}
	for _, v := range vars {
		w.args = append(w.args, "--var", v)
	}
	w.run()
	return w
}

// StartUnwatched is Start without a debugger, to measure by: that takes as long for a call as the Worker does.
func StartUnwatched(t testing.TB, main string, vars ...string) *Worker {
	t.Helper()
	Need(t)
	w := &Worker{State: t.TempDir(), Log: &Log{}, t: t, dir: copied(t)}
	w.migrate()
	port := strconv.Itoa(freePort(t))
	w.URL = "http://127.0.0.1:" + port
	program := filepath.Join(filepath.Dir(wrangler(t)), "../../../testdata/serve.mjs")
	w.args = append([]string{program, main, port, w.State}, vars...)
	w.run()
	return w
}

// run starts the Worker until the test's end.
func (w *Worker) run() {
	w.t.Helper()
	w.Start()
	w.t.Cleanup(func() {
		w.Stop(syscall.SIGTERM)
		if w.t.Failed() {
			w.t.Logf("the Worker logged:\n%s", w.Log.Own())
		}
	})
}

var (
	migrating sync.Mutex
	migrated  map[string][]byte // files of a D1 with the schema and nothing else
)

// migrate makes the database. wrangler takes seconds for it, so it does so once.
func (w *Worker) migrate() {
	w.t.Helper()
	migrating.Lock()
	defer migrating.Unlock()
	if migrated == nil {
		cmd := command(w.t.Context(), w.dir, w.State, wrangler(w.t), "d1", "migrations", "apply", "DB", "--local", "--persist-to", w.State)
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("failed to migrate: %v\n%s", err, out)
		}
		files := map[string][]byte{}
		err := filepath.WalkDir(filepath.Join(w.State, "v3/d1"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(w.State, path)
			if err != nil {
				return err
			}
			files[name], err = os.ReadFile(path)
			return err
		})
		if err != nil || len(files) == 0 {
			w.t.Fatalf("failed to read the migrated database: %v", err)
		}
		migrated = files
		return
	}
	for name, data := range migrated {
		if err := writeFile(filepath.Join(w.State, name), data); err != nil {
			w.t.Fatal(err)
		}
	}
}

// freePort returns a port that nobody listens on, of those that systems do not give away: until wrangler listens there, one of
// them could be given to another.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("failed to find a free port")
	return 0
}

// outlived ends a command and its group when the test's process ends without stopping it, which closes its standard input.
const outlived = `exec 3<&0; (cat <&3; kill -KILL 0) >/dev/null 2>&1 & exec "$@" </dev/null 3<&-`

// Start starts the Worker again after Stop, on the same address and with the same stores.
func (w *Worker) Start() {
	w.t.Helper()
	cmd := command(context.Background(), w.dir, w.State, w.args...)
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", outlived, "sh"}, cmd.Args...)
	cmd.Stdout, cmd.Stderr = w.Log, w.Log
	if _, err := cmd.StdinPipe(); err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	w.cmd, w.done = cmd, done
	go func() {
		cmd.Wait()
		close(done)
	}()
	for range 600 {
		resp, err := http.Get(w.URL + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-done:
			w.t.Fatalf("the Worker has ended: %v\n%s", cmd.ProcessState, w.Log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	w.t.Fatalf("the Worker did not start\n%s", w.Log)
}

// Stop sends a signal to all processes of the Worker and waits for their end.
func (w *Worker) Stop(signal syscall.Signal) {
	syscall.Kill(-w.cmd.Process.Pid, signal)
	select {
	case <-w.done:
	case <-time.After(5 * time.Second):
	}
	syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL) // wrangler may end sooner than workerd
	<-w.done
}

// Group is the process group of wrangler and workerd.
func (w *Worker) Group() int { return w.cmd.Process.Pid }

// Trigger does what Cloudflare's clock does.
func (w *Worker) Trigger(cron string) error {
	resp, err := http.Get(w.URL + "/__scheduled?" + url.Values{"cron": {cron}}.Encode())
	if err != nil {
		return fmt.Errorf("failed to trigger %q: %w", cron, err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || strings.Contains(w.Log.String(), "sweep failed") {
		return fmt.Errorf("the trigger %q is answered %d", cron, resp.StatusCode)
	}
	return nil
}
