// Package fsck holds what a store has against what its records say: every record has its bytes, every byte its record, digests match, and
// counts add up. It changes nothing, and may run beside servers that go on working.
//
// What is in flight is no finding. A part is put before its record is made, and bytes go before the record of a share that was removed,
// so
//
//   - bytes without a record count only when they are so old that a sweep should have taken them, and never those of a share that is
//     still open, since its sender may come back for them;
//   - shares that are expired or removed are not looked at, nor are bytes of theirs: a sweep is about to take them, at once or when no more
//     can come;
//   - whatever looks wrong is looked at again a little later, and counts if it is still so and the share still there.
//
// What it does not see: a record that is missing together with its bytes; and damage that another process does where this one has been
// already.
package fsck

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// Kinds of findings.
const (
	Database    = "database"     // the database says so of itself
	Missing     = "missing"      // a part's record without its bytes
	WrongSize   = "wrong-size"   // a part has more or fewer bytes than its record says
	WrongDigest = "wrong-digest" // a part has other bytes
	Unreadable  = "unreadable"   // a part that cannot be read
	Orphan      = "orphan"       // bytes without a record
	Stray       = "stray"        // what an interrupted write has left, or nothing of ours
	WrongCount  = "wrong-count"  // a share whose parts or downloads do not add up
	WrongTotal  = "wrong-total"  // the sum of all parts, which a limit goes by, is another
	Foreign     = "foreign"      // the parts belong to other records, all of them
)

// Finding is something that is wrong.
type Finding struct {
	Kind   string `json:"kind"`
	Share  string `json:"share,omitempty"`
	Part   *int64 `json:"part,omitempty"` // nil if it is about no part; 0 is the manifest
	Detail string `json:"detail"`
}

// Summary is what was looked at.
type Summary struct {
	Shares   int64 `json:"shares"`
	Parts    int64 `json:"parts"`    // of these shares, manifests among them
	Bytes    int64 `json:"bytes"`    // of these parts
	Objects  int64 `json:"objects"`  // that the store of bytes has
	Young    int64 `json:"young"`    // of these, that are not judged, as they may be in flight
	Findings int64 `json:"findings"` // how many there were
}

// Config says what is checked, and how. The zero value of what is not required means what is told.
type Config struct {
	Blobs  store.Blobs // required, as are the next three; it has to be a store.Lister, too
	Meta   store.Meta
	Now    func() time.Time
	Found  func(Finding)
	Quick  bool          // parts are not read: their bytes have the right number, whatever they are
	Young  time.Duration // bytes without a record count as in flight when they are younger
	Settle time.Duration // after which what looks wrong is looked at again
}

// Run checks everything. An error means that it could not, and says nothing of the store.
func Run(ctx context.Context, c Config) (Summary, error) {
	lister, ok := c.Blobs.(store.Lister)
	if !ok {
		return Summary{}, errors.New("failed to check: this store of parts cannot list what it has")
	}
	r := &run{Config: c}
	err := r.checkMarks(ctx)
	if err == nil {
		err = r.checkDatabase(ctx)
	}
	if err == nil {
		err = r.checkTotal(ctx)
	}
	if err == nil {
		err = r.checkRecords(ctx)
	}
	if err == nil {
		err = r.checkObjects(ctx, lister)
	}
	if err == nil {
		err = r.confirm(ctx)
	}
	if err != nil {
		return r.sum, fmt.Errorf("failed to check: %w", err)
	}
	return r.sum, nil
}

type run struct {
	Config
	sum      Summary
	suspects []suspect
}

// suspect is a finding that is yet to be confirmed.
type suspect struct {
	Finding
	again func(ctx context.Context) (Finding, bool, error) // what it is by now, and whether it still is
}

// is makes a finding.
func is(kind, share string, part int64, format string, args ...any) Finding {
	return Finding{Kind: kind, Share: share, Part: &part, Detail: fmt.Sprintf(format, args...)}
}

func (r *run) suspect(f Finding, again func(context.Context) (Finding, bool, error)) {
	r.suspects = append(r.suspects, suspect{f, again})
}

func (r *run) found(f Finding) {
	r.sum.Findings++
	r.Found(f)
}

// checkMarks looks whether parts and records belong together; see [store.Match].
func (r *run) checkMarks(ctx context.Context) error {
	records, err := r.Meta.Mark(ctx, "")
	if err != nil {
		return err
	}
	parts, err := r.Blobs.Mark(ctx, "")
	if err == nil && parts != "" && parts != records {
		r.found(Finding{Kind: Foreign, Detail: "the parts belong to other records, and no server starts with these"})
	}
	return err
}

func (r *run) checkDatabase(ctx context.Context) error {
	checker, ok := r.Meta.(store.Checker)
	if !ok {
		return nil
	}
	damage, err := checker.Check(ctx)
	for _, text := range damage {
		r.found(Finding{Kind: Database, Detail: text})
	}
	return err
}

// totalTries is how often the sum is looked at before a store is too busy for that.
const totalTries = 5

// checkTotal compares the sum of all parts, which Meta keeps as they come and go, with what they have.
func (r *run) checkTotal(ctx context.Context) error {
	for range totalTries {
		before, err := r.Meta.Usage(ctx)
		if err != nil {
			return err
		}
		sums, err := r.Meta.Totals(ctx, r.Now().Unix())
		if err != nil {
			return err
		}
		after, err := r.Meta.Usage(ctx)
		if err != nil {
			return err
		}
		if before != after {
			continue // something came or went in between
		}
		if before != sums.Bytes {
			r.found(Finding{Kind: WrongTotal, Detail: fmt.Sprintf("%d bytes are counted, and the records of all parts have %d", before, sums.Bytes)})
		}
		return nil
	}
	return nil
}

// confirm looks again at what looked wrong.
func (r *run) confirm(ctx context.Context) error {
	if len(r.suspects) == 0 {
		return nil
	}
	pause := time.NewTimer(r.Settle)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, s := range r.suspects {
		f, still, err := s.again(ctx)
		if err != nil {
			return err
		}
		if still {
			r.found(f)
		}
	}
	return nil
}

// standing returns the record of a share, and whether it is there, and neither expired nor removed.
func (r *run) standing(ctx context.Context, id string) (store.Record, bool, error) {
	rec, err := r.Meta.Record(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return rec, false, nil
	}
	return rec, err == nil && r.stands(rec), err
}

func (r *run) stands(rec store.Record) bool {
	return rec.State != store.Removed && rec.Expires > r.Now().Unix()
}
