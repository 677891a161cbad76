// Command precompress writes file.br and file.gz beside each file that it is given, for the server to send as they are.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/andybalholm/brotli"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := precompress(name); err != nil {
			fmt.Fprintln(os.Stderr, "precompress:", err)
			os.Exit(1)
		}
	}
}

func precompress(name string) error {
	plain, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("failed to read file: %w", err)
	}
	zip, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("failed to set up gzip: %w", err)
	}
	var gz, br bytes.Buffer
	zip.Reset(&gz)
	if err := compress(zip, plain); err != nil {
		return fmt.Errorf("failed to gzip %s: %w", name, err)
	}
	if err := compress(brotli.NewWriterLevel(&br, brotli.BestCompression), plain); err != nil {
		return fmt.Errorf("failed to brotli %s: %w", name, err)
	}
	for suffix, b := range map[string]*bytes.Buffer{".gz": &gz, ".br": &br} {
		if err := os.WriteFile(name+suffix, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("failed to write %s: %w", name+suffix, err)
		}
	}
	return nil
}

func compress(w io.WriteCloser, plain []byte) error {
	if _, err := w.Write(plain); err != nil {
		return err
	}
	return w.Close()
}
