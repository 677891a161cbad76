package api

import _ "embed"

// OpenAPI is the protocol as an OpenAPI 3.1 document, in JSON: for those who write clients, and for the tests, which hold every
// answer of a server against it. No server serves it.
//
//go:embed openapi.json
var OpenAPI string
