package main_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/internal/load"
)

// TestRollingRestartProxies: the files of server/deploy lead a rolling restart of two servers, as the README has it, under load. No transfer
// fails, and a server that drains makes no share.
func TestRollingRestartProxies(t *testing.T) {
	for name, proxy := range map[string]func(t *testing.T, servers [2]string) string{
		"nginx": func(t *testing.T, servers [2]string) string {
			everybody := startSignIn(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Auth-Request-User", "alice") })
			return startNginx(t, servers, everybody, t.TempDir()).url
		},
		"caddy": func(t *testing.T, servers [2]string) string {
			return startCaddy(t, servers, "", "Caddyfile").url
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := [2]string{unused(t), unused(t)}
			flags := append(append(onS3(t), onPostgres(t)...), "-trusted-proxies", "127.0.0.1")
			launch := func(i int) *daemon {
				return start(t, filepath.Join(t.TempDir(), "none"), append(flags, "-listen", at[i], "-private-listen", "127.0.0.1:0")...)
			}
			servers := [2]*daemon{launch(0), launch(1)}
			url := proxy(t, at)
			over := make(chan struct{})
			l := startLoad(t, url, seeded(t), load.Config{Senders: 3, Receivers: 4, Downloads: 3, Retry: 30 * time.Second, Duration: time.Hour, Over: over})
			for i := range long(2, 20) {
				i %= 2
				private := strings.TrimPrefix(servers[i].private(t), "http://")
				if _, errs, ok := admin(t, "drain", "-wait", "10s", "-private-listen", private); !ok {
					t.Fatalf("drain: %s", errs)
				}
				time.Sleep(200 * time.Millisecond) // in which its log arrives here
				made := sharesMade(servers[i])
				time.Sleep(200 * time.Millisecond)
				if n := sharesMade(servers[i]); n != made {
					t.Errorf("a server that drains has made %d shares", n-made)
				}
				servers[i].stop(t)
				servers[i] = launch(i)
				waitFor(t, 30*time.Second, "a share that the new server makes", func() bool { return sharesMade(servers[i]) > 0 })
			}
			close(over)
			r := l.wantExact(t, 3)
			t.Logf("%d shares, %d downloads, %d requests repeated", r.Shares, r.Taken, r.Retries)
			for _, d := range servers {
				d.stop(t)
			}
			if out, errs, ok := admin(t, append([]string{"fsck", "-young", "0s"}, flags...)...); !ok || !strings.Contains(errs, " and 0 files") {
				t.Errorf("fsck: %s%s", out, errs)
			}
		})
	}
}

// sharesMade counts by the log what shares a server has made.
func sharesMade(d *daemon) int {
	return strings.Count(d.text(), "method=POST route=/api/v1/shares status=201")
}

// TestUpgradedTables: when another server has upgraded the tables, one that does not know these says that it is not ready, and goes on trying
// what comes; none is started any more. Before, "admin list" of the new version tells that it would upgrade.
func TestUpgradedTables(t *testing.T) {
	db := services.Postgres(t)
	address := db.Schema(t)
	flags := append(onS3(t), "-db", address)
	none := filepath.Join(t.TempDir(), "none")
	d := start(t, none, flags...)
	u := newUpload(smallPart)
	d.send(t, u, 2)
	_, schema, _ := strings.Cut(address, "search_path=")
	move := func(by string) { db.SQL(t, "UPDATE "+schema+".schema_version SET version = version "+by) }
	readiness := func(want int) {
		t.Helper()
		waitFor(t, 10*time.Second, "another readiness", func() bool {
			a, err := d.call("GET", "/readyz", "", nil, "")
			return err == nil && a.status == want
		})
	}
	readiness(http.StatusOK)
	move("+ 1")
	readiness(http.StatusServiceUnavailable)
	d.wantWhole(t, u, newToken())
	if out, err := exec.Command(binary, append([]string{"-listen", "127.0.0.1:0", "-data", none}, flags...)...).CombinedOutput(); err == nil || !strings.Contains(string(out), "newer") {
		t.Errorf("a server starts on newer tables: %v %s", err, out)
	}
	if _, errs, ok := admin(t, append([]string{"list"}, flags...)...); ok || !strings.Contains(errs, "newer") {
		t.Errorf("list of newer tables: %s", errs)
	}
	move("- 2")
	if _, errs, ok := admin(t, append([]string{"list"}, flags...)...); ok || !strings.Contains(errs, "yet to upgrade") {
		t.Errorf("list of older tables: %s", errs)
	}
	move("+ 1")
	readiness(http.StatusOK)
	d.wantWhole(t, u, newToken())
}
