package main

import (
	"strings"
	"testing"
	"time"
)

// TestTable: ratios come first, they are those of the pairs, and every cell is where its heading says.
func TestTable(t *testing.T) {
	in := &input{kind: text, size: 100e6}
	m := func(seconds float64, peak int64) measurement {
		return measurement{took: time.Duration(seconds * 1e9), browser: 3 * time.Second, server: time.Second / 2, peak: peak << 20,
			way: "stream"}
	}
	pair := func(floorUp, up float64) [2]trip {
		return [2]trip{yardstickTrip: {m(floorUp, 0), m(1, 0)}, sealpostTrip: {m(up, 0), m(2, 0)}}
	}
	all := &trips{
		condition: condition{"chromium", in, true},
		pairs:     [][2]trip{pair(1, 2), pair(1, 4), pair(2, 2)}, // ratios 0.5, 0.25 and 1
		sampled:   [2]trip{yardstickTrip: {m(1, 40), m(1, 41)}, sealpostTrip: {m(1, 50), m(1, 51)}},
	}
	fast := *all
	fast.slow, fast.sampled = false, [2]trip{}
	r := &report{date: time.Unix(1e9, 0).UTC(), cores: 4, machine: "Some Processor", version: "v1", runs: 3, line: "10 Mbit/s", yardstick: "floor",
		trips:  []*trips{all, &fast, {condition: condition{"webkit", in, false}}},
		engine: []throughput{{steps[2], "chromium", 1, 25, 50}, {steps[2], "chromium", 4, 80, 160}}}
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# 2001-09-09: 4 cores, Some Processor\n",
		"\n| **0.50** | 0.25–1.00 | chromium, text 95 MiB up, 10 Mbit/s, stream | 50.0 | floor, stream | 100.0 | 3.0 + 0.5 | 3.0 + 0.5 | +50 | +40 |\n",
		"\n| **0.50** | 0.50–0.50 | chromium, text 95 MiB down, 10 Mbit/s, stream | 50.0 | floor, stream | 100.0 | 3.0 + 0.5 | 3.0 + 0.5 | +51 | +41 |\n",
		"\n| **0.50** | 0.25–1.00 | chromium, text 95 MiB up, stream | 50.0 | floor, stream | 100.0 | 3.0 + 0.5 | 3.0 + 0.5 |  |  |\n",
		"\n| 0.50 |  | chromium, compress text, one core | 25 | `zstd -1` | 50 |  |  |  |  |\n",
		"\n| 0.50 |  | chromium, compress text, 4 cores | 80 | `zstd -1` | 160 |  |  |  |  |\n",
		"\n| 0.50 |  | chromium, text 95 MiB up | 50.0 | 4 × one worker's zstd | 100 |  |  |  |  |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	columns := strings.Count(lines[4], "|")
	for _, line := range lines[4:] {
		if n := strings.Count(line, "|"); n != columns {
			t.Errorf("%d instead of %d cells: %s", n-1, columns-1, line)
		}
	}
	if strings.Contains(b.String(), "webkit") {
		t.Error("there is a line for a browser that is not there")
	}
	if t.Failed() {
		t.Log(b.String())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := median(c.list); got != c.want {
			t.Errorf("median of %v: got %v, want %v", c.list, got, c.want)
		}
	}
}

// TestParse: what cannot be measured is refused before hours are spent.
func TestParse(t *testing.T) {
	o, err := parse([]string{"-engines", "firefox", "-sizes", "1, 2", "-line-sizes", "", "-runs", "3"}, t.Output())
	if err != nil || len(o.engines) != 1 || len(o.sizes) != 2 || o.sizes[1] != 2<<20 || o.lineSizes != nil || o.runs != 3 {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-engines", "lynx"}, {"-inputs", "zeros"}, {"-sizes", "x"}, {"-sizes", "0"}, {"-runs", "0"},
		{"-line-rate", "0"}, {"-line-delay", "-1s"}, {"more"}} {
		if o, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q: got %+v", args, o)
		}
	}
}
