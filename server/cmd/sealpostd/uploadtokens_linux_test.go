package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file that is a mount, as containers have them, cannot be replaced, and the error says what can be done.
func TestTokensInMount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if _, err := tokenOf(t, path, "new", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(path, path, "", syscall.MS_BIND, ""); errors.Is(err, syscall.EPERM) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(path, 0)
	if _, err := tokenOf(t, path, "revoke", "alice"); err == nil || !strings.Contains(err.Error(), "mount the folder") {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the new file is left")
	}
}
