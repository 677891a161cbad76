package main_test

import (
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestContainer runs the image's program as a container would: in a root that has nothing but it and /data, as the image's
// user, with the image's settings.
func TestContainer(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may change the root")
	}
	img := readImage(t)
	id, _, _ := strings.Cut(img.user, ":")
	uid, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, img.entrypoint[0]), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Mkdir(filepath.Join(dir, img.volume), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(dir, img.volume), uid, uid); err != nil {
		t.Fatal(err)
	}
	env := []string{"SEALPOST_PART_SIZE=64KiB", "SEALPOST_CREATE_RATE=0", "SEALPOST_TAKE_RATE=0", // as the harness wants it
		"SEALPOST_PRIVATE_LISTEN=" + freeAddress(t)} // as the compose files have it, but for the port
	for name, value := range img.env {
		if name == "SEALPOST_LISTEN" {
			value = freeAddress(t) // the network is this machine's
		}
		env = append(env, name+"="+value)
	}
	inside := func(args []string) *exec.Cmd {
		return &exec.Cmd{Path: args[0], Args: args, Env: env, Dir: img.workdir, SysProcAttr: &syscall.SysProcAttr{
			Chroot: dir, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}}
	}

	d := startCommand(t, inside(img.entrypoint))
	if out, err := inside(img.healthcheck).CombinedOutput(); err != nil {
		t.Errorf("health check of a running server: %v: %s", err, out)
	}
	u := newUpload(3*smallPart + 1)
	d.send(t, u, 2)
	d.wantWhole(t, u, newToken())
	if a, err := d.call("GET", "/", "", nil, ""); err != nil || a.status != http.StatusOK || !strings.Contains(string(a.body), "<main") {
		t.Errorf("page: %v %v", a, err)
	}
	for _, c := range []struct {
		args []string
		want int
	}{{[]string{"-wait", "10s"}, http.StatusServiceUnavailable}, {[]string{"-undo"}, http.StatusOK}} {
		if out, err := inside(append([]string{img.entrypoint[0], "admin", "drain"}, c.args...)).CombinedOutput(); err != nil {
			t.Errorf("drain %v: %v: %s", c.args, err, out)
		}
		if a, err := d.call("GET", "/readyz", "", nil, ""); err != nil || a.status != c.want {
			t.Errorf("ready after drain %v: %v %v", c.args, a, err)
		}
	}
	d.stop(t)
	if out, err := inside(img.healthcheck).CombinedOutput(); err == nil {
		t.Errorf("health check of a stopped server is well: %s", out)
	}
	d = startCommand(t, inside(img.entrypoint))
	d.wantWhole(t, u, newToken())

	entries, err := os.ReadDir(dir)
	if names := namesOf(entries); err != nil || !slices.Equal(names, []string{"data", "sealpostd"}) {
		t.Errorf("the root has %v, %v", names, err)
	}
}

func namesOf(entries []fs.DirEntry) (names []string) {
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// freeAddress returns an address that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
