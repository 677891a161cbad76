package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"

	"github.com/sealpost/sealpost/server/internal/values"
)

func none(string) string { return "" }

func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	done := make(chan error, 1)
	data := filepath.Join(t.TempDir(), "data")
	go func() {
		done <- run(ctx, []string{"-listen", "localhost:0", "-data", data}, none, w)
		w.Close()
	}()
	url, ok, lines := "", false, bufio.NewReader(r)
	for !ok {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v: %v", err, <-done)
		}
		url, ok = strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	}
	go io.Copy(io.Discard, lines)
	for path, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/d/x": "text/html; charset=utf-8", "/api/v1/config": "application/json",
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != want {
			t.Errorf("%s: %d %s", path, resp.StatusCode, got)
		}
	}
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("does not stop")
	}
}

func TestOptions(t *testing.T) {
	env := map[string]string{"SEALPOST_LIFETIMES": "2s, 1h,7d", "SEALPOST_MAX_DOWNLOADS": "7", "SEALPOST_PART_SIZE": "1MiB"}
	o, err := parseOptions([]string{"-max-downloads", "9", "-trusted-proxies", "10.1.2.3/8,::1,::ffff:192.0.2.0/120,::ffff:192.0.2.9"},
		func(k string) string { return env[k] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.maxDownloads != 9 || o.partSize != 1<<20 || o.front.trustedProxies.String() != "10.0.0.0/8,::1/128,192.0.2.0/24,192.0.2.9/32" ||
		!slices.Equal(o.lifetimes, values.Durations{2 * time.Second, time.Hour, 7 * 24 * time.Hour}) ||
		o.lifetimes.String() != "2s,1h,7d" {
		t.Errorf("parsed %+v", o)
	}
	for _, args := range [][]string{{"-sweep", "1ms"}, {"x"}, {"-log-format", "xml"}, {"-create-rate", "-1"}, {"-take-rate", "-1"},
		{"-lifetimes", "1x"},
		{"-max-share-size", "0"}, {"-part-size", "0"}, {"-max-downloads", "0"}, {"-abandon-after", "0s"}, // not: as much as can be
		{"-db", "mysql://x"}, {"-db", "postgres://x", "-db-file", "y"}, {"-s3-bucket", "b"}, {"-s3-endpoint", "https://s3.example"}, {"-s3-direct", "https://s3.example"},
		{"-part-size", "-1"}, {"-max-share-size", "99999999999GiB"}, {"-trusted-proxies", "a"}} {
		if _, err := parseOptions(args, none, io.Discard); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
	env = map[string]string{"SEALPOST_SWEEP": "soon"}
	if _, err := parseOptions(nil, func(k string) string { return env[k] }, io.Discard); err == nil {
		t.Error("a wrong environment is accepted")
	}
	var help bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, none, &help); err != nil || !strings.Contains(help.String(), "5m,1h,1d,3d,7d,14d,30d") {
		t.Errorf("%v:\n%s", err, help.String())
	}
	if o.maxShareSize != api.MaxParts*api.MaxPartSize {
		t.Errorf("share size %d", o.maxShareSize)
	}
}

// TestSecrets: a file has them, and what is wrong with them is said without them.
func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{"": "is empty", " \n": "is empty", "hush\n": "is not postgres://", "postgres://a:1/b\nhush": "more than one line", "postgres://a:hush@b:x/c": "is not like postgres://",
		"postgres://a:hush@b/c?sslmode=x": "sslmode is invalid", "postgres://a:hush@127.0.0.1:1/b\n": "connect"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), []string{"-data", t.TempDir(), "-db-file", file}, none, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := run(t.Context(), []string{"-data", t.TempDir(), "-db-file", file + "2"}, none, io.Discard); err == nil {
		t.Error("a missing file is taken")
	}
	err := run(t.Context(), []string{"-data", t.TempDir(), "-db", "mysql://a:hush@b/c"}, none, io.Discard)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a wrong address: %v", err)
	}
}

func TestLimiter(t *testing.T) {
	if newLimiter(0) != nil {
		t.Error("0 limits")
	}
	l := newLimiter(2)
	for i, want := range []bool{true, true, false, false} {
		if ok, wait := l.Allow("a"); ok != want || ok != (wait == 0) || wait > 31*time.Second {
			t.Errorf("event %d: %v, %v", i, ok, wait)
		}
	}
	if ok, _ := l.Allow("b"); !ok {
		t.Error("one key limits another")
	}
	for i := range 3 * maxKeys {
		l.Allow(string(rune(i)) + "x")
	}
	if m := l.(*limiter); len(m.young) > maxKeys || len(m.old) > maxKeys {
		t.Errorf("keeps %d and %d keys", len(m.young), len(m.old))
	}
}
