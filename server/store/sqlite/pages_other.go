//go:build !linux

package sqlite

import "os"

func uncache(*os.File) error { return nil }
