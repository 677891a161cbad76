package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// TestFullDisk: a full disk refuses parts, keeps what it has, still lets downloads be counted and shares be deleted, and then
// takes parts again; also when the server is killed and started while it is full.
func TestFullDisk(t *testing.T) {
	data := filepath.Join(storetest.SmallDisk(t, 24<<20), "data") // of which 16 MiB are left free for the records
	d := start(t, data)
	var whole []*upload
	var refused *upload
	for refused == nil {
		u := newUpload(1 << 20)
		if err := d.create(u, 5); err != nil {
			t.Fatal(err)
		}
		for n := u.parts(); n >= 0 && refused == nil; n-- {
			switch a, err := d.put(u, n, u.part(n)); {
			case err != nil:
				t.Fatal(err)
			case a.status == http.StatusInsufficientStorage && a.code() == api.CodeStorageFull:
				refused = u
			case a.status != http.StatusNoContent:
				t.Fatalf("part %d: %v", n, a)
			}
		}
		if refused == nil {
			if a, err := d.complete(u); err != nil || a.status != http.StatusOK {
				t.Fatalf("complete: %v %v", a, err)
			}
			whole = append(whole, u)
		}
		if len(whole) > 24 {
			t.Fatal("the disk does not get full")
		}
	}
	if len(whole) == 0 {
		t.Fatal("the disk was full from the start")
	}
	if a, err := d.complete(refused); err != nil || a.code() != api.CodeIncomplete {
		t.Errorf("complete of what was refused: %v %v", a, err)
	}
	for range 2 {
		for _, u := range whole {
			d.wantWhole(t, u, newToken())
		}
		d.kill()
		d = start(t, data)
	}
	for name := range objects(t, data) {
		if strings.HasPrefix(filepath.Base(name), ".t") {
			t.Errorf("left in the store: %s", name)
		}
	}
	if a, err := d.call("DELETE", whole[0].path(""), whole[0].owner.text, nil, ""); err != nil || a.status != http.StatusNoContent {
		t.Fatalf("delete: %v %v", a, err)
	}
	for n := range refused.parts() + 1 {
		if a, err := d.put(refused, n, refused.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d, after there was room again: %v %v", n, a, err)
		}
	}
	if a, err := d.complete(refused); err != nil || a.status != http.StatusOK {
		t.Errorf("complete: %v %v", a, err)
	}
	whole[0] = refused
	for _, u := range whole {
		d.wantWhole(t, u, newToken())
	}
	wantObjects(t, data, whole...)
	for i, u := range whole {
		want := int64(3) // two while the disk was full, and just now
		if i == 0 {
			want = 1
		}
		if s := d.state(t, u); s.Taken == nil || *s.Taken != want {
			t.Errorf("%d downloads, counted %+v", want, s)
		}
	}
	d.stop(t)
	mustAdmin(t, "fsck", "-young", "0s", "-data", data)
}

// TestBrimful: when others have filled the disk to the last byte, reserve included, shares still go when they have to.
func TestBrimful(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, d *daemon, u *upload, fill func()){
		"revoked": func(t *testing.T, d *daemon, u *upload, fill func()) {
			fill()
			if a, err := d.call("DELETE", u.path(""), u.owner.text, nil, ""); err != nil || a.status != http.StatusNoContent {
				t.Errorf("delete: %v %v", a, err)
			}
		},
		"expired": func(t *testing.T, d *daemon, u *upload, fill func()) {
			terms := map[string]any{"lifetime": 5}
			if a, err := d.json("PATCH", u.path(""), u.owner.text, terms); err != nil || a.status != http.StatusOK {
				t.Fatalf("update: %v %v", a, err)
			}
			fill()
		},
	} {
		t.Run(name, func(t *testing.T) {
			mount := storetest.SmallDisk(t, 32<<20)
			data := filepath.Join(mount, "data")
			d := start(t, data)
			u := newUpload(1 << 20)
			d.send(t, u, 5)
			end(t, d, u, func() { storetest.Fill(t, mount) })
			for range 300 {
				if len(objects(t, data)) == 0 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if n := len(objects(t, data)); n > 0 {
				t.Errorf("%d files are left in the store", n)
			}
			d.stop(t)
			mustAdmin(t, "fsck", "-young", "0s", "-data", data)
		})
	}
}
