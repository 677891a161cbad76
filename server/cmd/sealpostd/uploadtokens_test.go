package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tokenOf runs sealpostd token and returns what it prints.
func tokenOf(t *testing.T, path string, args ...string) (string, error) {
	t.Helper()
	var out, usage bytes.Buffer
	err := manageTokens(append([]string{"-upload-tokens", path}, args...), none, &out, &usage)
	return strings.TrimSpace(out.String()), err
}

func TestManageTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if _, err := tokenOf(t, path, "list"); err == nil {
		t.Error("lists a file that is missing")
	}
	text, err := tokenOf(t, path, "new", "alice")
	if err != nil || len(text) != 43 {
		t.Fatalf("%q, %v", text, err)
	}
	file, err := os.ReadFile(path)
	if err != nil || bytes.Contains(file, []byte(text)) {
		t.Errorf("%v:\n%s", err, file)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"new", "alice"}, {"new", "two words"}, {"new"}, {"revoke", "bob"}, {"revoke"}, {"x"}, {}, {"list", "x"}} {
		if out, err := tokenOf(t, path, args...); err == nil || out != "" {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
	if _, err := tokenOf(t, path, "new", "bob"); err != nil {
		t.Error(err)
	}
	if out, err := tokenOf(t, path, "list"); err != nil || !strings.Contains(out, "\talice\n") || !strings.HasSuffix(out, "\tbob") {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := tokenOf(t, path, "revoke", "alice"); err != nil {
		t.Error(err)
	}
	if out, err := tokenOf(t, path, "list"); err != nil || strings.Contains(out, "alice") || !strings.Contains(out, "bob") {
		t.Errorf("%q, %v", out, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenOf(t, path, "new", "carol"); err == nil {
		t.Error("two change the file at once")
	}
	var out bytes.Buffer
	env := func(k string) string { return map[string]string{"SEALPOST_UPLOAD_TOKENS": path}[k] }
	if err := manageTokens([]string{"list"}, env, &out, &out); err != nil || !strings.Contains(out.String(), "bob") {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := manageTokens([]string{"list"}, none, &out, &out); err == nil {
		t.Error("needs no file")
	}
	out.Reset()
	value := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(value, []byte(path+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env = func(k string) string { return map[string]string{"SEALPOST_UPLOAD_TOKENS_FILE": value}[k] }
	if err := manageTokens([]string{"list"}, env, &out, &out); err != nil || !strings.Contains(out.String(), "bob") {
		t.Errorf("named in a file: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := manageTokens([]string{"-h"}, none, &out, io.Discard); err != nil || !strings.HasPrefix(out.String(), "usage: ") {
		t.Errorf("help: %q, %v", out.String(), err)
	}
	for _, args := range [][]string{{"-x", "list"}, {"-upload-tokens", path, "lists"}} {
		out.Reset()
		if err := manageTokens(args, none, &out, &out); err == nil || !strings.HasSuffix(err.Error(), "\n"+errTokenUsage.Error()) || out.Len() > 0 {
			t.Errorf("%q: %v, and printed %q", args, err, out.String())
		}
	}
}

// A link stays one, and what it leads to is changed: whoever was revoked is so there, too.
func TestTokensBehindLink(t *testing.T) {
	real, link := filepath.Join(t.TempDir(), "tokens"), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenOf(t, link, "new", "alice"); err == nil {
		t.Error("a link that leads nowhere is taken")
	}
	for _, step := range [][]string{{real, "new", "alice"}, {link, "new", "bob"}, {link, "revoke", "alice"}} {
		if _, err := tokenOf(t, step[0], step[1:]...); err != nil {
			t.Fatalf("%q: %v", step, err)
		}
	}
	if out, err := tokenOf(t, real, "list"); err != nil || strings.Contains(out, "alice") || !strings.Contains(out, "bob") {
		t.Errorf("%q, %v", out, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
}

// A change of the file counts at once, and while it cannot be read nobody is admitted.
func TestUploadTokensFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if _, err := openUploadTokens(path, logger); err == nil {
		t.Error("opens a file that is missing")
	}
	made := func(name string) [32]byte {
		text, err := tokenOf(t, path, "new", name)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		return sha256.Sum256(raw)
	}
	alice := made("alice")
	tokens, err := openUploadTokens(path, logger)
	if err != nil {
		t.Fatal(err)
	}
	want := func(token [32]byte, want bool) {
		t.Helper()
		tokens.next = time.Time{} // and not in a second
		if tokens.Has(token) != want {
			t.Errorf("got %v, want %v\n%s", !want, want, log.String())
		}
	}
	want(alice, true)
	bob := made("bob")
	want(bob, true)
	want(alice, true)
	if _, err := tokenOf(t, path, "revoke", "alice"); err != nil {
		t.Fatal(err)
	}
	want(alice, false)
	want(bob, true)
	good, _ := os.ReadFile(path)
	for _, broken := range []func(){
		func() { os.WriteFile(path, []byte("junk"), 0o600) },
		func() { os.Remove(path) },
		func() { os.WriteFile(path, bytes.Repeat([]byte("#"), maxTokenFile+1), 0o600) },
	} {
		broken()
		for range 3 {
			want(bob, false)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		want(bob, true)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 3 {
		t.Errorf("%d errors are logged:\n%s", n, log.String())
	}
	if strings.Contains(log.String(), "bob") {
		t.Error("the log tells names")
	}
}
