package sqlite_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// The shares in testdata/version1.sql, and when they were made.
const (
	readyV1 = "G1H21Mac_EJXKcZt"
	openV1  = "EHYg2hxygQaWn2pH"
	nowV1   = 1796010995
)

// version1 returns a database as version 1 left it, and a connection to it.
func version1(t *testing.T) (path string, db *sql.DB) {
	t.Helper()
	dump, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "meta.db")
	if db, err = sql.Open("sqlite", path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(string(dump)); err != nil {
		t.Fatal(err)
	}
	return path, db
}

// tables are what a database consists of.
func tables(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.Query(`SELECT name || ': ' || COALESCE(sql, '') FROM sqlite_master ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Join(strings.Fields(text), " "))
	}
	return all
}

// TestUpgrade: what version 1 kept is all there, goes on, and can be reported; and the database is as a new one.
func TestUpgrade(t *testing.T) {
	path, old := version1(t)
	old.Close()
	for range 2 { // the second time there is nothing to do
		s := open(t, path)
		sh, err := s.Share(t.Context(), readyV1, nowV1)
		if err != nil {
			t.Fatal(err)
		}
		want := store.Share{ID: readyV1, Access: sh.Access, Reader: sh.Reader, Owner: sh.Owner, State: store.Ready, Password: true,
			PartSize: 8 << 20, Size: 100, Parts: 1, Created: nowV1, Completed: nowV1, Expires: nowV1 + 2592000, Lifetime: 2592000,
			MaxDownloads: 5, Taken: 1}
		owner := sha256.Sum256([]byte("owner of ready")) // the token, of which the hash is kept
		if sh != want || sh.Owner != sha256.Sum256(owner[:]) {
			t.Errorf("got %+v, want %+v", sh, want)
		}
		token := sha256.Sum256([]byte("ticket"))
		if _, err := s.Ticket(t.Context(), readyV1, sha256.Sum256(token[:]), nowV1); err != nil {
			t.Errorf("a download that was under way: %v", err)
		}
		for id, want := range map[string]int{readyV1: 2, openV1: 1} {
			if parts, err := s.Parts(t.Context(), id); len(parts) != want || err != nil {
				t.Errorf("%d parts of %s, want %d, %v", len(parts), id, want, err)
			}
		}
		r := store.Report{ID: "report", Share: readyV1, Received: nowV1, Sealed: []byte("sealed")}
		if err := s.AddReport(t.Context(), r, store.ReportLimit{Share: 1, All: 1}); err != nil {
			t.Error(err)
		}
		if all, err := s.Reports(t.Context(), store.Report{}, 10); len(all) != 1 || err != nil {
			t.Errorf("reports: %v, %v", all, err)
		}
		got, new := tables(t, s.Reader()), tables(t, open(t, filepath.Join(t.TempDir(), "new.db")).Reader())
		if !slices.Equal(got, new) {
			t.Errorf("the upgraded database has\n%s\na new one\n%s", strings.Join(got, "\n"), strings.Join(new, "\n"))
		}
		s.Close()
	}
}

// TestUpgradeFails: an upgrade that fails, here at its last step but one, leaves the database as it was.
func TestUpgradeFails(t *testing.T) {
	path, db := version1(t)
	if _, err := db.Exec(`CREATE TABLE in_the_way (n BIGINT); CREATE INDEX reports_received ON in_the_way (n)`); err != nil {
		t.Fatal(err)
	}
	before := tables(t, db)
	if _, err := sqlite.Open(path); err == nil || errors.Is(err, store.ErrTooNew) {
		t.Fatalf("opened, or error %v", err)
	}
	var version int
	if err := db.QueryRow(`SELECT version FROM schema_version`).Scan(&version); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
	if after := tables(t, db); !slices.Equal(before, after) {
		t.Errorf("it was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if _, err := db.Exec(`DROP TABLE in_the_way`); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}
