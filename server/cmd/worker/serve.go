//go:build js && wasm

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/syumai/workers"
)

// maxAnswer bounds what Go may answer. Parts do not come by here.
const maxAnswer = 1 << 20

// serve has h answer what handler.mjs asks. It takes the place of the library's own way, which hands over each header alone,
// takes it apart at commas, does not wait for slow clients where Content-Length is set, and closes a channel twice when an
// instance answers twice. A value that passes between Go and JavaScript costs some microseconds, so a question comes as two,
// {head, body, answer}, and the answer goes back as three: the status, the headers and the body. All are answered by one
// goroutine, this one, whose stack has grown to what that takes.
func serve(h http.Handler, logger *slog.Logger) {
	h = recovering(h, logger)
	questions := make(chan js.Value, 1)
	binding := js.Global().Get("context").Get("binding") // where the library's loader looks for it
	binding.Set("handleRequest", js.FuncOf(func(_ js.Value, args []js.Value) any {
		questions <- args[0]
		return nil
	}))
	workers.Ready()
	for q := range questions {
		a := &answer{header: http.Header{}}
		r, err := request(q.Get("head").String(), q.Get("body"))
		if err != nil {
			http.Error(a, "Bad Request", http.StatusBadRequest)
		} else {
			h.ServeHTTP(a, r)
		}
		a.WriteHeader(http.StatusOK) // unless there is a status
		q.Call("answer", a.status, lines(a.header), a.content(err == nil && r.Method == http.MethodHead))
	}
}

// request is what handler.mjs tells of one. The head is a line of method and URL, followed by one for each header.
func request(head string, body js.Value) (*http.Request, error) {
	first, rest, _ := strings.Cut(head, "\n")
	method, address, _ := strings.Cut(first, " ")
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("failed to parse URL: %w", err)
	}
	r := &http.Request{Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody}
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		r.Header.Add(name, value)
	}
	r.Host = r.Header.Get("Host")
	r.RemoteAddr = r.Header.Get("Cf-Connecting-Ip")
	r.ContentLength, _ = strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64) // the runtime has refused a malformed one
	if !body.IsNull() {
		b := make([]byte, body.Length())
		js.CopyBytesToGo(b, body)
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	return r, nil
}

// lines writes a header as request reads it.
func lines(h http.Header) string {
	var text strings.Builder
	for name, values := range h {
		for _, value := range values {
			text.WriteString(name + ":" + value + "\n")
		}
	}
	return text.String()
}

// recovering keeps an instance alive when h panics, and answers for it.
func recovering(h http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler {
					logger.Error("panic", "error", fmt.Sprint(v), "stack", string(debug.Stack()))
				}
				a := w.(*answer)
				*a = answer{header: a.header, status: http.StatusInternalServerError}
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// answer is a ResponseWriter that collects, so that what h answers can be handed over when h is done.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	stream js.Value // instead of body
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(p) > maxAnswer {
		return 0, errors.New("answer is too large to be collected")
	}
	return a.body.Write(p)
}

// WriteRawJSBody makes a JavaScript stream the body.
func (a *answer) WriteRawJSBody(v js.Value) { a.stream = v }

// content is the body as JavaScript takes it.
func (a *answer) content(head bool) js.Value {
	switch {
	case !a.stream.IsUndefined():
		return a.stream
	case head || a.body.Len() == 0: // the handler's Content-Length stays
		return js.Null()
	}
	b := js.Global().Get("Uint8Array").New(a.body.Len())
	js.CopyBytesToJS(b, a.body.Bytes())
	return b
}
