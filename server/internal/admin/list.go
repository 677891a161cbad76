package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/sealpost/sealpost/server/internal/values"
	"github.com/sealpost/sealpost/server/store"
)

// share is what is told of one: what an operator can see in any case, and no hashes.
type share struct {
	ID           string `json:"id"`
	State        string `json:"state"` // open, ready, expired or removed; a sweep is about to take the last two
	Password     bool   `json:"password"`
	Created      int64  `json:"created"`   // Unix seconds, as all times
	Completed    int64  `json:"completed"` // 0 while open
	Expires      int64  `json:"expires"`
	Lifetime     int64  `json:"lifetime"` // seconds
	Size         int64  `json:"size"`     // sealed content; while open, the announced upper bound
	PartSize     int64  `json:"partSize"`
	Parts        int64  `json:"parts"`        // 0 while open
	Stored       int64  `json:"stored"`       // parts that there are
	Bytes        int64  `json:"bytes"`        // of these, and of the manifest
	MaxDownloads int64  `json:"maxDownloads"` // 0: any number
	Taken        int64  `json:"taken"`
	Leases       int64  `json:"leases"` // downloads that are not finished
	Reports      int64  `json:"reports"`
}

func (a *Admin) told(r store.Record) share {
	s := share{r.ID, r.State, r.Password, r.Created, r.Completed, r.Expires, r.Lifetime, r.Size, r.PartSize, r.Parts, r.Stored, r.Bytes,
		r.MaxDownloads, r.Taken, r.Leases, r.Reports}
	if r.State != store.Removed && r.Expires <= a.Now().Unix() {
		s.State = "expired"
	}
	return s
}

// List writes all shares, the newest first. It holds their records in memory to sort them, some hundred bytes each.
func (a *Admin) List(ctx context.Context) error {
	all, err := a.records(ctx)
	if err != nil {
		return fmt.Errorf("failed to list shares: %w", err)
	}
	slices.SortFunc(all, func(x, y store.Record) int {
		return cmp.Or(cmp.Compare(y.Created, x.Created), cmp.Compare(x.ID, y.ID))
	})
	if a.JSON {
		return a.lines(all)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tSTORED\tPARTS\tCREATED\tEXPIRES\tDOWNLOADS\tREPORTS")
	for _, r := range all {
		s := a.told(r)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%d\n", s.ID, s.State, size(s.Bytes), s.Stored, at(s.Created), at(s.Expires), s.downloads(),
			s.Reports)
	}
	return w.Flush()
}

func (a *Admin) lines(all []store.Record) error {
	out := json.NewEncoder(a.Out)
	for _, r := range all {
		if err := out.Encode(a.told(r)); err != nil {
			return err
		}
	}
	return nil
}

// Inspect writes all that is known of one share.
func (a *Admin) Inspect(ctx context.Context, id string) error {
	r, err := a.Meta.Record(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("failed to inspect %s: there is no such share", id)
	}
	if err != nil {
		return fmt.Errorf("failed to inspect %s: %w", id, err)
	}
	if a.JSON {
		return a.lines([]store.Record{r})
	}
	s := a.told(r)
	of := "of at most " + size(s.Size)
	if s.State != store.Open && s.Completed != 0 {
		of = fmt.Sprintf("of %d, content %s (%d bytes)", s.Parts, size(s.Size), s.Size)
	}
	completed := "not yet"
	if s.Completed != 0 {
		completed = at(s.Completed)
	}
	lifetime := values.Duration(time.Duration(s.Lifetime) * time.Second)
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", s.ID},
		{"state", s.State},
		{"password", map[bool]string{true: "yes", false: "no"}[s.Password]},
		{"created", at(s.Created)},
		{"completed", completed},
		{"expires", at(s.Expires)},
		{"lifetime", lifetime.String()},
		{"stored", fmt.Sprintf("%s (%d bytes), with the manifest", size(s.Bytes), s.Bytes)},
		{"parts", fmt.Sprintf("%d %s, each %s", s.Stored, of, size(s.PartSize))},
		{"downloads", s.downloads()},
		{"unfinished", fmt.Sprint(s.Leases)},
		{"reports", fmt.Sprint(s.Reports)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
	}
	return w.Flush()
}

func (s share) downloads() string {
	if s.MaxDownloads == 0 {
		return fmt.Sprintf("%d of any number", s.Taken)
	}
	return fmt.Sprintf("%d of %d", s.Taken, s.MaxDownloads)
}

func at(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// size is a number of bytes for people.
func size(bytes int64) string {
	const units = "KMGT"
	if bytes < 1<<10 {
		return fmt.Sprintf("%d B", bytes)
	}
	v, unit := float64(bytes)/(1<<10), 0
	for v >= 1024 && unit < len(units)-1 {
		v, unit = v/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[unit])
}
