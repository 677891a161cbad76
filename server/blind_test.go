package server_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sealpost/sealpost"

// TestBlind: nothing that runs on the server can seal or open, and nothing in it reaches into wasm/. That the server cannot
// read what it keeps is a property of the import graph, and this is where it is checked, on both platforms.
//
// Run it with -count=1, as the Makefile does: the test cache does not see what go list reads.
func TestBlind(t *testing.T) {
	for _, c := range []struct {
		name     string
		env      []string
		packages []string
	}{
		{"native", nil, []string{"./..."}},
		{"wasm", []string{"GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0"}, []string{".", "./api", "./store"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			deps := goList(t, c.env, append([]string{"-deps", "-f", "{{.ImportPath}}"}, c.packages...)...)
			if !slices.Contains(deps, module+"/server") || !slices.Contains(deps, "net/http") {
				t.Fatalf("the list does not have what it must have: %q", deps)
			}
			for _, p := range deps {
				if within(p, "filippo.io/age") || within(p, module+"/wasm") {
					t.Errorf("the server depends on %s", p)
				}
			}
		})
	}
}

// TestLeaves: the packages that others build upon import nothing of ours, and the wire contract nothing but the standard library.
func TestLeaves(t *testing.T) {
	for _, c := range []struct {
		pkg          string
		standardOnly bool
	}{{"/server/api", true}, {"/server/store", true}, {"/static", false}} {
		deps := goList(t, nil, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+c.pkg)
		if !slices.Contains(deps, module+c.pkg) {
			t.Fatalf("%s: the list does not have the package itself: %q", c.pkg, deps)
		}
		for _, p := range deps {
			if p != module+c.pkg && (c.standardOnly || within(p, module)) {
				t.Errorf("%s depends on %s", c.pkg, p)
			}
		}
	}
}

func within(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

func goList(t *testing.T, env []string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("failed to list packages: %v\n%s", err, stderr.Bytes())
	}
	return strings.Fields(string(out))
}
