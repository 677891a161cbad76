//go:build js && wasm

package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"syscall/js"
)

// maxAnswer bounds what Go may answer. Parts do not come by here.
const maxAnswer = 1 << 20

// answering collects what h answers, and hands it over as one value when h is done. The library's own way for bytes does not
// wait for slow clients where Content-Length is set, and closes a channel twice when an instance answers twice. It also puts
// request headers together again, which the library takes apart at each comma.
func answering(h http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			r.Header[name] = []string{strings.Join(values, ",")}
		}
		a := &answer{header: w.Header(), to: w.(streamer)}
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler {
					logger.Error("panic", "error", fmt.Sprint(v), "stack", string(debug.Stack()))
				}
				*a = answer{header: a.header, to: a.to, status: http.StatusInternalServerError}
			}
			w.WriteHeader(a.status)
			a.flush(r.Method == http.MethodHead)
		}()
		h.ServeHTTP(a, r)
	})
}

// streamer is what the library's ResponseWriter can do besides.
type streamer interface{ WriteRawJSBody(js.Value) }

// answer is a ResponseWriter.
type answer struct {
	header   http.Header
	to       streamer
	status   int
	body     bytes.Buffer
	streamed bool
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
func (a *answer) WriteRawJSBody(v js.Value) {
	a.streamed = true
	a.to.WriteRawJSBody(v)
}

func (a *answer) flush(head bool) {
	switch {
	case a.streamed:
	case head: // the handler's Content-Length stays
		a.to.WriteRawJSBody(js.Null())
	default:
		b := js.Global().Get("Uint8Array").New(a.body.Len())
		js.CopyBytesToJS(b, a.body.Bytes())
		a.to.WriteRawJSBody(b)
	}
}
