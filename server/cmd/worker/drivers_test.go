//go:build !js

package main_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/conformance/workerd"
)

// TestDrivers runs storetest for R2 and D1 where they are, in workerd. Two tests of R2 are left out, because they want a delete
// that depends on the object still being the one that was looked at, or that tells whether there was one, and R2 has neither: of
// PutAgainstSweep, what a sweep finds old may be new when it is deleted; of ManySweeps, two sweeps count what both delete.
// Package r2 says so, and its TestSweeps tests what holds instead.
func TestDrivers(t *testing.T) {
	t.Parallel()
	workerd.Need(t)
	drivers := map[string][]string{
		"d1": nil,
		"r2": {"-test.skip", "TestBlobs/(PutAgainstSweep|ManySweeps)$"},
	}
	for driver := range drivers {
		cmd := exec.Command("go", "test", "-c", "-o", "build/test/"+driver+".wasm", "../../store/"+driver)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("failed to build tests of %s: %v\n%s", driver, err, out)
		}
	}
	for driver, args := range drivers {
		t.Run(driver, func(t *testing.T) {
			t.Parallel() // and in a workerd of its own, which has one thread
			d := deploy(t, "testdata/drivers.mjs")
			resp, err := http.Get(d.URL + "/" + driver + "?" + url.Values{"arg": args}.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			out, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			passed := strings.Count(string(out), "--- PASS")
			if !strings.HasSuffix(string(out), "\nexit 0\n") || passed < 10 {
				t.Errorf("%d passed, status %d:\n%s", passed, resp.StatusCode, out)
			}
		})
	}
}
