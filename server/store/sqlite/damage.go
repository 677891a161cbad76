package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sealpost/sealpost/server/store"
)

// damage is that something could not be written.
//
// No process may go on from there as if it could have been. Linux tells of a page that it could not write once, and takes it for clean from
// then on. What SQLite writes in its place may reach the disk and be lost all the same, for ext4 goes on to treat a block as empty that was
// to be written first when it failed; with it goes, when the power fails, whatever the log has behind it. And SQLite may have noted before
// that the page was written back from the log. So nothing is written after that. The next process begins with what is on the disk: it
// has the system forget its pages, and SQLite reads the log anew from its beginning, as after every crash. (Rebello et al., "Can
// Applications Recover from fsync Failures?", USENIX ATC 2020.)
type damage struct {
	dir    string // of the database
	done   atomic.Bool
	mended chan struct{}
	closed context.Context
	close  context.CancelFunc
}

func newDamage(dir string) damage {
	ctx, cancel := context.WithCancel(context.Background())
	return damage{dir: dir, mended: make(chan struct{}), closed: ctx, close: cancel}
}

var errDamage = fmt.Errorf("something could not be written before: %w", store.ErrUnavailable)

// Mended implements [store.Mender]. Until the disk can be written again this process goes on to read.
func (s *Store) Mended() <-chan struct{} { return s.damage.mended }

// Ping implements [store.Meta].
func (s *Store) Ping(ctx context.Context) error {
	if s.damage.done.Load() {
		return errDamage
	}
	return s.Store.Ping(ctx)
}

// alone runs f, which may write, with the only connection for that.
func (s *Store) alone(ctx context.Context, f func(*sql.Conn) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.damage.done.Load() {
		return errDamage
	}
	err = f(conn)
	s.damage.note(err)
	return err
}

// note looks in an error for damage. What the system refuses right away, as on a disk that is full or read only, is none: nothing is taken for
// written then.
func (d *damage) note(err error) {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok || e.Code() != sqlite3.SQLITE_IOERR_FSYNC && e.Code() != sqlite3.SQLITE_IOERR_DIR_FSYNC {
		return
	}
	if !d.done.Swap(true) {
		go d.await()
	}
}

// await waits until the disk can be written.
func (d *damage) await() {
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		select {
		case <-d.closed.Done():
			return
		case <-tick.C:
			if tryWrite(d.dir) == nil {
				close(d.mended)
				return
			}
		}
	}
}

func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".try")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, 4096)); err != nil {
		return err
	}
	return f.Sync()
}

// writeBackAfter is after how many commits the log is written back, so that it does not grow: each is some ten pages.
const writeBackAfter = 100

// committed counts a commit, and writes the log back when it is time. SQLite would do that by itself, but would keep to itself that it
// failed. For this commit that is no failure: it is in the log.
func (s *Store) committed(ctx context.Context, conn *sql.Conn) {
	if s.commits++; s.commits < writeBackAfter {
		return
	}
	_, err := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(PASSIVE)`)
	if err == nil {
		s.commits = 0
	}
	s.damage.note(err)
}
