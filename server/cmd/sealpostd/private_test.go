package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance"
)

// private returns the address of the private listener.
func (d *daemon) private(t *testing.T) string {
	t.Helper()
	for range 1000 {
		if m := regexp.MustCompile(`metrics on (http://\S+)/metrics`).FindStringSubmatch(d.text()); m != nil {
			return m[1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("there is no private listener:\n%s", d.text())
	return ""
}

// ask makes a request to any address.
func ask(t *testing.T, method, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestDamagedPart: an operator is told, in log and metrics, of parts that are too short, cannot be read, or are not there.
func TestDamagedPart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data, "-private-listen", "127.0.0.1:0")
	private := d.private(t)
	u, ticket := newUpload(3*smallPart), newToken()
	d.send(t, u, 0)
	d.wantWhole(t, u, ticket)
	for i, damage := range []func(name string) error{
		func(name string) error { return os.Truncate(name, smallPart/2) },
		func(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) },
		func(name string) error { return os.Remove(name) },
	} {
		n := int64(i + 1)
		files, err := filepath.Glob(filepath.Join(data, "blobs", "*", u.id, fmt.Sprintf("%d-*", n)))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := damage(files[0]); err != nil {
			t.Fatal(err)
		}
		if a, err := d.call("GET", u.path(fmt.Sprintf("/parts/%d", n)), ticket.text, nil, ""); err == nil && a.status == http.StatusOK {
			t.Errorf("part %d came whole, of %d bytes", n, len(a.body))
		}
		time.Sleep(50 * time.Millisecond) // what is counted is counted after the answer
		if _, text := ask(t, "GET", private+"/metrics"); !strings.Contains(text, fmt.Sprintf("sealpost_store_errors_total{operation=\"Read\",store=\"blobs\"} %d\n", n)) {
			t.Errorf("damage of part %d is not counted", n)
		}
		if found := strings.Count(d.text(), `level=ERROR msg="a part is damaged, or cannot be read"`); int64(found) != n {
			t.Errorf("the log tells %d times of %d parts", found, n)
		}
	}
}

// TestMetrics: what is scraped is what happened, and tells nothing of whom it happened to.
func TestMetrics(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-private-listen", "127.0.0.1:0", "-log-format", "json",
		"-report-recipient", conformance.Recipient)
	private := d.private(t)
	canary := "canary" + newToken().text[:12]
	u, ticket := newUpload(3*smallPart), newToken()
	d.send(t, u, 1)
	d.wantWhole(t, u, ticket)
	for _, c := range u.calls(ticket) {
		if c.method == "DELETE" {
			continue
		}
		for _, bearer := range []string{canary, u.access.text, ticket.text} {
			if _, err := d.call(c.method, u.path(c.path)+"?q="+canary, bearer, []byte(c.body), c.contentType); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range []string{"/", "/d/" + u.id, "/" + canary, "/api/" + canary, "/b/" + canary + "/x.js"} {
		if _, err := d.call("GET", path, canary, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.call(strings.ToUpper(canary), "/", "", nil, ""); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // what is counted is counted after the answer
	status, text := ask(t, "GET", private+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	for _, line := range []string{
		`sealpost_requests_total{code="201",method="POST",route="/api/v1/shares"} 1`,
		`sealpost_requests_total{code="200",method="GET",route="/api/v1/shares/{id}/content"} 2`,
		`sealpost_refusals_total{reason="not-found",route="/api"} 1`,
		`sealpost_requests_total{code="200",method="GET",route="page"} 2`,
		`sealpost_requests_total{code="405",method="other",route="page"} 1`,
		`sealpost_shares{state="ready"} 1`,
		`sealpost_reports 1`,
		`sealpost_store_duration_seconds_count{operation="Put",store="blobs"} 4`,
		`sealpost_sweeps_total{kind="orphans",result="done"} 1`,
		`sealpost_ready 1`,
		`sealpost_draining 0`,
		`sealpost_requests_in_flight 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	for _, name := range []string{"received", "sent"} {
		m := regexp.MustCompile(`(?m)^sealpost_` + name + `_bytes_total (\S+)$`).FindStringSubmatch(text)
		if m == nil || json.Unmarshal([]byte(m[1]), new(float64)) != nil {
			t.Fatalf("no bytes %s", name)
		}
		var n float64
		json.Unmarshal([]byte(m[1]), &n)
		if n < 3*smallPart+500 || n > 1<<20 {
			t.Errorf("%s %v bytes", name, n)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, path := range []string{"/metrics", "/drain", "/readyz", "/debug/pprof/goroutine?debug=2"} {
		_, text := ask(t, "GET", private+path)
		all := text + d.text()
		secrets.Lock()
		for _, word := range append(secrets.words, canary, strings.ToUpper(canary)) {
			if strings.Contains(all, word) {
				t.Errorf("%s or the log tells %q", path, word)
			}
		}
		secrets.Unlock()
		if path == "/metrics" && strings.Contains(all, `"127.0.0.1`) || strings.Contains(text, d.addr) {
			t.Errorf("%s or the log tells an address", path)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/drain"} {
		if a, err := d.call("GET", path, "", nil, ""); err != nil || a.status != http.StatusNotFound {
			t.Errorf("in public, %s is %v, %v", path, a, err)
		}
	}
	if status, _ := ask(t, "GET", private+"/debug/pprof/cmdline"); status != http.StatusNotFound {
		t.Errorf("the command line is told: %d", status)
	}
	for line := range strings.Lines(d.text()) {
		if strings.HasPrefix(line, "{") && strings.Contains(line, `"msg":"request"`) && !strings.Contains(line, `"request":"`) {
			t.Errorf("a line without the name of its request: %s", line)
		}
	}
}

// TestDrain: an instance that drains takes nothing new, says so to whoever spreads requests, and finishes what it has.
func TestDrain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data, "-private-listen", "127.0.0.1:0")
	private := d.private(t)
	u := newUpload(2 * smallPart)
	if err := d.create(u, 1); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, "POST", private+"/drain", "Origin", private); status != http.StatusForbidden {
		t.Errorf("a page whose name leads here by now drains: %d", status)
	}
	if status, _ := ask(t, "POST", private+"/drain", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a page of another site: %d", status)
	}
	wantReady := func(want int) {
		t.Helper()
		in, _ := ask(t, "GET", private+"/readyz")
		if public, _ := ask(t, "GET", d.url+"/readyz"); public != want || in != want {
			t.Errorf("ready: in public %d, in private %d, want %d", public, in, want)
		}
	}
	wantReady(200)
	out, errs, ok := admin(t, "drain", "-private-listen", strings.TrimPrefix(private, "http://"), "-data", data)
	if !ok || !strings.Contains(out, "draining") {
		t.Fatalf("drain: %s%s", out, errs)
	}
	wantReady(503)
	if a, err := d.json("POST", "/api/v1/shares", "", api.CreateShare{}); err != nil || a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("create: %v, %v", a, err)
	}
	if status, _ := ask(t, "GET", d.url+"/healthz"); status != 200 {
		t.Errorf("health: %d", status)
	}
	for n := u.parts(); n >= 0; n-- {
		if a, err := d.put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d: %v %v", n, a, err)
		}
	}
	if a, err := d.complete(u); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v %v", a, err)
	}
	d.wantWhole(t, u, newToken())
	if out, errs, ok = admin(t, "drain", "-undo", "-private-listen", strings.TrimPrefix(private, "http://"), "-data", data); !ok {
		t.Fatalf("undo: %s%s", out, errs)
	}
	wantReady(200)
	if err := d.create(newUpload(10), 1); err != nil {
		t.Error(err)
	}
	if _, errs, ok := admin(t, "drain", "-data", data); ok || !strings.Contains(errs, "-private-listen") {
		t.Errorf("without a listener: %s", errs)
	}
	if _, err := os.Stat(filepath.Join(data, "meta.db")); err != nil {
		t.Error(err)
	}
}

// TestStopIsTold: while a server that was told to stop still finishes requests, it says that no more should come.
func TestStopIsTold(t *testing.T) {
	t.Parallel()
	d := start(t, filepath.Join(t.TempDir(), "data"), "-private-listen", "127.0.0.1:0")
	private := d.private(t)
	u := newUpload(smallPart)
	if err := d.create(u, 1); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		a, err := d.call("GET", u.path("/parts?wait=5&seen=0"), u.owner.text, nil, "")
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("got %v", a)
		}
		waited <- err
	}()
	inFlight := func() (n int64) {
		_, text := ask(t, "GET", private+"/drain")
		var state struct{ InFlight int64 }
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			t.Fatal(err)
		}
		return state.InFlight
	}
	for range 400 {
		if inFlight() == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	for range 200 {
		if status, _ := ask(t, "GET", private+"/readyz"); status == http.StatusServiceUnavailable {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if status, text := ask(t, "GET", private+"/readyz"); status != http.StatusServiceUnavailable || inFlight() != 1 {
		t.Errorf("ready: %d %s, with %d in flight", status, text, inFlight())
	}
	if err := <-waited; err != nil {
		t.Errorf("a request that was being answered: %v", err)
	}
	err := <-d.exited
	d.exited <- err
	if err != nil {
		t.Errorf("it ended: %v", err)
	}
}
