//go:build js && wasm

// Package promise waits for JavaScript.
package promise

import (
	"errors"
	"syscall/js"
)

// Await waits until p settles. A rejection becomes an error with the text of its reason. There must be someone to settle it
// while the goroutine waits; nothing else can end the wait.
func Await(p js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	resolved := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		return nil
	})
	defer resolved.Release()
	rejected := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: errors.New(js.Global().Get("String").Invoke(args[0]).String())}
		return nil
	})
	defer rejected.Release()
	p.Call("then", resolved, rejected)
	o := <-settled
	return o.value, o.err
}
