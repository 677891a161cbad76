package storetest

import (
	"os"
	"strconv"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system of so many bytes for a test and returns its directory. That takes a Linux and root; without
// them the test is skipped, but not where CI says that this machine is there to run all of them.
func SmallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+strconv.Itoa(size)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("failed to mount a small disk: %v", err)
		}
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("failed to unmount: %v", err)
		}
	})
	return dir
}

// Fill writes a file until nothing fits any more, and returns its path: removing it makes room.
func Fill(t *testing.T, dir string) string {
	t.Helper()
	path := dir + "/ballast"
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return path
}
