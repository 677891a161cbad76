package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// Sweep implements [store.Blobs]. It also removes directories that have become empty. A share that cannot be swept does not
// keep it from the others; the error is of the first such one, and does not name it.
func (s *Store) Sweep(ctx context.Context, before time.Time, keep func(context.Context, store.Key) (bool, error)) (int, error) {
	removed := 0
	prefixes, err := readDir(s.root)
	if err != nil {
		return 0, fmt.Errorf("failed to list blobs: %w", err)
	}
	var failed error
	for _, p := range prefixes {
		if len(p.Name()) != 2 || !p.IsDir() {
			continue
		}
		n, err := s.sweepPrefix(ctx, p.Name(), before, keep)
		removed += n
		if ctx.Err() != nil {
			return removed, ctx.Err()
		}
		if failed == nil && err != nil {
			failed = fmt.Errorf("failed to sweep a share: %w", trouble(err))
		}
	}
	return removed, failed
}

func (s *Store) sweepPrefix(ctx context.Context, prefix string, before time.Time,
	keep func(context.Context, store.Key) (bool, error)) (removed int, err error) {
	dir, err := s.root.OpenRoot(prefix)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("failed to open blobs: %w", err)
	}
	defer dir.Close()
	shares, err := readDir(dir)
	if err != nil {
		return 0, fmt.Errorf("failed to list blobs: %w", err)
	}
	for _, e := range shares {
		if want, ok := shareDir(e.Name()); !ok || want != prefix+"/"+e.Name() || !e.IsDir() {
			continue
		}
		n, serr := sweepShare(ctx, dir, e.Name(), before, keep)
		removed += n
		switch {
		case ctx.Err() != nil:
			return removed, ctx.Err()
		case serr == nil:
			dir.Remove(e.Name()) // fails unless it is empty; a Put that has just made it makes it again
		case err == nil:
			err = serr
		}
	}
	s.root.Remove(prefix)
	return removed, err
}

func sweepShare(ctx context.Context, parent *os.Root, share string, before time.Time,
	keep func(context.Context, store.Key) (bool, error)) (removed int, err error) {
	dir, err := parent.OpenRoot(share)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("failed to open share: %w", err)
	}
	defer dir.Close()
	entries, err := readDir(dir)
	if err != nil {
		return 0, fmt.Errorf("failed to list share: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		info, err := dir.Lstat(e.Name())
		if err != nil || !info.ModTime().Before(before) {
			continue // gone, or too young
		}
		if !strings.HasPrefix(e.Name(), tempPrefix) {
			key, ok := store.ParseKey(share + "/" + e.Name())
			if !ok {
				continue // not ours
			}
			wanted, err := keep(ctx, key)
			if err != nil {
				return removed, fmt.Errorf("failed to ask whether to keep part: %w", err)
			}
			if wanted {
				continue
			}
		}
		ok, err := removeOld(dir, e.Name(), before)
		if err != nil {
			return removed, err
		}
		if ok {
			removed++
		}
	}
	return removed, nil
}

// removeOld removes a file unless a Put has renewed it.
func removeOld(dir *os.Root, name string, before time.Time) (bool, error) {
	d, err := dir.Open(".")
	if err != nil {
		return false, fmt.Errorf("failed to open share directory: %w", err)
	}
	defer d.Close()
	unlock, err := lockDir(d, true)
	if err != nil {
		return false, fmt.Errorf("failed to lock share directory: %w", err)
	}
	defer unlock()
	info, err := dir.Lstat(name)
	if err == nil && info.ModTime().Before(before) {
		err = dir.Remove(name)
		if err == nil {
			return true, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("failed to sweep part: %w", err)
	}
	return false, nil
}

// readDir lists a directory; one that was removed has nothing in it.
func readDir(dir *os.Root) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
