package main_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// healthy runs sealpostd -healthcheck and returns what it says; ok is that its status was 0.
func healthy(t *testing.T, env []string, flags ...string) (said string, ok bool) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	cmd := exec.Command(binary, append([]string{"-healthcheck", "-data", data}, flags...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a health check makes a data folder")
	}
	return string(out), err == nil
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	d := start(t, t.TempDir(), "-log-level", "info")
	_, port, err := net.SplitHostPort(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{d.addr, ":" + port, "localhost:" + port, "0.0.0.0:" + port} {
		if said, ok := healthy(t, nil, "-listen", address); !ok || said != "" {
			t.Errorf("%s: %s", address, said)
		}
	}
	if said, ok := healthy(t, []string{"SEALPOST_LISTEN=" + d.addr}); !ok {
		t.Errorf("environment: %s", said)
	}
	if strings.Contains(d.text(), "healthz") {
		t.Errorf("health checks fill the log:\n%s", d.text())
	}
	d.stop(t)
	if said, ok := healthy(t, nil, "-listen", d.addr); ok || !strings.HasPrefix(said, "sealpostd: failed to check health: ") {
		t.Errorf("stopped: %v, %q", ok, said)
	}
}

// The environment says how a server is, not what to do: it is the same for the server and for who asks after it.
func TestEnvironmentIsNoOrder(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cmd := exec.Command(binary, "-listen", taken.Addr().String(), "-data", t.TempDir())
	cmd.Env = []string{"SEALPOST_HEALTHCHECK=true", "SEALPOST_VERSION=true"}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "failed to listen") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestHealthcheckIPv6(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6")
	} else {
		l.Close()
	}
	for _, listen := range []string{"[::1]:0", "[::]:0"} {
		d := start(t, t.TempDir(), "-listen", listen)
		_, port, _ := net.SplitHostPort(d.addr)
		if said, ok := healthy(t, nil, "-listen", strings.TrimSuffix(listen, "0")+port); !ok {
			t.Errorf("%s: %s", listen, said)
		}
	}
}

// What listens there may not be sealpostd, or not answer.
func TestHealthcheckOfSomethingElse(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<!DOCTYPE html>") }))
	defer other.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	redirecting := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer redirecting.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct{ address, want string }{
		"other":       {other.Listener.Addr().String(), "not as sealpostd does"},
		"missing":     {missing.Listener.Addr().String(), "404"},
		"redirecting": {redirecting.Listener.Addr().String(), "302"},
		"silent":      {silent.Addr().String(), "deadline exceeded"},
		"any port":    {"127.0.0.1:0", "port"},
		"nonsense":    {"nonsense", "missing port"},
	} {
		began := time.Now()
		if said, ok := healthy(t, nil, "-listen", c.address); ok || !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %v, %q", name, ok, said)
		}
		if time.Since(began) > 20*time.Second {
			t.Errorf("%s: took %v", name, time.Since(began))
		}
	}
}
