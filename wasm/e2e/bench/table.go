package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A report is all that was measured.
type report struct {
	date    time.Time
	cores   int
	machine string
	version string // of Sealpost
	runs    int
	line    string // as people call it

	yardstick string // for transfers
	trips     []*trips
	engine    []throughput
}

var heading = cells("ratio", "from–to", "what", "MB/s", "yardstick", "MB/s", "CPU s: browser + server", "yardstick's",
	"memory, MiB", "yardstick's") + cells("--:", "--:", "---", "--:", "---", "--:", "--:", "--:", "--:", "--:")

func cells(list ...string) string { return "| " + strings.Join(list, " | ") + " |\n" }

// write writes the report as Markdown, one table with the ratios first.
func (r *report) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %d cores, %s\n\n", r.date.Format(time.DateOnly), r.cores, r.machine)
	fmt.Fprintf(&b, "Sealpost %s, medians of %d. %s\n\n%s", r.version, r.runs, r.busy(), heading)
	for _, t := range r.trips {
		if len(t.pairs) == 0 {
			continue
		}
		b.WriteString(r.row(t, "up", func(t trip) measurement { return t.up }))
		b.WriteString(r.row(t, "down", func(t trip) measurement { return t.down }))
	}
	for _, t := range r.engine {
		b.WriteString(cells(fmt.Sprintf("%.2f", t.engineMB/t.tool), "", fmt.Sprintf("%s, %s, %s", t.engine, t.step.name, count(t.cores)),
			fmt.Sprintf("%.0f", t.engineMB), "`"+strings.Join(t.step.native[:2], " ")+"`", fmt.Sprintf("%.0f", t.tool), "", "", "", ""))
	}
	for _, t := range r.trips {
		b.WriteString(r.perCore(t))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// row is the line of one direction.
func (r *report) row(t *trips, direction string, of func(trip) measurement) string {
	var ratios []float64
	var all [2][]measurement
	for _, pair := range t.pairs {
		for i := range pair {
			all[i] = append(all[i], of(pair[i]))
		}
		ratios = append(ratios, of(pair[sealpostTrip]).rate(t.in)/of(pair[yardstickTrip]).rate(t.in))
	}
	what := fmt.Sprintf("%s, %s %d MiB %s", t.engine, t.in.kind, t.in.size>>20, direction)
	if t.slow {
		what += ", " + r.line
	}
	if way := all[sealpostTrip][0].way; way != "" {
		what += ", " + way
	}
	yardstick := r.yardstick
	if way := all[yardstickTrip][0].way; way != "" {
		yardstick += ", " + way
	}
	rate := func(m measurement) float64 { return m.rate(t.in) }
	return cells(fmt.Sprintf("**%.2f**", median(ratios)), fmt.Sprintf("%.2f–%.2f", slices.Min(ratios), slices.Max(ratios)),
		what, fmt.Sprintf("%.1f", medianOf(all[sealpostTrip], rate)), yardstick, fmt.Sprintf("%.1f", medianOf(all[yardstickTrip], rate)),
		processors(all[sealpostTrip]), processors(all[yardstickTrip]), peak(of(t.sampled[sealpostTrip])), peak(of(t.sampled[yardstickTrip])))
}

// perCore says how much of what the cores could compress an upload of text is.
func (r *report) perCore(t *trips) string {
	if t.in.kind != text || t.slow || len(t.pairs) == 0 {
		return ""
	}
	for _, s := range r.engine {
		if s.engine == t.engine && s.step.name == "compress text" && s.cores == 1 {
			var rates []float64
			for _, pair := range t.pairs {
				rates = append(rates, pair[sealpostTrip].up.rate(t.in))
			}
			most := s.engineMB * float64(r.cores)
			return cells(fmt.Sprintf("%.2f", median(rates)/most), "", fmt.Sprintf("%s, text %d MiB up", t.engine, t.in.size>>20),
				fmt.Sprintf("%.1f", median(rates)), fmt.Sprintf("%d × one worker's zstd", r.cores), fmt.Sprintf("%.0f", most), "", "", "", "")
		}
	}
	return ""
}

// busy tells how much the machine did besides.
func (r *report) busy() string {
	var others []float64
	for _, t := range r.trips {
		for _, pair := range t.pairs {
			for _, trip := range pair {
				others = append(others, trip.up.others, trip.down.others)
			}
		}
	}
	if len(others) == 0 {
		return "No transfers."
	}
	return fmt.Sprintf("Other programs kept %.1f cores busy meanwhile, %.1f at most.", median(others), slices.Max(others))
}

func processors(list []measurement) string {
	return fmt.Sprintf("%.1f + %.1f", medianOf(list, func(m measurement) float64 { return m.browser.Seconds() }),
		medianOf(list, func(m measurement) float64 { return m.server.Seconds() }))
}

func peak(m measurement) string {
	if m.peak == 0 {
		return ""
	}
	return fmt.Sprintf("+%d", m.peak>>20)
}

func count(cores int) string {
	if cores == 1 {
		return "one core"
	}
	return fmt.Sprintf("%d cores", cores)
}

func medianOf(list []measurement, f func(measurement) float64) float64 {
	var values []float64
	for _, m := range list {
		values = append(values, f(m))
	}
	return median(values)
}

// median is the mean of the two in the middle if there is no one.
func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
