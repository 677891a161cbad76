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
	site, err := static.Render(sources)
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

// headerRules makes the file _headers: a rule for each folder, as the files of one have the same headers but for the type,
// which Cloudflare knows. Pages have theirs from the Worker.
func headerRules(site *static.Site) ([]byte, error) {
	rules := map[string]http.Header{}
	for name := range site.Files {
		if !served(name) || path.Ext(name) == ".html" {
			continue
		}
		rule := "/" + name
		if dir := path.Dir(name); dir != "." {
			rule = "/" + dir + "/*"
		}
		h := server.PageHeaders(name)
		h.Del("Content-Type")
		if had := rules[rule]; had != nil && !maps.EqualFunc(had, h, slices.Equal) {
			return nil, fmt.Errorf("failed to write headers: files in %s differ in theirs", rule)
		}
		rules[rule] = h
	}
	var text strings.Builder
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Fprintln(&text, rule)
		for _, name := range slices.Sorted(maps.Keys(rules[rule])) {
			fmt.Fprintf(&text, "  %s: %s\n", name, rules[rule].Get(name))
		}
	}
	return []byte(text.String()), nil
}

// module is what JavaScript has to know of the server: languages, headers of answers ("") and pages, and its own problems.
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
