//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package disk

import (
	"os"
	"sync"
)

var lock sync.RWMutex

// lockDir locks against this process alone: here one server at a time may use the directory.
func lockDir(_ *os.File, exclusive bool) (unlock func(), err error) {
	if exclusive {
		lock.Lock()
		return lock.Unlock, nil
	}
	lock.RLock()
	return lock.RUnlock, nil
}
