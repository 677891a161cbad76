package storetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Disk is a file system of a test's own that can be made to fail. It is a real one, ext4 over a file, so it forgets what was not
// synced when its power fails, and keeps what was.
type Disk struct {
	Dir    string // where it is mounted
	device string
}

const diskSize = 128 << 20

// NewDisk takes root, a loop device and mkfs.ext4; without them the test is skipped, but not where CI says that this machine is
// there to run all of them.
func NewDisk(t *testing.T) *Disk {
	t.Helper()
	return newDisk(t, "has_journal")
}

func newDisk(t *testing.T, feature string) *Disk {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, diskSize)); err != nil {
		t.Fatal(err)
	}
	return onLoop(t, image, feature, "--direct-io=off")
}

// onLoop makes a disk of an image, with a feature of mkfs.ext4 and an option of losetup. What is no file's, the journal too, lies together
// at its beginning.
func onLoop(t *testing.T, image, feature, option string) *Disk {
	t.Helper()
	device, err := exec.Command("losetup", option, "--find", "--show", image).Output()
	k := &Disk{device: strings.TrimSpace(string(device)), Dir: t.TempDir()}
	t.Cleanup(func() {
		exec.Command("umount", k.Dir).Run()
		exec.Command("losetup", "--detach", k.device).Run()
	})
	var out []byte
	if err == nil {
		out, err = exec.Command("mkfs.ext4", "-q", "-F", "-b", "4096", "-O", feature,
			"-E", "packed_meta_blocks=1,lazy_itable_init=0,lazy_journal_init=0", k.device).CombinedOutput()
	}
	if err == nil {
		out, err = exec.Command("mount", k.device, k.Dir).CombinedOutput()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("failed to make a disk: %v %s", err, out)
		}
		t.Skipf("cannot make a disk: %v %s", err, out)
	}
	return k
}

// Mount mounts the disk with more arguments.
func (k *Disk) Mount(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", append(args, k.Dir)...).CombinedOutput(); err != nil {
		t.Fatalf("mount %q: %v %s", args, err, out)
	}
}

// Replace unmounts the disk, checks it as a system that starts does, and mounts it again.
func (k *Disk) Replace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("umount", k.Dir).CombinedOutput(); err != nil {
		t.Fatalf("umount: %v %s", err, out)
	}
	if out, err := exec.Command("e2fsck", "-p", k.device).CombinedOutput(); err != nil && err.(*exec.ExitError).ExitCode() > 1 {
		t.Fatalf("e2fsck: %v %s", err, out)
	}
	k.Mount(t, k.device)
}

// PowerFails has every access fail from now on, with what was not synced lost: EXT4_IOC_SHUTDOWN without flushing the journal.
func (k *Disk) PowerFails(t *testing.T) {
	t.Helper()
	dir, err := os.Open(k.Dir)
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

// Breaks has the disk do what it does after an error in its journal: no write works any more, also to files that are open.
func (k *Disk) Breaks(t *testing.T) {
	t.Helper()
	k.Mount(t, "-o", "remount,abort")
}

// BadSectors is a disk of which a part can be made to answer EIO. It is an image on another disk that can lose its end: of what is on a disk
// itself that gets shorter, the system would throw away what it has not written yet, and say nothing.
type BadSectors struct {
	*Disk
	below       *Disk
	image, data uint64 // where the image begins below, and the data in the image
}

// NewBadSectors takes what NewDisk takes.
func NewBadSectors(t *testing.T) *BadSectors {
	t.Helper()
	below := newDisk(t, "^has_journal")
	image, err := os.Create(filepath.Join(below.Dir, "image"))
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	// In one piece, and written, so that nothing has to be allocated for it later.
	if err := syscall.Fallocate(int(image.Fd()), 0, 0, diskSize*3/4); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Write(make([]byte, diskSize*3/4)); err != nil {
		t.Fatal(err)
	}
	begins := below.place(t, image.Name())
	k := &BadSectors{onLoop(t, image.Name(), "has_journal", "--direct-io=on"), below, begins, 0}
	probe := filepath.Join(k.Dir, "probe")
	if err := os.WriteFile(probe, []byte("probe"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.data = k.place(t, probe)
	return k
}

// From has what lies offset bytes and more behind the beginning of the data fail, which is where all is that a file has. The journal lies
// before it.
func (k *BadSectors) From(t *testing.T, offset uint64) {
	t.Helper()
	k.limit(t, k.image+k.data+offset)
}

// Sound ends that.
func (k *BadSectors) Sound(t *testing.T) {
	t.Helper()
	k.limit(t, 0)
}

func (k *BadSectors) limit(t *testing.T, size uint64) {
	t.Helper()
	device, err := os.OpenFile(k.below.device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	if err == nil {
		info.Sizelimit = size
		err = unix.IoctlLoopSetStatus64(int(device.Fd()), info)
	}
	if err != nil {
		t.Fatalf("failed to limit %s to %d bytes: %v", device.Name(), size, err)
	}
}

// place tells where on the disk a file begins.
func (k *Disk) place(t *testing.T, file string) uint64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	const fibmap = 1
	block := int32(0)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), fibmap, uintptr(unsafe.Pointer(&block))); errno != 0 || block == 0 {
		t.Fatalf("failed to find %s on its disk: block %d, %v", file, block, errno)
	}
	return uint64(block) * 4096
}
