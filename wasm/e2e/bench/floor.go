package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
)

//go:embed www
var www embed.FS

// newFloor is a plain server for one file: it writes each part where it belongs in it, and gives the whole back. It checks
// nothing, hashes nothing and syncs nothing.
func newFloor(file string) http.Handler {
	pages, err := fs.Sub(www, "www")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(pages))
	mux.HandleFunc("GET /d/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pages, "index.html")
	})
	mux.HandleFunc("GET /content", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	mux.HandleFunc("PUT /parts/{offset}", func(w http.ResponseWriter, r *http.Request) {
		offset, err := strconv.ParseInt(r.PathValue("offset"), 10, 64)
		if err != nil || offset < 0 {
			http.Error(w, "no such part", http.StatusBadRequest)
			return
		}
		if err := writePart(file, offset, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func writePart(file string, offset int64, body io.Reader) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("failed to open file: %w", err)
	}
	_, err = io.CopyBuffer(io.NewOffsetWriter(f, offset), body, make([]byte, 64<<10))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("failed to write part: %w", err)
	}
	return nil
}

// serveFloor is the floor as a program of its own, so that its processor time can be told from the benchmark's.
func serveFloor(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("failed to make folder: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	srv := &http.Server{Handler: newFloor(filepath.Join(dir, "file"))}
	go func() {
		<-ctx.Done()
		srv.Close()
	}()
	fmt.Fprintf(os.Stderr, "listening on http://%s\n", l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
