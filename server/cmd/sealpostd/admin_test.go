package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance"
	"github.com/sealpost/sealpost/server/conformance/services"
)

// admin runs sealpostd admin; ok is that its status was 0.
func admin(t *testing.T, args ...string) (out, errs string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"admin"}, args...)...)
	cmd.Env = []string{"GORACE=halt_on_error=1"}
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return o.String(), e.String(), err == nil
}

func mustAdmin(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, ok := admin(t, args...)
	if !ok {
		t.Fatalf("admin %q: %s%s", args, out, errs)
	}
	return out
}

// listed returns what list says, by id.
func listed(t *testing.T, data string) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for line := range strings.Lines(mustAdmin(t, "list", "-json", "-data", data)) {
		var s map[string]any
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all[s["id"].(string)] = s
	}
	return all
}

// TestAdmin: an operator sees sizes, times and counts beside a server that works, takes a share down, and gets the reports.
func TestAdmin(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data, "-report-recipient", conformance.Recipient)
	u, other, ticket := newUpload(smallPart+10), newUpload(100), newToken()
	d.send(t, u, 3)
	d.send(t, other, 0)
	if a, err := d.take(u, ticket); err != nil || a.status != 200 {
		t.Fatalf("take: %v %v", a, err)
	}
	report := sealed(300)
	if a, err := d.call("POST", u.path("/reports"), u.access.text, report, "application/octet-stream"); err != nil || a.status != 204 {
		t.Fatalf("report: %v %v", a, err)
	}

	all := listed(t, data)
	got := all[u.id]
	for name, want := range map[string]any{"state": "ready", "size": float64(smallPart + 10), "parts": 2.0, "stored": 2.0,
		"bytes": float64(smallPart + 510), "maxDownloads": 3.0, "taken": 1.0, "leases": 1.0, "reports": 1.0, "password": false} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if len(all) != 2 {
		t.Errorf("listed %v", all)
	}
	table := mustAdmin(t, "list", "-data", data)
	inspected := mustAdmin(t, "inspect", "-data", data, "--", u.id)
	for _, want := range []string{u.id, "1 of 3", "64.5 KiB"} {
		if !strings.Contains(table, want) || !strings.Contains(inspected, want) {
			t.Errorf("no %q in\n%s\n%s", want, table, inspected)
		}
	}
	for _, k := range []token{u.access, u.reader, u.owner, ticket} {
		for _, word := range []string{k.text, hex.EncodeToString(k.hash[:]), k.hash.String(), base64.StdEncoding.EncodeToString(k.hash[:])} {
			if strings.Contains(fmt.Sprint(all)+table+inspected, word) {
				t.Error("a token, or the hash of one, is told")
			}
		}
	}

	var line api.SealedReport
	if err := json.Unmarshal([]byte(mustAdmin(t, "reports", "-data", data)), &line); err != nil ||
		line.Share != u.id || !bytes.Equal(line.Sealed, report) || line.Received == 0 {
		t.Errorf("report %+v, %v", line, err)
	}
	dir := filepath.Join(t.TempDir(), "reports")
	for _, want := range []string{"1 new reports\n", "0 new reports\n"} {
		if out := mustAdmin(t, "reports", "-data", data, "-out", dir); out != want {
			t.Errorf("said %q, want %q", out, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*-"+u.id+"-"+line.ID+".age"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	if b, err := os.ReadFile(files[0]); err != nil || !bytes.Equal(b, report) {
		t.Errorf("file of %d bytes, %v", len(b), err)
	}

	out := mustAdmin(t, "take-down", "-data", data, "--", u.id)
	if !strings.Contains(out, "is taken down") {
		t.Errorf("said %q", out)
	}
	for _, bearer := range []string{u.owner.text, u.access.text, u.readerText()} {
		if a, err := d.call("GET", u.path(""), bearer, nil, ""); err != nil || a.status != 404 {
			t.Errorf("a share that was taken down: %v, %v", a, err)
		}
	}
	wantObjects(t, data, other)
	d.wantWhole(t, other, newToken())
	for range 100 {
		if all = listed(t, data); len(all) == 1 { // the server has swept the record
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, ok := all[other.id]; !ok || len(all) != 1 {
		t.Errorf("listed %v", all)
	}
	if _, errs, ok := admin(t, "take-down", "-data", data, "--", u.id, other.id); ok || !strings.Contains(errs, "no such share") {
		t.Errorf("one that is gone, and another: %s", errs)
	}
	wantObjects(t, data)
	mustAdmin(t, "fsck", "-data", data)
	if text := d.text(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the server did not like it:\n%s", text)
	}
}

// TestAdminBesideBusyServer: commands come and go while shares do; nobody gets an error, nothing is found, and nothing is lost.
func TestAdminBesideBusyServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	kept := newUpload(3 * smallPart)
	d.send(t, kept, 0)
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for range 2 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				u, ticket := newUpload(smallPart+1), newToken()
				if err := d.create(u, 1); err != nil {
					t.Error(err)
					return
				}
				for n := u.parts(); n >= 0; n-- {
					if a, err := d.put(u, n, u.part(n)); err != nil || a.status != 204 {
						t.Errorf("part: %v %v", a, err)
					}
				}
				if a, err := d.complete(u); err != nil || a.status != 200 {
					t.Errorf("complete: %v %v", a, err)
				}
				d.wantWhole(t, u, ticket)
				if a, err := d.call("DELETE", u.path("/downloads/current"), ticket.text, nil, ""); err != nil || a.status != 204 {
					t.Errorf("finish: %v %v", a, err)
				}
			}
		})
	}
	for range 3 {
		for _, args := range [][]string{{"list"}, {"fsck"}, {"fsck", "-young", "1h", "-quick"}, {"inspect", "--", kept.id}} {
			flags := slices.Insert(slices.Clone(args), 1, "-data", data)
			if out, errs, ok := admin(t, flags...); !ok {
				t.Errorf("%q: %s%s", args, out, errs)
			}
		}
	}
	close(stop)
	busy.Wait()
	d.wantWhole(t, kept, newToken())
	wantObjects(t, data, kept)
	if text := d.text(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the server did not like it:\n%s", text)
	}
}

// TestFsck: damage that is done while the server runs is found, and told by the status.
func TestFsck(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	u, v, w := newUpload(2*smallPart), newUpload(smallPart), newUpload(100)
	for _, u := range []*upload{u, v, w} {
		d.send(t, u, 0)
	}
	file := func(u *upload, n int64) string {
		for _, name := range slices.Sorted(maps.Keys(objects(t, data))) {
			if strings.HasPrefix(name, filepath.Join(u.id[:2], u.id, fmt.Sprint(n))+"-") {
				return filepath.Join(data, "blobs", name)
			}
		}
		t.Fatal("no such file")
		return ""
	}
	b, err := os.ReadFile(file(u, 2))
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x10
	stray := filepath.Join(filepath.Dir(file(w, 0)), "7-"+strings.Repeat("ab", 32))
	for _, err := range []error{
		os.WriteFile(file(u, 2), b, 0o600),
		os.Remove(file(v, 1)),
		os.Truncate(file(w, 0), 499),
		os.WriteFile(stray, []byte("orphan"), 0o600),
		os.Chtimes(stray, time.Now().Add(-3*time.Hour), time.Now().Add(-3*time.Hour)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		out, errs, ok := admin(t, "fsck", "-json", "-data", data)
		if ok || !strings.Contains(errs, "4 found wrong") {
			t.Errorf("%s%s", out, errs)
		}
		var last map[string]any
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last["kind"] != "summary" || last["shares"] != 3.0 ||
			last["findings"] != 4.0 || strings.Contains(errs, "shares with") {
			t.Errorf("the last line is %v, %v", last, err)
		}
		for kind, id := range map[string]string{"wrong-digest": u.id, "missing": v.id, "wrong-size": w.id, "orphan": w.id} {
			if !strings.Contains(out, fmt.Sprintf(`{"kind":%q,"share":%q,"part":`, kind, id)) {
				t.Errorf("no %s in\n%s", kind, out)
			}
		}
	}
	check()
	d.stop(t)
	check()
	if out, _, ok := admin(t, "fsck", "-quick", "-data", data); ok || strings.Contains(out, "digest") || strings.Count(out, "\n") != 3 {
		t.Errorf("quick: %s", out)
	}
}

// Beside a server there is nothing to make. What is called in a wrong way says so.
func TestAdminUsage(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{{"list", "-data", data}, {"fsck", "-data", data}, {"take-down", "-data", data, "AAAAAAAAAAAAAAAA"}} {
		if out, errs, ok := admin(t, args...); ok || out != "" || !strings.HasPrefix(errs, "sealpostd: failed to open parts: failed to find what a server keeps") {
			t.Errorf("%q: %s%s", args, out, errs)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a folder was made")
	}
	for _, args := range [][]string{{"lists"}, {"list", "x"}, {"inspect"}, {"inspect", "a", "b"}, {"take-down"}, {"list", "-young", "1h"},
		{"fsck", "-no-such-flag"}, {"drain"}} {
		if _, errs, ok := admin(t, args...); ok || errs == "" {
			t.Errorf("%q: %s", args, errs)
		}
	}
	const id = "-AAAAAAAAAAAAAAA"
	for want, args := range map[string][]string{
		"not defined: -config-check": {"take-down", "-config-check", "-data", data, "--", id},
		"not defined: -healthcheck":  {"list", "-healthcheck", "-data", data},
		"not defined: -version":      {"fsck", "-version", "-data", data},
		"put -- before it":           {"inspect", "-data", data, id},
		"put -- before it, or":       {"take-down", "-data", data, "AAAAAAAAAAAAAAAA", id},
		"flags come before ids":      {"inspect", "AAAAAAAAAAAAAAAA", "-data", data},
		"-data=x is behind an id":    {"take-down", "AAAAAAAAAAAAAAAA", "-data=x"},
		"flag -young: not a time":    {"fsck", "-data", data, "-young", "-5s"},
		"flag -wait: not a time":     {"drain", "-private-listen", "localhost:1", "-wait", "-5s"},
		"failed to find what a":      {"take-down", "-data", data, "--", id, id},
	} {
		_, errs, ok := admin(t, args...)
		if ok || !strings.Contains(errs, want) || strings.Count(errs, "\n") > 3 {
			t.Errorf("%q: no %q in\n%s", args, want, errs)
		}
	}
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"fsck", "-h"}} {
		if out, _, ok := admin(t, args...); !ok || !strings.HasPrefix(out, "usage: sealpostd admin") {
			t.Errorf("%q: %s", args, out)
		}
	}
}

// TestAdminElsewhere: the same works where the stores are PostgreSQL and a bucket, beside the two servers that share them.
func TestAdminElsewhere(t *testing.T) {
	t.Parallel()
	server := services.S3(t)
	bucket := server.Bucket(t)
	flags := append(inBucket(t, server, bucket), onPostgres(t)...)
	if _, errs, ok := admin(t, append([]string{"list"}, flags...)...); ok || !strings.Contains(errs, "failed to open records") {
		t.Errorf("before there is a schema: %s", errs)
	}
	d := start(t, filepath.Join(t.TempDir(), "data"), flags...)
	u, v := newUpload(2*smallPart), newUpload(100)
	d.send(t, u, 0)
	d.send(t, v, 0)
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, flags...), more...)
	}
	if out := mustAdmin(t, with("list")...); !strings.Contains(out, u.id) || !strings.Contains(out, v.id) {
		t.Errorf("listed\n%s", out)
	}
	mustAdmin(t, with("inspect", "--", u.id)...)
	mustAdmin(t, with("fsck", "-young", "0s")...)

	name := fmt.Sprintf("2-%x", sha256.Sum256(u.part(2)))
	file := filepath.Join(server.Folder(bucket), "parts", u.id, name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[100] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(server.Folder(bucket), "parts", v.id, fmt.Sprintf("1-%x", sha256.Sum256(v.part(1))))); err != nil {
		t.Fatal(err)
	}
	out, errs, ok := admin(t, with("fsck", "-young", "0s")...)
	if ok || !strings.Contains(errs, "2 found wrong") || !strings.Contains(out, "wrong-digest: share "+u.id+", part 2") ||
		!strings.Contains(out, "missing: share "+v.id+", part 1") {
		t.Errorf("%s%s", out, errs)
	}
	mustAdmin(t, with("take-down", "--", u.id, v.id)...)
	if a, err := d.call("GET", u.path(""), u.owner.text, nil, ""); err != nil || a.status != 404 {
		t.Errorf("a share that was taken down: %v, %v", a, err)
	}
	mustAdmin(t, with("fsck", "-young", "0s")...)
}
