//go:build !js

package main_test

import (
	mathrand "math/rand/v2"
	"testing"
)

// TestStock: the library's own glue serves as well, so that the pool can be given up for it.
func TestStock(t *testing.T) {
	d := deploy(t, "stock.mjs", "SEALPOST_PART_SIZE:64KiB")
	for seed := range uint64(3) {
		if err := round(d.URL, mathrand.New(mathrand.NewPCG(2, seed))); err != nil {
			t.Error(err)
		}
	}
	d.trigger(t, "* * * * *")
}
