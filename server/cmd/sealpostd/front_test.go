package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
)

// running is sealpostd within the test, with a folder of its own.
type running struct {
	addresses []string // as it tells them
	stop      func()   // and wait; the test's end does
}

// runHere starts sealpostd, which says n addresses.
func runHere(t *testing.T, n int, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append([]string{"-data", filepath.Join(t.TempDir(), "data")}, args...), none, w)
		w.Close()
	}()
	s := &running{}
	lines := bufio.NewReader(r)
	for len(s.addresses) < n {
		line, err := lines.ReadString('\n')
		if err != nil {
			cancel()
			t.Fatalf("it says %d addresses, %v, and ends with %v", len(s.addresses), err, <-done)
		}
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on "); ok {
			s.addresses = append(s.addresses, address)
		}
	}
	go io.Copy(io.Discard, lines)
	s.stop = func() {
		cancel()
		if err, ok := <-done; ok && err != nil {
			t.Errorf("ended: %v", err)
		}
		done = make(chan error)
		close(done)
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// clientOf returns a client that comes to address whatever it asks for.
func clientOf(t *testing.T, network, address string, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// Over a Unix socket everything works, below a base path too, and whoever connects is a trusted proxy.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // as a server leaves it that was killed
	private := filepath.Join(t.TempDir(), "private")
	s := runHere(t, 1, "-listen", "unix:"+path, "-base-path", "/send", "-create-rate", "1", "-upload-header", "X-Remote-User",
		"-private-listen", "unix:"+private)
	if s.addresses[0] != "unix:"+path {
		t.Errorf("listens on %s", s.addresses[0])
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	if err := checkHealth(t.Context(), &frontOptions{listen: "unix:" + path, basePath: "/send"}); err != nil {
		t.Error(err)
	}
	if err := checkHealth(t.Context(), &frontOptions{listen: "unix:" + path}); err == nil {
		t.Error("is healthy beside its base path")
	}
	client := clientOf(t, "unix", path, nil)
	ready := func(want int) {
		t.Helper()
		if resp, _ := get(t, client, "http://post.example/send/readyz"); resp.StatusCode != want {
			t.Errorf("readiness is %s, want %d", resp.Status, want)
		}
	}
	ready(http.StatusOK)
	for _, undo := range [][]string{nil, {"-undo"}} {
		var out bytes.Buffer
		args := append([]string{"drain", "-private-listen", "unix:" + private}, undo...)
		if err := runAdmin(t.Context(), args, none, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		ready(map[int]int{0: http.StatusServiceUnavailable, 1: http.StatusOK}[len(undo)])
	}
	post := func(address, user string) int {
		t.Helper()
		one, two, three := api.HashToken([]byte("a")), api.HashToken([]byte("b")), api.HashToken([]byte(rand.Text()))
		body, _ := json.Marshal(api.CreateShare{Access: one, Reader: two, Owner: three, Size: 10, Lifetime: 60})
		req, _ := http.NewRequest("POST", "http://post.example/send/api/v1/shares", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", address)
		if user != "" {
			req.Header.Set("X-Remote-User", user)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for i, want := range []int{201, 429} {
		for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
			if got := post(address, "alice"); got != want {
				t.Errorf("share %d of %s: %d", i, address, got)
			}
		}
	}
	if got := post("192.0.2.3", ""); got != http.StatusForbidden {
		t.Errorf("of nobody: %d", got)
	}
	if _, body := get(t, client, "http://post.example/send/"); !strings.Contains(body, `href="/send/mine"`) {
		t.Errorf("got %.200s", body)
	}
	if _, err := listenAt("unix:" + path); err == nil {
		t.Error("two listen on one socket")
	}
	s.stop()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket stays")
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenAt("unix:" + path); err == nil {
		t.Error("a file is taken for a socket")
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Error("the file was removed")
	}
}
