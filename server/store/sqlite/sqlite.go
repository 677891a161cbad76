package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/internal/records"
)

// Store implements [store.Meta] in a file.
type Store struct {
	records.Store
	writer, reader *pool
	commits        int         // since the log was last written back; held with the writer's connection
	forgot         atomic.Bool // the log may still have pages of forgotten shares, dropped reports and charges
	damage         damage
}

var (
	_ store.Meta    = (*Store)(nil)
	_ store.Checker = (*Store)(nil)
	_ store.Mender  = (*Store)(nil)
)

const readers = 4

// Open opens the records in the file path, which is created if it is missing, and upgraded if it is older.
func Open(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("failed to locate database: %w", err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("failed to create database: %w", trouble(err))
	}
	return open(path, (*Store).migrate)
}

// Attach opens the records in a file that another process may have open, too: it neither creates nor upgrades it. An older file is an
// error, as that other process may be an older build, which an upgrade would take the file from.
func Attach(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("failed to locate database: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	return open(path, func(s *Store, ctx context.Context) error {
		version, err := s.Version(ctx)
		if err == nil && version < records.SchemaVersion {
			err = fmt.Errorf("failed to open database of version %d, which the server has yet to upgrade to %d", version, records.SchemaVersion)
		}
		return err
	})
}

// open connects to a file and has it prepared before anything reads.
func open(path string, prepare func(*Store, context.Context) error) (_ *Store, err error) {
	if err := uncache(path, path+"-wal"); err != nil {
		return nil, err
	}
	s := &Store{damage: newDamage(filepath.Dir(path))}
	s.DB = db{s}
	s.forgot.Store(true) // by whoever had the file before, and may have been killed
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.writer, err = connect(path, 1, "secure_delete(ON)", "foreign_keys(ON)", "wal_autocheckpoint(0)"); err != nil {
		return nil, err
	}
	if s.reader, err = connect(path, readers, "query_only(ON)"); err != nil {
		return nil, err
	}
	if err := prepare(s, context.Background()); err != nil { // the first to connect
		return nil, err
	}
	if _, err := s.Version(context.Background()); err != nil {
		return nil, err
	}
	return s, nil
}

// create makes an empty file, so that SQLite gives its own mode to it and to the log beside it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func connect(path string, conns int, pragmas ...string) (*pool, error) {
	// The order matters: nothing but the timeout works while another process recovers the file.
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append(
		[]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &pool{DB: db}, nil
}

// migrate makes the schema if there is none, and brings an older one to the newest: all of that or nothing. One that it does not know
// it leaves as it is.
func (s *Store) migrate(ctx context.Context) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		var tables int
		var version int64
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&tables)
		if err == nil && tables > 0 {
			err = tx.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version)
		}
		if err == nil && version < records.SchemaVersion {
			err = upgrade(ctx, tx, version)
		}
		if err == nil { // a file that may only be read is better found now than by the first sender
			_, err = tx.ExecContext(ctx, `UPDATE schema_version SET version = version WHERE version <= $1`, records.SchemaVersion)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("failed to prepare database: %w", trouble(err))
	}
	return nil
}

func upgrade(ctx context.Context, tx *sql.Tx, version int64) error {
	statements, err := records.Upgrade(version)
	if err == nil {
		_, err = tx.ExecContext(ctx, statements)
	}
	return err
}

// Close writes the log back and closes the file. After something could not be written it closes nothing, as SQLite would take the log for
// written back then; the end of the process does.
func (s *Store) Close() error {
	s.damage.close()
	var errs []error
	if s.writer != nil {
		err := s.alone(context.Background(), func(conn *sql.Conn) error {
			_, err := conn.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`)
			return err
		})
		if s.damage.done.Load() {
			return err
		}
		errs = append(errs, err)
	}
	for _, p := range []*pool{s.reader, s.writer} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// db runs batches as transactions of s.
type db struct{ s *Store }

// Read implements [records.DB]. It does not wait for the writer.
func (d db) Read(ctx context.Context, st records.Statement) error {
	return orGivenUp(ctx, trouble(d.s.read(ctx, st)))
}

func (s *Store) read(ctx context.Context, st records.Statement) error {
	on, err := s.reader.prepare(ctx, st.Query)
	if err != nil {
		return err
	}
	return each(ctx, on, st)
}

// Write implements [records.DB].
func (d db) Write(ctx context.Context, _ string, batch ...records.Statement) error {
	prepared := make([]*sql.Stmt, len(batch))
	for i, st := range batch {
		var err error
		if prepared[i], err = d.s.writer.prepare(ctx, st.Query); err != nil {
			return orGivenUp(ctx, trouble(err))
		}
	}
	err := d.s.transact(ctx, func(tx *sql.Tx) error {
		for i, st := range batch {
			if err := each(ctx, tx.StmtContext(ctx, prepared[i]), st); err != nil {
				return err
			}
		}
		return nil
	})
	return orGivenUp(ctx, trouble(err))
}

// transact runs f in a transaction. Success counts only after COMMIT: that is where a full disk may show.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	return s.alone(ctx, func(conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			tx.Rollback()
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		s.committed(ctx, conn)
		return nil
	})
}

// orGivenUp is err, which is also that of a caller who gave up: what the database says then is that it was interrupted, or had rolled back.
func orGivenUp(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// each runs one statement and hands on its rows.
func each(ctx context.Context, on *sql.Stmt, st records.Statement) error {
	if st.Row == nil {
		_, err := on.ExecContext(ctx, st.Args...)
		return err
	}
	rows, err := on.QueryContext(ctx, st.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := st.Row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Doomed implements [store.Meta].
func (s *Store) Doomed(ctx context.Context, now, idle int64, limit int) ([]string, error) {
	switch err := s.scrub(ctx); {
	case errors.Is(err, store.ErrFull):
		return s.Unmarked(ctx, now, limit, err)
	case err != nil:
		return nil, fmt.Errorf("failed to clear the log: %w", err)
	}
	return s.Store.Doomed(ctx, now, idle, limit)
}

// Forget implements [store.Meta].
func (s *Store) Forget(ctx context.Context, id string, now int64) error {
	err := s.Store.Forget(ctx, id, now)
	if err == nil {
		s.forgot.Store(true)
	}
	return err
}

// AddReport implements [store.Meta]. Another may have made room for it.
func (s *Store) AddReport(ctx context.Context, r store.Report, limit store.ReportLimit) error {
	err := s.Store.AddReport(ctx, r, limit)
	if err == nil {
		s.forgot.Store(true)
	}
	return err
}

// DropReports implements [store.Meta].
func (s *Store) DropReports(ctx context.Context, before int64) (int64, error) {
	n, err := s.Store.DropReports(ctx, before)
	if n > 0 {
		s.forgot.Store(true)
	}
	return n, err
}

// Check implements [store.Checker].
func (s *Store) Check(ctx context.Context) (damage []string, err error) {
	for _, query := range []string{
		`SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
		`SELECT 'a row of ' || "table" || ' belongs to no share' FROM pragma_foreign_key_check`,
	} {
		err := s.read(ctx, records.Statement{Query: query, Row: func(r records.Row) error {
			var text string
			err := r.Scan(&text)
			damage = append(damage, text)
			return err
		}})
		var e *sqlite.Error
		switch {
		case errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_CORRUPT:
			damage = append(damage, e.Error())
		case err != nil:
			return damage, fmt.Errorf("failed to check database: %w", err)
		}
	}
	return damage, nil
}

// DropCharges implements [store.Meta].
func (s *Store) DropCharges(ctx context.Context, before int64) (int64, error) {
	n, err := s.Store.DropCharges(ctx, before)
	if n > 0 {
		s.forgot.Store(true)
	}
	return n, err
}

// scrub writes the log back and cuts it, if something was deleted since the last time. Readers may be in the way: then the
// next one does it.
func (s *Store) scrub(ctx context.Context) error {
	if !s.forgot.Swap(false) {
		return nil
	}
	var busy, log, done int
	err := s.alone(ctx, func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done)
	})
	if err != nil || busy != 0 {
		s.forgot.Store(true)
	}
	return trouble(err)
}

// trouble makes of what SQLite says of a full disk an ErrFull, and of one that cannot be written or read, which may be mended, an
// ErrUnavailable. A page that cannot be read it calls corrupt.
func trouble(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch code := e.Code(); {
	case code&0xff == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case code&0xff == sqlite3.SQLITE_READONLY, code&0xff == sqlite3.SQLITE_IOERR, code&0xff == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}
