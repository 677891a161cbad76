package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const markFile, newMarkFile = ".mark", ".mark.new"

// Mark implements [store.Blobs]. The mark is in the file .mark.
func (s *Store) Mark(ctx context.Context, mark string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	there, err := s.readMark()
	if err == nil && there == "" && mark != "" {
		there, err = s.leaveMark(mark)
	}
	if err != nil {
		return "", fmt.Errorf("failed to mark blob directory: %w", trouble(err))
	}
	return there, nil
}

// readMark returns "" if there is none.
func (s *Store) readMark() (string, error) {
	text, err := s.root.ReadFile(markFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// leaveMark holds the lock of the directory, so that one of many is the first.
func (s *Store) leaveMark(mark string) (string, error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return "", err
	}
	defer dir.Close()
	unlock, err := lockDir(dir, true)
	if err != nil {
		return "", err
	}
	defer unlock()
	if there, err := s.readMark(); err != nil || there != "" {
		return there, err
	}
	if err := s.writeSynced(newMarkFile, mark); err != nil {
		return "", err
	}
	if err := s.root.Rename(newMarkFile, markFile); err != nil {
		return "", err
	}
	return mark, dir.Sync()
}

func (s *Store) writeSynced(name, text string) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
