package disk

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// allocate makes sure that f has room for size bytes.
func allocate(f *os.File, size int64) error {
	for size > 0 {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
		if err == nil || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) { // not every file system can
			break
		}
		if err != syscall.EINTR {
			return err
		}
	}
	return nil
}

// leaves tells whether at least so many bytes are free in the file system of f.
func leaves(f *os.File, free int64) error {
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &st); err != nil || st.Blocks == 0 {
		return nil // some network file systems have no numbers
	}
	if st.Bavail < uint64(free)/uint64(st.Bsize) {
		return syscall.ENOSPC
	}
	return nil
}

// beginWriting has the disk begin to write a piece of f, and waits for nothing.
func beginWriting(f *os.File, offset, length int64) {
	unix.SyncFileRange(int(f.Fd()), offset, length, unix.SYNC_FILE_RANGE_WRITE) // an error will be that of syncing, too
}
