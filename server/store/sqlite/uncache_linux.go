package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// uncache has the system forget what it remembers of files, as far as it is not waiting to be written. A process that has one of them open
// in SQLite must not call it: to close a file here ends SQLite's locks on it, too.
func uncache(paths ...string) error {
	for _, path := range paths {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
			f.Close()
		}
		if err != nil {
			return fmt.Errorf("failed to read database from its disk: %w", err)
		}
	}
	return nil
}
