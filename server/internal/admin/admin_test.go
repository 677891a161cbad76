package admin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/admin"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

const now = 1_800_000_000

// desk is an Admin over real stores.
type desk struct {
	admin.Admin
	out bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	blobs, err := disk.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	meta, err := sqlite.Open(filepath.Join(dir, "meta.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { meta.Close() })
	d := &desk{}
	d.Admin = admin.Admin{Blobs: blobs, Meta: meta, Now: func() time.Time { return time.Unix(now, 0) }, Out: &d.out}
	return d
}

// said is what was written since the last time.
func (d *desk) said() string {
	defer d.out.Reset()
	return d.out.String()
}

// send makes a share of one part, ready since at.
func (d *desk) send(t *testing.T, id string, at, downloads int64, content string) {
	t.Helper()
	s := store.Share{ID: id, Owner: sha256.Sum256([]byte(id)), State: store.Open, PartSize: 64 << 10, Size: 1000, Created: at, Expires: at + 100,
		Lifetime: 86400, MaxDownloads: downloads}
	if _, err := d.Meta.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for n, data := range []string{"manifest", content} {
		key := store.Key{Share: id, N: int64(n), Digest: sha256.Sum256([]byte(data))}
		if err := d.Blobs.Put(t.Context(), key, strings.NewReader(data), int64(len(data)), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Meta.AddPart(t.Context(), id, store.Part{N: key.N, Size: int64(len(data)), Digest: key.Digest}, at, at+100, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Meta.Complete(t.Context(), id, int64(len(content)), 1, at); err != nil {
		t.Fatal(err)
	}
}

// there tells whether the bytes of a share's part are.
func (d *desk) there(t *testing.T, id, content string) bool {
	t.Helper()
	r, err := d.Blobs.Open(t.Context(), store.Key{Share: id, N: 1, Digest: sha256.Sum256([]byte(content))}, 0, 1)
	if err == nil {
		r.Close()
	}
	return err == nil
}

func TestList(t *testing.T) {
	d := newDesk(t)
	if err := d.List(t.Context()); err != nil || d.said() != "ID  STATE  STORED  PARTS  CREATED  EXPIRES  DOWNLOADS  REPORTS\n" {
		t.Errorf("%v, said %q", err, d.said())
	}
	const many = 450 // pages
	for i := range many {
		d.send(t, fmt.Sprintf("share%011d", i*7919%many), now-int64(i), 0, "x")
	}
	d.send(t, "removed000000000", now+1, 3, strings.Repeat("x", 5000))
	if err := d.Meta.Remove(t.Context(), "removed000000000", now+1); err != nil {
		t.Fatal(err)
	}
	d.send(t, "expired000000000", now-86400, 0, "x")
	if err := d.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(d.said()), "\n")
	if len(lines) != 1+many+2 || strings.Join(strings.Fields(lines[1]), " ") !=
		"removed000000000 removed 4.9 KiB 1 2027-01-15T08:00:01Z 2027-01-16T08:00:01Z 0 of 3 0" {
		t.Errorf("%d lines, the first is %q", len(lines), lines[1])
	}
	if last := strings.Join(strings.Fields(lines[len(lines)-1]), " "); last !=
		"expired000000000 expired 9 B 1 2027-01-14T08:00:00Z 2027-01-15T08:00:00Z 0 of any number 0" {
		t.Errorf("the last is %q", last)
	}
	d.JSON = true
	if err := d.List(t.Context()); err != nil || strings.Count(d.said(), `"id":`) != many+2 {
		t.Error(err)
	}
}

func TestTakeDown(t *testing.T) {
	d := newDesk(t)
	d.send(t, "first00000000000", now, 0, "x")
	d.send(t, "second0000000000", now, 0, "y")
	if err := d.TakeDown(t.Context(), "third00000000000"); err == nil {
		t.Error("an unknown share is taken down")
	}
	for range 2 { // again, until it is swept
		if err := d.TakeDown(t.Context(), "first00000000000"); err != nil {
			t.Fatal(err)
		}
	}
	if d.there(t, "first00000000000", "x") || !d.there(t, "second0000000000", "y") {
		t.Error("other bytes are gone than should be")
	}
	if _, err := d.Meta.Share(t.Context(), "first00000000000", now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its record: %v", err)
	}
	if ids, err := d.Meta.Doomed(t.Context(), now, now, 10); err != nil || len(ids) != 1 || ids[0] != "first00000000000" {
		t.Errorf("left to a sweep: %v, %v", ids, err)
	}
}

// fullMeta has no room until bytes are deleted.
type fullMeta struct {
	store.Meta
	full func() bool
}

func (m fullMeta) Remove(ctx context.Context, id string, now int64) error {
	if m.full() {
		return store.ErrFull
	}
	return m.Meta.Remove(ctx, id, now)
}

// On a full disk the record cannot be changed before the bytes are gone.
func TestTakeDownWhenFull(t *testing.T) {
	d := newDesk(t)
	d.send(t, "first00000000000", now, 0, "x")
	d.Meta = fullMeta{d.Meta, func() bool { return d.there(t, "first00000000000", "x") }}
	if err := d.TakeDown(t.Context(), "first00000000000"); err != nil {
		t.Fatal(err)
	}
	if rec, err := d.Meta.Record(t.Context(), "first00000000000"); err != nil || rec.State != store.Removed {
		t.Errorf("%+v, %v", rec, err)
	}
	d.send(t, "second0000000000", now, 0, "y")
	d.Meta = fullMeta{d.Meta, func() bool { return true }}
	if err := d.TakeDown(t.Context(), "second0000000000"); !errors.Is(err, store.ErrFull) {
		t.Errorf("said %v", err)
	}
}

// A file that a crash left half written is not taken for a report.
func TestReportFiles(t *testing.T) {
	d := newDesk(t)
	d.send(t, "first00000000000", now, 0, "x")
	for i := range 3 {
		r := store.Report{ID: fmt.Sprintf("-report%d", i), Share: "first00000000000", Received: now, Sealed: fmt.Append(nil, "sealed", i)}
		if err := d.Meta.AddReport(t.Context(), r, store.ReportLimit{Share: 9, All: 9}); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "new", "reports")
	const name = "20270115T080000Z-first00000000000--report0.age"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".part"), []byte("sea and something longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 new reports\n", "0 new reports\n"} {
		if err := d.ReportFiles(t.Context(), dir); err != nil || d.out.String() != want {
			t.Errorf("%v, said %q, want %q", err, d.out.String(), want)
		}
		d.out.Reset()
	}
	if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != "sealed0" {
		t.Errorf("%q, %v", b, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
