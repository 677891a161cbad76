package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/sealpost/sealpost/server/store"
)

// Store implements [store.Blobs] in a directory.
type Store struct {
	// MinFree is how many bytes Put leaves free in the file system, where that can be told: Linux. Open makes it MinFree, which is enough for
	// records that lie beside the parts to note what may be deleted. Set it before the Store is used.
	MinFree int64

	root *os.Root // names cannot lead out of it
}

var (
	_ store.Blobs  = (*Store)(nil)
	_ store.Lister = (*Store)(nil)
	_ store.Roomy  = (*Store)(nil)
)

// MinFree is the least that makes sense, in bytes.
const MinFree = 16 << 20

const tempPrefix = ".t" // no id or object begins like this

// Open returns the store in dir, which is created if it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("failed to create blob directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("failed to open blob directory: %w", err)
	}
	// The entry in the parent may be new. A parent that we may not read (a mount point's) was not ours to change either.
	if parent, err := os.Open(filepath.Dir(filepath.Clean(dir))); err == nil {
		err = parent.Sync()
		parent.Close()
		if err != nil {
			root.Close()
			return nil, fmt.Errorf("failed to sync blob directory's parent: %w", err)
		}
	}
	return &Store{MinFree: MinFree, root: root}, nil
}

// Close releases the directory. Files that Open returned stay usable.
func (s *Store) Close() error { return s.root.Close() }

// shareDir returns the directory of a share, and whether the id can be one.
func shareDir(id string) (string, bool) {
	if !store.ValidID(id) {
		return "", false
	}
	return id[:2] + "/" + id, true
}

// objectName is a key's name within the directory of its share.
func objectName(key store.Key) string { return path.Base(key.Name()) }

// Put implements [store.Blobs].
func (s *Store) Put(ctx context.Context, key store.Key, body io.Reader, size int64, magic string) error {
	dir, ok := shareDir(key.Share)
	if !ok || key.N < 0 {
		return fmt.Errorf("failed to store part: invalid key %q/%d", key.Share, key.N)
	}
	if size < 0 {
		return store.ErrSize
	}
	if size < int64(len(magic)) {
		return store.ErrMagic
	}
	share, f, temp, err := s.createTemp(dir)
	if err != nil {
		return fmt.Errorf("failed to create part: %w", trouble(err))
	}
	defer share.Close()
	err = s.fill(ctx, f, body, size, key.Digest, magic)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("failed to close part: %w", trouble(cerr))
	}
	if err == nil {
		err = s.publish(share, dir, temp, objectName(key))
	}
	if err != nil {
		share.Remove(temp) // after a rename there is none
	}
	return err
}

// TryWrite tells whether files can be made here, and written durably: better before the first part than at it.
func (s *Store) TryWrite() error {
	const name = ".try"
	err := s.writeSynced(name, "")
	if err == nil {
		err = s.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // another server tries, too
		return fmt.Errorf("failed to write to blob directory: %w", trouble(err))
	}
	return nil
}

// HasRoom implements [store.Roomy].
func (s *Store) HasRoom(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := s.root.Open(".")
	if err != nil {
		return fmt.Errorf("failed to open blob directory: %w", trouble(err))
	}
	defer dir.Close()
	if err := leaves(dir, s.MinFree); err != nil {
		return fmt.Errorf("failed to find room: %w", trouble(err))
	}
	return nil
}

// createTemp makes a temporary file in a share's directory and returns both. Sweep and DeleteShare may remove the directory
// as long as it is empty, also between these calls.
func (s *Store) createTemp(dir string) (share *os.Root, f *os.File, name string, err error) {
	name = tempPrefix + rand.Text()
	for range 100 {
		if err = s.root.MkdirAll(dir, 0o700); err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
				continue
			}
			return nil, nil, "", err
		}
		share, err = s.root.OpenRoot(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, "", err
		}
		f, err = share.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return share, f, name, nil
		}
		share.Close()
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, "", err
		}
	}
	return nil, nil, "", err
}

// publish gives a finished temporary file its name and makes that durable.
func (s *Store) publish(share *os.Root, dir, temp, name string) error {
	d, err := share.Open(".")
	if err != nil {
		return fmt.Errorf("failed to open share directory: %w", trouble(err))
	}
	defer d.Close()
	unlock, err := lockDir(d, false)
	if err != nil {
		return fmt.Errorf("failed to lock share directory: %w", trouble(err))
	}
	err = share.Rename(temp, name)
	unlock()
	if errors.Is(err, fs.ErrNotExist) { // with its share; or by a sweep whose clock was moved, to which it looked old
		return fmt.Errorf("what was written of a part is gone: %w", store.ErrUnavailable)
	}
	if err != nil {
		return fmt.Errorf("failed to rename part: %w", trouble(err))
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("failed to sync share directory: %w", trouble(err))
	}
	for _, parent := range []string{dir[:2], "."} {
		err := s.syncDir(parent)
		if errors.Is(err, fs.ErrNotExist) { // removed with the share in it
			return fmt.Errorf("share was deleted while a part arrived: %w", store.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("failed to sync blob directory: %w", trouble(err))
		}
	}
	return nil
}

func (s *Store) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Open implements [store.Blobs]. It returns the *os.File itself, so that io.CopyN to a connection uses sendfile.
func (s *Store) Open(ctx context.Context, key store.Key, offset, length int64) (io.ReadCloser, error) {
	dir, ok := shareDir(key.Share)
	if !ok {
		return nil, store.ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.root.Open(dir + "/" + objectName(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("failed to open part: %w", trouble(err))
	}
	if offset != 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			f.Close()
			return nil, fmt.Errorf("failed to seek in part: %w", trouble(err))
		}
	}
	return f, nil
}

// Delete implements [store.Blobs].
func (s *Store) Delete(ctx context.Context, key store.Key) error {
	dir, ok := shareDir(key.Share)
	if !ok {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.root.Remove(dir + "/" + objectName(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("failed to delete part: %w", trouble(err))
	}
	return nil
}

// DeleteShare implements [store.Blobs]. It is durable, so that no power cut brings bytes back whose record is gone.
func (s *Store) DeleteShare(ctx context.Context, share string) error {
	dir, ok := shareDir(share)
	if !ok {
		return nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.root.RemoveAll(dir)
		if err == nil {
			err = s.syncDir(dir[:2])
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, syscall.ENOTEMPTY) { // a part arrived meanwhile
			return fmt.Errorf("failed to delete share: %w", trouble(err))
		}
	}
}
