package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestSmuggling: whatever a message looks like to a proxy that reads it in another way, no request is found in the body of another.
// Each body here has one that would delete a share. What follows on the same connection is answered only where there is one way to read
// what came before.
func TestSmuggling(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"))
	u := newUpload(1000)
	d.send(t, u, 0)
	hidden := fmt.Sprintf("DELETE %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", u.path(""), u.owner.text)
	const post = "POST /api/v1/shares HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	put := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n", u.path("/parts/1"), u.owner.text)
	const ends = "0\r\n\r\n" // the body of who reads chunks
	all := fmt.Sprintf("Content-Length: %d\r\n", len(ends)+len(hidden))
	const chunked = "Transfer-Encoding: chunked\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n", len(hidden), hidden)
	for _, test := range []struct{ name, text, want string }{
		// A length and chunks.
		{"length, then chunks", post + all + chunked + "\r\n" + ends + hidden, "400"},
		{"chunks, then length", post + chunked + all + "\r\n" + ends + hidden, "400"},
		{"of a part", put + all + chunked + "\r\n" + ends + hidden, "411"},
		{"of no body", "GET /healthz HTTP/1.1\r\nHost: x\r\n" + all + chunked + "\r\n" + ends + hidden, "200"},
		{"of nothing", "GET /nothing HTTP/1.1\r\nHost: x\r\n" + all + chunked + "\r\n" + ends + hidden, "404"},
		{"chunks after a bare line feed", post + all + "X: y\n" + chunked + "\r\n" + ends + hidden, "400"},
		{"chunks on a folded line", post + all + "Transfer-Encoding:\r\n chunked\r\n\r\n" + ends + hidden, "400"},
		{"chunks after a tab", post + all + "Transfer-Encoding:\tchunked\r\n\r\n" + ends + hidden, "400"},
		{"chunks after a vertical tab", post + all + "Transfer-Encoding: \vchunked\r\n\r\n" + ends + hidden, "400"},
		{"other chunks", post + all + "Transfer-Encoding: xchunked\r\n\r\n" + ends + hidden, "501"},
		{"quoted chunks", post + all + "Transfer-Encoding: \"chunked\"\r\n\r\n" + ends + hidden, "501"},
		{"chunks twice", post + all + chunked + chunked + "\r\n" + ends + hidden, "501"},
		{"chunks in a list", post + all + "Transfer-Encoding: identity, chunked\r\n\r\n" + ends + hidden, "501"},
		{"chunks, with a space before the colon", post + all + "Transfer-Encoding : chunked\r\n\r\n" + ends + hidden, "400"},
		{"chunks in HTTP/1.0", "POST /api/v1/shares HTTP/1.0\r\nConnection: keep-alive\r\n" + chunked + "\r\n" + hidden, "400"},

		// Lengths.
		{"two lengths", post + "Content-Length: 0\r\n" + all + "\r\n" + ends + hidden, "400"},
		{"a list of lengths", post + "Content-Length: 0, 5\r\n\r\n" + hidden, "400"},
		{"a list of the same", post + "Content-Length: 0, 0\r\n\r\n" + hidden, "400"},
		{"a sign", post + "Content-Length: +0\r\n\r\n" + hidden, "400"},
		{"less than nothing", post + "Content-Length: -1\r\n\r\n" + hidden, "400"},
		{"another base", post + "Content-Length: 0x0\r\n\r\n" + hidden, "400"},
		{"a fraction", post + "Content-Length: 0.0\r\n\r\n" + hidden, "400"},
		{"no number", post + "Content-Length: \r\n\r\n" + hidden, "400"},
		{"too large a number", post + "Content-Length: 18446744073709551616\r\n\r\n" + hidden, "400"},
		{"a space before the colon", post + "Content-Length : 0\r\n\r\n" + hidden, "400"},
		{"a length in a folded line", post + "X: y\r\n Content-Length: 0\r\n" + all + "\r\n" + ends + hidden, "400 last"},
		{"a carriage return", post + "X: y\rContent-Length: 0\r\n\r\n" + hidden, "400"},
		{"the same length twice", post + all + all + "\r\n" + ends + hidden, "400 last"},
		{"a body where none is looked at", "GET /healthz HTTP/1.1\r\nHost: x\r\n" + all + "\r\n" + ends + hidden, "200 last"},
		{"a body where there is nothing", "DELETE /nothing HTTP/1.1\r\nHost: x\r\n" + all + "\r\n" + ends + hidden, "405 last"},
		{"a body in a refused call", "GET " + u.path("") + " HTTP/1.1\r\nHost: x\r\n" + all + "\r\n" + ends + hidden, "404 last"},

		// Chunks.
		{"in a chunk", post + chunked + "\r\n" + chunk + "\r\n", "400"},
		{"in a chunk that nobody reads", "GET /healthz HTTP/1.1\r\nHost: x\r\n" + chunked + "\r\n" + chunk + "\r\n", "200"},
		{"in a chunk's extension", post + chunked + "\r\n1;\n" + hidden + "\r\n", "400"},
		{"in the trailer", post + chunked + "\r\n0\r\nX: " + strings.ReplaceAll(hidden, "\r\n", " ") + "\r\n\r\n", "400"},
		{"a size with a prefix", post + chunked + "\r\n0x0\r\n\r\n" + hidden, "400"},
		{"a size that overflows", post + chunked + "\r\n10000000000000000\r\n" + hidden, "400"},
		{"a size with a sign", post + chunked + "\r\n-1\r\n" + hidden, "400"},
		{"no size", post + chunked + "\r\n\r\n\r\n" + hidden, "400"},
		{"a chunk that does not end", post + chunked + "\r\n2\r\n{}0\r\n\r\n" + hidden, "400"},
		{"bare line feeds", post + chunked + "\r\n2\n{}\n0\n\n" + hidden, "400"},
	} {
		if got := statuses(d.raw(t, test.text+last)); got != test.want {
			t.Errorf("%s: answered %q, want %q", test.name, got, test.want)
		}
		if a, err := d.call("GET", u.path(""), u.owner.text, nil, ""); err != nil || a.status != http.StatusOK {
			t.Fatalf("%s: the hidden request was answered: %v, %v", test.name, a, err)
		}
	}
	d.wantWhole(t, u, newToken())
}

// TestForms: what is not a request of HTTP/1.1 to this server is told so, or taken for what it means, and nothing of it comes back as a
// header.
func TestForms(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"))
	const get, host = "GET /healthz HTTP/1.1\r\n", "Host: x\r\n"
	for _, test := range []struct{ name, text, want string }{
		{"another origin", "GET http://other.example/healthz HTTP/1.1\r\n" + host + "\r\n", "200 last"},
		{"another origin, with a user", "GET http://a:b@other.example/healthz HTTP/1.1\r\n" + host + "\r\n", "200 last"},
		{"another scheme", "GET file:///etc/passwd HTTP/1.1\r\n" + host + "\r\n", "404 last"},
		{"a tunnel", "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n", "405 last"},
		{"a tunnel to a path", "CONNECT /api/v1/config HTTP/1.1\r\n" + host + "\r\n", "405 last"},
		{"a trace", "TRACE / HTTP/1.1\r\n" + host + "X: canary\r\n\r\n", "405 last"},
		{"a star", "GET * HTTP/1.1\r\n" + host + "\r\n", "404 last"},
		{"an upgrade", get + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
			"200 last"},
		{"no slash", "GET healthz HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"a space", "GET /health z HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"two spaces", "GET  /healthz HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"an escape that is none", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"no method", " /healthz HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"a method that is none", "G(T /healthz HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"HTTP/0.9", "GET /healthz\r\n", "400"},
		{"HTTP/1.0", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200"},
		{"HTTP/2.0", "GET /healthz HTTP/2.0\r\n" + host + "\r\n", "505"},
		{"another protocol", "GET /healthz XTTP/1.1\r\n" + host + "\r\n", "400"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
		{"no host", get + "\r\n", "400"},
		{"two hosts", get + host + host + "\r\n", "400"},
		{"a host that is none", get + "Host: a b\r\n\r\n", "400"},
		{"a folded line", get + host + "X: a\r\n b\r\n\r\n", "200 last"},
		{"bare line feeds", "GET /healthz HTTP/1.1\nHost: x\n\n", "200 last"},
		{"a carriage return", get + host + "X: a\rY: b\r\n\r\n", "400"},
		{"a zero", get + host + "X: a\x00b\r\n\r\n", "400"},
		{"no colon", get + host + "X\r\n\r\n", "400"},
		{"no name", get + host + ": x\r\n\r\n", "400"},
		{"another expectation", get + host + "Expect: 200-ok\r\n\r\n", "417"},
		{"a header in the path of a page", "GET /d/x%0d%0aCanary:%20canary HTTP/1.1\r\n" + host + "\r\n", "200 last"},
		{"a header in the path of nothing", "GET /x%0d%0aCanary:%20canary HTTP/1.1\r\n" + host + "\r\n", "404 last"},
		{"a header in the path of a share", "GET /api/v1/shares/x%0d%0aCanary:%20canary HTTP/1.1\r\n" + host + "\r\n", "404 last"},
		{"a header in a query", "GET /healthz?a=%0d%0aCanary:%20canary HTTP/1.1\r\n" + host + "\r\n", "200 last"},
		{"a header in a language", "GET / HTTP/1.1\r\n" + host + "Accept-Language: canary%0d%0aCanary: canary\r\n\r\n", "200 last"},
		{"a header in a method", "CANARY%0d%0aCanary:canary /api/v1/config HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"a token in the trailer", "POST /api/v1/shares/AAAAAAAAAAAAAAAA/complete HTTP/1.1\r\n" + host + "Trailer: Authorization\r\n" +
			"Transfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer canary\r\n\r\n", "404"},
		{"a hundred at once", strings.Repeat(get+host+"\r\n", 100), strings.Repeat("200 ", 100) + "last"},
	} {
		answers := d.raw(t, test.text+last)
		if got := statuses(answers); got != test.want {
			t.Errorf("%s: answered %q, want %q", test.name, got, test.want)
		}
		for _, a := range answers {
			if text := fmt.Sprint(a.header); strings.Contains(strings.ToLower(text), "canary") {
				t.Errorf("%s: comes back in %s", test.name, text)
			}
			if strings.Contains(string(a.body), "canary") {
				t.Errorf("%s: comes back in %s", test.name, a.body)
			}
		}
	}
}
