package main_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/sealpost/sealpost/server/api"
)

// badDisk is a file system of a test's own that can be made to fail. It is a real one, ext4 over a file, so it forgets what was not
// synced when its power fails, and keeps what was.
type badDisk struct{ image, dir string }

// newBadDisk takes root, a loop device and mkfs.ext4; without them the test is skipped, but not where CI says that this machine is
// there to run all of them.
func newBadDisk(t *testing.T) *badDisk {
	t.Helper()
	k := &badDisk{filepath.Join(t.TempDir(), "image"), t.TempDir()}
	err := os.WriteFile(k.image, nil, 0o600)
	if err == nil {
		err = os.Truncate(k.image, 128<<20)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("mkfs.ext4", "-q", "-F", k.image).CombinedOutput()
	if err == nil {
		out, err = exec.Command("mount", "-o", "loop", k.image, k.dir).CombinedOutput()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("failed to make a disk: %v %s", err, out)
		}
		t.Skipf("cannot make a disk: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "--lazy", k.dir).Run() })
	return k
}

func (k *badDisk) mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", append(args, k.dir)...).CombinedOutput(); err != nil {
		t.Fatalf("mount %q: %v %s", args, err, out)
	}
}

// replace unmounts the disk, checks it as a system that starts does, and mounts it again.
func (k *badDisk) replace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("umount", k.dir).CombinedOutput(); err != nil {
		t.Fatalf("umount: %v %s", err, out)
	}
	if out, err := exec.Command("e2fsck", "-p", k.image).CombinedOutput(); err != nil && err.(*exec.ExitError).ExitCode() > 1 {
		t.Fatalf("e2fsck: %v %s", err, out)
	}
	k.mount(t, "-o", "loop", k.image)
}

// powerFails has every access fail from now on, with what was not synced lost: EXT4_IOC_SHUTDOWN without flushing the journal.
func (k *badDisk) powerFails(t *testing.T) {
	t.Helper()
	dir, err := os.Open(k.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	const shutdown, noLogFlush = 0x8004587d, 2
	how := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		t.Fatalf("failed to shut the disk down: %v", errno)
	}
}

// breaks has the disk do what it does after an error in its journal: no write works any more, also to files that are open.
func (k *badDisk) breaks(t *testing.T) {
	t.Helper()
	k.mount(t, "-o", "remount,abort")
}

// TestPowerFails: the power fails under load, of machine and disk at the same moment. When it is back, everything that was acknowledged is
// there, and counts are exact.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	k := newBadDisk(t)
	crashUnderLoad(t, onDisk(filepath.Join(k.dir, "data"), func(t *testing.T, d *daemon) {
		d.cmd.Process.Signal(syscall.SIGSTOP) // without power nobody acknowledges anything
		k.powerFails(t)
		d.kill()
		k.replace(t)
	}), long(1, 50))
}

// TestReadOnlyDisk: on a disk that gets read only under the server it gives out what can be read, and refuses the rest with a status that
// tells clients to come back. On one that is read only from the start it ends, and says what it cannot open. What is there stays as it is.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	k := newBadDisk(t)
	p := onDisk(filepath.Join(k.dir, "data"), kill)
	d := p.start(t)
	u, open, ticket := newUpload(2*smallPart), newUpload(2*smallPart), newToken()
	d.send(t, u, 3)
	d.wantWhole(t, u, ticket)
	if err := d.create(open, 1); err != nil {
		t.Fatal(err)
	}
	k.breaks(t)
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
	k.replace(t)
	d = p.start(t)
	d.stop(t)
	k.mount(t, "-o", "remount,ro")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "-listen", "127.0.0.1:0", "-data", p.data).CombinedOutput()
	if err == nil || ctx.Err() != nil || !bytes.Contains(out, []byte("failed to open records")) {
		t.Errorf("on a disk that is read only: %v\n%s", err, out)
	}
	k.mount(t, "-o", "remount,rw")
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
