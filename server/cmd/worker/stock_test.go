//go:build !js

package main_test

import (
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestStock: the library's own glue serves as well, so that the pool can be given up for it.
func TestStock(t *testing.T) {
	d := deploy(t, "stock.mjs", "SEALPOST_PART_SIZE:64KiB")
	for seed := range uint64(3) {
		if err := round(d.url, mathrand.New(mathrand.NewPCG(2, seed))); err != nil {
			t.Error(err)
		}
	}
	d.trigger(t, "* * * * *")
}

// trigger is what Cloudflare's clock does.
func (d *deployment) trigger(t *testing.T, cron string) {
	t.Helper()
	resp, err := http.Get(d.url + "/__scheduled?" + url.Values{"cron": {cron}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || strings.Contains(d.log.String(), "sweep failed") {
		t.Errorf("the trigger %q is answered %d\n%s", cron, resp.StatusCode, d.log)
	}
}
