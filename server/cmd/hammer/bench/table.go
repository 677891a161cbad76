package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	transferHead = "| ratio | from–to | what | MB/s | nginx | CPU s/GiB | nginx | CPU ratio | others |\n" +
		"| --: | --: | --- | --: | --: | --: | --: | --: | --: |\n"
	otherHead = "| figure | limit | what |\n| --: | --: | --- |\n"
)

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

func column(list []measurement, of func(measurement) float64) (values []float64) {
	for _, m := range list {
		values = append(values, of(m))
	}
	return values
}

// against is the quotient of each pair of rounds that were measured after each other.
func against(a, b []measurement, of func(measurement) float64) (ratios []float64) {
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, of(a[i])/of(b[i]))
	}
	return ratios
}

// row is a line of the table, and another one against the tuned nginx if there is one.
func row(l *line) string {
	var b strings.Builder
	for _, side := range []int{theirs, theirsTuned} {
		we, they := l.rounds[ours], l.rounds[side]
		if len(they) == 0 {
			continue
		}
		name := l.String()
		if side == theirsTuned {
			name += ", nginx tuned"
		}
		ratios, others := against(we, they, measurement.rate), append(column(we, busy), column(they, busy)...)
		fmt.Fprintf(&b, "| **%.2f** | %.2f–%.2f | %s | %.0f | %.0f | %.2f | %.2f | %.2f | %.1f |\n",
			median(ratios), slices.Min(ratios), slices.Max(ratios), name,
			median(column(we, measurement.rate)), median(column(they, measurement.rate)),
			median(column(we, measurement.perGiB)), median(column(they, measurement.perGiB)),
			median(against(we, they, measurement.perGiB)), median(others))
	}
	return b.String()
}

func busy(m measurement) float64 { return m.others }

// head says what was measured where.
func (b *bench) head(now time.Time, version string) string {
	text := fmt.Sprintf("# %s: %s\n\nSealpost %s against %s, both on processor %s, the clients on %s; data on %s. Medians of %d rounds of %v, in turns.\n",
		now.Format(time.DateOnly), machine(), version, nginxVersion(), b.serverCPUs, b.clientCPUs, fileSystem(b.dir), b.rounds, b.duration)
	if b.standIn {
		text += "TLS is that of a stand-in for sealpostd, which has no options for it: the same handler and stores in a process of its own.\n"
	}
	if b.clear2 != b.plain {
		text += "HTTP/2 without TLS is that of a stand-in in any case: sealpostd does not speak it.\n"
	}
	return text + "\n"
}
