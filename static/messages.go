package static

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// reference is the language whose messages every other has to have.
const reference = "en"

// A catalog is the messages of one language, by dotted path.
type catalog map[string]message

// A message is its text, or its forms by plural category.
type message struct {
	text  string
	forms map[string]string
}

var (
	placeholder = regexp.MustCompile(`\{(\w+)\}`)
	categories  = []string{"zero", "one", "two", "few", "many", "other"} // of CLDR; "other" is always there
)

// readLanguages reads all of messages and compares them with the reference.
func readLanguages(sources fs.FS) (map[string]catalog, error) {
	names, err := fs.Glob(sources, "messages/*.json")
	if err != nil {
		return nil, err
	}
	languages := map[string]catalog{}
	for _, name := range names {
		language := strings.TrimSuffix(path.Base(name), ".json")
		c, err := readCatalog(sources, name)
		if err == nil && c["lang"].text != language {
			err = fmt.Errorf("lang is %q", c["lang"].text)
		}
		if err == nil && c["dir"].text != "ltr" && c["dir"].text != "rtl" {
			err = fmt.Errorf("dir is %q", c["dir"].text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		languages[language] = c
	}
	if languages[reference] == nil {
		return nil, fmt.Errorf("there is no %s.json", reference)
	}
	for language, c := range languages {
		if err := c.compare(languages[reference]); err != nil {
			return nil, fmt.Errorf("%s.json: %w", language, err)
		}
	}
	return languages, nil
}

func messageFile(language string) string { return "messages/" + language + ".json" }

func readCatalog(sources fs.FS, name string) (catalog, error) {
	data, err := fs.ReadFile(sources, name)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	c := catalog{}
	return c, c.add("", tree)
}

// add adds the messages below a node of the tree.
func (c catalog) add(prefix string, tree map[string]any) error {
	for key, node := range tree {
		switch node := node.(type) {
		case string:
			c[prefix+key] = message{text: node}
		case map[string]any:
			forms, plural, err := formsOf(node)
			if err != nil {
				return fmt.Errorf("%s: %w", prefix+key, err)
			}
			if plural {
				c[prefix+key] = message{forms: forms}
			} else if err := c.add(prefix+key+".", node); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is neither a string nor an object", prefix+key)
		}
	}
	return nil
}

// formsOf tells whether a node is a message with plural forms, and returns these.
func formsOf(node map[string]any) (forms map[string]string, plural bool, err error) {
	if _, plural = node["other"]; !plural {
		return nil, false, nil
	}
	forms = map[string]string{}
	for category, text := range node {
		s, ok := text.(string)
		if !ok || !slices.Contains(categories, category) {
			return nil, true, fmt.Errorf("%q is no plural form", category)
		}
		forms[category] = s
	}
	return forms, true, nil
}

// texts are all that a message may say.
func (m message) texts() []string {
	if m.forms == nil {
		return []string{m.text}
	}
	return slices.Collect(maps.Values(m.forms))
}

// placeholders are the names that a message has, sorted. A form may do without n: "one file".
func (m message) placeholders() []string {
	names := map[string]bool{}
	for _, text := range m.texts() {
		for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
			names[match[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// compare checks that c has exactly the messages of want, with the same placeholders, and no other brace.
func (c catalog) compare(want catalog) error {
	var all []error
	for _, key := range slices.Sorted(maps.Keys(want)) {
		m, ok := c[key]
		if !ok {
			all = append(all, fmt.Errorf("%s is missing", key))
			continue
		}
		if got, want := m.placeholders(), want[key].placeholders(); !slices.Equal(got, want) {
			all = append(all, fmt.Errorf("%s has placeholders %q instead of %q", key, got, want))
		}
		if (m.forms == nil) != (want[key].forms == nil) {
			all = append(all, fmt.Errorf("%s has plural forms here or there only", key))
		}
		for _, text := range m.texts() {
			if strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "{}") {
				all = append(all, fmt.Errorf("%s has a brace that stands for nothing", key))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c)) {
		if _, ok := want[key]; !ok {
			all = append(all, fmt.Errorf("%s is no message of %s.json", key, reference))
		}
	}
	return errors.Join(all...)
}
