package disk

import (
	"errors"
	"os"
	"syscall"
)

// reserve is what Put leaves free for the records.
const reserve = 16 << 20

// allocate makes sure that f has room for size bytes, and the file system for the reserve besides.
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
	// Asked after allocating, so that of many Puts at once none counts on room that another one got.
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &st); err != nil || st.Blocks == 0 {
		return nil // some network file systems have no numbers
	}
	if st.Bavail < reserve/uint64(st.Bsize) {
		return syscall.ENOSPC
	}
	return nil
}
