package main_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A backup as the README says, of a server that is stopped and of one that goes on, is a server again: every byte is there, the downloads
// left are as they were, and nothing that is damaged.
func TestBackup(t *testing.T) {
	t.Parallel()
	for name, backup := range map[string]func(t *testing.T, d *daemon, data, to string){
		"stopped": func(t *testing.T, d *daemon, data, to string) {
			d.stop(t)
			run(t, "cp", "-a", data+"/.", to)
		},
		"running": func(t *testing.T, d *daemon, data, to string) {
			needCommand(t, "sqlite3")
			run(t, "sqlite3", data+"/meta.db", ".backup '"+to+"/meta.db'")
			later := newUpload(1000) // between records and parts
			d.send(t, later, 1)
			run(t, "cp", "-a", data+"/blobs", to)
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, restored := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "restored")
			if err := os.Mkdir(restored, 0o700); err != nil {
				t.Fatal(err)
			}
			d := start(t, data)
			u, unfinished, ticket := newUpload(3*smallPart+1), newUpload(2*smallPart), newToken()
			d.send(t, u, 2)
			if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
				t.Fatalf("take: %v, %v", a, err)
			}
			if err := d.create(unfinished, 1); err != nil {
				t.Fatal(err)
			}
			if a, err := d.put(unfinished, 1, unfinished.part(1)); err != nil || a.status != http.StatusNoContent {
				t.Fatalf("part: %v, %v", a, err)
			}
			backup(t, d, data, restored)

			mustAdmin(t, "fsck", "-data", restored) // what was sent between is younger than two hours
			d = start(t, restored)
			d.wantWhole(t, u, ticket)
			if s := d.state(t, u); *s.Taken != 1 || *s.Left != 1 {
				t.Errorf("%d downloads are taken and %d left", *s.Taken, *s.Left)
			}
			for _, n := range []int64{0, 2} {
				if a, err := d.put(unfinished, n, unfinished.part(n)); err != nil || a.status != http.StatusNoContent {
					t.Errorf("part %d: %v, %v", n, a, err)
				}
			}
			if a, err := d.complete(unfinished); err != nil || a.status != http.StatusOK {
				t.Errorf("complete: %v, %v", a, err)
			}
			d.wantWhole(t, unfinished, newToken())
			mustAdmin(t, "fsck", "-data", restored)
		})
	}
}

// TestLostRecords: parts whose records are lost, or are looked for at the wrong address, stay until these are back.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	wantRefused := func(t *testing.T, flags ...string) {
		t.Helper()
		out, err := exec.Command(binary, append(flags, "-listen", "127.0.0.1:0")...).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("parts belong to other records")) {
			t.Errorf("it starts with the parts of others: %v\n%s", err, out)
		}
		if out, _, ok := admin(t, append([]string{"fsck", "-young", "0s"}, flags...)...); ok || !strings.Contains(out, "foreign: ") {
			t.Errorf("fsck: %v %s", ok, out)
		}
	}
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		data := filepath.Join(t.TempDir(), "data")
		d, u := start(t, data), newUpload(smallPart+1)
		d.send(t, u, 2)
		d.stop(t)
		records, kept := filepath.Join(data, "meta.db"), filepath.Join(t.TempDir(), "meta.db")
		run(t, "mv", records, kept)
		wantRefused(t, "-data", data) // makes new records
		run(t, "mv", kept, records)
		d = start(t, data)
		d.wantWhole(t, u, newToken())
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		bucket, db := onS3(t), onPostgres(t)
		d, u := start(t, filepath.Join(t.TempDir(), "none"), append(bucket, db...)...), newUpload(smallPart+1)
		d.send(t, u, 2)
		wantRefused(t, append(bucket, onPostgres(t)...)...)
		d.wantWhole(t, u, newToken())
	})
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// needCommand skips a test without a program, or fails it where that must not be.
func needCommand(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
