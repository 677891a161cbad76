//go:build !js

package main_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/conformance/workerd"
)

// TestDrivers runs storetest for R2 and D1 where they are, in workerd.
func TestDrivers(t *testing.T) {
	t.Parallel()
	workerd.Need(t)
	drivers := []string{"d1", "r2"}
	for _, driver := range drivers {
		cmd := exec.Command("go", "test", "-c", "-o", "build/test/"+driver+".wasm", "../../store/"+driver)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("failed to build tests of %s: %v\n%s", driver, err, out)
		}
	}
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			t.Parallel() // and in a workerd of its own, which has one thread
			d := deploy(t, "testdata/drivers.mjs")
			resp, err := http.Get(d.URL + "/" + driver)
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
