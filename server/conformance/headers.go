package conformance

import (
	"net/http"
	"slices"
	"strings"
)

// table is what goes out with every answer, page, asset or API; with an asset that is neither document nor worker only what is not
// aboutDocuments.
var table = map[string]string{
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
}

var aboutDocuments = []string{"Cross-Origin-Opener-Policy", "Permissions-Policy"}

// pagePolicy is the Content-Security-Policy of everything that is not sealedPolicy's: its directives, in any order. A problem
// may have either.
var pagePolicy = []string{
	"base-uri 'none'",
	"connect-src 'self'",
	"default-src 'none'",
	"font-src 'self'",
	"form-action 'none'",
	"frame-ancestors 'self'",
	"frame-src 'self' blob:",
	"img-src 'self' blob: data:",
	"manifest-src 'self'",
	"media-src 'self' blob:",
	"require-trusted-types-for 'script'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"style-src 'self'",
	"trusted-types default app",
	"worker-src 'self'",
}

// sealedPolicy is that of sealed bytes, and of assets that are neither document nor worker: nothing may run,
// whoever renders it.
var sealedPolicy = []string{"default-src 'none'", "sandbox"}

// verifyTable checks the headers of any answer.
func (c *check) verifyTable(a answer, wrong func(string, ...any)) {
	c.Helper()
	for name, want := range table {
		got := a.header.Values(name)
		if strings.HasPrefix(a.path, "/b/") && (isSealed(a) || a.status >= 400) && slices.Contains(aboutDocuments, name) && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0] != want {
			wrong("%s is %q", name, got)
		}
	}
	got := policy(a.header)
	sealed := slices.Equal(got, sealedPolicy)
	if isSealed(a) != sealed && a.status < 400 || !sealed && !slices.Equal(got, c.pagePolicy()) {
		wrong("the policy is %q", got)
	}
}

// pagePolicy is what the policy is where pages may ask another server for parts.
func (c *check) pagePolicy() []string {
	if c.target.Direct == "" || c.base != c.target.BaseURL {
		return pagePolicy
	}
	with := slices.Clone(pagePolicy)
	with[slices.Index(with, "connect-src 'self'")] += " " + c.target.Direct
	return with
}

// isSealed tells whether an answer is nothing that a browser is to render.
func isSealed(a answer) bool {
	if strings.HasPrefix(a.path, "/b/") {
		return !strings.Contains(a.path, "/worker/")
	}
	return a.header.Get("Content-Type") == "application/octet-stream"
}

// policy returns the directives of the one Content-Security-Policy, sorted.
func policy(h http.Header) []string {
	var directives []string
	for d := range strings.SplitSeq(strings.Join(h.Values("Content-Security-Policy"), ", more than one:"), ";") {
		directives = append(directives, strings.Join(strings.Fields(d), " "))
	}
	slices.Sort(directives)
	return directives
}
