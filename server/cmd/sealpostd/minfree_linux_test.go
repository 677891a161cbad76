package main_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// TestMinFree: below the reserve neither a share is made nor a part taken, before a byte of it is sent, and what is there goes on.
func TestMinFree(t *testing.T) {
	disk := storetest.SmallDisk(t, 64<<20)
	d := start(t, filepath.Join(disk, "data"), "-min-free", "40MiB")
	u, open := newUpload(2*smallPart), newUpload(4<<20)
	d.send(t, u, 0)
	if err := d.create(open, 0); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 25<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := d.json("POST", "/api/v1/shares", "", api.CreateShare{Access: u.access.hash, Reader: u.reader.hash, Owner: newToken().hash,
		Size: 1, Lifetime: lifetime}); err != nil || a.code() != api.CodeStorageFull {
		t.Errorf("a new share: %v, %v", a, err)
	}
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	part := open.part(1)
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\nContent-Digest: %s\r\n\r\n",
		open.path("/parts/1"), len(part), open.owner.text, digest(part))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 507 ") {
		t.Errorf("before a byte was sent it says %q, %v", line, err)
	}
	if a, err := d.put(open, 1, part); err != nil || a.code() != api.CodeStorageFull {
		t.Errorf("without asking: %v, %v", a, err)
	}
	d.wantWhole(t, u, newToken())
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for n := range open.parts() + 1 {
		if a, err := d.put(open, n, open.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d: %v %v", n, a, err)
		}
	}
	if a, err := d.complete(open); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v %v", a, err)
	}
	d.wantWhole(t, open, newToken())
}
