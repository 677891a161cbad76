package sqlite

import (
	"os"

	"golang.org/x/sys/unix"
)

// uncache drops clean pages of f.
func uncache(f *os.File) error {
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
