//go:build js && wasm

package main

import (
	"bytes"
	"syscall/js"
	"testing"

	"github.com/sealpost/sealpost/wasm/internal/link"
)

func code(v js.Value) string {
	if v.InstanceOf(js.Global().Get("Error")) {
		return v.Get("code").String()
	}
	return ""
}

func drain(t *testing.T, o js.Value, method string) (out []byte) {
	t.Helper()
	for {
		list := o.Call(method)
		if c := code(list); c != "" {
			t.Fatal(method, c, list.Get("message"))
		}
		if list.Length() == 0 {
			return out
		}
		for i := range list.Length() {
			out = append(out, arguments{list.Index(i)}.bytes(0)...)
		}
	}
}

// TestBorder seals and opens from JavaScript's side.
func TestBorder(t *testing.T) {
	k, err := link.New(false).Unlock("")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("wax"), 20<<20) // compresses to next to nothing, so that little opens far more than a step
	entry := map[string]any{"name": "ü", "size": len(data), "type": "", "modified": 0}
	s := function(newSealer).Invoke(k.Identity, "file", "a note", []any{entry})
	if c := code(s); c != "" {
		t.Fatal(c, s.Get("message"))
	}
	if v := s.Call("start", 1<<20); !v.IsUndefined() {
		t.Error("start returned", v)
	}
	s.Call("write", 0, toJS(data))
	sealed := drain(t, s, "finish")
	if n := s.Get("sealed").Int(); n != len(sealed) || n > s.Get("bound").Int() {
		t.Errorf("%d bytes sealed, announced %d, at most %d", len(sealed), n, s.Get("bound").Int())
	}
	if framed, n := s.Get("framed").Int(), s.Get("compressed").Int(); framed != len(data) || n < 1 || n > len(sealed) {
		t.Errorf("%d plain bytes were compressed to %d, want %d and fewer than are sealed", framed, n, len(data))
	}

	o := function(newOpener).Invoke(k.Identity, s.Get("manifest"))
	if name := o.Get("manifest").Get("saveName").String(); name != "ü" {
		t.Error(name)
	}
	o.Call("start", len(sealed))
	o.Call("write", toJS(sealed)) // a single chunk, which may be the last: kept back
	first := o.Call("finish")
	if n := first.Length(); n < 1 || n > outputStep>>20 {
		t.Errorf("one call returned %d frames", n)
	}
	got := 0
	for i := range first.Length() {
		got += first.Index(i).Length()
	}
	if got += len(drain(t, o, "finish")); got != len(data) {
		t.Errorf("%d bytes opened", got)
	}
	s.Call("close")
	s.Call("close")
	if c := code(s.Call("finish")); c != "misuse" {
		t.Error("closed:", c)
	}
}

func TestErrors(t *testing.T) {
	id := "AGE-SECRET-KEY-1"
	for what, c := range map[string]struct {
		want string
		f    goFunc
		args []any
	}{
		"no argument":    {"misuse", openLink, nil},
		"wrong type":     {"misuse", openLink, []any{7}},
		"bad link":       {"bad-link", openLink, []any{"x", nil}},
		"unknown link":   {"unsupported", openLink, []any{"IAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil}},
		"no identity":    {"misuse", newOpener, []any{id, toJS(nil)}},
		"not bytes":      {"misuse", newOpener, []any{id, map[string]any{"length": 3}}},
		"lying length":   {"misuse", newOpener, []any{id, map[string]any{"length": -3}}},
		"fraction":       {"misuse", newSealer, []any{id, "file", "", []any{map[string]any{"name": "a", "size": 1.5, "type": ""}}}},
		"engine's panic": {"misuse", func(arguments) (any, error) { panic("oops") }, nil},
	} {
		if got := code(function(c.f).Invoke(c.args...)); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}
