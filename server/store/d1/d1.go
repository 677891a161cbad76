//go:build js && wasm

// Package d1 keeps records in a Cloudflare D1 database, which is SQLite with a server in front of it. The statements and what
// their answers mean are those of every database, package records; each operation is one D1 batch.
//
// A batch is atomic, serial and durable. D1 writes no secure_delete: what was deleted may remain in its backups ("time
// travel") for up to 30 days. What lies in it is hashes of tokens, sizes, counts, times and sealed reports, as in the SQLite file of a native
// server.
//
// The schema is brought, and upgraded, by wrangler, from the files that package records has for that. A build that is older
// than the database refuses it with store.ErrTooNew.
package d1

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/internal/records"
)

// Store implements [store.Meta] in a D1 database. It is for one request at a time, as a Go instance on Workers is.
type Store struct{ records.Store }

var _ store.Meta = (*Store)(nil)

// New returns the Store of a database, for which it wants the Batches of batches.mjs. It asks for them whenever it needs them:
// they are different ones for each request.
func New(batches func() js.Value) *Store {
	db := sql.OpenDB(connector{batches})
	db.SetMaxIdleConns(1)
	return &Store{records.Store{DB: &database{db: db}}}
}

// database implements [records.DB].
type database struct {
	db      *sql.DB
	checked bool // the schema's version
}

func (d *database) Read(ctx context.Context, s records.Statement) error { return d.Write(ctx, "", s) }

func (d *database) Write(ctx context.Context, _ string, batch ...records.Statement) error {
	if !d.checked {
		d.checked = true
		if _, err := (records.Store{DB: d}).Version(ctx); err != nil {
			d.checked = false
			return err
		}
	}
	var queries []string
	var args []any
	for _, s := range batch {
		queries = append(queries, s.Query)
		args = append(args, s.Args...)
	}
	rows, err := d.db.QueryContext(ctx, strings.Join(queries, ";"), args...)
	if err != nil {
		return full(err)
	}
	defer rows.Close()
	for i, s := range batch {
		if i > 0 && !rows.NextResultSet() {
			break
		}
		for s.Row != nil && rows.Next() {
			if err := s.Row(rows); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// full makes what D1 says of a database that has reached its size an ErrFull. D1 has no codes.
func full(err error) error {
	text := strings.ToLower(err.Error())
	if strings.Contains(text, "sqlite_full") || strings.Contains(text, "maximum db size") || strings.Contains(text, "is full") {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
