package load

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Write writes r for people.
func (r *Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "call\tcount\tper second\tMiB/s\tp50\tp99\tmax\t")
	sec := r.Took.Seconds()
	for _, c := range r.Calls {
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%v\t%v\t%v\t\n", c.Name, c.Count, float64(c.Count)/sec, float64(c.Bytes)/sec/(1<<20),
			short(c.P50), short(c.P99), short(c.Max))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range sorted(r.Errors) {
		fmt.Fprintf(w, "error: %s: %s: %d times\n", f.Call, f.What, r.Errors[f])
	}
	fmt.Fprintf(w, "%.1f s; %d shares sent, %d of them seen to be gone again; %d downloads taken, %d refused as they should be\n",
		sec, r.Shares, r.Gone, r.Taken, r.Refused)
	_, err := fmt.Fprintf(w, "%d bytes sent, %d received and right, %d answers wrong; %d requests repeated\n", r.Sent, r.Received, r.Wrong, r.Retries)
	if r.Slow+r.Idle > 0 {
		_, err = fmt.Fprintf(w, "%d slow uploads, %d of them ended by the server; %d idle connections, %d of them ended by the server\n",
			r.Slow, r.SlowCut, r.Idle, r.IdleCut)
	}
	return err
}

// short leaves out what nobody reads.
func short(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}
