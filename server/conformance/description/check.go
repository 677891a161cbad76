package description

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Answer is what a server has answered, and what it was asked.
type Answer struct {
	Method, Path string // with its query
	Sent         []byte // the request's body if that is JSON, else nil
	Status       int
	Header       http.Header
	Body         []byte
}

// The answers that no operation gives, among components.
const (
	notFound   = "NotFound"         // where there is nothing
	notAllowed = "MethodNotAllowed" // where there is something, but not for this method
)

// general are headers that may go out with any answer and are not described: those that HTTP itself brings, and the policies, which
// the suite has a table of.
var general = []string{"Cache-Control", "Connection", "Content-Length", "Content-Security-Policy", "Content-Type",
	"Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Date", "Keep-Alive",
	"Permissions-Policy", "Referrer-Policy", "Transfer-Encoding", "X-Content-Type-Options", "X-Request-Id"}

// Check tells in what an answer is not what is described. Pages are not.
func (d *Description) Check(a Answer) error {
	known, op := d.find(a.Method, a.Path)
	name := ""
	switch {
	case !known && !strings.HasPrefix(a.Path, "/api/"):
		return nil
	case !known:
		name = notFound
	case op == nil:
		name = notAllowed
	}
	r := d.doc.Components.Responses[name]
	if name == "" {
		r = op.Responses[strconv.Itoa(a.Status)]
	}
	if r == nil {
		return fmt.Errorf("status %d is not described", a.Status)
	}
	return errors.Join(op.checkSent(a), r.checkHeader(a.Header), r.checkBody(a))
}

// checkSent checks that what was taken from the client is described as well.
func (op *operation) checkSent(a Answer) error {
	if op == nil || op.RequestBody == nil || a.Sent == nil || a.Status >= 300 {
		return nil
	}
	m := op.RequestBody.Content["application/json"]
	if m == nil {
		return errors.New("the request has a body of JSON, which is not described")
	}
	if err := validate(m.compiled, a.Sent); err != nil {
		return fmt.Errorf("the request was taken and is not as described: %w", err)
	}
	return nil
}

func (r *response) checkHeader(got http.Header) error {
	var errs []error
	for name, h := range r.Headers {
		values := got.Values(name)
		switch {
		case len(values) == 0 && h.Required:
			errs = append(errs, fmt.Errorf("there is no %s", name))
		case len(values) > 1:
			errs = append(errs, fmt.Errorf("%s is there %d times", name, len(values)))
		case len(values) == 1:
			if err := h.check(values[0]); err != nil {
				errs = append(errs, fmt.Errorf("%s is not as described: %w", name, err))
			}
		}
	}
	for name := range got {
		if r.Headers[name] == nil && !slices.Contains(general, name) && !described(r.Headers, name) {
			errs = append(errs, fmt.Errorf("%s is not described", name))
		}
	}
	return errors.Join(errs...)
}

// described tells whether a header is there in another spelling, as ETag is Etag to Go.
func described(all map[string]*header, name string) bool {
	for d := range all {
		if http.CanonicalHeaderKey(d) == name {
			return true
		}
	}
	return false
}

// check holds a header's value against its schema, as a number if that is what the schema wants.
func (h *header) check(value string) error {
	var v any = value
	var schema struct{ Type string }
	if json.Unmarshal(h.Schema, &schema); schema.Type == "integer" {
		v = json.Number(value)
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return err
		}
	}
	return h.compiled.Validate(v)
}

func (r *response) checkBody(a Answer) error {
	kind := a.Header.Get("Content-Type")
	if len(r.Content) == 0 {
		if kind != "" || len(a.Body) > 0 {
			return fmt.Errorf("%d bytes of %q, and no body is described", len(a.Body), kind)
		}
		return nil
	}
	t, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return fmt.Errorf("failed to parse Content-Type %q: %w", kind, err)
	}
	m := r.Content[t]
	switch {
	case m == nil:
		return fmt.Errorf("a body of %s is not described", t)
	case a.Method == http.MethodHead || m.compiled == nil:
		return nil
	case strings.HasPrefix(t, "text/"):
		err = m.compiled.Validate(string(a.Body))
	default:
		err = validate(m.compiled, a.Body)
	}
	if err != nil {
		return fmt.Errorf("the body is not as described: %w", err)
	}
	return nil
}
