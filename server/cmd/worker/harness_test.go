//go:build !js

// Package main_test runs the Worker as it is deployed: the bundle that make worker makes, on the real workerd, with its own R2
// and D1 in a folder of the test. wrangler and workerd come with npm ci in this folder, which make deps does; without them the
// tests are skipped, or fail with CI=true.
package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const wrangler = "node_modules/wrangler/bin/wrangler.js"

// sources are what wrangler reads, from the root. It gets a copy, because it restarts a Worker when they change, as they do when
// another test builds.
var sources = []string{"server/cmd/worker/*.mjs", "server/cmd/worker/wrangler.jsonc", "server/cmd/worker/testdata", "server/cmd/worker/build",
	"server/store/r2/parts.mjs", "server/store/d1/migrations"}

// deployment is a Worker under test.
type deployment struct {
	url   string
	state string // folder of its stores
	group int    // of its processes
	log   *output
}

// output collects what a process writes, and may be read meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// built runs make worker once.
var built = sync.OnceValue(func() error {
	if out, err := exec.Command("make", "-C", "../../..", "worker").CombinedOutput(); err != nil {
		return fmt.Errorf("make worker: %w\n%s", err, out)
	}
	return nil
})

// needWrangler skips the test where it is not installed.
func needWrangler(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(wrangler); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("wrangler is not installed, run make deps: %v", err)
		}
		t.Skip("wrangler is not installed, run make deps")
	}
	if err := built(); err != nil {
		t.Fatal(err)
	}
}

// copied returns the copy of this folder in which wrangler is to work.
func copied(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	copyFile := func(name string) error {
		data, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, name), data, 0o644)
	}
	for _, pattern := range sources {
		names, err := fs.Glob(os.DirFS("../../.."), pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("failed to find %s: %v", pattern, err)
		}
		for _, name := range names {
			err := fs.WalkDir(os.DirFS("../../.."), name, func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return copyFile(name)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(root, "server/cmd/worker")
}

// command is wrangler, told to keep to this machine and to a folder.
func command(ctx context.Context, t *testing.T, dir, state string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := filepath.Abs(wrangler)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{program}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CI=1", "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_SEND_ERROR_REPORTS=false",
		"CLOUDFLARE_CF_FETCH_ENABLED=false", "WRANGLER_HIDE_BANNER=true", "WRANGLER_WRITE_LOGS=false",
		"WRANGLER_REGISTRY_PATH="+filepath.Join(state, "registry"), "XDG_CONFIG_HOME="+state)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // wrangler starts workerd: the group is ended
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// deploy starts a Worker with empty stores. main is worker.mjs, or another module; vars are NAME:VALUE.
func deploy(t *testing.T, main string, vars ...string) *deployment {
	t.Helper()
	needWrangler(t)
	dir, state := copied(t), t.TempDir()
	migrate := command(t.Context(), t, dir, state, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state)
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("failed to migrate: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	args := []string{"dev", main, "--local", "--ip", "127.0.0.1", "--port", fmt.Sprint(address.Port), "--inspector-port", "0",
		"--persist-to", state, "--show-interactive-dev-session=false", "--log-level", "warn", "--test-scheduled"}
	for _, v := range vars {
		args = append(args, "--var", v)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &deployment{url: "http://" + address.String(), state: state, log: &output{}}
	cmd := command(ctx, t, dir, state, args...)
	cmd.Stdout, cmd.Stderr = d.log, d.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.group = cmd.Process.Pid
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the Worker logged:\n%s", d.log)
		}
	})
	for range 600 {
		resp, err := http.Get(d.url + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return d
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the Worker did not start\n%s", d.log)
	return nil
}
