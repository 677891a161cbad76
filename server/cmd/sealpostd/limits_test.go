package main_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// TestSystemd: a server takes the sockets that systemd hands over, tells it how it goes, and serves on all of them.
func TestSystemd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd is Linux's")
	}
	dir := t.TempDir()
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	socket := filepath.Join(dir, "sock")
	unix, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	var files []*os.File
	for _, l := range []interface{ File() (*os.File, error) }{tcp.(*net.TCPListener), unix.(*net.UnixListener)} {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	// The process id has to be that of the server, which exec keeps.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, binary, "-listen", "systemd", "-data", filepath.Join(dir, "data"))
	cmd.Env = []string{"LISTEN_FDS=2", "NOTIFY_SOCKET=" + filepath.Join(dir, "notify"), "GORACE=halt_on_error=1"}
	cmd.ExtraFiles = files
	d := startCommand(t, cmd)
	told := func(want string) {
		t.Helper()
		buf := make([]byte, 100)
		notify.SetReadDeadline(time.Now().Add(20 * time.Second))
		if n, err := notify.Read(buf); err != nil || string(buf[:n]) != want {
			t.Errorf("told systemd %q, %v; want %q", buf[:n], err, want)
		}
	}
	told("READY=1")
	if d.addr != tcp.Addr().String() {
		t.Errorf("it listens on %s", d.addr)
	}
	for network, address := range map[string]string{"tcp": d.addr, "unix": socket} {
		c, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "GET /healthz HTTP/1.0\r\n\r\n")
		if answer, err := io.ReadAll(c); err != nil || !bytes.HasSuffix(answer, []byte("\r\n\r\nok\n")) {
			t.Errorf("%s: %q, %v", network, answer, err)
		}
		c.Close()
	}
	d.stop(t)
	told("STOPPING=1")

	alone := exec.Command(binary, "-listen", "systemd", "-data", filepath.Join(dir, "data"))
	alone.Env = []string{"LISTEN_FDS=1", "LISTEN_PID=1"} // another's
	if out, err := alone.CombinedOutput(); err == nil || !strings.Contains(string(out), "no socket") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUploadTokens: who has a token may send until it is revoked, in a server that runs. Who receives needs none.
func TestUploadTokens(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	token := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(binary, append([]string{"token"}, args...)...)
		cmd.Env = []string{"SEALPOST_UPLOAD_TOKENS=" + file}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	alice := token("new", "alice")
	secret(alice)
	d := start(t, filepath.Join(t.TempDir(), "data"), "-upload-tokens", file)
	u := newUpload(2 * smallPart)
	create := func(bearer string, want int) answer {
		t.Helper()
		a, err := d.json("POST", "/api/v1/shares", bearer, api.CreateShare{Access: u.access.hash, Reader: u.reader.hash, Owner: u.owner.hash,
			Size: int64(len(u.content)), Lifetime: lifetime})
		if err != nil || a.status != want {
			t.Fatalf("got %v, %v", a, err)
		}
		return a
	}
	create("", http.StatusUnauthorized)
	create(newToken().text, http.StatusUnauthorized)
	var s api.Share
	if err := json.Unmarshal(create(alice, http.StatusCreated).body, &s); err != nil {
		t.Fatal(err)
	}
	u.id = s.ID
	secret(u.id)
	token("revoke", "alice")
	time.Sleep(1500 * time.Millisecond)
	create(alice, http.StatusUnauthorized)
	for n := range u.parts() + 1 { // what was begun goes on
		if a, err := d.put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d: %v %v", n, a, err)
		}
	}
	if a, err := d.complete(u); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v %v", a, err)
	}
	d.wantWhole(t, u, newToken())
	if strings.Contains(d.text(), "alice") {
		t.Error("the log tells names")
	}
}

// TestSlowClients: heads and bodies that trickle are given up, and the places that they take are free again. Meanwhile whoever has a link
// gets what it opens, and others are told what there is too much of.
func TestSlowClients(t *testing.T) {
	const each, all = 10, 20
	d := start(t, filepath.Join(t.TempDir(), "data"), "-header-timeout", "2s", "-stall-timeout", "6s", "-parts-in-flight", strconv.Itoa(all),
		"-client-parts-in-flight", strconv.Itoa(each), "-trusted-proxies", "127.0.0.1")
	u, slow := newUpload(smallPart), newUpload(64*smallPart)
	d.send(t, u, 0)
	if err := d.create(slow, 0); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var wg sync.WaitGroup
	trickle := func(want, head string) {
		t.Helper()
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer c.Close()
			fmt.Fprint(c, head)
			go func() {
				for {
					time.Sleep(100 * time.Millisecond)
					if _, err := fmt.Fprint(c, "x"); err != nil {
						return
					}
				}
			}()
			c.SetReadDeadline(time.Now().Add(20 * time.Second))
			line, err := bufio.NewReader(c).ReadString('\n')
			if errors.Is(err, os.ErrDeadlineExceeded) || line != "" && !strings.Contains(line, want) { // the end may come faster than the word
				t.Errorf("a slow client is told %q, %v", line, err)
			}
		})
	}
	head := func(n int, address string) string {
		part := slow.part(int64(n))
		return fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\nContent-Digest: %s\r\n",
			slow.path("/parts/"+strconv.Itoa(n)), address, len(part), slow.owner.text, digest(part))
	}
	// refused sends a part, and asks before it sends, until it is refused for this.
	refused := func(n int, address string, want api.Code) {
		t.Helper()
		for end := time.Now().Add(4 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			c, err := net.Dial("tcp", d.addr)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, head(n, address)+"Expect: 100-continue\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			var body []byte
			if err == nil && resp.StatusCode != http.StatusContinue {
				body, _ = io.ReadAll(resp.Body)
			}
			c.Close()
			if a := (answer{body: body}); a.code() == want {
				if resp.Header.Get("Retry-After") == "" {
					t.Error("does not say when")
				}
				return
			}
			if time.Now().After(end) {
				t.Fatalf("of %s part %d is not refused as %s: %v %s", address, n, want, err, body)
			}
		}
	}
	for i := range 40 {
		trickle("408", "GET /api/v1/config HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		if i < each {
			trickle("400", head(1+i, "192.0.2.1")+"\r\n"+api.AgeMagic)
		}
	}
	time.Sleep(time.Second) // to ask takes a place, too
	refused(30, "192.0.2.1", api.CodeTooManyParts)
	for i := range each {
		trickle("400", head(11+i, "192.0.2.2")+"\r\n"+api.AgeMagic)
	}
	time.Sleep(time.Second)
	refused(31, "192.0.2.2", api.CodeTooManyParts)
	refused(32, "192.0.2.3", api.CodeBusy)
	d.wantWhole(t, u, newToken())
	wg.Wait()
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("slow clients are kept for %v", took)
	}
	other := newUpload(3 * smallPart)
	d.send(t, other, 0)
	d.wantWhole(t, other, newToken())
}

// TestTakeRate: somebody who takes downloads of a share of their own, which has no end of them, is told to wait, and makes no more records
// than the rate lets them; whoever has taken one goes on with it.
func TestTakeRate(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-take-rate", "30")
	u, mine := newUpload(smallPart), newToken()
	d.send(t, u, 0)
	d.wantWhole(t, u, mine)
	began, taken, refused := time.Now(), int64(1), 0
	for refused < 20 {
		switch a, err := d.take(u, newToken()); {
		case err != nil:
			t.Fatal(err)
		case a.status == http.StatusOK:
			taken++
		case a.status == http.StatusTooManyRequests && a.code() == api.CodeTooManyRequests && a.header.Get("Retry-After") != "":
			refused++
		default:
			t.Fatal(a)
		}
	}
	if most := 31 + int64(time.Since(began)/(2*time.Second)); taken < 30 || taken > most {
		t.Errorf("%d downloads are taken, want 30 … %d", taken, most)
	}
	d.wantWhole(t, u, mine)
	if s := d.state(t, u); *s.Taken != taken {
		t.Errorf("%d downloads are counted, want %d", *s.Taken, taken)
	}
}

// TestManyAddresses: however many addresses somebody has, what is remembered of them is bounded, and a holder of a link is never kept from it.
func TestManyAddresses(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-miss-rate", "5", "-create-rate", "5", "-call-rate", "100", "-daily-shares", "3",
		"-trusted-proxies", "127.0.0.1", "-log-level", "error")
	u := newUpload(smallPart)
	d.send(t, u, 0)
	n := 3000
	if os.Getenv("SEALPOST_LONG") == "1" {
		n = 300_000
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range n / 8 {
				req, _ := http.NewRequest("GET", d.url+u.path(""), nil)
				req.Header.Set("Authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{byte(i), byte(w)}, 16)))
				req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", w, i>>8&255, i&255))
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 404 && resp.StatusCode != 429 {
					t.Errorf("got %d", resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	d.wantWhole(t, u, newToken())
	if rss := residentOf(t, d.cmd.Process.Pid); rss > 256<<20 && !raceEnabled {
		t.Errorf("%d MiB are in memory", rss>>20)
	}
}

// residentOf is how much memory a process has, in bytes; 0 where that cannot be told.
func residentOf(t *testing.T, pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(d[:]) + ":"
}
