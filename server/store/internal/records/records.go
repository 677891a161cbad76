package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sealpost/sealpost/server/store"
)

// DB runs batches.
type DB interface {
	// Read runs one statement, which changes nothing.
	Read(ctx context.Context, s Statement) error
	// Write runs statements one after the other as one step, which is durable when Write returns nil, and does not become so
	// in part. Others see all of it or nothing, and it sees all that was acknowledged before. Batches about the same share do
	// not overlap, and one about many shares, for which share is "", overlaps with none: each statement sees what the one
	// before it did, and nothing comes in between. What is about something else than a share has a name for that, as no share
	// has. A full database is store.ErrFull, possibly wrapped, and one that cannot be reached store.ErrUnavailable.
	Write(ctx context.Context, share string, batch ...Statement) error
}

// Statement is one statement of a batch.
type Statement struct {
	Query string
	Args  []any
	Row   func(Row) error // is called for each row of the answer; nil for a statement that has none
}

// Row is a row of an answer, such as [sql.Rows].
type Row interface {
	Scan(dest ...any) error
}

// Store implements [store.Meta] in a DB.
type Store struct{ DB DB }

var _ store.Meta = Store{}

// do is a statement without an answer.
func do(query string, args ...any) Statement { return Statement{Query: query, Args: args} }

// one is a statement of whose answer the first row, if there is one, is scanned into dest; found tells whether there was.
func one(found *bool, query string, args []any, dest ...any) Statement {
	return Statement{query, args, func(r Row) error {
		if *found {
			return nil
		}
		*found = true
		return r.Scan(dest...)
	}}
}

// share is a statement that answers the columns of a share, and whatever follows them.
func share(s *store.Share, found *bool, query string, args []any, more ...any) Statement {
	return one(found, query, args, append(into(s), more...)...)
}

// into are what columns are scanned into.
func into(s *store.Share) []any {
	return []any{&s.ID, (*hash)(&s.Access), (*hash)(&s.Reader), (*hash)(&s.Owner), &s.State, (*flag)(&s.Password), &s.PartSize, &s.Size,
		&s.Parts, &s.Created, &s.Completed, &s.Expires, &s.Lifetime, &s.MaxDownloads, &s.Taken}
}

// ids is a statement that answers ids.
func ids(all *[]string, query string, args ...any) Statement {
	return Statement{query, args, func(r Row) error {
		var id string
		err := r.Scan(&id)
		*all = append(*all, id)
		return err
	}}
}

// orNotFound is err, or store.ErrNotFound if nothing was found.
func orNotFound(err error, found bool) error {
	if err == nil && !found || errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}

// Ping implements [store.Meta].
func (s Store) Ping(ctx context.Context) error {
	_, err := s.Version(ctx)
	return err
}

// Version returns the version of the schema. If that is newer than this build, the error is store.ErrTooNew.
func (s Store) Version(ctx context.Context) (int64, error) {
	var version int64
	var found bool
	err := s.DB.Read(ctx, one(&found, versionSelect, nil, &version))
	switch {
	case orNotFound(err, found) != nil:
		return 0, fmt.Errorf("failed to read version of database: %w", orNotFound(err, found))
	case version > SchemaVersion:
		return version, fmt.Errorf("failed to open database of version %d: %w", version, store.ErrTooNew)
	}
	return version, nil
}

// flag scans 0 or 1.
type flag bool

// Scan implements [sql.Scanner].
func (f *flag) Scan(src any) error {
	n, ok := src.(int64)
	if !ok || n != 0 && n != 1 {
		return errors.New("not a flag")
	}
	*f = n == 1
	return nil
}

// hash scans a SHA-256.
type hash store.Hash

// Scan implements [sql.Scanner].
func (h *hash) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(h) {
		return errors.New("not a hash")
	}
	copy(h[:], b)
	return nil
}
