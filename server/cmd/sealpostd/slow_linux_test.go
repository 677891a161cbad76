package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// plain returns the binary without the race detector, of whose memory nothing can be said.
func plain(t *testing.T) string {
	t.Helper()
	if !raceEnabled {
		return binary
	}
	name := filepath.Join(t.TempDir(), "sealpostd")
	if out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput(); err != nil {
		t.Fatalf("failed to build sealpostd: %v\n%s", err, out)
	}
	return name
}

// memory returns what the process has in memory now, and the most that it ever had, in MiB.
func (d *daemon) memory(t *testing.T) (now, most int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string) int {
		m := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		if m == nil {
			t.Fatalf("there is no %s in\n%s", name, status)
		}
		kib, _ := strconv.Atoi(string(m[1]))
		return kib / 1024
	}
	return field("VmRSS"), field("VmHWM")
}

// slow is a way to keep a connection busy without getting anywhere.
type slow struct {
	name  string
	head  string // sent at once
	drop  string // sent again and again
	after time.Duration
}

// TestSlowloris: many who send or read as slowly as can be, in every way there is, cost the server a bounded piece of memory each, keep
// nobody from what he holds the link of, and are put out in time.
func TestSlowloris(t *testing.T) {
	const each = 192 // KiB, of a connection on average; a head of 16 KiB in short lines takes 150 as Go keeps it, and garbage comes on top
	n := long(150, 1000)
	// All of them are at one address here, which may send as much at once as all together.
	d := startBinary(t, plain(t), filepath.Join(t.TempDir(), "data"), "-client-parts-in-flight", "0", "-client-connections", "0")
	u, open := newUpload(3*smallPart), newUpload(smallPart)
	d.send(t, u, 0)
	if err := d.create(open, 0); err != nil {
		t.Fatal(err)
	}
	engine := regexp.MustCompile(`/b/[^/"]+/`).FindString(string(must(t, d, "/").body)) + "bin/engine.wasm"
	const heads = 10 * time.Second // what the server grants a head, and 60 what stalls
	kinds := []slow{
		{"nothing", "", "", heads},
		{"heads", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "x", heads},
		{"heads of many lines", "GET / HTTP/1.1\r\nHost: x\r\n" + manyLines(15<<10), "x", heads},
		{"bodies after heads of many lines", "POST /api/v1/shares HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 65536\r\n" +
			manyLines(14<<10) + "\r\n{", " ", time.Minute},
		{"JSON", "POST /api/v1/shares HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 65536\r\n\r\n" +
			strings.Repeat(" ", 65000), " ", time.Minute},
		{"endless chunks", "POST /api/v1/shares HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"1000000\r\n", " ", time.Minute},
		{"parts", fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Digest: sha-256=:%s=:\r\nContent-Length: %d\r\n\r\n%s",
			open.path("/parts/1"), open.owner.text, strings.Repeat("A", 43), smallPart, api.AgeMagic), "x", time.Minute},
		{"bodies that nobody wants", "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", "x", time.Minute},
		{"answers", "GET " + engine + " HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n", "", time.Minute},
	}
	d.wantWhole(t, u, newToken())
	before, _ := d.memory(t)
	var conns [][]net.Conn
	began := time.Now()
	for _, kind := range kinds {
		conns = append(conns, d.hang(t, n, kind))
	}
	opened := time.Since(began)
	holders := 0
	for until := time.Now().Add(3 * time.Second); time.Now().Before(until) && !t.Failed(); holders++ {
		d.wantWhole(t, u, newToken())
		d.send(t, newUpload(smallPart+1), 1)
	}
	now, most := d.memory(t)
	t.Logf("%d MiB in memory, with %d slow connections that were opened in %v it was %d, and at most %d; meanwhile %d holders",
		before, n*len(kinds), opened, now, most, holders)
	if limit := before + n*len(kinds)*each/1024; most > limit {
		t.Errorf("%d MiB in memory, want at most %d", most, limit)
	}
	served := time.Now() // by now all of them
	for i, kind := range kinds {
		if kind.after > time.Duration(long(10, 90))*time.Second {
			continue
		}
		wantEnded(t, kind, conns[i], time.Until(served.Add(kind.after))+10*time.Second)
	}
	d.wantWhole(t, u, newToken())
}

func must(t *testing.T, d *daemon, path string) answer {
	t.Helper()
	a, err := d.call("GET", path, "", nil, "")
	if err != nil || a.status != http.StatusOK {
		t.Fatal(a, err)
	}
	return a
}

// manyLines returns so many bytes of the shortest lines that a head can have, each of another name.
func manyLines(size int) string {
	var lines strings.Builder
	for i := 0; lines.Len() < size-8; i++ {
		lines.WriteString(strings.ToUpper(strconv.FormatInt(int64(i), 36)) + ":\r\n")
	}
	return lines.String()
}

// hang opens connections of one kind and keeps them busy for as long as they last or the test does. Of what is answered it reads nothing.
func (d *daemon) hang(t *testing.T, n int, kind slow) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.DialTimeout("tcp", d.addr, 10*time.Second)
		if err != nil {
			t.Fatalf("%s: %v", kind.name, err)
		}
		conns[i] = conn
		conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		t.Cleanup(func() { conn.Close() })
		go func() {
			io.WriteString(conn, kind.head)
			for kind.drop != "" {
				time.Sleep(500 * time.Millisecond)
				if _, err := io.WriteString(conn, kind.drop); err != nil {
					return
				}
			}
		}()
	}
	return conns
}

// wantEnded waits until the server has ended connections. What it answers before is none of success.
func wantEnded(t *testing.T, kind slow, conns []net.Conn, patience time.Duration) {
	t.Helper()
	deadline := time.Now().Add(max(patience, 5*time.Second))
	var mu sync.Mutex
	var wg sync.WaitGroup
	going := 0
	for _, conn := range conns {
		wg.Go(func() {
			if kind.name == "answers" { // what has been sent of them waits to be read, which takes long
				time.Sleep(time.Until(deadline))
				io.WriteString(conn, "x")
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "x"); err == nil {
					mu.Lock()
					defer mu.Unlock()
					going++
				}
				return
			}
			conn.SetReadDeadline(deadline)
			head := make([]byte, 12)
			n, _ := io.ReadFull(conn, head)
			_, err := io.Copy(io.Discard, conn)
			timeout, ok := err.(net.Error)
			mu.Lock()
			defer mu.Unlock()
			if ok && timeout.Timeout() {
				going++
			}
			if bytes.HasPrefix(head[:n], []byte("HTTP/1.1 2")) {
				t.Errorf("%s: answered %q", kind.name, head)
			}
		})
	}
	wg.Wait()
	if going > 0 {
		t.Errorf("%s: %d of %d connections go on", kind.name, going, len(conns))
	}
}
