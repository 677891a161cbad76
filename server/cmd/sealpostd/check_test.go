package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrorsNameFlags: whoever made a mistake learns where, and what would be taken.
func TestErrorsNameFlags(t *testing.T) {
	for _, c := range []struct{ flag, value, want string }{
		{"create-rate", "-1", "a number from 0 to"}, {"miss-rate", "NaN", "a number from 0 to"}, {"call-rate", "x", "a number from 0 to"},
		{"daily-shares", "-1", "a whole number"}, {"max-connections", "-1", "a whole number"}, {"client-connections", "-1", "a whole number"},
		{"max-downloads", "many", "a whole number"}, {"max-downloads", "0", "zero"}, {"part-size", "0", "zero"}, {"max-share-size", "0", "zero"},
		{"abandon-after", "0s", "zero"}, {"abandon-after", "10ms", "shorter than a second"}, {"part-size", "10GB", "KiB, MiB, GiB or TiB"},
		{"part-size", "1KiB", "not within"}, {"sweep", "1ms", "shorter than a second"}, {"sweep", "soon", "1d12h"},
		{"header-timeout", "1ms", "shorter than a second"}, {"stall-timeout", "0s", "shorter than a second"}, {"idle-timeout", "1ms", "shorter"},
		{"max-headers", "1KiB", "4KiB … 1MiB"}, {"min-free", "1MiB", "16MiB"}, {"lifetimes", "1h,1m", "ascending"}, {"lifetimes", "1h,1x", `"1x"`},
		{"default-lifetime", "2h", "not one of"}, {"report-recipient", "age1x", "age1pq1…"}, {"log-format", "xml", "text nor json"},
		{"log-level", "loud", "debug, info, warn or error"}, {"log-networks=maybe", "", "true or false"},
		{"trusted-proxies", "localhost", "10.0.0.0/8"}, {"base-path", "send", "begins with a slash"}, {"data", "", "empty"},
		{"listen", ":65536", "from 0 to 65535"}, {"listen", ":-1", "from 0 to 65535"}, {"private-listen", ":no-such-service", `"no-such-service"`},
		{"listen", "nowhere", "localhost:8080"}, {"listen", "unix:", "no path"}, {"redirect-listen", ":80", "-tls-cert or -acme-hosts"},
		{"private-listen", "systemd", "no private socket"}, {"private-listen", "localhost:8080", "-listen"}, {"db", "mysql://x", "postgres://"},
		{"db", "postgres://a:hush@b:x/c", "user@host"}, {"db", "postgres://a:hush@b/c?sslmode=x", "sslmode is invalid"},
		{"s3-endpoint", "https://s3.example", "-s3-bucket"}, {"s3-bucket", "b", "-s3-endpoint"}, {"acme-email", "ops@post.example", "-acme-hosts"},
		{"acme-directory", "http://acme.example", "https://"}, {"acme-directory", "https://", "https://"},
		{"upload-header", "X Y", "not one"}, {"upload-header", "host", "something else"}, {"upload-header", "X-Forwarded-For", "something else"},
		{"upload-header", "Cookie", "something else"}, {"upload-header", "Authorization", "something else"},
	} {
		args := []string{"-" + c.flag, c.value}
		if strings.Contains(c.flag, "=") {
			args = args[:1]
		}
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"-config-check"}, args...), none, &out)
		name, _, _ := strings.Cut(c.flag, "=")
		if err == nil || !strings.Contains(err.Error(), "-"+name) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: no %q in %v", args, c.want, err)
		}
		if out.Len() > 0 {
			t.Errorf("%q prints\n%s", args, out.String())
		}
	}
}

// TestUsage: what cannot be understood is said once, with where to look. Help begins with what else there is.
func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"invalid value \"x\" for flag -create-rate":           {"-create-rate", "x"},
		"not defined: -no-such-flag":                          {"-no-such-flag"},
		`unexpected argument "help": the flag is -help`:       {"help"},
		`unexpected argument "version": the flag is -version`: {"version"},
		`unexpected argument "admin": it comes first`:         {"-data", "x", "admin", "list"},
		`unexpected argument "x"`:                             {"x"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), args, none, &out)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "\n"+errUsage.Error()) || out.Len() > 0 {
			t.Errorf("%q: %v, and printed %q", args, err, out.String())
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, none, &out); err != nil {
		t.Error(err)
	}
	head, _, _ := strings.Cut(out.String(), "\n\n")
	for _, want := range []string{"sealpostd admin", "sealpostd token"} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in %q", want, head)
		}
	}
	for _, want := range []string{"  -config-check\n", "(default 16KiB)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestConfigCheckOfMachine: what a server would find in its way on this machine is found without one.
func TestConfigCheckOfMachine(t *testing.T) {
	dir := t.TempDir()
	file, link, secret := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "secret")
	for _, err := range []error{os.WriteFile(file, nil, 0o600), os.Symlink(filepath.Join(dir, "nothing"), link), os.WriteFile(secret, []byte("hush"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bucket := func(name, prefix string) []string {
		return []string{"-s3-endpoint", "https://s3.example", "-s3-access-key", "a", "-s3-secret-key-file", secret, "-s3-bucket", name, "-s3-prefix", prefix}
	}
	acme := []string{"-acme-hosts", "post.example", "-listen", ":443", "-redirect-listen"}
	for _, args := range [][]string{{"-data", filepath.Join(dir, "a", "b", "c")}, {"-listen", ":http"}, {"-listen", "localhost:0", "-private-listen", "localhost:0"},
		{"-listen", "unix:" + filepath.Join(dir, "socket")}, bucket("sealpost", "some/where/"), append(acme, ":80"), {"-db", "postgres://a:hush@b/c"},
		append(bucket("sealpost", ""), "-db", "postgres://b/c", "-data", file), // which is not used then
	} {
		if err := run(t.Context(), append([]string{"-config-check", "-data", dir}, args...), none, new(bytes.Buffer)); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"-data: " + file + " is not a folder", []string{"-data", file}},
		{"-data: " + file + " is not a folder", []string{"-data", filepath.Join(file, "a", "b")}},
		{"-data: " + link + " leads nowhere", []string{"-data", filepath.Join(link, "a")}},
		{"-listen: there is no folder", []string{"-listen", "unix:" + filepath.Join(dir, "missing", "socket")}},
		{"-private-listen: there is no folder", []string{"-private-listen", "unix:" + filepath.Join(file, "socket")}},
		{"no socket", []string{"-listen", "unix:" + file}},
		{"-s3-bucket cannot be", bucket("Seal_post?", "")},
		{`prefix "x"`, bucket("sealpost", "x")},
		{"-redirect-listen and -listen are the same place", append(acme, ":443")},
		{"-redirect-listen and -listen are the same place", append(acme, "127.0.0.1:https")},
		{"-private-listen and -redirect-listen are the same place", append(acme, ":80", "-private-listen", "[::]:80")},
		{"-private-listen and -listen are the same place", []string{"-listen", "unix:" + dir + "/s", "-private-listen", "unix:" + dir + "/s"}},
		{"-acme-cache: " + file + " is not a folder", append(acme, ":80", "-acme-cache", file)},
		{"-data: " + file + " is not a folder", append(append(bucket("sealpost", ""), acme...), ":80", "-db", "postgres://b/c", "-data", file)},
	} {
		err := run(t.Context(), append([]string{"-config-check", "-data", dir}, c.args...), none, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: no %q in %v", c.args, c.want, err)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key := makeCert(t, "post.example")
	for name, data := range map[string][]byte{"cert": cert, "key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tokenOf(t, filepath.Join(dir, "tokens"), "new", "alice"); err != nil {
		t.Fatal(err)
	}
	check := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"-config-check", "-data", data}, args...), none, &out)
		return out.String(), err
	}
	for _, args := range [][]string{nil, {"-listen", "unix:" + filepath.Join(dir, "sock")}, {"-listen", "systemd"}, {"-base-path", "/a.b/c_d"},
		{"-tls-cert", filepath.Join(dir, "cert"), "-tls-key", filepath.Join(dir, "key"), "-redirect-listen", ":80"},
		{"-acme-hosts", "post.example,www.post.example", "-acme-email", "ops@post.example"}, {"-upload-tokens", filepath.Join(dir, "tokens")},
		{"-upload-header", "X-Remote-User", "-trusted-proxies", "127.0.0.1"}, {"-upload-header", "X-Remote-User", "-listen", "unix:/run/x"},
		{"-max-total-size", "1GiB", "-min-free", "10GiB", "-daily-shares", "5", "-daily-size", "1GiB"},
		{"-private-listen", "localhost:9090"}, {"-private-listen", "unix:" + filepath.Join(dir, "private")}} {
		if out, err := check(args...); err != nil || out != "configuration is fine\n" {
			t.Errorf("%v: %q, %v", args, out, err)
		}
	}
	for _, args := range [][]string{{"-listen", "nowhere"}, {"-listen", "unix:"}, {"-base-path", "send"}, {"-base-path", "/send/"}, {"-base-path", "/"},
		{"-base-path", "/a/../b"}, {"-base-path", "/a?b"}, {"-base-path", "//a"},
		{"-tls-cert", file}, {"-tls-cert", file, "-tls-key", file}, {"-tls-key", file}, {"-redirect-listen", ":80"},
		{"-tls-cert", filepath.Join(dir, "cert"), "-tls-key", filepath.Join(dir, "missing")}, {"-acme-hosts", "localhost"}, {"-acme-hosts", "192.0.2.1"},
		{"-acme-hosts", "*.post.example"}, {"-acme-hosts", "post.example,"}, {"-acme-hosts", "a.example", "-tls-cert", "x", "-tls-key", "y"},
		{"-upload-tokens", file}, {"-upload-tokens", filepath.Join(dir, "missing")}, {"-upload-header", "X-Remote-User"},
		{"-upload-header", "X Y", "-trusted-proxies", "::1"}, {"-min-free", "1MiB"}, {"-daily-shares", "-1"}, {"-parts-in-flight", "-1"},
		{"-stall-timeout", "1ms"}, {"-max-headers", "1KiB"}, {"-call-rate", "NaN"}, {"-create-rate", "Inf"}, {"-data", file},
		{"-private-listen", "nowhere"}, {"-private-listen", "unix:"}, {"-private-listen", "systemd"}, {"-lifetimes", "1h,1m"}, {"-default-lifetime", "2h"}, {"-part-size", "1KiB"}, {"-report-recipient", "age1x"}} {
		if out, err := check(args...); err == nil || strings.Contains(out, "fine") {
			t.Errorf("%v: %q", args, out)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a check makes the data folder")
	}
}

// Values may come from files, in which editors leave a line's end.
func TestValueFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "value")
	env := map[string]string{"SEALPOST_MAX_DOWNLOADS_FILE": file}
	parse := func() (*options, error) {
		return parseOptions(nil, func(k string) string { return env[k] }, io.Discard)
	}
	if _, err := parse(); err == nil {
		t.Error("a file may be missing")
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("7\n")
	if o, err := parse(); err != nil || o.maxDownloads != 7 {
		t.Errorf("%+v, %v", o, err)
	}
	env["SEALPOST_MAX_DOWNLOADS"] = "8"
	if _, err := parse(); err == nil {
		t.Error("takes one of two values")
	}
	delete(env, "SEALPOST_MAX_DOWNLOADS")
	for _, text := range []string{"seven", strings.Repeat(" ", maxValue+1), "7\nhush\n", "\n"} {
		write(text)
		if _, err := parse(); err == nil || strings.Contains(err.Error(), "   ") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
