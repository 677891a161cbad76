//go:build !linux && !darwin

package main

import (
	"errors"
	"os"
)

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func hide(*os.File) (show func(), err error) {
	return nil, errors.New("cannot hide input on this system: set SEALPOST_PASSWORD")
}
