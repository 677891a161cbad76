package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// Names that people use and programs get wrong.
const (
	emojiName = "📮 Grüße 👩‍👩‍👧‍👦 🇯🇵.txt"
	rtlName   = "שלום עולם مرحبا.txt"
	spaceName = "two  spaces & 100% #1+.txt"
)

// longName has 255 bytes, as many as file systems take.
var longName = strings.Repeat("ä", 125) + "_.txt"

// writeFile makes a file with its folders.
func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
	return path
}

// noise is incompressible.
func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	var key [32]byte
	for i := range key {
		key[i] = byte(r.Uint32())
	}
	rand.NewChaCha8(key).Read(b)
	return b
}

// prose compresses well.
func prose(r *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "line %d of a long letter\n", r.IntN(1000))
	}
	return b.Bytes()[:n]
}

// noiseFile makes a large file of noise without holding it in memory.
func noiseFile(t *testing.T, r *rand.Rand, path string, size int64) string {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	var key [32]byte
	for i := range key {
		key[i] = byte(r.Uint32())
	}
	_, err = io.CopyN(f, rand.NewChaCha8(key), size)
	must(t, err)
	must(t, f.Close())
	return path
}

// manyFiles makes a folder with n files of all the sizes around the borders of the format, some levels deep.
func manyFiles(t *testing.T, r *rand.Rand, dir string, n int) string {
	t.Helper()
	sizes := []int{0, 1, 100, 511, 512, 513, 4095, 4096, 65536}
	for i := range n {
		size := sizes[r.IntN(len(sizes)-1)]
		if i%100 == 0 {
			size = sizes[len(sizes)-1] - 1 + r.IntN(3)
		}
		name := filepath.Join(dir, fmt.Sprintf("%02d", i%17), fmt.Sprintf("%03d", i%113), fmt.Sprintf("file %05d.dat", i))
		data := prose(r, size)
		if i%3 == 0 {
			data = noise(r, size)
		}
		writeFile(t, name, data)
	}
	return dir
}

// goSource is the folder with the sources of Go's own tree.
func goSource(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	root, err := filepath.EvalSymlinks(filepath.Join(strings.TrimSpace(string(out)), "src"))
	must(t, err)
	return root
}

// fileHash is the SHA-256 of a file.
func fileHash(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	must(t, err)
	return fmt.Sprintf("%d bytes %x", n, h.Sum(nil))
}

// inventory is every file below dir by its path, with size, hash and modification time. Empty folders count too.
func inventory(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if inside, err := os.ReadDir(path); err != nil || len(inside) > 0 {
				return err
			}
			all[name+"/"] = "empty folder"
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[name] = fmt.Sprintf("%s, %d", fileHash(t, path), info.ModTime().Unix())
		return nil
	}))
	return all
}

// wantSame compares inventories and tells the first differences.
func wantSame(t *testing.T, got, want map[string]string) {
	t.Helper()
	var diffs []string
	for name, w := range want {
		if g, ok := got[name]; !ok {
			diffs = append(diffs, fmt.Sprintf("%q is missing", name))
		} else if g != w {
			diffs = append(diffs, fmt.Sprintf("%q is %s, want %s", name, g, w))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			diffs = append(diffs, fmt.Sprintf("%q is too much", name))
		}
	}
	sort.Strings(diffs)
	if len(diffs) > 0 {
		t.Fatalf("%d of %d files differ: %s", len(diffs), len(want), strings.Join(diffs[:min(10, len(diffs))], "\n"))
	}
}

// untar opens an archive with the system's tar and returns the inventory.
func untar(t *testing.T, archive string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	command(t, nil, "tar", "-x", "-f", archive, "-C", dir)
	return inventory(t, dir)
}

// command runs a program of the system and returns what it printed. Its warnings fail the test too.
func command(t *testing.T, stdin io.Reader, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	c.Stdin = stdin
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return out
}
