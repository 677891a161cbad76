package main

import "net/http"

// endAfterDoubt ends the connection after a request whose end a proxy in front may see elsewhere: what follows on the connection could
// then be somebody else's idea of what a client of ours asks. With a length and chunks both, RFC 9112 (6.1) wants the end, and so
// it does for chunks in HTTP/1.0; net/http takes the chunks, or the length, and no longer tells that there was the other. So every
// request in chunks, and every one of HTTP/1.0, is the last of its connection.
func endAfterDoubt(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close")
	}
}
