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

// must calls a method that has to succeed.
func must(t *testing.T, o js.Value, method string, args ...any) js.Value {
	t.Helper()
	v := o.Call(method, args...)
	if c := code(v); c != "" {
		t.Fatal(method, c, v.Get("message"))
	}
	return v
}

// made is what a function of the engine returns.
func made(t *testing.T, f goFunc, args ...any) js.Value {
	t.Helper()
	v := function(f).Invoke(args...)
	if c := code(v); c != "" {
		t.Fatal(c, v.Get("message"))
	}
	return v
}

func room(n int) js.Value { return js.Global().Get("Uint8Array").New(n) }

func bytesOf(v js.Value) []byte { return arguments{v}.bytes(0, nil) }

// TestBorder seals and opens from JavaScript's side.
func TestBorder(t *testing.T) {
	k, err := link.New(false).Unlock("")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("wax"), 24<<20) // compresses to next to nothing, so that little opens more frames than one call tells
	entry := map[string]any{"name": "ü", "size": len(data), "type": "", "modified": 0}
	s := made(t, newSealer, k.Identity, "file", "a note", []any{entry})
	if v := must(t, s, "start", 1<<20); !v.IsUndefined() {
		t.Error("start returned", v)
	}
	compressor := made(t, newCompressor)
	var stream []byte
	for i := range s.Get("frames").Int() {
		piece := must(t, s, "pieces", i).Index(0)
		plain := data[piece.Index(1).Int():piece.Index(2).Int()]
		out := room(2 << 20)
		frame := bytesOf(out.Call("subarray", 0, must(t, compressor, "frame", toJS(plain), out)))
		must(t, s, "add", len(frame))
		stream = append(stream, frame...)
	}
	part := must(t, s, "part", 1)
	stream = append(stream, bytesOf(must(t, s, "tail", len(stream), part.Get("to")))...)
	if n := s.Get("sealed").Int(); n != part.Get("size").Int() || n > s.Get("bound").Int() || s.Get("parts").Int() != 1 || s.Get("known").Int() != 1 {
		t.Errorf("%d bytes sealed, announced %d, at most %d", part.Get("size").Int(), n, s.Get("bound").Int())
	}
	sealed := room(part.Get("size").Int())
	sealed.Call("set", part.Get("head"))
	cipher := made(t, newCipher, s.Get("key"))
	must(t, cipher, "seal", toJS(stream), part.Get("chunk"), part.Get("last"), sealed, part.Get("at"))

	o := made(t, newOpener, k.Identity, s.Get("manifest"))
	if name := o.Get("manifest").Get("saveName").String(); name != "ü" {
		t.Error(name)
	}
	must(t, o, "start", sealed.Length())
	must(t, o, "bind", sealed.Call("subarray", 0, 184))
	must(t, o, "arrived", sealed.Length())
	if v := must(t, o, "run", 1<<20); !v.IsUndefined() {
		t.Error("a single chunk, which may be the last, is to be opened")
	}
	must(t, o, "end")
	run := must(t, o, "run", 1<<20)
	cipher = made(t, newCipher, o.Get("key"))
	opened := room(len(stream))
	must(t, cipher, "open", sealed.Call("subarray", run.Get("from"), run.Get("to")), run.Get("chunk"), run.Get("last"), opened)
	must(t, o, "walk", opened)
	decompressor := made(t, newDecompressor)
	at, got := 0, 0
	for {
		frames := must(t, o, "frames")
		if frames.Length() == 0 {
			break
		}
		if frames.Length() > framesAtOnce {
			t.Errorf("one call told of %d frames", frames.Length())
		}
		for i := range frames.Length() {
			size, plain := frames.Index(i).Get("size").Int(), frames.Index(i).Get("plain").Int()
			p := room(plain)
			must(t, decompressor, "frame", opened.Call("subarray", at, at+size), plain, p)
			must(t, o, "check", got, p)
			at, got = at+size, got+plain
			if !bytes.HasPrefix(data[got-plain:], bytesOf(p)) {
				t.Fatalf("other bytes before %d", got)
			}
		}
	}
	if must(t, o, "finish"); got != len(data) {
		t.Errorf("%d bytes opened", got)
	}

	for note, want := range map[string]string{"a note": "", "another": "mismatch"} {
		r := function(resumeSealer).Invoke(k.Identity, "file", note, []any{entry}, s.Get("prefix"), s.Get("manifest"))
		if c := code(r); c != want {
			t.Errorf("resumed with %s: %q, want %q", note, c, want)
		}
	}
	s.Call("close")
	s.Call("close")
	if c := code(s.Call("part", 1)); c != "misuse" {
		t.Error("closed:", c)
	}
}

// TestPut: bytes are placed where they belong, and what falls outside is dropped on either side.
func TestPut(t *testing.T) {
	for at, want := range map[int64]string{-9: "......", -3: "......", -1: "bc....", 0: "abc...", 2: "..abc.", 4: "....ab", 6: "......", 60: "......"} {
		v := toJS([]byte("......"))
		arguments{v}.put(0, at, []byte("abc"))
		if got := string(bytesOf(v)); got != want {
			t.Errorf("at %d: %q", at, got)
		}
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
		"no room":        {"misuse", func(args arguments) (any, error) { return args.fill(0, make([]byte, 3)), nil }, []any{toJS([]byte("ab"))}},
		"engine's panic": {"misuse", func(arguments) (any, error) { panic("oops") }, nil},
	} {
		if got := code(function(c.f).Invoke(c.args...)); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}
