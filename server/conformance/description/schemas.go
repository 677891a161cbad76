package description

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is where the document is to its schemas. Nothing is fetched from there.
const base = "https://sealpost.invalid/openapi.json"

// schemas compiles what is in a document.
type schemas struct {
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema // by text
}

func newSchemas(text string) (*schemas, error) {
	s := &schemas{jsonschema.NewCompiler(), map[string]*jsonschema.Schema{}}
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.UseLoader(jsonschema.SchemeURLLoader{})
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return s, s.compiler.AddResource(base, doc)
}

// compile compiles a schema, which may refer to the document's. If it is closed there are no other members than it names.
func (s *schemas) compile(raw json.RawMessage, closed bool) (*jsonschema.Schema, error) {
	absolute := strings.ReplaceAll(string(raw), `"#/`, `"`+base+`#/`)
	text := fmt.Sprintf(`{"allOf":[%s],"unevaluatedProperties":%t}`, absolute, !closed)
	if c := s.compiled[text]; c != nil {
		return c, nil
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s/%d", base, len(s.compiled))
	if err := s.compiler.AddResource(name, schema); err != nil {
		return nil, err
	}
	c, err := s.compiler.Compile(name)
	if err == nil {
		s.compiled[text] = c
	}
	return c, err
}

// validate holds JSON against a schema.
func validate(schema *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("failed to parse: %w", err)
	}
	return schema.Validate(v)
}
