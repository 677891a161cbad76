// Package admin is what an operator does with the stores of a server, beside it or without it: look at the records of shares, take shares
// down, and get at the reports that were sealed to them. Nothing here opens anything: there is no key on the server.
//
// What is printed has ids of shares in it, which the logs of a server never have. An id opens nothing; it names a share to who has its link.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// Admin works on the stores of a server. Its methods write what is asked for to Out.
type Admin struct {
	Blobs store.Blobs
	Meta  store.Meta
	Now   func() time.Time
	Out   io.Writer
	JSON  bool // one object a line, and not a table
}

const page = 200

// records are those of all shares.
func (a *Admin) records(ctx context.Context) (all []store.Record, err error) {
	for after := ""; ; {
		next, err := a.Meta.Records(ctx, after, page)
		if err != nil || len(next) == 0 {
			return all, err
		}
		all, after = append(all, next...), next[len(next)-1].ID
	}
}

// TakeDown removes a share for everybody, as its owner could: from here on nobody gets at it, and its bytes are deleted. A download that
// is running may finish. The record goes with a sweep of a server, which also looks for what was being stored meanwhile.
func (a *Admin) TakeDown(ctx context.Context, id string) error {
	rec, err := a.Meta.Record(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("failed to take down %s: there is no such share", id)
	}
	if err == nil {
		err = a.remove(ctx, id)
	}
	if errors.Is(err, store.ErrFull) { // the room that the record needs may be that of the bytes
		if err = a.Blobs.DeleteShare(ctx, id); err == nil {
			err = a.remove(ctx, id)
		}
	}
	if err == nil {
		err = a.Blobs.DeleteShare(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("failed to take down %s: %w", id, err)
	}
	_, err = fmt.Fprintf(a.Out, "%s is taken down: its bytes are deleted, %s\n", id, size(rec.Bytes))
	return err
}

// remove marks a share as removed, or finds that it is, or has expired.
func (a *Admin) remove(ctx context.Context, id string) error {
	err := a.Meta.Remove(ctx, id, a.Now().Unix())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
