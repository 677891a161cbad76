// Package description holds what a server answers against what the OpenAPI document of package api says that it may answer.
//
//	d, err := description.New(api.OpenAPI)
//	err = d.Check(description.Answer{Method: "GET", Path: "/api/v1/config", Status: 200, …})
//
// A document describes what is there and no more: an answer with a status, a problem code, a header or a member that is not in it is
// an error here, although clients are to ignore members that they do not know. Only the headers that go out with every answer are
// not in it (see general).
//
// Of OpenAPI it reads what our document uses, and refuses what it does not know. Schemas are JSON Schema 2020-12, and are checked
// against its meta-schema.
package description

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is a document, ready to be asked. It is safe for concurrent use.
type Description struct {
	doc   document
	paths []path
	names map[string]*jsonschema.Schema // of components/schemas
	files map[string]*jsonschema.Schema // of what the examples in files are of
}

// path is a path with its parameters filled in.
type path struct {
	template   string
	form       *regexp.Regexp
	operations map[string]*operation // by method
}

var parameterForm = regexp.MustCompile(`\\\{(\w+)\\\}`)

// New reads a document, or says what is wrong with it.
func New(text string) (*Description, error) {
	d := &Description{names: map[string]*jsonschema.Schema{}, files: map[string]*jsonschema.Schema{}}
	if err := d.doc.parse(text); err != nil {
		return nil, fmt.Errorf("failed to parse document: %w", err)
	}
	s, err := newSchemas(text)
	if err != nil {
		return nil, fmt.Errorf("failed to parse document: %w", err)
	}
	for name, raw := range d.doc.Components.Schemas {
		if d.names[name], err = s.compile(raw, true); err != nil {
			return nil, fmt.Errorf("failed to compile schema %s: %w", name, err)
		}
	}
	for template, item := range d.doc.Paths {
		form := parameterForm.ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		d.paths = append(d.paths, path{template, regexp.MustCompile("^" + form + "$"), item.operations()})
	}
	err = d.doc.visit(func(m *media, sent bool) error {
		m.compiled, err = s.compile(m.Schema, !sent)
		for _, e := range m.Examples {
			d.files[e.ExternalValue] = m.compiled
		}
		return err
	}, func(h *header) error {
		h.compiled, err = s.compile(h.Schema, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Routes returns what is described, as "GET /path/{id}", sorted.
func (d *Description) Routes() (all []string) {
	for _, p := range d.paths {
		for method := range p.operations {
			all = append(all, method+" "+p.template)
		}
	}
	slices.Sort(all)
	return all
}

// Codes returns the problem codes that are described, sorted.
func (d *Description) Codes() (all []string) {
	for name, raw := range d.doc.Components.Schemas {
		if strings.Contains(string(raw), `"#/components/schemas/Problem"`) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// Tokens returns the names of the tokens that open a call, sorted; none are needed if there are none.
func (d *Description) Tokens(method, path string) (all []string) {
	if _, op := d.find(method, path); op != nil {
		for _, scheme := range op.Security {
			all = slices.AppendSeq(all, maps.Keys(scheme))
		}
	}
	slices.Sort(all)
	return all
}

// Examples returns the files in which examples are, sorted.
func (d *Description) Examples() []string { return slices.Sorted(maps.Keys(d.files)) }

// CheckExample checks the content of a file that is named as an example.
func (d *Description) CheckExample(file string, body []byte) error {
	schema, ok := d.files[file]
	if !ok {
		return fmt.Errorf("%s is no example of anything", file)
	}
	return validate(schema, body)
}

// CheckNamed checks JSON against one of components/schemas; the schemas of problems are named by their codes.
func (d *Description) CheckNamed(name string, body []byte) error {
	schema, ok := d.names[name]
	if !ok {
		return fmt.Errorf("there is no schema %s", name)
	}
	return validate(schema, body)
}

// find returns the operation that a request asks for; known tells whether there is such a path.
func (d *Description) find(method, target string) (known bool, op *operation) {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false, nil
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, p := range d.paths {
		if p.form.MatchString(u.Path) {
			return true, p.operations[method]
		}
	}
	return false, nil
}
