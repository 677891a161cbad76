//go:build linux

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// resident returns how much memory the workerd processes of a deployment have that is no file, the largest of them, in bytes.
func (d *deployment) resident(t *testing.T) (largest int64) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		stat, err := os.ReadFile(p + "/stat")
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest) // state, parent, group, …
		if len(fields) < 3 || fields[2] != strconv.Itoa(d.Group()) || !strings.Contains(string(stat), "(workerd)") {
			continue
		}
		status, err := os.ReadFile(p + "/status")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if text, ok := strings.CutPrefix(line, "RssAnon:"); ok {
				kib, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				largest = max(largest, kib<<10)
			}
		}
	}
	if largest == 0 {
		t.Fatal("no workerd is running")
	}
	return largest
}

// TestBounded: memory does not grow with the share, in either direction. A gigabyte with SEALPOST_LONG=1.
func TestBounded(t *testing.T) {
	parts := 16
	if os.Getenv("SEALPOST_LONG") == "1" {
		parts = 128
	}
	d := deploy(t, "worker.mjs", "SEALPOST_SUBREQUESTS:10000")
	s, err := create(d.URL, make([]byte, parts*api.DefaultPartSize))
	if err != nil {
		t.Fatal(err)
	}
	part := sealed(api.DefaultPartSize) // the same again and again, so that the test's own memory is bounded
	if err := s.put("/manifest", sealed(500)); err != nil {
		t.Fatal(err)
	}
	base, peak := int64(0), int64(0)
	for n := range parts {
		if err := s.put(fmt.Sprintf("/parts/%d", n+1), part); err != nil {
			t.Fatal(err)
		}
		if now := d.resident(t); n == 3 {
			base = now
		} else {
			peak = max(peak, now)
		}
	}
	in, err := json.Marshal(api.CompleteShare{Size: int64(len(s.content)), Parts: int64(parts)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.want(http.StatusOK, "POST", "/complete", s.owner, in); err != nil {
		t.Fatal(err)
	}
	raw, ticket := token()
	if in, err = json.Marshal(api.TakeDownload{Ticket: api.HashToken(raw)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.want(http.StatusOK, "POST", "/downloads", s.reader, in); err != nil {
		t.Fatal(err)
	}
	got, err := s.want(http.StatusOK, "GET", "/content", ticket, nil)
	if err != nil || len(got) != len(s.content) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(s.content), err)
	}
	for i := range parts {
		if !bytes.Equal(got[i*len(part):(i+1)*len(part)], part) {
			t.Fatalf("part %d came as other bytes than it went", i+1)
		}
	}
	peak = max(peak, d.resident(t))
	t.Logf("%d MiB: %d MiB after four parts, at most %d MiB", parts*8, base>>20, peak>>20)
	if peak-base > 100<<20 {
		t.Errorf("memory went from %d MiB to %d MiB", base>>20, peak>>20)
	}
}

// cpu returns the time that all processes of a deployment have spent.
func (d *deployment) cpu(t *testing.T) (spent time.Duration) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range processes {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 || fields[2] != strconv.Itoa(d.Group()) || !strings.Contains(string(stat), "(workerd)") {
			continue
		}
		for _, ticks := range fields[11:13] { // user and system time, in hundredths of a second
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			spent += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return spent
}

// TestCPU measures what a call costs in the Worker more than the same in JavaScript alone. Cloudflare's free plan has 10 ms. On
// a machine that is busy with other things it tells nothing, so it has to be asked for, as by make bench.
func TestCPU(t *testing.T) {
	if os.Getenv("SEALPOST_BENCH") == "" {
		t.Skip("set SEALPOST_BENCH on an idle machine")
	}
	const most = 1500 * time.Microsecond
	worker, plain := deploy(t, "worker.mjs"), deploy(t, "testdata/plain.mjs")
	s, err := create(worker.URL, sealed(100))
	if err != nil {
		t.Fatal(err)
	}
	measure := func(d *deployment, url, bearer string) time.Duration {
		t.Helper()
		const calls = 1000
		began := time.Duration(0)
		for i := range calls + 200 {
			if i == 200 { // by then it is warm
				began = d.cpu(t)
			}
			if status, answer, err := call("GET", url, bearer, nil); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s %v", status, answer, err)
			}
		}
		return (d.cpu(t) - began) / calls
	}
	ours, theirs := measure(worker, s.url, s.owner), measure(plain, plain.URL, "")
	t.Logf("CPU for a call, with workerd's own: %v, in JavaScript alone %v, ratio %.1f", ours, theirs, float64(ours)/float64(theirs))
	if ours-theirs > most {
		t.Errorf("Go costs %v of CPU for a call, at most %v are wanted", ours-theirs, most)
	}
}
