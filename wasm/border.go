//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"syscall/js"

	"github.com/sealpost/sealpost/wasm/internal/backup"
	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/qr"
	"github.com/sealpost/sealpost/wasm/internal/report"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// build may be set by -ldflags "-X main.build=…".
var build string

// buildID names the source that the engine was built from, as far as that is known.
func buildID() string {
	if build != "" {
		return build
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// codes of errors, for engine.d.ts. The first that matches counts.
var codes = []struct {
	err  error
	code string
}{
	{link.ErrSyntax, "bad-link"},
	{link.ErrVersion, "unsupported"},
	{link.ErrPassword, "misuse"},
	{seal.ErrVersion, "unsupported"},
	{seal.ErrWrongKey, "wrong-key"},
	{seal.ErrDamaged, "damaged"},
	{seal.ErrHostile, "hostile"},
	{seal.ErrMismatch, "mismatch"},
	{seal.ErrName, "bad-name"},
	{seal.ErrTooLarge, "too-large"},
	{qr.ErrTooLong, "too-large"},
	{report.ErrRecipient, "bad-recipient"},
	{report.ErrTooLarge, "too-large"},
	{backup.ErrFormat, "not-a-backup"},
	{backup.ErrPassphrase, "wrong-passphrase"},
	{backup.ErrCostly, "too-costly"},
	{backup.ErrDamaged, "damaged"},
	{backup.ErrTooLarge, "too-large"},
}

var errMisuse = seal.ErrMisuse

// jsError makes an Error with a code.
func jsError(err error) js.Value {
	code := "misuse"
	for _, c := range codes {
		if errors.Is(err, c.err) {
			code = c.code
			break
		}
	}
	e := js.Global().Get("Error").New(err.Error())
	e.Set("code", code)
	return e
}

type goFunc func(args arguments) (any, error)

// function makes f callable from JavaScript. It does not throw: an error or a panic becomes the value returned.
func function(f goFunc) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
		defer func() {
			if r := recover(); r != nil {
				result = jsError(fmt.Errorf("engine failed: %v", r))
			}
		}()
		v, err := f(args)
		if err != nil {
			return jsError(err)
		}
		if v == nil {
			return js.Undefined()
		}
		return v
	})
}

type methods map[string]goFunc

// newObject makes an object of methods, and its close(), which releases them. After it every method is gone.
func newObject(m methods, closing func()) js.Value {
	o := js.Global().Get("Object").New()
	var funcs []js.Func
	for name, f := range m {
		fn := function(f)
		funcs = append(funcs, fn)
		o.Set(name, fn)
	}
	var closer js.Func
	closer = function(func(arguments) (any, error) {
		closing()
		o.Set("close", noop)
		for name := range m {
			o.Set(name, closed)
		}
		for _, fn := range append(funcs, closer) {
			fn.Release()
		}
		return nil, nil
	})
	o.Set("close", closer)
	return o
}

// What the methods of a closed object become; never released.
var (
	noop   = function(func(arguments) (any, error) { return nil, nil })
	closed = function(func(arguments) (any, error) { return nil, fmt.Errorf("%w: closed", errMisuse) })
)

// arguments of a call. Accessors panic on what the caller got wrong, and function turns that into an Error.
type arguments []js.Value

func (a arguments) at(i int, want js.Type) js.Value {
	if i >= len(a) || a[i].Type() != want {
		panic(fmt.Sprintf("argument %d is not a %s", i, want))
	}
	return a[i]
}

func (a arguments) string(i int) string { return a.at(i, js.TypeString).String() }

// password is "" where there is none.
func (a arguments) password(i int) string {
	if i >= len(a) || a[i].IsNull() || a[i].IsUndefined() {
		return ""
	}
	return a.string(i)
}

func (a arguments) int(i int) int64 { return integer(a.at(i, js.TypeNumber)) }

func (a arguments) bool(i int) bool { return a.at(i, js.TypeBoolean).Bool() }

// bytes copies the bytes of argument i into buf, or into a new buffer if that is too small.
func (a arguments) bytes(i int, buf []byte) []byte {
	v := a.at(i, js.TypeObject)
	if n := integer(v.Get("length")); n <= int64(cap(buf)) {
		buf = buf[:n]
	} else {
		buf = make([]byte, n)
	}
	js.CopyBytesToGo(buf, v)
	return buf
}

// integer refuses what a float64 cannot hold exactly.
func integer(v js.Value) int64 {
	f := v.Float()
	if f != math.Trunc(f) || math.Abs(f) > 1<<53-1 {
		panic(fmt.Sprintf("%v is not an integer", f))
	}
	return int64(f)
}

func toJS(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}
