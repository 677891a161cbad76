package store

import (
	"context"
	"crypto/rand"
)

// Match tells whether parts and records belong together. Those that were never used with others do from then on, by a mark that is left in
// both. Others are ErrForeign: a sweep would take every part for one that nobody wants, and delete it, only because an address
// is mistyped, or because a database was lost, of which there may be a copy.
func Match(ctx context.Context, b Blobs, m Meta) error {
	mark, err := m.Mark(ctx, "")
	if err == nil && mark == "" {
		mark, err = firstMark(ctx, b, m)
	}
	if err != nil {
		return err
	}
	there, err := b.Mark(ctx, mark)
	if err == nil && there != mark {
		err = ErrForeign
	}
	return err
}

// firstMark marks records. If there are shares in them, they are of before there were marks, and may be a copy that was brought back: then
// their mark is that of the parts. If there are none, it depends on whether somebody is marking both right now, the records first.
func firstMark(ctx context.Context, b Blobs, m Meta) (string, error) {
	there, err := b.Mark(ctx, "")
	if err != nil {
		return "", err
	}
	if there == "" {
		return m.Mark(ctx, rand.Text())
	}
	some, err := m.Records(ctx, "", 1)
	if err != nil {
		return "", err
	}
	if len(some) > 0 {
		return m.Mark(ctx, there)
	}
	mark, err := m.Mark(ctx, "")
	if err == nil && mark == "" {
		err = ErrForeign
	}
	return mark, err
}
