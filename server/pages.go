package server

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/sealpost/sealpost/server/api"
)

// Pages serves the files of fsys, which must not change, as the page: / is index.html, and /d/{id} is download.html for every
// id. It reads all of it once, for the ETags. Where a file has siblings that end in .br or .gz, these are sent to whom they
// suit.
func Pages(fsys fs.FS) (http.Handler, error) {
	p := pages{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || hidden(name) {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		p[name] = variant{data: data, etag: `"` + api.Hash(sha256.Sum256(data)).String() + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("failed to read pages: %w", err)
	}
	return p, nil
}

// pages are the files by name.
type pages map[string]variant

type variant struct {
	data []byte
	etag string
}

// hidden tells whether a file is none that a browser asks for: dotfiles and type declarations.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.HasSuffix(name, ".d.ts")
}

// ServeHTTP implements http.Handler.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache") // kept, but asked about each time: a tab must not mix builds
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		plain(w, r, http.StatusMethodNotAllowed)
		return
	}
	name := pageName(r.URL.Path)
	file, ok := p[name]
	if !ok {
		plain(w, r, http.StatusNotFound)
		return
	}
	h.Set("Content-Type", contentType(name))
	if path.Base(name) == "sw.js" {
		h.Set("Service-Worker-Allowed", "/")
	}
	file = p.negotiate(h, r, name, file)
	h.Set("ETag", file.etag)
	if matches(r.Header.Values("If-None-Match"), file.etag) {
		h.Del("Content-Type")
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(file.data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		bytes.NewReader(file.data).WriteTo(w)
	}
}

// pageName returns the file that answers a path.
func pageName(urlPath string) string {
	name := strings.TrimPrefix(urlPath, "/")
	if name == "" {
		return "index.html"
	}
	if id, ok := strings.CutPrefix(name, "d/"); ok && id != "" && !strings.Contains(id, "/") {
		return "download.html"
	}
	return name
}

// encodings are the precompressed forms, the best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// negotiate picks the form of a file that the client accepts.
func (p pages) negotiate(h http.Header, r *http.Request, name string, file variant) variant {
	chosen := file
	accept := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	for _, e := range encodings {
		v, ok := p[name+e.suffix]
		if !ok {
			continue
		}
		h.Set("Vary", "Accept-Encoding")
		if chosen.etag == file.etag && accepts(accept, e.name) {
			h.Set("Content-Encoding", e.name)
			chosen = v
		}
	}
	return chosen
}

// accepts tells whether an Accept-Encoding names coding with a weight above zero.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return !ok || err == nil && q > 0
	}
	return false
}

// matches compares as If-None-Match does: a weak tag is as good, since proxies weaken them.
func matches(header []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// contentType goes by a fixed table, as what the system says differs from machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}

func plain(w http.ResponseWriter, r *http.Request, status int) {
	text := http.StatusText(status) + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(text))
	}
}
