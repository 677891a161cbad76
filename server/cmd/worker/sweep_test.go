//go:build !js

package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// objects counts the parts in the bucket, of which none is as small as the mark.
func (d *deployment) objects(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.State, "v3/r2/*/blobs/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Size() > 100 {
			n++
		}
	}
	return n
}

// TestSweep: when its time is over no byte of a share remains in the bucket, without anyone asking for it.
func TestSweep(t *testing.T) {
	t.Parallel()
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

// TestRevokedMeanwhile: of a part that is on its way when its share is deleted nothing remains in the bucket, whether or not the
// sender stays to hear so.
func TestRevokedMeanwhile(t *testing.T) {
	t.Parallel()
	d := deploy(t, "worker.mjs", "SEALPOST_CREATE_RATE:0", "SEALPOST_TAKE_RATE:0")
	data := sealed(8 << 20)
	for _, stays := range []bool{true, false} {
		s, err := create(d.URL, data)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "PUT /api/v1/shares/%s/parts/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"+
			"Content-Length: %d\r\nContent-Digest: %s\r\n\r\n%s", s.ID, s.owner, len(data), digest(data), data[:len(data)/2])
		time.Sleep(500 * time.Millisecond) // by then it is wanted
		if _, err := s.want(http.StatusNoContent, "DELETE", "", s.owner, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(data[len(data)/2:]); err != nil {
			t.Fatal(err)
		}
		if stays {
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.Contains(string(answer), `"not-found"`) {
				t.Errorf("the sender is answered %q, %v", answer, err)
			}
		} else {
			conn.Close()
			time.Sleep(2 * time.Second)
		}
		if n := d.objects(t); n > 0 {
			t.Errorf("%d objects remain in the bucket, the sender stays: %v", n, stays)
		}
	}
}
