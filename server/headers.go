package server

import "strings"

// securityHeaders go out with every answer, page or API, but for documentHeaders. The policy holds in current Chromium, Firefox and
// WebKit; engine and scripts are ours alone, blob: is what the page itself decrypted, and trusted types close the string-to-code sinks.
// Only the page may frame a page: a blob: that it frames, a PDF, has its policy in WebKit, and would be refused by 'none'.
//
// origin is where pages fetch and put sealed parts beside their own server, or "".
func securityHeaders(origin string) []header {
	return []header{
		{"Content-Security-Policy", strings.Join([]string{
			"default-src 'none'",
			"script-src 'self' 'wasm-unsafe-eval'",
			strings.TrimSpace("connect-src 'self' " + origin),
			"worker-src 'self'",
			"style-src 'self'",
			"img-src 'self' blob: data:",
			"media-src 'self' blob:",
			"font-src 'self'",
			"frame-src 'self' blob:",
			"manifest-src 'self'",
			"base-uri 'none'",
			"form-action 'none'",
			"frame-ancestors 'self'",
			"require-trusted-types-for 'script'",
			"trusted-types default app",
		}, "; ")},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Embedder-Policy", "require-corp"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Referrer-Policy", "no-referrer"},
		{"X-Content-Type-Options", "nosniff"},
		{"Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"},
	}
}

type header struct{ name, value string }

// documentHeaders say nothing of what is neither a document nor a worker: the many small files that a page loads go without.
var documentHeaders = []string{"Cross-Origin-Opener-Policy", "Permissions-Policy"}

// sealedPolicy replaces the policy on sealed bytes, and on what a page loads: should anything ever render them, it may do nothing.
const sealedPolicy = "sandbox; default-src 'none'"
