package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sealpost/sealpost/server/store"
)

// List implements [store.Lister]. Whatever is where an object would be, or beside it, is a stray if it is none.
func (s *Store) List(ctx context.Context, visit func(store.Object) error) error {
	prefixes, err := readDir(s.root)
	if err != nil {
		return fmt.Errorf("failed to list blobs: %w", err)
	}
	for _, p := range prefixes {
		if len(p.Name()) != 2 || !p.IsDir() {
			if err := visitStray(s.root, p.Name(), visit); err != nil {
				return err
			}
			continue
		}
		if err := s.listPrefix(ctx, p.Name(), visit); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) listPrefix(ctx context.Context, prefix string, visit func(store.Object) error) error {
	dir, err := s.root.OpenRoot(prefix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to open blobs: %w", err)
	}
	defer dir.Close()
	shares, err := readDir(dir)
	if err != nil {
		return fmt.Errorf("failed to list blobs: %w", err)
	}
	for _, e := range shares {
		if want, ok := shareDir(e.Name()); !ok || want != prefix+"/"+e.Name() || !e.IsDir() {
			err = visitStray(dir, e.Name(), visit)
		} else {
			err = listShare(ctx, dir, e.Name(), visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func listShare(ctx context.Context, parent *os.Root, share string, visit func(store.Object) error) error {
	dir, err := parent.OpenRoot(share)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to open share: %w", err)
	}
	defer dir.Close()
	entries, err := readDir(dir)
	if err != nil {
		return fmt.Errorf("failed to list share: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := dir.Lstat(e.Name())
		if err != nil {
			continue // gone meanwhile
		}
		o := store.Object{Key: store.Key{Share: share}, Size: info.Size(), Modified: info.ModTime()}
		if key, ok := store.ParseKey(share + "/" + e.Name()); ok && info.Mode().IsRegular() {
			o.Key = key
		} else {
			o.Stray = e.Name()
		}
		if err := visit(o); err != nil {
			return err
		}
	}
	return nil
}

// visitStray tells of what is no part of the layout. A dotfile is the file system's, or its user's.
func visitStray(dir *os.Root, name string, visit func(store.Object) error) error {
	info, err := dir.Lstat(name)
	if err != nil || strings.HasPrefix(name, ".") || name == "lost+found" {
		return nil
	}
	return visit(store.Object{Size: info.Size(), Modified: info.ModTime(), Stray: name})
}
