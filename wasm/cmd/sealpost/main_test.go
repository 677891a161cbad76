package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

func call(stdin string, env map[string]string, args ...string) (status int, stdout, stderr string) {
	var o, e bytes.Buffer
	get := func(k string) string { return env[k] }
	status = run(context.Background(), args, get, strings.NewReader(stdin), &o, &e)
	return status, o.String(), e.String()
}

func TestKey(t *testing.T) {
	plain, locked := link.New(false), link.New(true)
	want := func(l link.Link, password string) string {
		k, err := l.Unlock(password)
		if err != nil {
			t.Fatal(err)
		}
		return k.Identity + "\n"
	}
	env := map[string]string{"SEALPOST_PASSWORD": "épée"}
	for name, c := range map[string]struct {
		arg, stdin string
		env        map[string]string
		want       string
	}{
		"fragment":      {plain.String(), "", nil, want(plain, "")},
		"hash":          {"#" + plain.String(), "", nil, want(plain, "")},
		"link":          {"https://example.org/d/AAAAAAAAAAAAAAAA#" + plain.String(), "", nil, want(plain, "")},
		"no need":       {plain.String(), "", env, want(plain, "")},
		"environment":   {locked.String(), "", env, want(locked, "épée")},
		"decomposed":    {locked.String(), "", map[string]string{"SEALPOST_PASSWORD": "e\u0301pe\u0301e"}, want(locked, "épée")},
		"standard":      {locked.String(), "épée\n", nil, want(locked, "épée")},
		"no line end":   {locked.String(), "épée", nil, want(locked, "épée")},
		"carriage":      {locked.String(), "épée\r\nrest", nil, want(locked, "épée")},
		"all on stdin":  {"-", "http://h/d/x#" + locked.String() + "\nép é", nil, want(locked, "ép é")},
		"link on stdin": {"-", plain.String(), nil, want(plain, "")},
	} {
		if status, out, stderr := call(c.stdin, c.env, "key", c.arg); status != 0 || out != c.want || stderr != "" {
			t.Errorf("%s: %d, %q, %q", name, status, out, stderr)
		}
	}
	keys, err := locked.Unlock("épée")
	if err != nil {
		t.Fatal(err)
	}
	if status, out, stderr := call("", env, "token", locked.String()); status != 0 || out != keys.Bearer()+"\n" || stderr != "" {
		t.Errorf("token: %d, %q, %q", status, out, stderr)
	}
	for name, args := range map[string][]string{"bad": {"key", "x"}, "no password": {"key", locked.String()}, "nothing": {"key", "-"}} {
		if status, out, stderr := call("", nil, args...); status != 1 || out != "" || !strings.HasPrefix(stderr, "sealpost: failed to") {
			t.Errorf("%s: %d, %q, %q", name, status, out, stderr)
		}
	}
	for _, args := range [][]string{nil, {"key"}, {"open", "x"}, {"key", plain.String(), "password"}} {
		if status, out, stderr := call("", nil, args...); status != 2 || out != "" || stderr != usage {
			t.Errorf("%q: %d, %q, %q", args, status, out, stderr)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	none := func(string) string { return "" }
	if status := run(ctx, []string{"key", link.New(true).String()}, none, r, io.Discard, io.Discard); status != 1 {
		t.Error(status)
	}
}

// What key prints opens a share with the system's age.
func TestStockAge(t *testing.T) {
	for _, tool := range []string{"age", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool, "is not there")
		}
	}
	l := link.New(true)
	k, err := l.Unlock("pass word")
	if err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("sealed with wax\n", 100_000)
	s, err := seal.NewSealer(k.Identity, seal.KindFile, "", []seal.Entry{{Name: "f", Size: int64(len(content))}})
	if err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	read := func(_ int, p []byte, from int64) error {
		copy(p, content[from:])
		return nil
	}
	put := func(_ int64, part []byte) error {
		sealed = append(sealed, part...)
		return nil
	}
	if err := s.Seal(1<<20, read, put); err != nil {
		t.Fatal(err)
	}
	status, identity, stderr := call("pass word\n", nil, "key", "https://example.org/d/AAAAAAAAAAAAAAAA#"+l.String())
	if status != 0 {
		t.Fatal(stderr)
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "key"), []byte(identity), 0o600)
	os.WriteFile(filepath.Join(dir, "content"), sealed, 0o600)
	cmd := exec.Command("bash", "-o", "pipefail", "-c", "age -d -i key content | zstd -dq")
	cmd.Dir = dir
	if out, err := cmd.Output(); err != nil || string(out) != content {
		t.Errorf("%v, %d bytes", err, len(out))
	}
}
