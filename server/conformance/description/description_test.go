package description_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

func parts(change func(*description.Answer)) description.Answer {
	a := description.Answer{Method: "GET", Path: "/api/v1/shares/AAAAAAAAAAAAAAAA/parts?wait=1&seen=2", Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}, "Date": {"today"}},
		Body:   []byte(`{"state":"open","partSize":65536,"size":1,"manifest":true,"count":1,"ranges":[[1,1]]}`)}
	change(&a)
	return a
}

func missing(change func(*description.Answer)) description.Answer {
	return parts(func(a *description.Answer) {
		a.Status, a.Header = 404, http.Header{"Content-Type": {"application/problem+json"}}
		a.Body = []byte(`{"title":"Not Found","status":404,"code":"not-found","detail":"No."}`)
		change(a)
	})
}

func body(old, new string) func(*description.Answer) {
	return func(a *description.Answer) { a.Body = []byte(strings.Replace(string(a.Body), old, new, 1)) }
}

func TestCheck(t *testing.T) {
	d, err := description.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	same := func(*description.Answer) {}
	for _, a := range []description.Answer{
		parts(same), missing(same),
		parts(body(`"count":1,"ranges":[[1,1]]`, `"count":0,"ranges":[]`)),
		parts(func(a *description.Answer) { a.Method, a.Body = "HEAD", nil }),
		missing(func(a *description.Answer) { a.Path = "/api/v1/nothing" }),
		missing(func(a *description.Answer) { a.Path = "/not/an/api"; a.Status = 999 }),
	} {
		if err := d.Check(a); err != nil {
			t.Errorf("%s %s %s: %v", a.Method, a.Path, a.Body, err)
		}
	}
	for what, a := range map[string]description.Answer{
		"status":           parts(func(a *description.Answer) { a.Status = 201 }),
		"header missing":   missing(func(a *description.Answer) { a.Method, a.Status = "PUT", 405 }),
		"header's value":   parts(func(a *description.Answer) { a.Header.Set("Retry-After", "soon") }),
		"header's bound":   parts(func(a *description.Answer) { a.Header.Set("Retry-After", "0") }),
		"header twice":     parts(func(a *description.Answer) { a.Header.Add("Retry-After", "1") }),
		"other header":     parts(func(a *description.Answer) { a.Header.Set("ETag", `"x"`) }),
		"kind":             parts(func(a *description.Answer) { a.Header.Set("Content-Type", "text/plain") }),
		"no kind":          parts(func(a *description.Answer) { a.Header.Del("Content-Type") }),
		"no JSON":          parts(body("}", "")),
		"member missing":   parts(body(`"count":1,`, "")),
		"other member":     parts(body(`"count":1`, `"count":1,"name":"x"`)),
		"type":             parts(body(`"count":1`, `"count":"1"`)),
		"bound":            parts(body(`"count":1`, `"count":-1`)),
		"nothing for list": parts(body(`[[1,1]]`, `null`)),
		"three of a pair":  parts(body(`[[1,1]]`, `[[1,1,1]]`)),
		"other problem":    missing(body("not-found", "not-ready")),
		"other's member":   missing(body(`"status"`, `"triesLeft":1,"status"`)),
		"problem's status": missing(body(`:404`, `:405`)),
		"there is a path":  missing(func(a *description.Answer) { a.Path, a.Status = "/api/v1/config", 404 }),
		"there is none":    parts(func(a *description.Answer) { a.Path = "/api/v1/nothing" }),
	} {
		if d.Check(a) == nil {
			t.Errorf("%s: taken", what)
		}
	}
	taken := description.Answer{Method: "POST", Path: "/api/v1/shares/A/downloads", Status: 200, Sent: []byte(`{"ticket":"short"}`)}
	if err := d.Check(taken); err == nil || !strings.Contains(err.Error(), "request") {
		t.Errorf("a request that is not as described was taken: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for what, change := range map[string][2]string{
		"no JSON":           {"{", ""},
		"another version":   {`"3.1.1"`, `"3.0.3"`},
		"unknown member":    {`"operationId": "getConfig"`, `"operationId": "getConfig", "callbacks": {}`},
		"no such schema":    {`schemas/Config"`, `schemas/Other"`},
		"no such header":    {`headers/Location"`, `headers/Other"`},
		"no such answer":    {`responses/TooLarge"`, `responses/Other"`},
		"no such token":     {`"security": [{ "owner": [] }]`, `"security": [{ "nobody": [] }]`},
		"same name twice":   {`"putPart"`, `"putManifest"`},
		"path's parameters": {`/content": {`, `/content/{more}": {`},
		"no schema":         {`"type": "boolean"`, `"type": "truth"`},
		"unused":            {`"schemas": {`, `"schemas": { "Unused": {},`},
	} {
		text := strings.Replace(api.OpenAPI, change[0], change[1], 1)
		if text == api.OpenAPI {
			t.Errorf("%s: nothing was changed", what)
		}
		if _, err := description.New(text); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}
