//go:build linux

package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/workerd"
)

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

// TestCPU measures what a call costs in the Worker more than the same in JavaScript alone: the statement in D1, the check of the
// token and the answer of GET /api/v1/shares/{id}. It counts the CPU time of workerd, in which all of them run by turns; D1 is
// simulated there too, so what it takes is in each figure, and a call without it is measured besides. Cloudflare's free plan has
// 10 ms for a call. On a machine that is busy with other things all of it takes up to twice as long; it has to be asked for.
func TestCPU(t *testing.T) {
	if os.Getenv("SEALPOST_BENCH") == "" {
		t.Skip("set SEALPOST_BENCH on an idle machine")
	}
	const most = 1500 * time.Microsecond
	d := &deployment{workerd.StartUnwatched(t, "testdata/plain.mjs")}
	s, err := create(d.URL, sealed(100))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(url string, calls int) {
		t.Helper()
		for range calls {
			if status, answer, err := call("GET", url, s.owner, nil); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s %v", status, answer, err)
			}
		}
	}
	cases := []struct{ name, url string }{
		{"JavaScript that answers", d.URL + "/plain"},
		{"JavaScript that does the same", d.URL + "/plain/" + s.ID},
		{"the Worker", s.url},
	}
	const rounds, calls = 11, 100
	spent := make([][]time.Duration, len(cases))
	for round := range 1 + rounds {
		for i, c := range cases {
			if round == 0 { // then it is warm
				ask(c.url, 1000)
				continue
			}
			began := d.cpu(t)
			ask(c.url, calls)
			spent[i] = append(spent[i], (d.cpu(t)-began)/calls)
		}
	}
	for i, c := range cases {
		slices.Sort(spent[i])
		t.Logf("CPU for a call: %v to %v, median %v: %s", spent[i][0], spent[i][rounds-1], spent[i][rounds/2], c.name)
	}
	nothing, same, ours := spent[0][rounds/2], spent[1][rounds/2], spent[2][rounds/2]
	t.Logf("the Worker takes %.1f times as much as JavaScript that does the same, %v more", float64(ours)/float64(same), ours-same)
	t.Logf("and %.1f times as much as JavaScript that answers at once, %v more", float64(ours)/float64(nothing), ours-nothing)
	if ours-same > most {
		t.Errorf("Go costs %v of CPU for a call, at most %v are wanted", ours-same, most)
	}
}
