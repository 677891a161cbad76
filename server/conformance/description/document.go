package description

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the part of OpenAPI 3.1 that is used. Names are those of the specification.
type document struct {
	OpenAPI           string
	JSONSchemaDialect string
	Info              struct {
		Title, Version, Summary, Description string
		License                              struct{ Name, Identifier string }
	}
	ExternalDocs struct{ URL, Description string }
	Servers      []struct{ URL string }
	Tags         []struct{ Name, Description string }
	Paths        map[string]*pathItem
	Components   struct {
		Schemas         map[string]json.RawMessage
		Parameters      map[string]*parameter
		Headers         map[string]*header
		Responses       map[string]*response
		SecuritySchemes map[string]struct{ Type, Scheme, BearerFormat, Description string }
	}
}

type pathItem struct {
	Parameters                    []*parameter
	Get, Put, Post, Delete, Patch *operation
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          []map[string][]string
	Parameters                        []*parameter
	RequestBody                       *struct {
		Required bool
		Content  map[string]*media
	}
	Responses map[string]*response
}

type parameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                json.RawMessage
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     map[string]*header
	Content     map[string]*media
}

type header struct {
	Ref         string `json:"$ref"`
	Description string
	Required    bool
	Schema      json.RawMessage
	compiled    *jsonschema.Schema
}

// media describes a body; without a schema it is any bytes.
type media struct {
	Schema   json.RawMessage
	Examples map[string]struct{ ExternalValue string }
	compiled *jsonschema.Schema
}

const dialect = "https://json-schema.org/draft/2020-12/schema"

// parse reads a document, refuses what is not above, and puts what is referred to into its places.
func (d *document) parse(text string) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		return err
	}
	switch {
	case !strings.HasPrefix(d.OpenAPI, "3.1."):
		return fmt.Errorf("version %q is not 3.1", d.OpenAPI)
	case d.JSONSchemaDialect != dialect:
		return fmt.Errorf("unknown dialect %q", d.JSONSchemaDialect)
	case d.Info.Title == "" || d.Info.Version == "":
		return errors.New("it has no title, or no version")
	}
	ids := map[string]bool{}
	for template, item := range d.Paths {
		if err := resolveAll(item.Parameters, d.Components.Parameters); err != nil {
			return fmt.Errorf("%s: %w", template, err)
		}
		for method, op := range item.operations() {
			err := d.resolve(op)
			switch {
			case err != nil:
			case op.OperationID == "" || ids[op.OperationID]:
				err = fmt.Errorf("operation %q has no name of its own", op.OperationID)
			default:
				err = d.check(template, slices.Concat(item.Parameters, op.Parameters), op)
			}
			if err != nil {
				return fmt.Errorf("%s %s: %w", method, template, err)
			}
			ids[op.OperationID] = true
		}
	}
	for _, r := range d.Components.Responses {
		if err := d.resolveHeaders(r); err != nil {
			return err
		}
	}
	return d.wantUsed(text)
}

func (i *pathItem) operations() map[string]*operation {
	all := map[string]*operation{http.MethodGet: i.Get, http.MethodPut: i.Put, http.MethodPost: i.Post,
		http.MethodDelete: i.Delete, http.MethodPatch: i.Patch}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}

func (d *document) resolve(op *operation) error {
	if err := resolveAll(op.Parameters, d.Components.Parameters); err != nil {
		return err
	}
	for status, r := range op.Responses {
		r, err := resolve(r, r.Ref, "responses", d.Components.Responses)
		if err == nil {
			err = d.resolveHeaders(r)
		}
		if err != nil {
			return err
		}
		op.Responses[status] = r
	}
	return nil
}

func (d *document) resolveHeaders(r *response) error {
	for name, h := range r.Headers {
		h, err := resolve(h, h.Ref, "headers", d.Components.Headers)
		if err != nil {
			return err
		}
		r.Headers[name] = h
	}
	return nil
}

func resolveAll(list []*parameter, all map[string]*parameter) (err error) {
	for i, p := range list {
		if list[i], err = resolve(p, p.Ref, "parameters", all); err != nil {
			return err
		}
	}
	return nil
}

// resolve returns v, or what it refers to among components.
func resolve[T any](v *T, ref, kind string, all map[string]*T) (*T, error) {
	if ref == "" {
		return v, nil
	}
	name, ok := strings.CutPrefix(ref, "#/components/"+kind+"/")
	if ok = ok && all[name] != nil; !ok {
		return nil, fmt.Errorf("%s refers to nothing", ref)
	}
	return all[name], nil
}

// check checks what no schema tells about an operation.
func (d *document) check(template string, parameters []*parameter, op *operation) error {
	var inPath []string
	for _, p := range parameters {
		switch {
		case p.In == "path" && p.Required:
			inPath = append(inPath, "{"+p.Name+"}")
		case p.In != "query" && p.In != "header":
			return fmt.Errorf("parameter %s is nowhere", p.Name)
		}
	}
	if named := regexp.MustCompile(`\{\w+\}`).FindAllString(template, -1); !slices.Equal(named, inPath) {
		return fmt.Errorf("its parameters are %v and not %v", inPath, named)
	}
	for _, scheme := range op.Security {
		for name := range scheme {
			if _, ok := d.Components.SecuritySchemes[name]; !ok {
				return fmt.Errorf("there is no token %s", name)
			}
		}
	}
	for status, r := range op.Responses {
		if !regexp.MustCompile(`^[2-5]\d\d$`).MatchString(status) || r.Description == "" {
			return fmt.Errorf("answer %s is not described", status)
		}
	}
	return nil
}

// wantUsed refuses components that nothing refers to, but for the one answer that no operation gives.
func (d *document) wantUsed(text string) error {
	used := func(kind, name string) error {
		if strings.Contains(text, `"#/components/`+kind+"/"+name+`"`) || name == notAllowed {
			return nil
		}
		return fmt.Errorf("nothing refers to %s/%s", kind, name)
	}
	var errs []error
	for name := range d.Components.Schemas {
		errs = append(errs, used("schemas", name))
	}
	for name := range d.Components.Parameters {
		errs = append(errs, used("parameters", name))
	}
	for name := range d.Components.Headers {
		errs = append(errs, used("headers", name))
	}
	for name := range d.Components.Responses {
		errs = append(errs, used("responses", name))
	}
	return errors.Join(errs...)
}

// visit calls the one function with each media type, and whether it is that of a request, and the other with each header.
func (d *document) visit(ofMedia func(m *media, sent bool) error, ofHeader func(*header) error) error {
	var errs []error
	content := func(all map[string]*media, sent bool) {
		for _, m := range all {
			if m.Schema != nil {
				errs = append(errs, ofMedia(m, sent))
			}
		}
	}
	answer := func(r *response) {
		content(r.Content, false)
		for _, h := range r.Headers {
			errs = append(errs, ofHeader(h))
		}
	}
	for _, item := range d.Paths {
		for _, op := range item.operations() {
			if op.RequestBody != nil {
				content(op.RequestBody.Content, true)
			}
			for _, r := range op.Responses {
				answer(r)
			}
		}
	}
	for _, r := range d.Components.Responses {
		answer(r)
	}
	return errors.Join(errs...)
}
