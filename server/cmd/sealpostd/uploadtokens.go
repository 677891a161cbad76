package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/sealpost/sealpost/server/internal/tokens"
	"github.com/sealpost/sealpost/server/store"
)

// maxTokenFile bounds what is read into memory.
const maxTokenFile = 4 << 20

// lookEvery is how long a change of the file may go unnoticed.
const lookEvery = time.Second

// uploadTokens are those of a file, which is read again when it has changed. While it cannot be read nobody is admitted: it may be that one
// was just revoked.
type uploadTokens struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	next  time.Time // to look at the file
	state fileState
	list  tokens.List
}

// fileState tells whether a file has changed.
type fileState struct {
	modified time.Time
	size     int64
	inode    any
	err      string
}

func openUploadTokens(path string, log *slog.Logger) (*uploadTokens, error) {
	t := &uploadTokens{path: path, log: log}
	t.state = stateOf(path)
	var err error
	t.list, err = readTokens(path)
	return t, err
}

// Has tells whether the token of that hash is in the file.
func (t *uploadTokens) Has(token store.Hash) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.After(t.next) {
		t.next = now.Add(lookEvery)
		t.look()
	}
	return t.list.Has(token)
}

func (t *uploadTokens) look() {
	state := stateOf(t.path)
	if state == t.state {
		return
	}
	list, err := readTokens(t.path)
	if err != nil {
		list = nil
		if state.err = err.Error(); state.err != t.state.err {
			t.log.Error("nobody may upload until this is mended", "error", err)
		}
		state.modified = time.Time{} // and so is read again
	} else {
		t.log.Info("read upload tokens again", "tokens", len(list))
	}
	t.state, t.list = state, list
}

func stateOf(path string) fileState {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{err: err.Error()}
	}
	return fileState{modified: info.ModTime(), size: info.Size(), inode: inodeOf(info)}
}

func readTokens(path string) (tokens.List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("failed to read upload tokens: %w", err)
	}
	defer f.Close()
	file, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to read upload tokens: %w", err)
	case len(file) > maxTokenFile:
		return nil, fmt.Errorf("failed to read upload tokens: the file has more than %d bytes", maxTokenFile)
	}
	return tokens.Parse(file)
}

const tokenUsage = `usage: sealpostd token [-upload-tokens FILE] new NAME
       sealpostd token [-upload-tokens FILE] list
       sealpostd token [-upload-tokens FILE] revoke NAME

new prints a token, once: FILE, which is made if there is none, has only its hash. A server that runs with FILE reads it again when it
changes. Without -upload-tokens, FILE is what SEALPOST_UPLOAD_TOKENS says, or the file that SEALPOST_UPLOAD_TOKENS_FILE names.
`

var errTokenUsage = errors.New("sealpostd token -h says how it is called")

// manageTokens is sealpostd token.
func manageTokens(args []string, getenv func(string) string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("sealpostd token", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	path := flags.String("upload-tokens", "", "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(stdout, tokenUsage)
		return err
	case err != nil:
		return errors.Join(err, errTokenUsage)
	}
	if *path == "" {
		var err error
		if *path, err = valueOf("SEALPOST_UPLOAD_TOKENS", getenv); err != nil {
			return fmt.Errorf("failed to parse SEALPOST_UPLOAD_TOKENS: %w", err)
		}
	}
	if *path == "" {
		return errors.New("failed to find the file of upload tokens: name it with -upload-tokens")
	}
	switch rest := flags.Args(); {
	case len(rest) == 2 && rest[0] == "new":
		token, text, err := tokens.New(rest[1], time.Now())
		if err != nil {
			return fmt.Errorf("failed to make a token: %w", err)
		}
		err = changeTokens(*path, func(l tokens.List) (tokens.List, error) {
			if l.Find(token.Name) >= 0 {
				return nil, fmt.Errorf("failed to make a token: there is one with the name %s; revoke it first", token.Name)
			}
			return append(l, token), nil
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, text)
		return err
	case len(rest) == 2 && rest[0] == "revoke":
		return changeTokens(*path, func(l tokens.List) (tokens.List, error) {
			i := l.Find(rest[1])
			if i < 0 {
				return nil, errors.New("failed to revoke a token: there is none with that name")
			}
			return append(l[:i:i], l[i+1:]...), nil
		})
	case len(rest) == 1 && rest[0] == "list":
		list, err := readTokens(*path)
		for _, t := range list {
			fmt.Fprintf(stdout, "%s\t%s\n", t.Made, t.Name)
		}
		return err
	}
	return errors.Join(errors.New("failed to understand what to do with tokens"), errTokenUsage)
}

// changeTokens puts a changed file in the place of the one that is there, or of none. The new one, which is made exclusively, keeps others
// from changing it at the same time.
func changeTokens(name string, change func(tokens.List) (tokens.List, error)) (err error) {
	path, err := behindLinks(name)
	if err != nil {
		return fmt.Errorf("failed to change upload tokens: %w", err)
	}
	mode := fs.FileMode(0o644) // there is no secret in it, and the server may be another user
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("failed to change upload tokens: %s is there; remove it if nobody else is changing them", temp)
	}
	if err != nil {
		return fmt.Errorf("failed to change upload tokens: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(temp)
		}
	}()
	defer f.Close()
	list, err := readTokens(path)
	switch info, serr := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case serr == nil:
		mode = info.Mode().Perm()
	}
	if list, err = change(list); err != nil {
		return err
	}
	if _, err = tokens.Parse(list.Format()); err != nil { // one too many
		return err
	}
	_, err = f.Write(list.Format())
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = replace(path, temp)
	}
	if err != nil {
		return fmt.Errorf("failed to change upload tokens: %w", err)
	}
	return nil
}

// replace puts a file in the place of another, durably.
func replace(path, temp string) error {
	err := os.Rename(temp, path)
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%s is a mount of its own: mount the folder that it is in instead, or change it where it comes from", path)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// behindLinks returns the file that a name leads to, which may be missing: the name stays what it is when another file takes its place.
func behindLinks(name string) (string, error) {
	path, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lerr := os.Lstat(name); lerr != nil { // it is no link that leads nowhere
			return name, nil
		}
	}
	return path, err
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
