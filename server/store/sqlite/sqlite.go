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
)

// Store implements [store.Meta] in a file.
type Store struct {
	writer, reader *sql.DB
	forgot         atomic.Bool // the log may still have pages of forgotten shares
}

var _ store.Meta = (*Store)(nil)

const readers = 4

// Open opens the records in the file path, which is created if it is missing.
func Open(path string) (_ *Store, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("failed to locate database: %w", err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("failed to create database: %w", full(err))
	}
	s := &Store{}
	s.forgot.Store(true) // by whoever had the file before, and may have been killed
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.writer, err = connect(path, 1, "secure_delete(ON)", "foreign_keys(ON)"); err != nil {
		return nil, err
	}
	if err := s.migrate(context.Background()); err != nil {
		return nil, err
	}
	if s.reader, err = connect(path, readers, "query_only(ON)"); err != nil {
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

func connect(path string, conns int, pragmas ...string) (*sql.DB, error) {
	// The order matters: nothing but the timeout works while another process recovers the file.
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append(
		[]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate makes the schema if there is none, and refuses one it does not know.
func (s *Store) migrate(ctx context.Context) error {
	var version int
	err := s.write(ctx, func(tx *sql.Tx) error {
		var tables int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&tables); err != nil {
			return err
		}
		if tables == 0 {
			if _, err := tx.ExecContext(ctx, schema); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version)
	})
	if err != nil {
		return fmt.Errorf("failed to prepare database: %w", err)
	}
	if version > schemaVersion {
		return fmt.Errorf("failed to open database of version %d: %w", version, store.ErrTooNew)
	}
	return nil
}

// Close writes the log back and closes the file.
func (s *Store) Close() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.writer != nil {
		_, err := s.writer.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
		errs = append(errs, err, s.writer.Close())
	}
	return errors.Join(errs...)
}

// Ping implements [store.Meta].
func (s *Store) Ping(ctx context.Context) error {
	var version int
	return s.reader.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version)
}

// write runs f in a transaction. What f returns counts only after COMMIT: that is where a full disk may show.
func (s *Store) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return full(err)
	}
	if err = f(tx); err == nil {
		err = tx.Commit()
	} else {
		tx.Rollback()
	}
	if errors.Is(err, sql.ErrTxDone) { // rolled back in the middle, as the caller gave up
		err = errors.Join(ctx.Err(), err)
	}
	return full(err)
}

// change runs one statement that is to change one row, else there is no such share.
func (s *Store) change(ctx context.Context, query string, args ...any) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		return err
	})
}

// scrub writes the log back and cuts it, if a share was forgotten since the last time. Readers may be in the way: then the
// next one does it.
func (s *Store) scrub(ctx context.Context) error {
	if !s.forgot.Swap(false) {
		return nil
	}
	var busy, log, done int
	err := s.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done)
	if err != nil || busy != 0 {
		s.forgot.Store(true)
	}
	return full(err)
}

// full makes what SQLite says of a full disk an ErrFull.
func full(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
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

// scanShare scans the columns of a share and whatever follows them.
func scanShare(row *sql.Row, more ...any) (store.Share, error) {
	var s store.Share
	err := row.Scan(append([]any{&s.ID, (*hash)(&s.Access), (*hash)(&s.Reader), (*hash)(&s.Owner), &s.State, &s.Password,
		&s.PartSize, &s.Size, &s.Parts, &s.Created, &s.Completed, &s.Expires, &s.Lifetime, &s.MaxDownloads, &s.Taken}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Share{}, store.ErrNotFound
	}
	return s, full(err)
}

// exec runs one statement of a batch.
func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
