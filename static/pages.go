package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// pageNames are the pages; all other templates are parts of them. Each has messages of its own. lateGroups are the messages of what
// comes after the first paint: they are no part of a page, but files that scripts ask for (js/messages.js).
var (
	pageNames  = []string{"index.html", "download.html", "how.html", "mine.html"}
	pageGroups = []string{"upload", "download", "how", "mine"}
	lateGroups = []string{"unfinished", "preview", "passing", "entries", "report", "stock", "keeping", "admission", "later"}
)

// renderPages returns each page in each language, by name.
func renderPages(sources fs.FS, assets map[string][]byte, languages map[string]catalog, base, build string) (map[string][]byte, error) {
	pages := map[string][]byte{}
	for language, c := range languages {
		file, err := fs.ReadFile(sources, messageFile(language))
		if err != nil {
			return nil, fmt.Errorf("failed to read messages: %w", err)
		}
		r := renderer{assets: assets, messages: c, file: file, base: base, build: build}
		for _, name := range pageNames {
			html, err := r.render(sources, name)
			if err != nil {
				return nil, fmt.Errorf("failed to render %s in %q: %w", name, language, err)
			}
			pages[path.Join(language, name)] = html
		}
	}
	return pages, nil
}

// A renderer is what templates can ask.
type renderer struct {
	assets   map[string][]byte
	messages catalog
	file     []byte // that messages were read from
	base     string
	build    string
	set      *template.Template
}

func (r *renderer) render(sources fs.FS, name string) ([]byte, error) {
	set, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"say":      r.say,
		"sentence": r.sentence,
		"asset":    r.asset,
		"modules":  r.modules,
		"messages": r.json,
		"build":    func() string { return r.build },
		"at":       func(page string) string { return r.base + page },
	}).ParseFS(sources, "pages/partials.html", "pages/"+name)
	if err != nil {
		return nil, err
	}
	r.set = set
	var page bytes.Buffer
	if err := set.ExecuteTemplate(&page, name, nil); err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(page.Bytes()), '\n'), nil
}

// say returns a message that is nothing but text.
func (r *renderer) say(key string) (string, error) {
	m, ok := r.messages[key]
	if !ok || m.forms != nil || len(m.placeholders()) > 0 {
		return "", fmt.Errorf("no plain message %s", key)
	}
	return m.text, nil
}

// follows finds the punctuation that closes on what is before it.
var follows = regexp.MustCompile(`^[\p{Po}\p{Pe}\p{Pf}]+`)

// sentence returns a message in which each {name} is the template "key.name", such as a control. Punctuation that follows it
// stays in its line, which browsers do not see to by themselves.
func (r *renderer) sentence(key string) (template.HTML, error) {
	m, ok := r.messages[key]
	if !ok || m.forms != nil {
		return "", fmt.Errorf("no sentence %s", key)
	}
	var html strings.Builder
	rest := m.text
	for _, at := range placeholder.FindAllStringSubmatchIndex(m.text, -1) {
		before := len(m.text) - len(rest)
		html.WriteString(template.HTMLEscapeString(m.text[before:at[0]]))
		rest = m.text[at[1]:]
		mark := follows.FindString(rest)
		html.WriteString(`<span class="slotted">`)
		if err := r.set.ExecuteTemplate(&html, key+"."+m.text[at[2]:at[3]], nil); err != nil {
			return "", err
		}
		html.WriteString(template.HTMLEscapeString(mark) + "</span>")
		rest = rest[len(mark):]
	}
	html.WriteString(template.HTMLEscapeString(rest))
	return template.HTML(html.String()), nil
}

// json returns the message file for the scripts of a page, which is named by one of its own messages. Those of other pages are
// left out, and those that come late: a page waits for its HTML.
func (r *renderer) json(own string) (string, error) {
	var groups map[string]json.RawMessage
	if err := json.Unmarshal(r.file, &groups); err != nil {
		return "", err
	}
	maps.DeleteFunc(groups, func(group string, _ json.RawMessage) bool {
		return slices.Contains(lateGroups, group) || slices.Contains(pageGroups, group) && !strings.HasPrefix(own, group+".")
	})
	compact, err := json.Marshal(groups)
	return string(compact), err
}

// lateMessages returns a file for each late group of each language, by name: messages/{language}/{group}.json.
func lateMessages(sources fs.FS, languages map[string]catalog) (map[string][]byte, error) {
	files := map[string][]byte{}
	for language := range languages {
		source, err := fs.ReadFile(sources, messageFile(language))
		if err != nil {
			return nil, err
		}
		var groups map[string]json.RawMessage
		if err := json.Unmarshal(source, &groups); err != nil {
			return nil, err
		}
		for _, group := range lateGroups {
			if groups[group] == nil {
				return nil, fmt.Errorf("%s has no %s", messageFile(language), group)
			}
			compact, err := json.Marshal(map[string]json.RawMessage{group: groups[group]})
			if err != nil {
				return nil, err
			}
			files[path.Join("messages", language, group+".json")] = compact
		}
	}
	return files, nil
}

// asset returns the address of a file in this build.
func (r *renderer) asset(name string) (string, error) {
	if _, ok := r.assets[name]; !ok {
		return "", fmt.Errorf("no asset %s", name)
	}
	return r.base + "/" + address(r.build, name), nil
}

// staticImport finds what a module imports before it runs.
var staticImport = regexp.MustCompile(`(?m)^(?:import|export)\s+(?:[\w*{][^"';]*?\sfrom\s+)?"(\.[^"]+)"`)

// modules returns all that a module imports, directly or not: what a browser had better ask for at once.
func (r *renderer) modules(entry string) ([]string, error) {
	found := []string{entry}
	for i := 0; i < len(found); i++ {
		source, ok := r.assets[found[i]]
		if !ok {
			return nil, fmt.Errorf("no module %s", found[i])
		}
		for _, match := range staticImport.FindAllSubmatch(source, -1) {
			if name := path.Join(path.Dir(found[i]), string(match[1])); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found[1:], nil
}
