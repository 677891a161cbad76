package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// TestPowerFails: the power fails under load, of machine and disk at the same moment. When it is back, everything that was acknowledged is
// there, and counts are exact.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	k := storetest.NewDisk(t)
	crashUnderLoad(t, onDisk(filepath.Join(k.Dir, "data"), func(t *testing.T, d *daemon) {
		d.freeze(t) // without power nobody acknowledges anything
		k.PowerFails(t)
		d.kill()
		k.Replace(t)
	}), long(1, 50))
}

// freeze stops a process, and waits until all its threads have: one that a sync holds back keeps the others going.
func (d *daemon) freeze(t *testing.T) {
	t.Helper()
	d.cmd.Process.Signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", d.cmd.Process.Pid))
		if err == nil && !slices.ContainsFunc(threads, func(file string) bool { return threadState(file) != "T" }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not stop, %v", err)
		}
	}
}

// threadState is the letter of proc_pid_stat(5); a thread that has ended counts as stopped.
func threadState(file string) string {
	stat, err := os.ReadFile(file)
	if err != nil {
		return "T"
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

// TestBadSectors: for a while under load, a part of the disk can neither be read nor written, and what is written there is lost. The server
// stays up, or ends when its records can be written again. Everything that was acknowledged, before, in between and after, is there, and
// counts are exact.
func TestBadSectors(t *testing.T) {
	t.Parallel()
	k, rnd := storetest.NewBadSectors(t), seeded(t)
	refused, ended := 0, 0
	crashUnderLoad(t, onDisk(filepath.Join(k.Dir, "data"), func(t *testing.T, d *daemon) {
		for range 2 {
			k.From(t, rnd.Uint64N(2<<20))
			time.Sleep(time.Duration(50+rnd.IntN(200)) * time.Millisecond)
			k.Sound(t)
			time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
		}
		if a, err := d.call("GET", "/healthz", "", nil, ""); err != nil || a.status != http.StatusOK {
			ended++
			d.wantEnded(t)
		}
		refused += strings.Count(d.text(), " status=50")
		d.kill()
		k.Replace(t)
	}), long(2, 50))
	if t.Logf("%d requests refused, and %d servers ended", refused, ended); refused == 0 {
		t.Error("no request met a bad sector")
	}
}

// wantEnded waits for a server to end because its records can be written again.
func (d *daemon) wantEnded(t *testing.T) {
	t.Helper()
	select {
	case err := <-d.exited:
		d.exited <- err
		if d.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(d.text(), "by a server that is started anew") {
			t.Fatalf("%v, and why is not said", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not answer, and does not end")
	}
}

// TestReadOnlyDisk: on a disk that gets read only under the server it gives out what can be read, and refuses the rest with a status that
// tells clients to come back. On one that is read only from the start it ends, and says what it cannot open. What is there stays as it is.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	k := storetest.NewDisk(t)
	p := onDisk(filepath.Join(k.Dir, "data"), kill)
	d := p.start(t)
	u, open, ticket := newUpload(2*smallPart), newUpload(2*smallPart), newToken()
	d.send(t, u, 3)
	d.wantWhole(t, u, ticket)
	if err := d.create(open, 1); err != nil {
		t.Fatal(err)
	}
	k.Breaks(t)
	if a, err := d.call("GET", u.path("/content"), ticket.text, nil, ""); err != nil || !bytes.Equal(a.body, u.content) {
		t.Errorf("content: %d, %d bytes of %d, or other ones, %v", a.status, len(a.body), len(u.content), err)
	}
	for what, call := range map[string]func() (answer, error){
		"create": func() (answer, error) { return d.tryCreate(newUpload(10), 1) },
		"put":    func() (answer, error) { return d.put(open, 1, open.part(1)) },
		"take":   func() (answer, error) { return d.take(u, newToken()) },
		"delete": func() (answer, error) { return d.call("DELETE", u.path(""), u.owner.text, nil, "") },
	} {
		if a, err := call(); err != nil || a.code() != api.CodeUnavailable {
			t.Errorf("%s: %v %v", what, a, err)
		}
	}
	d.kill()
	k.Replace(t)
	d = p.start(t)
	d.stop(t)
	k.Mount(t, "-o", "remount,ro")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "-listen", "127.0.0.1:0", "-data", p.data).CombinedOutput()
	if err == nil || ctx.Err() != nil || !bytes.Contains(out, []byte("failed to open parts")) {
		t.Errorf("on a disk that is read only: %v\n%s", err, out)
	}
	k.Mount(t, "-o", "remount,rw")
	p.wantSound(t, false)
	d = p.start(t)
	d.wantWhole(t, u, newToken())
	if s := d.state(t, u); s.Taken == nil || *s.Taken != 2 {
		t.Errorf("two downloads, counted %+v", s)
	}
	if a, err := d.put(open, 1, open.part(1)); err != nil || a.status != http.StatusNoContent {
		t.Errorf("put: %v %v", a, err)
	}
}
