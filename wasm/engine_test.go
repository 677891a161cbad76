//go:build js && wasm

package main

import (
	"bytes"
	"errors"
	"strings"
	"syscall/js"
	"testing"

	"filippo.io/age"

	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/report"
	"github.com/sealpost/sealpost/wasm/internal/seal"
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

func bytesOf(v js.Value) []byte { return arguments{v}.bytes(0, nil) }

// TestBorder seals and opens from JavaScript's side.
func TestBorder(t *testing.T) {
	k, err := link.New(false).Unlock("")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("wax"), 24<<20) // compresses to next to nothing, so that little opens more frames than one call tells
	entry := map[string]any{"name": "ü", "size": len(data), "type": "", "modified": 0, "thumbnail": toJS([]byte("small"))}
	s := made(t, newSealer, k.Identity, "file", "a note", []any{entry})
	if v := must(t, s, "start", 1<<20); !v.IsUndefined() {
		t.Error("start returned", v)
	}
	c, stream := crew(t, s.Get("key")), []byte(nil)
	for i := range s.Get("frames").Int() {
		piece := must(t, s, "pieces", i).Index(0)
		n := copy(c.compressor.in, data[piece.Index(1).Int():piece.Index(2).Int()])
		size := did(t, c.compressor.frame, n)
		must(t, s, "add", size)
		stream = append(stream, c.compressor.out[:size]...)
	}
	part := must(t, s, "part", 1)
	stream = append(stream, bytesOf(must(t, s, "tail", len(stream), part.Get("to")))...)
	if n := s.Get("sealed").Int(); n != part.Get("size").Int() || n > s.Get("bound").Int() || s.Get("parts").Int() != 1 || s.Get("known").Int() != 1 {
		t.Errorf("%d bytes sealed, announced %d, at most %d", part.Get("size").Int(), n, s.Get("bound").Int())
	}
	sealed := bytesOf(part.Get("head"))
	size := did(t, c.cipher.seal, copy(c.cipher.in, stream), part.Get("chunk"), part.Get("last"))
	sealed = append(sealed, c.cipher.out[:size]...)

	o := made(t, newOpener, k.Identity, s.Get("manifest"))
	if name := o.Get("manifest").Get("saveName").String(); name != "ü" {
		t.Error(name)
	}
	if picture := string(bytesOf(must(t, o, "thumbnail", 0))); picture != "small" || !o.Get("manifest").Get("entries").Index(0).Get("pictured").Bool() {
		t.Errorf("the thumbnail is %q", picture)
	}
	if c := code(o.Call("thumbnail", 1)); c != "misuse" {
		t.Error("no entry's thumbnail:", c)
	}
	must(t, o, "start", len(sealed))
	must(t, o, "bind", toJS(sealed[:184]))
	must(t, o, "arrived", len(sealed))
	if v := must(t, o, "run", 1<<20); !v.IsUndefined() {
		t.Error("a single chunk, which may be the last, is to be opened")
	}
	must(t, o, "end")
	run := must(t, o, "run", 1<<20)
	c = crew(t, o.Get("key"))
	size = did(t, c.cipher.open, copy(c.cipher.in, sealed[run.Get("from").Int():run.Get("to").Int()]), run.Get("chunk"), run.Get("last"))
	opened := bytes.Clone(c.cipher.out[:size])
	must(t, o, "walk", toJS(opened))
	got := 0
	for {
		frames := must(t, o, "frames")
		if frames.Length() == 0 {
			break
		}
		if frames.Length() > framesAtOnce {
			t.Errorf("one call told of %d frames", frames.Length())
		}
		for i := range frames.Length() {
			n := copy(c.decompressor.in, opened[:frames.Index(i).Get("size").Int()])
			opened = opened[n:]
			p := c.decompressor.out[:did(t, c.decompressor.frame, n, frames.Index(i).Get("plain"))]
			must(t, o, "check", got, toJS(p))
			if !bytes.HasPrefix(data[got:], p) {
				t.Fatalf("other bytes after %d", got)
			}
			got += len(p)
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

// hands are what a member of a crew has.
type hands struct {
	compressor   *compressor
	decompressor *decompressor
	cipher       *cipher
}

func crew(t *testing.T, key js.Value) (h hands) {
	t.Helper()
	var errs [3]error
	h.compressor, errs[0] = makeCompressor()
	h.decompressor, errs[1] = makeDecompressor()
	h.cipher, errs[2] = makeCipher(bytesOf(key))
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return h
}

// did has a member work on the first n bytes of its buffer, and returns how many it made of them.
func did(t *testing.T, f goFunc, n int, more ...any) int {
	t.Helper()
	return made(t, f, append([]any{n}, more...)...).Int()
}

// TestRoom: a member is never made to read or write beside its buffers.
func TestRoom(t *testing.T) {
	h := crew(t, toJS(make([]byte, 32)))
	for what, v := range map[string]js.Value{
		"frame":  function(h.compressor.frame).Invoke(seal.FrameSize + 1),
		"less":   function(h.compressor.frame).Invoke(-1),
		"opened": function(h.decompressor.frame).Invoke(frameRoom+1, seal.FrameSize),
		"plain":  function(h.decompressor.frame).Invoke(100, seal.FrameSize+1),
		"seal":   function(h.cipher.seal).Invoke(chunksAtOnce*seal.ChunkSize+1, 0, true),
		"open":   function(h.cipher.open).Invoke(sealedAtOnce+1, 0, true),
	} {
		if code(v) == "" {
			t.Errorf("%s: %v", what, v)
		}
	}
}

// TestQR: the modules cross the border row by row.
func TestQR(t *testing.T) {
	code := made(t, encodeQR, "https://post.example/d/9fK2mQ7xLr0aVb3T#EAZ8")
	size, modules := code.Get("size").Int(), bytesOf(code.Get("modules"))
	if len(modules) != size*size || size < 21 {
		t.Fatalf("%d modules of %d squared", len(modules), size)
	}
	if finder := []byte{1, 1, 1, 1, 1, 1, 1, 0}; !bytes.HasPrefix(modules, finder) || !bytes.HasPrefix(modules[size:], []byte{1, 0, 0, 0, 0, 0, 1, 0}) {
		t.Errorf("it begins with % x", modules[:size+8])
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
		"no code so big": {"too-large", encodeQR, []any{strings.Repeat("x", 3000)}},
		"unknown link":   {"unsupported", openLink, []any{"IAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil}},
		"no identity":    {"misuse", newOpener, []any{id, toJS(nil)}},
		"not bytes":      {"misuse", newOpener, []any{id, map[string]any{"length": 3}}},
		"lying length":   {"misuse", newOpener, []any{id, map[string]any{"length": -3}}},
		"fraction":       {"misuse", newSealer, []any{id, "file", "", []any{map[string]any{"name": "a", "size": 1.5, "type": ""}}}},
		"no backup":      {"not-a-backup", openBackup, []any{"passphrase", toJS([]byte("age"))}},
		"no passphrase":  {"misuse", sealBackup, []any{"", toJS(nil)}},
		"engine's panic": {"misuse", func(arguments) (any, error) { panic("oops") }, nil},
	} {
		if got := code(function(c.f).Invoke(c.args...)); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// TestSealReport: what a page sends the operator opens with their key; what cannot be sealed is an error with a code.
func TestSealReport(t *testing.T) {
	operator, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	complaint := map[string]any{"share": "AAAAAAAAAAAAAAAA", "reason": "something-else", "words": "“why”", "link": "", "identity": ""}
	sealed := made(t, sealReport, operator.Recipient().String(), complaint)
	want := report.Report{Version: 1, Share: "AAAAAAAAAAAAAAAA", Reason: "something-else", Words: "“why”"}
	if got, err := report.Open(bytesOf(sealed), operator); err != nil || *got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for what, c := range map[string]struct {
		args []any
		code string
	}{
		"recipient": {[]any{"age1nobody", complaint}, "bad-recipient"},
		"words":     {[]any{operator.Recipient().String(), map[string]any{"share": "A", "reason": "something-else", "words": strings.Repeat("x", 1<<16), "link": "", "identity": ""}}, "too-large"},
		"reason":    {[]any{operator.Recipient().String(), map[string]any{"share": "A", "reason": "", "words": "", "link": "", "identity": ""}}, "misuse"},
		"member":    {[]any{operator.Recipient().String(), map[string]any{"share": "A"}}, "misuse"},
		"nothing":   {nil, "misuse"},
	} {
		if got := code(function(sealReport).Invoke(c.args...)); got != c.code {
			t.Errorf("%s: %q, want %q", what, got, c.code)
		}
	}
}
