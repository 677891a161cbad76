package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// stall begins to send a part, and goes no further.
func (d *daemon) stall(t *testing.T) {
	t.Helper()
	u := newUpload(2 * smallPart)
	if err := d.create(u, 1); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Digest: sha-256=:%s=:\r\nContent-Length: %d\r\n\r\n%s",
		u.path("/parts/1"), u.owner.text, strings.Repeat("A", 43), smallPart, api.AgeMagic)
	time.Sleep(300 * time.Millisecond)
}

// TestStopWaits: a request that does not end is broken off after half a minute, and that is no failure; a second signal does not wait.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		d := start(t, filepath.Join(t.TempDir(), "data"))
		d.stall(t)
		began := time.Now()
		d.cmd.Process.Signal(syscall.SIGTERM)
		err := <-d.exited
		d.exited <- err
		if took := time.Since(began); err != nil || took < 25*time.Second || took > 50*time.Second {
			t.Errorf("it ended after %v, %v", took, err)
		}
		if text := d.text(); !strings.Contains(text, "msg=stopping requests=1") || !strings.Contains(text, "broken off\" requests=1") {
			t.Error("it does not say why it waits, and what it breaks off")
		}
	})
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		d := start(t, filepath.Join(t.TempDir(), "data"))
		d.stall(t)
		began := time.Now()
		d.cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(300 * time.Millisecond)
		d.cmd.Process.Signal(syscall.SIGTERM)
		d.exited <- <-d.exited
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

// TestVersion: a script can have it.
func TestVersion(t *testing.T) {
	out, err := exec.Command(binary, "-version").Output()
	if fields := strings.Fields(string(out)); err != nil || len(fields) != 1 {
		t.Errorf("%q, %v", out, err)
	}
}

// TestLogJSON: a log of JSON is that to its last line, and says at its beginning what runs.
func TestLogJSON(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-log-format", "json", "-private-listen", "127.0.0.1:0")
	d.send(t, newUpload(100), 1)
	d.stop(t)
	messages := map[string]map[string]any{}
	for line := range strings.Lines(d.text()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Errorf("%v: %s", err, line)
			continue
		}
		text, _ := m["msg"].(string)
		messages[text] = m
	}
	if m := messages["starting"]; m["uploads"] != "anybody" || m["parts"] != "folder" || m["records"] != "SQLite" || m["version"] == "" {
		t.Errorf("it says of itself %v", m)
	}
	if messages["stopping"] == nil {
		t.Error("it does not say that it stops")
	}
}
