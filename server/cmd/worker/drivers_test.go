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

// TestDrivers runs storetest for R2 and D1 where they are, in workerd. What R2 cannot do is left out; package r2 says so.
func TestDrivers(t *testing.T) {
	workerd.Need(t)
	for _, driver := range []string{"d1", "r2"} {
		cmd := exec.Command("go", "test", "-c", "-o", "build/test/"+driver+".wasm", "../../store/"+driver)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("failed to build tests of %s: %v\n%s", driver, err, out)
		}
	}
	d := deploy(t, "testdata/drivers.mjs")
	for driver, args := range map[string][]string{
		"d1": nil,
		"r2": {"-test.skip", "TestBlobs/(PutAgainstSweep|ManySweeps)$"},
	} {
		t.Run(driver, func(t *testing.T) {
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
