// Command site writes the page for Cloudflare's assets: the files and their headers in a folder, and beside it a module that
// tells the Worker what it has to know. It prints the name of the build.
//
//	go run ./server/cmd/worker/internal/site build
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/static"
)

func main() {
	if err := run(os.Args[1:], static.FS); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, sources fs.FS) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: site FOLDER")
	}
	site, err := static.Render(sources, "")
	if err != nil {
		return err
	}
	assets := filepath.Join(args[0], "assets")
	if err := os.RemoveAll(assets); err != nil {
		return fmt.Errorf("failed to remove old assets: %w", err)
	}
	files := map[string][]byte{}
	for name, data := range site.Files {
		if served(name) {
			files[filepath.Join("assets", filepath.FromSlash(name))] = data
		}
	}
	rules, err := headerRules(site)
	if err != nil {
		return err
	}
	files["assets/_headers"] = rules
	files["site.mjs"] = module(site)
	for name, data := range files {
		name = filepath.Join(args[0], name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("failed to make folder: %w", err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return fmt.Errorf("failed to write page: %w", err)
		}
	}
	fmt.Println(site.Build)
	return nil
}

// served tells whether a file is handed out. Cloudflare compresses by itself.
func served(name string) bool {
	return server.Served(name) && path.Ext(name) != ".br" && path.Ext(name) != ".gz"
}

// maxRules is how many a _headers file may have.
// https://developers.cloudflare.com/workers/static-assets/headers/
const maxRules = 100

// headerRules makes the file _headers: a rule for what is no file, which is not to be kept, one for what the files of a folder have in
// common (it goes for what is not there, too, but a folder of a build never gets another file), and how single files differ. Types are left to Cloudflare, which knows them. Pages have their headers from
// the Worker.
func headerRules(site *static.Site) ([]byte, error) {
	missing := fileHeaders("")
	missing.Set("Cache-Control", "no-cache")
	folders := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(site.Files)) {
		if served(name) && path.Ext(name) != ".html" {
			folders[path.Dir(name)] = append(folders[path.Dir(name)], name)
		}
	}
	var r rules
	r.add("/*", missing, http.Header{})
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		common := fileHeaders(folders[folder][0])
		for _, name := range folders[folder] {
			h := fileHeaders(name)
			maps.DeleteFunc(common, func(header string, _ []string) bool { return h.Get(header) != common.Get(header) })
		}
		r.add("/"+folder+"/*", common, missing)
		for _, name := range folders[folder] {
			r.add("/"+name, fileHeaders(name), common)
		}
	}
	if r.count > maxRules {
		return nil, fmt.Errorf("failed to write headers: %d rules, and Cloudflare takes %d", r.count, maxRules)
	}
	return []byte(r.text.String()), nil
}

// fileHeaders are those of a file, or of an answer that is none, as far as they are not left to Cloudflare.
func fileHeaders(name string) http.Header {
	h := server.PageHeaders(name)
	h.Del("Content-Type")
	h.Set("Vary", "Accept-Encoding") // Cloudflare compresses
	return h
}

// rules are the text of _headers.
type rules struct {
	text  strings.Builder
	count int
}

// add adds a rule that makes headers h of those that other rules make, if they differ.
func (r *rules) add(path string, h, before http.Header) {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if h.Get(name) != before.Get(name) {
			fmt.Fprintf(&text, "  ! %s\n", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if h.Get(name) != before.Get(name) {
			fmt.Fprintf(&text, "  %s: %s\n", name, h.Get(name))
		}
	}
	if text.Len() == 0 {
		return
	}
	r.count++
	fmt.Fprintf(&r.text, "%s\n%s", path, text.String())
}

// module is what JavaScript has to know of the server: languages, headers of answers ("") and pages, problems that it
// answers itself, and limits.
func module(site *static.Site) []byte {
	var languages []string
	headers := map[string]map[string]string{"": flat(server.PageHeaders(""))}
	for name := range site.Files {
		if language, ok := strings.CutSuffix(name, "/index.html"); ok {
			languages = append(languages, language)
		}
		if path.Ext(name) == ".html" {
			headers[path.Base(name)] = flat(server.PageHeaders(name))
		}
	}
	slices.Sort(languages)
	busy := api.NewProblem(api.CodeUnavailable)
	busy.RetryAfter = 2
	var text strings.Builder
	for _, c := range []struct {
		name  string
		value any
	}{
		{"languages", languages},
		{"headers", headers},
		{"busy", busy},
		{"internal", api.NewProblem(api.CodeInternal)},
		{"maxJSONBody", api.MaxJSONBody},
		{"maxPartSize", api.MaxPartSize},
	} {
		b, err := json.MarshalIndent(c.value, "", "  ")
		if err != nil {
			panic("BUG: failed to encode: " + err.Error())
		}
		fmt.Fprintf(&text, "export const %s = %s;\n", c.name, b)
	}
	return []byte(text.String())
}

func flat(h http.Header) map[string]string {
	m := map[string]string{}
	for name := range h {
		m[name] = h.Get(name)
	}
	return m
}
