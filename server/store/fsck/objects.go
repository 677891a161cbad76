package fsck

import (
	"context"
	"errors"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// checkObjects looks for the record of everything that the store of bytes has. Objects of a share come one after the other from the stores
// that there are, so that its parts are asked for once.
func (r *run) checkObjects(ctx context.Context, lister store.Lister) error {
	share, parts, spared := "", map[int64]store.Part{}, false
	return lister.List(ctx, func(o store.Object) error {
		r.sum.Objects++
		if o.Stray != "" {
			r.judge(o, stray(o), false)
			return nil
		}
		if o.Key.Share != share {
			rec, standing, err := r.standing(ctx, o.Key.Share)
			if err != nil {
				return err
			}
			spared = rec.State == store.Open || rec.ID != "" && !standing // rec is empty if there is none
			all, err := r.Meta.Parts(ctx, o.Key.Share)
			if err != nil {
				return err
			}
			share = o.Key.Share
			clear(parts)
			for _, p := range all {
				parts[p.N] = p
			}
		}
		switch p := parts[o.Key.N]; {
		case p.Digest == o.Key.Digest && p.Size == o.Size:
		case p.Digest == o.Key.Digest:
			f := is(WrongSize, share, p.N, "has %d bytes and not %d", o.Size, p.Size)
			r.suspect(f, func(ctx context.Context) (Finding, bool, error) {
				ok, err := r.has(ctx, o.Key.Share, p)
				return f, ok && (r.Quick || o.Size > p.Size), err // what is read and too short is found by its record
			})
		default:
			r.judge(o, is(Orphan, share, o.Key.N, "%d bytes that no record names, since %s", o.Size, when(o)), spared)
		}
		return nil
	})
}

func stray(o store.Object) Finding {
	return Finding{Kind: Stray, Share: o.Key.Share, Detail: "a file that is no part, since " + when(o) + ": " + o.Stray}
}

func when(o store.Object) string { return o.Modified.UTC().Format(time.RFC3339) }

// judge suspects what has no record, unless it is young or to be spared, as its share is open, or about to be swept with all that it has.
func (r *run) judge(o store.Object, f Finding, spared bool) {
	if spared || r.Now().Sub(o.Modified) < r.Young {
		r.sum.Young++
		return
	}
	r.suspect(f, func(ctx context.Context) (Finding, bool, error) {
		if o.Stray != "" {
			return f, true, nil
		}
		p, err := r.Meta.Part(ctx, o.Key.Share, o.Key.N)
		switch {
		case err == nil && p.Digest == o.Key.Digest:
			return f, false, nil
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return f, false, err
		}
		body, err := r.Blobs.Open(ctx, o.Key, 0, min(o.Size, 1))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return f, false, nil // swept meanwhile
		case errors.Is(err, store.ErrUnavailable):
			return f, false, err
		case err == nil:
			body.Close()
		}
		return f, ctx.Err() == nil, ctx.Err()
	})
}
