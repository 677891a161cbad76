//go:build !js

package main_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/conformance/workerd"
)

// TestBlind: the Worker, too, has nothing that seals or opens.
func TestBlind(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/sealpost/sealpost/server/store/r2") {
		t.Fatalf("the list does not have what it must have: %q", deps)
	}
	for _, p := range deps {
		if strings.HasPrefix(p, "filippo.io/age") || strings.HasPrefix(p, "github.com/sealpost/sealpost/wasm") {
			t.Errorf("the Worker depends on %s", p)
		}
	}
}

// ours returns the files of our packages that a program is built of, by the packages' paths.
func ours(t *testing.T, program string, env ...string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Dir}} {{join .GoFiles \" \"}}", program)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(fields[0], "github.com/sealpost/sealpost/") {
			continue
		}
		for _, name := range fields[2:] {
			files[fields[0]] = append(files[fields[0]], filepath.Join(fields[1], name))
		}
	}
	return files
}

// TestPortable: natively and on Workers the service is the same source. What both programs are made of differs by no more than a
// few files, and JavaScript answers in its place for little.
func TestPortable(t *testing.T) {
	const most = 300
	native, worker := ours(t, "../sealpostd"), ours(t, ".", "GOOS=js", "GOARCH=wasm")
	if native["github.com/sealpost/sealpost/server"] == nil || worker["github.com/sealpost/sealpost/server"] == nil {
		t.Fatal("both programs must have package server")
	}
	differ := []string{"pages.mjs", "limits.mjs"} // of package server and sealpostd; the other modules are drivers and glue
	for path, names := range native {
		for _, name := range append(names, worker[path]...) {
			if worker[path] != nil && slices.Contains(names, name) != slices.Contains(worker[path], name) {
				differ = append(differ, name)
			}
		}
	}
	lines := 0
	for _, name := range differ {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	t.Logf("%d lines differ by platform, in %q", lines, differ)
	if lines >= most {
		t.Errorf("%d lines differ by platform, less than %d are wanted", lines, most)
	}
}

// TestSize: the bundle fits where Workers are smallest, with room.
func TestSize(t *testing.T) {
	t.Parallel()
	const most = 2_500_000
	dir := t.TempDir()
	cmd := workerd.Wrangler(t.Context(), t, "deploy", "--dry-run", "--outdir", filepath.Join(dir, "bundle"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("failed to bundle: %v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "bundle", "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the bundle is %q, %v", files, err)
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if ext := filepath.Ext(name); ext != ".wasm" && ext != ".js" && ext != ".mjs" {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", zipped.Len())
	if zipped.Len() > most || zipped.Len() < most/4 {
		t.Errorf("the bundle has %d bytes compressed, at most %d are wanted", zipped.Len(), most)
	}
}

// TestGlue: the library's copy of Go's loader differs from that of the Go that is used only in giving Go a context. If this
// fails after a new Go, the library needs a new version, or the pool does not hold.
func TestGlue(t *testing.T) {
	workerd.Need(t)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("build/go/wasm_exec.js")
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	for _, change := range [][2]string{
		{"async run(instance, context) {", "async run(instance) {"},
		{text[strings.Index(text, "\t\t\tconst globalProxy"):strings.Index(text, "\t\t\tthis._values = [")], ""},
		{"globalProxy", "globalThis"},
	} {
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	if strings.TrimSpace(text) != strings.TrimSpace(string(want)) {
		t.Error("the library's wasm_exec.js is another than Go's")
	}
}

// TestQuiet: of a request that goes well JavaScript logs nothing, as its names and addresses are nobody's business.
func TestQuiet(t *testing.T) {
	for _, pattern := range []string{"*.mjs", "../../store/r2/*.mjs"} {
		scripts, err := filepath.Glob(pattern)
		if err != nil || len(scripts) == 0 {
			t.Fatal(scripts, err)
		}
		for _, name := range scripts {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "console.") - strings.Count(string(text), "console.error("); n > 0 {
				t.Errorf("%s logs more than errors, %d times", name, n)
			}
		}
	}
}
