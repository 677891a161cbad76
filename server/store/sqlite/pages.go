package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sealpost/sealpost/server/store"
)

// pages are what the system has cached of the file and its log.
//
// A page that could not be written must not be written again as if nothing had been. Linux reports the error once, takes the page for
// clean from then on, and ext4 forgets that the block below has never been written: it writes the page another time, says that this is
// done, and goes on to treat the block as empty. Until the power fails all seems well; after that there are zeros where the page was,
// and with it goes everything that the log has after it. SQLite does write it again, for a commit that failed has its place in the log
// given to the next. So once something could not be written, the cached pages are dropped before anything else is.
//
// Whoever has the writer's connection may use it. Another process that writes to the file does not know of it.
type pages struct {
	file    *os.File
	log     string
	suspect bool
}

// openPages keeps the file open. Only the last to use it may close it: a process that closes a file loses its locks on it, SQLite's too.
func openPages(path string) (*pages, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("failed to open database: %w", err)
	}
	return &pages{file: file, log: path + "-wal"}, nil
}

func (p *pages) close() error { return p.file.Close() }

// drop has the system read anew what is not waiting to be written.
func (p *pages) drop() error {
	err := uncache(p.file)
	log, lerr := os.Open(p.log)
	if lerr == nil {
		lerr = uncache(log)
		log.Close()
	}
	if errors.Is(lerr, fs.ErrNotExist) {
		lerr = nil
	}
	if err = errors.Join(err, lerr); err != nil {
		return fmt.Errorf("failed to drop cached pages: %w: %w", store.ErrUnavailable, err)
	}
	return nil
}

// alone runs f, which may write, with the only connection for that, and sees to it that after an error no page is written again that
// could not be.
func (s *Store) alone(ctx context.Context, f func(*sql.Conn) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.pages.suspect {
		if err := s.pages.drop(); err != nil {
			return err
		}
		s.pages.suspect = false
	}
	err = f(conn)
	s.suspect(err)
	return err
}

func (s *Store) suspect(err error) {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && (e.Code()&0xff == sqlite3.SQLITE_IOERR || e.Code()&0xff == sqlite3.SQLITE_FULL) {
		s.pages.suspect = true
	}
}

// writeBackAfter is after how many commits the log is written back, so that it does not grow: each is some ten pages.
const writeBackAfter = 100

// committed counts a commit, and writes the log back when it is time. SQLite would do that by itself, but would keep to itself that it
// failed, and the next time write the same pages again. An error means that it is tried again after the next commit; this one is in the log.
func (s *Store) committed(ctx context.Context, conn *sql.Conn) {
	if s.commits++; s.commits < writeBackAfter {
		return
	}
	_, err := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(PASSIVE)`)
	if err == nil {
		s.commits = 0
	}
	s.suspect(err)
}
