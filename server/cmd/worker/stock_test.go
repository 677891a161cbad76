//go:build !js

package main_test

import (
	mathrand "math/rand/v2"
	"os"
	"testing"
)

// TestStock: the library's own glue serves as well, so that the pool can be given up for it. Each call takes an instance of its own.
func TestStock(t *testing.T) {
	t.Parallel()
	d := deploy(t, "stock.mjs", "SEALPOST_PART_SIZE:64KiB")
	seed, rounds := seedOf(t), uint64(1)
	if os.Getenv("SEALPOST_LONG") == "1" {
		rounds = 10
	}
	for i := range rounds {
		if err := round(d.URL, mathrand.New(mathrand.NewPCG(seed, i))); err != nil {
			t.Error(err)
		}
	}
	d.trigger(t, "* * * * *")
}
