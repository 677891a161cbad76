package server

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/sealpost/sealpost/server/api"
)

// Pages serves files by their names, as static.Render makes them:
//
//	{language}/index.html      answers /, in the language that suits the browser best
//	{language}/download.html   answers /d/{id} for every id
//	{language}/how.html        answers /how
//	{language}/mine.html       answers /mine
//	b/{build}/…                belongs to one build, and may be kept for ever
//
// and whatever else there is answers under its name. Where a file has siblings that end in .br or .gz, these are sent to whom
// they suit. The files must not change any more. base is that of Config, below which browsers see them, and of static.Render.
func Pages(files map[string][]byte, base string) (http.Handler, error) {
	p := pages{base: base, files: map[string]variant{}}
	for name, data := range files {
		if hidden(name) {
			continue
		}
		p.files[name] = variant{data: data, etag: `"` + api.Hash(sha256.Sum256(data)).String() + `"`}
		if language, ok := strings.CutSuffix(name, "/index.html"); ok {
			p.languages = append(p.languages, language)
		}
	}
	if len(p.languages) == 0 {
		return nil, errors.New("failed to find {language}/index.html among the pages")
	}
	return p, nil
}

// pages are the files by name.
type pages struct {
	base      string
	files     map[string]variant
	languages []string
}

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
	h.Set("Cache-Control", revalidate)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		plain(w, r, http.StatusMethodNotAllowed)
		return
	}
	name, document := documentName(r.URL.Path)
	if document {
		language := preferred(r.Header.Values("Accept-Language"), p.languages)
		name = language + "/" + name
		h.Set("Content-Language", language)
		h.Set("Vary", "Accept-Language")
	}
	file, ok := p.files[name]
	if !ok || !document && path.Ext(name) == ".html" {
		plain(w, r, http.StatusNotFound) // also what another build once was
		return
	}
	setFileHeaders(h, name, p.base)
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

const revalidate = "no-cache" // kept, but asked about each time

// setFileHeaders sets what is particular to a file, beyond what goes out with every answer.
func setFileHeaders(h http.Header, name, base string) {
	h.Set("Cache-Control", revalidate)
	if strings.HasPrefix(name, "b/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		if !strings.Contains(name, "/worker/") {
			h.Set("Content-Security-Policy", sealedPolicy) // of what is no document and no worker, and often smaller than the page's
			for _, name := range documentHeaders {
				h.Del(name)
			}
		}
	}
	h.Set("Content-Type", contentType(name))
	if path.Base(name) == "sw.js" {
		h.Set("Service-Worker-Allowed", base+"/") // above where it lies: it answers for addresses of downloads
	}
}

// PageHeaders returns the headers that Pages sends with a file of that name below a Server without a base path, but for those that depend on the
// request or the bytes; for "" those of every answer. It is for whoever has another server hand out the files.
func PageHeaders(name string) http.Header {
	h := http.Header{}
	for _, s := range securityHeaders("") {
		h.Set(s.name, s.value)
	}
	if name != "" {
		setFileHeaders(h, name, "")
	}
	return h
}

// Served tells whether Pages answers for a file of that name under some address. Type declarations and dotfiles are none that a
// browser asks for.
func Served(name string) bool { return !hidden(name) }

// documentName returns the page that answers a path, without its language, or else the name of the file that does.
func documentName(urlPath string) (name string, document bool) {
	name = strings.TrimPrefix(urlPath, "/")
	switch name {
	case "":
		return "index.html", true
	case "how":
		return "how.html", true
	case "mine":
		return "mine.html", true
	}
	if id, ok := strings.CutPrefix(name, "d/"); ok && id != "" && !strings.Contains(id, "/") {
		return "download.html", true
	}
	return name, false
}

// encodings are the precompressed forms, the best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// negotiate picks the form of a file that the client accepts.
func (p pages) negotiate(h http.Header, r *http.Request, name string, file variant) variant {
	codings := map[string]bool{}
	for _, w := range accepted(r.Header.Values("Accept-Encoding")) {
		codings[w.name] = w.weight > 0
	}
	varies, chosen := false, file
	for _, e := range encodings {
		v, ok := p.files[name+e.suffix]
		if ok && chosen.etag == file.etag && codings[e.name] {
			h.Set("Content-Encoding", e.name)
			chosen = v
		}
		varies = varies || ok
	}
	if varies {
		h.Add("Vary", "Accept-Encoding")
	}
	return chosen
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
