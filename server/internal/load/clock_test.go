package load_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store/fsck"
)

// A server whose clock is moved, back and forth by up to 50 minutes and always so far ahead that every file looks old, while both sweeps
// run all the time, loses nothing of shares that have an hour, and counts are exact. What a sweep took for the leftovers of an old crash
// is sent again.
func TestClockMoved(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("SEALPOST_SEED"); v != "" {
		var err error
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEALPOST_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	var ahead atomic.Int64
	move := func() { ahead.Store(int64(65*time.Minute) + rnd.Int64N(int64(50*time.Minute))) }
	move()
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	var cfg server.Config
	var srv *server.Server
	h := newHost(t, false, func(next http.Handler) http.Handler { srv = next.(*server.Server); return next }, func(c *server.Config) {
		c.Now = now
		cfg = *c
	})

	over := make(chan struct{})
	var moving sync.WaitGroup
	moved := 0
	moving.Go(func() {
		for ; ; moved++ {
			select {
			case <-over:
				return
			case <-time.After(2 * time.Millisecond):
			}
			move()
			if err := srv.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if err := srv.SweepOrphans(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	c := h.config()
	c.Seed, c.Bytes, c.Retry = seed, 40*(2*api.MinPartSize+10), 30*time.Second
	r := mustRun(t, c)
	close(over)
	moving.Wait()
	if err := r.Err(); err != nil || r.Shares != 40 || r.Taken != 160 || r.Refused != 40 {
		t.Errorf("%v: %+v", err, r)
	}
	t.Logf("the clock moved %d times, %d requests repeated", moved, r.Retries)
	_, err := fsck.Run(t.Context(), fsck.Config{Blobs: cfg.Blobs, Meta: cfg.Meta, Now: now, Found: func(f fsck.Finding) { t.Errorf("%+v", f) }})
	if err != nil {
		t.Error(err)
	}
	h.nothingLeft(t)
}
