package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/internal/records"
)

const (
	maxConns       = 16 // of each server, unless the address says pool_max_conns; PostgreSQL has 100 by default
	connectAfter   = 5 * time.Second
	operationAfter = 20 * time.Second // one that takes longer has met a server that hangs
	sweepAfter     = 5 * time.Minute  // the same for those about many shares, and for upgrades

	// sweepWaits bounds how long one about many shares waits for those that run, since all that come later wait behind it.
	sweepWaits = `SET LOCAL lock_timeout = '2s'`
)

// The advisory locks' numbers are "sealpost", and one more.
const (
	allBatches = 0x7365616c706f7374
	migration  = allBatches + 1
)

// Store implements [store.Meta] in a database.
type Store struct {
	records.Store
	pool *pgxpool.Pool
}

var _ store.Meta = (*Store)(nil)

// Open connects to a database, by an address as libpq takes them: postgres://user:password@host/name?sslmode=verify-full. What it does not
// say is taken from libpq's environment variables.
func Open(ctx context.Context, address string) (*Store, error) {
	return open(ctx, address, migrate)
}

// Attach connects to a database beside servers that may use it: it neither makes nor upgrades the schema. An older one is an error, as those
// servers may be of an older build, which an upgrade would take it from.
func Attach(ctx context.Context, address string) (*Store, error) {
	return open(ctx, address, func(ctx context.Context, pool *pgxpool.Pool) error {
		version, err := (records.Store{DB: database{pool}}).Version(ctx)
		if err == nil && version < records.SchemaVersion {
			err = fmt.Errorf("it is of version %d, which a server has yet to upgrade to %d", version, records.SchemaVersion)
		}
		return err
	})
}

// open connects to a database and has it prepared.
func open(ctx context.Context, address string, prepare func(context.Context, *pgxpool.Pool) error) (_ *Store, err error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("failed to parse address of database: %w", err)
	}
	if !strings.Contains(address, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectAfter
	}
	if cfg.PingTimeout == 0 {
		cfg.PingTimeout = connectAfter
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "sealpost"
	}
	endSilence(&cfg.ConnConfig.Config)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	s := &Store{records.Store{DB: database{pool}}, pool}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sweepAfter)
	defer cancel()
	if err := checkSettings(ctx, pool); err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	if err := prepare(ctx, pool); err != nil {
		return nil, fmt.Errorf("failed to prepare database: %w", err)
	}
	if _, err := s.Version(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// checkSettings refuses a server that acknowledges what it may lose.
func checkSettings(ctx context.Context, pool *pgxpool.Pool) error {
	for _, name := range []string{"fsync", "synchronous_commit"} {
		var value string
		if err := pool.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			return failure(err)
		}
		if value == "off" {
			return fmt.Errorf("its setting %s is off, so that what it acknowledges may be lost", name)
		}
	}
	return nil
}

// migrate makes the schema if there is none, and brings an older one to the newest: all of that or nothing. One that it does not know it
// leaves as it is.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migration)); err != nil {
			return err
		}
		var there bool
		var version int64
		err := tx.QueryRow(ctx, `SELECT to_regclass('schema_version') IS NOT NULL`).Scan(&there)
		if err == nil && there {
			err = tx.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&version)
		}
		if err != nil || version >= records.SchemaVersion {
			return err
		}
		statements, err := records.Upgrade(version)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, dialect.Replace(statements))
		return err
	})
	if err != nil {
		return failure(err)
	}
	return nil
}

// dialect makes of the schema's types those of PostgreSQL. Ids are compared as bytes, so that no order depends on a locale.
var dialect = strings.NewReplacer(" BLOB", " BYTEA", " TEXT", ` TEXT COLLATE "C"`)

// database implements [records.DB].
type database struct{ pool *pgxpool.Pool }

// Read implements [records.DB]. It may be repeated for as long as no row was handed on.
func (d database) Read(ctx context.Context, st records.Statement) error {
	row, rows := st.Row, 0
	st.Row = func(r records.Row) error {
		rows++
		return row(r)
	}
	return d.attempt(ctx, operationAfter, func(err error) bool { return rows == 0 && lost(err) }, st)
}

// Write implements [records.DB].
func (d database) Write(ctx context.Context, share string, batch ...records.Statement) error {
	whole := []records.Statement{{Query: `BEGIN ISOLATION LEVEL READ COMMITTED`}}
	patience := operationAfter
	if share == "" {
		patience = sweepAfter
		whole = append(whole,
			records.Statement{Query: sweepWaits},
			records.Statement{Query: `SELECT pg_advisory_xact_lock($1)`, Args: []any{int64(allBatches)}})
	} else {
		whole = append(whole,
			records.Statement{Query: `SELECT pg_advisory_xact_lock_shared($1)`, Args: []any{int64(allBatches)}},
			records.Statement{Query: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, Args: []any{share}})
	}
	whole = append(append(whole, batch...), records.Statement{Query: `COMMIT`})
	return d.attempt(ctx, patience, notBegun, whole...)
}

// attempt sends statements, and once more if the connection turned out to be one that the server had closed, and that may be.
func (d database) attempt(ctx context.Context, patience time.Duration, again func(error) bool, batch ...records.Statement) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	for range maxConns + 1 { // as many as may have been closed at once
		if err = d.send(limited, batch); err == nil || limited.Err() != nil || !again(err) {
			break
		}
	}
	var refused rowError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused.error
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return failure(err)
}

// rowError is of whoever was handed a row.
type rowError struct{ error }

// firstError is of the first statement: those after it were not run.
type firstError struct{ error }

func (e firstError) Unwrap() error { return e.error }

// send sends all statements at once, and hands on their rows.
func (d database) send(ctx context.Context, statements []records.Statement) (err error) {
	var b pgx.Batch
	for _, st := range statements {
		b.Queue(st.Query, st.Args...)
	}
	results := d.pool.SendBatch(ctx, &b)
	for i, st := range statements {
		if err = each(results, st); err != nil {
			if i == 0 {
				err = firstError{err}
			}
			break
		}
	}
	if cerr := results.Close(); err == nil { // waits until the server is done with all of it
		err = cerr
	}
	return err
}

// each hands on the rows of the next result.
func each(results pgx.BatchResults, st records.Statement) error {
	if st.Row == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := st.Row(rows); err != nil {
			return rowError{err}
		}
	}
	return rows.Err()
}
