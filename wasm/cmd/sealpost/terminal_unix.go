//go:build linux || darwin

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	return err == nil
}

// hide turns echoing off. What it returns turns it on again.
func hide(f *os.File) (show func(), err error) {
	old, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	if err != nil {
		return nil, fmt.Errorf("failed to hide input: %w", err)
	}
	quiet := *old
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(int(f.Fd()), setTermios, &quiet); err != nil {
		return nil, fmt.Errorf("failed to hide input: %w", err)
	}
	return func() { unix.IoctlSetTermios(int(f.Fd()), setTermios, old) }, nil
}
