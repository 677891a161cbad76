package fsck

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/sealpost/sealpost/server/store"
)

const page = 100

// checkRecords looks at each share that stands, and for the bytes of each of its parts.
func (r *run) checkRecords(ctx context.Context) error {
	for after := ""; ; {
		records, err := r.Meta.Records(ctx, after, page)
		if err != nil || len(records) == 0 {
			return err
		}
		for _, rec := range records {
			if !r.stands(rec) {
				continue
			}
			if err := r.checkShare(ctx, rec); err != nil {
				return err
			}
		}
		after = records[len(records)-1].ID
	}
}

func (r *run) checkShare(ctx context.Context, rec store.Record) error {
	parts, err := r.Meta.Parts(ctx, rec.ID)
	if err != nil {
		return err
	}
	r.sum.Shares++
	if wrong := miscount(rec, parts); wrong != "" {
		r.suspect(Finding{}, func(ctx context.Context) (Finding, bool, error) {
			rec, ok, err := r.standing(ctx, rec.ID)
			if !ok || err != nil {
				return Finding{}, false, err
			}
			parts, err := r.Meta.Parts(ctx, rec.ID)
			wrong := miscount(rec, parts)
			return Finding{Kind: WrongCount, Share: rec.ID, Detail: wrong}, err == nil && wrong != "", err
		})
	}
	for _, p := range parts {
		r.sum.Parts++
		r.sum.Bytes += p.Size
		f, wrong, err := r.checkPart(ctx, rec.ID, p)
		if err != nil {
			return err
		}
		if wrong {
			r.suspect(f, func(ctx context.Context) (Finding, bool, error) {
				if ok, err := r.has(ctx, rec.ID, p); !ok || err != nil {
					return Finding{}, false, err
				}
				f, wrong, err := r.checkPart(ctx, rec.ID, p)
				if err != nil || !wrong {
					return Finding{}, false, err
				}
				ok, err := r.has(ctx, rec.ID, p) // it may have been removed meanwhile: the record goes first
				return f, ok, err
			})
		}
	}
	return nil
}

// has tells whether a share stands and has this part.
func (r *run) has(ctx context.Context, id string, p store.Part) (bool, error) {
	_, ok, err := r.standing(ctx, id)
	if !ok || err != nil {
		return false, err
	}
	got, err := r.Meta.Part(ctx, id, p.N)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && got == p, err
}

// miscount returns what does not add up in a share, or "". An open share may have any parts yet.
func miscount(rec store.Record, parts []store.Part) string {
	var content, bytes int64
	whole, last := true, int64(0)
	for _, p := range parts {
		bytes += p.Size
		if p.N == 0 {
			continue
		}
		content += p.Size
		whole = whole && p.N == last+1 && (p.Size == rec.PartSize || p.N == rec.Parts)
		last = p.N
	}
	switch {
	case rec.Tickets > rec.Taken:
		return "more tickets than downloads taken"
	case rec.State == store.Open && (rec.Parts != 0 || rec.Completed != 0):
		return "open, and yet complete"
	case rec.State != store.Ready:
		return ""
	case len(parts) == 0 || parts[0].N != 0:
		return "no record of the manifest"
	case last != rec.Parts || !whole:
		return "records of other parts than those that make the share"
	case content != rec.Size:
		return "records of parts that have another size together than the share"
	case rec.Stored != rec.Parts || rec.Bytes != bytes:
		return "records of parts that the database counts differently"
	}
	return ""
}

// checkPart looks at the bytes of a part. Its error is that of a caller who gives up, or of a store that is out of reach.
func (r *run) checkPart(ctx context.Context, id string, p store.Part) (Finding, bool, error) {
	body, err := r.Blobs.Open(ctx, store.Key{Share: id, N: p.N, Digest: p.Digest}, 0, p.Size)
	if ctx.Err() != nil {
		return Finding{}, false, ctx.Err()
	}
	if errors.Is(err, store.ErrNotFound) {
		return is(Missing, id, p.N, "%d bytes are not there", p.Size), true, nil
	}
	if errors.Is(err, store.ErrUnavailable) {
		return Finding{}, false, err
	}
	if err != nil {
		return is(Unreadable, id, p.N, "%v", err), true, nil
	}
	defer body.Close()
	if r.Quick {
		return Finding{}, false, nil
	}
	hash := sha256.New()
	n, err := io.CopyN(hash, &interruptible{ctx, body}, p.Size)
	switch {
	case ctx.Err() != nil:
		return Finding{}, false, ctx.Err()
	case errors.Is(err, store.ErrUnavailable):
		return Finding{}, false, err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return is(WrongSize, id, p.N, "ends after %d of %d bytes", n, p.Size), true, nil
	case err != nil:
		return is(Unreadable, id, p.N, "%v", err), true, nil
	case store.Hash(hash.Sum(nil)) != p.Digest:
		return is(WrongDigest, id, p.N, "%d bytes are not those that were stored", p.Size), true, nil
	}
	return Finding{}, false, nil
}

// interruptible is a reader that ends when nobody wants it any more.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
