package main_test

import (
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/internal/load"
)

// loading is a run of hammer on its way.
type loading struct {
	report *load.Report
	err    error
	over   chan struct{}
}

// startLoad sends and fetches small shares of three parts for a time. Every byte and count is checked, and in the end nothing is left.
func startLoad(t *testing.T, url string, rnd *rand.Rand, c load.Config) *loading {
	t.Helper()
	c.URL, c.Seed = url, rnd.Uint64()
	c.Size, c.Manifest, c.Bytes = 2*smallPart+1+rnd.Int64N(smallPart), 100, 1<<40
	l := &loading{over: make(chan struct{})}
	go func() {
		defer close(l.over)
		l.report, l.err = load.Run(t.Context(), c)
	}()
	return l
}

// wantExact waits for the end of the load, and wants every share whole, counted as often as it was fetched, and gone.
func (l *loading) wantExact(t *testing.T, downloads int64) *load.Report {
	t.Helper()
	<-l.over
	if l.err != nil {
		t.Fatal(l.err)
	}
	r := l.report
	if err := r.Err(); err != nil {
		t.Errorf("%v: %v", err, r.Errors)
	}
	if r.Shares == 0 || r.Gone != r.Shares || r.Taken != r.Shares*downloads || r.Refused != r.Shares {
		t.Errorf("%d shares, %d gone, %d downloads taken, %d refused", r.Shares, r.Gone, r.Taken, r.Refused)
	}
	return r
}

// TestRollingRestart: of two servers on the same stores each is stopped and started anew in turn, under load, and no transfer fails. One
// that is drained first is not even noticed. One that is only told to stop finishes what it has begun; a connection that it never
// accepted may break, which clients repeat.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		drain bool
		retry time.Duration
	}{{"drained", true, 0}, {"stopped", false, 30 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rnd := seeded(t)
			db, s3 := services.Postgres(t), services.S3(t)
			bucket := s3.Bucket(t)
			flags := append(inBucket(t, s3, bucket), "-db", db.Schema(t), "-private-listen", "127.0.0.1:0")
			b := newBalancer(t)
			launch := func() (*daemon, *backend) {
				d := start(t, filepath.Join(t.TempDir(), "none"), flags...)
				return d, b.add(t, d)
			}
			var servers [2]*daemon
			var backends [2]*backend
			for i := range servers {
				servers[i], backends[i] = launch()
			}
			restarts := long(4, 40)
			over := make(chan struct{})
			l := startLoad(t, b.url, rnd, load.Config{Senders: 3, Receivers: 4, Downloads: 3, Retry: c.retry, Duration: time.Hour, Over: over})
			for i := range restarts {
				i %= 2
				time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
				b.wait(t, "a server gets no requests", func() bool { return backends[i].served >= 10 })
				if c.drain {
					private := servers[i].private(t)
					if status, text := ask(t, http.MethodPost, private+"/drain"); status != http.StatusOK {
						t.Fatalf("drain: %d %s", status, text)
					}
					b.wait(t, "a server that drains is still busy", func() bool { return !backends[i].ready && backends[i].requests == 0 })
				}
				servers[i].stop(t)
				b.remove(backends[i])
				servers[i], backends[i] = launch()
			}
			close(over)
			r := l.wantExact(t, 3)
			t.Logf("%d restarts: %d shares, %d downloads, %d requests repeated", restarts, r.Shares, r.Taken, r.Retries)
			if c.drain && r.Retries > 0 {
				t.Errorf("%d requests were repeated", r.Retries)
			}
			for _, d := range servers {
				d.stop(t)
			}
			if out, errs, ok := admin(t, append([]string{"fsck", "-young", "0s"}, flags...)...); !ok || !strings.Contains(errs, " and 0 files") {
				t.Errorf("fsck: %s%s", out, errs)
			}
		})
	}
}
