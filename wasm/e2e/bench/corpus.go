package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Kinds of input.
const (
	random = "random" // nothing compresses
	text   = "text"   // Go's own sources that people wrote, one after the other, and from the beginning again
)

// An input is a file to be sent.
type input struct {
	kind string
	path string
	size int64
	hash [sha256.Size]byte
}

// newInput writes the file. It has the same bytes every time, as long as Go has the same sources.
func newInput(dir, kind string, size int64) (*input, error) {
	in := &input{kind: kind, path: filepath.Join(dir, fmt.Sprintf("%s-%d.bin", kind, size>>20)), size: size}
	f, err := os.Create(in.path)
	if err != nil {
		return nil, fmt.Errorf("failed to create input: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<20)
	if kind == random {
		_, err = io.CopyN(w, rand.NewChaCha8([32]byte{}), size)
	} else {
		err = writeSources(w, size)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("failed to write input: %w", err)
	}
	h.Sum(in.hash[:0])
	return in, nil
}

// generated marks sources that no person wrote, which compress better.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// writeSources writes size bytes of Go's sources.
func writeSources(w io.Writer, size int64) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("failed to find Go's sources: %w", err)
	}
	root, err := filepath.EvalSymlinks(filepath.Join(strings.TrimSpace(string(out)), "src"))
	if err != nil {
		return err
	}
	for round := size; size > 0; round = size {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if generated.Match(source) {
				return nil
			}
			source = source[:min(int64(len(source)), size)]
			size -= int64(len(source))
			if _, err := w.Write(source); err != nil {
				return err
			}
			if size == 0 {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			return err
		}
		if size == round {
			return fmt.Errorf("no Go sources in %s", root)
		}
	}
	return nil
}

// hashFile is the SHA-256 of a file.
func hashFile(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}
