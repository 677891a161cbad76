//go:build !js

package main_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// objects counts what lies in the bucket.
func (d *deployment) objects(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.State, "v3/r2/*/blobs/*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestSweep: when its time is over no byte of a share remains in the bucket, without anyone asking for it.
func TestSweep(t *testing.T) {
	d := deploy(t, "worker.mjs", "SEALPOST_LIFETIMES:1s,1h", "SEALPOST_PART_SIZE:64KiB")
	s, err := create(d.URL, sealed(100_000))
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{"/manifest": sealed(500), "/parts/1": s.parts()[0], "/parts/2": s.parts()[1]} {
		if err := s.put(path, data); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.objects(t); n != 3 {
		t.Fatalf("%d objects in the bucket, want 3", n)
	}
	d.trigger(t, "* * * * *")
	d.trigger(t, "17 * * * *")
	if n := d.objects(t); n != 3 {
		t.Fatalf("%d objects in the bucket after a sweep, want 3", n)
	}
	in, err := json.Marshal(api.CompleteShare{Size: 100_000, Parts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.want(http.StatusOK, "POST", "/complete", s.owner, in); err != nil {
		t.Fatal(err)
	}
	lifetime := []byte(`{"lifetime":1}`)
	if _, err := s.want(http.StatusOK, "PATCH", "", s.owner, lifetime, "Content-Type", "application/json"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	d.trigger(t, "* * * * *")
	for deadline := time.Now().Add(10 * time.Second); d.objects(t) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d objects remain in the bucket", d.objects(t))
		}
	}
}
