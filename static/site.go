package static

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Site is what is served, in memory:
//
//	{language}/index.html …   the pages, which change with each build
//	b/{build}/…               all that they load, which never changes
//
// It is made of the same sources to the same bytes. Written to a directory it suits any static host that can choose a page.
type Site struct {
	Build string            // names all that is served; another build has another name
	Files map[string][]byte // by name, with "/" between its parts
}

// Render makes the site of sources, which are laid out as FS is. It fails if a page or a script uses what there is not, or if
// a language lacks a message. base is where the site is on its host: "" for its root, or a path such as /send, which is part of the addresses
// that pages link to, and not of the names of files. Scripts find it out by themselves (js/base.js).
func Render(sources fs.FS, base string) (*Site, error) {
	assets, err := readAssets(sources)
	if err != nil {
		return nil, fmt.Errorf("failed to read page: %w", err)
	}
	languages, err := readLanguages(sources)
	if err != nil {
		return nil, fmt.Errorf("failed to read messages: %w", err)
	}
	late, err := lateMessages(sources, languages)
	if err != nil {
		return nil, fmt.Errorf("failed to read messages: %w", err)
	}
	maps.Copy(assets, late)
	// The pages name the build, and the build is named after the pages: those that name none.
	pages, err := renderPages(sources, assets, languages, base, "")
	if err != nil {
		return nil, err
	}
	build := digest(assets, pages)
	if pages, err = renderPages(sources, assets, languages, base, build); err != nil {
		return nil, err
	}
	files := pages
	for name, data := range assets {
		files[address(build, name)] = data
	}
	return &Site{Build: build, Files: files}, nil
}

// address is where an asset is, below the root.
func address(build, name string) string { return path.Join("b", build, name) }

// styles is the one file that the style sheets are served as: each answer costs more in headers than most of them have bytes.
const styles = "css/page.css"

// readAssets returns all files that are served, the style sheets in the order of their names.
func readAssets(sources fs.FS) (map[string][]byte, error) {
	assets := map[string][]byte{}
	err := fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || inPages(name) || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		data, err := fs.ReadFile(sources, name)
		if path.Dir(name) == "css" {
			assets[styles] = append(assets[styles], data...)
		} else {
			assets[name] = data
		}
		return err
	})
	return assets, err
}

// inPages tells whether a file becomes a part of the pages.
func inPages(name string) bool {
	return strings.HasPrefix(name, "pages/") || strings.HasPrefix(name, "messages/")
}

// digest names files by their names and contents.
func digest(sets ...map[string][]byte) string {
	h := sha256.New()
	for _, files := range sets {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			sum := sha256.Sum256(files[name])
			fmt.Fprintf(h, "%s\x00%x\n", name, sum)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
