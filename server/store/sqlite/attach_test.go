package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// TestAttach: two processes see what the other has written, and one that comes and goes takes nothing from the one that stays.
func TestAttach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meta.db")
	if _, err := sqlite.Attach(path); err == nil {
		t.Error("attached to a file that is not there")
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("made a file")
	}
	s := open(t, path)
	for i := range 20 {
		if _, err := s.Create(t.Context(), share(i)); err != nil {
			t.Fatal(err)
		}
		a, err := sqlite.Attach(path)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := a.Records(t.Context(), "", 100); err != nil || len(all) != 1 {
			t.Errorf("round %d: %d records, %v", i, len(all), err)
		}
		if err := a.Remove(t.Context(), share(i).ID, now); err != nil {
			t.Error(err)
		}
		if err := s.Forget(t.Context(), share(i).ID, now); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if damage, err := s.Check(t.Context()); err != nil || len(damage) > 0 {
		t.Errorf("damage %q, %v", damage, err)
	}
}

// An older server may have the file open: it is not to be upgraded under it.
func TestAttachDoesNotUpgrade(t *testing.T) {
	path, db := version1(t)
	before := tables(t, db)
	if _, err := sqlite.Attach(path); err == nil || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("attached: %v", err)
	}
	if after := tables(t, db); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("the schema is %v", after)
	}
}

// TestCheck: damage to the file, and rows that hang on nothing, are told of.
func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meta.db")
	s := open(t, path)
	for i := range 200 {
		if _, err := s.Create(t.Context(), share(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Writer().Exec(`PRAGMA foreign_keys = OFF; INSERT INTO parts VALUES ('nothing', 1, 1, x'00')`); err != nil {
		t.Fatal(err)
	}
	if damage, err := s.Check(t.Context()); err != nil || len(damage) != 1 || !strings.Contains(damage[0], "row of parts") {
		t.Errorf("damage %q, %v", damage, err)
	}
	s.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(b, []byte(share(7).ID)) // in an index or in the table: the other does not know it then
	copy(b[last:], "share-0000000xxx")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var m store.Checker = open(t, path)
	if damage, err := m.Check(t.Context()); err != nil || len(damage) < 2 {
		t.Errorf("damage %q, %v", damage, err)
	}
}
