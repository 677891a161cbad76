//go:build unix

package main

import (
	"io/fs"
	"syscall"
)

// inodeOf names a file beyond its name: one that replaces another within the granularity of times has another.
func inodeOf(info fs.FileInfo) any {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return nil
}
