package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// pinged are stores that answer as a test says.
type pinged struct {
	store.Blobs
	store.Meta
	asked       atomic.Int64
	hang        atomic.Int64 // nanoseconds; who was asked may still read it when nobody waits any more
	meta, blobs error
}

func (p *pinged) Ping(context.Context) error {
	p.asked.Add(1)
	time.Sleep(time.Duration(p.hang.Load())) // whatever the context says
	return p.meta
}

func (p *pinged) Open(context.Context, store.Key, int64, int64) (io.ReadCloser, error) {
	return nil, p.blobs
}

// Mark is one of both contracts.
func (*pinged) Mark(context.Context, string) (string, error) { panic("not asked for") }

func TestReady(t *testing.T) {
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := &pinged{blobs: store.ErrNotFound}
		r := &readiness{blobs: p, meta: p, log: slog.New(slog.NewTextHandler(&log, nil))}
		want := func(what string, want error) {
			t.Helper()
			if err := r.Ready(t.Context()); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		want("all is well", nil)
		p.meta = broken
		want("within a second", nil)
		time.Sleep(readyFor)
		want("the database is gone", broken)
		p.meta, p.blobs = nil, broken
		time.Sleep(readyFor)
		want("the parts are gone", broken)
		p.blobs = store.ErrNotFound
		time.Sleep(readyFor)
		want("all is well again", nil)
		r.draining.Store(true)
		want("draining", errDraining)
		r.draining.Store(false)
		want("no more", nil)
		if out := log.String(); strings.Count(out, "not ready") != 1 || strings.Count(out, "ready again") != 1 {
			t.Errorf("log:\n%s", out)
		}

		// However many ask, a store that hangs is asked once.
		p.hang.Store(int64(time.Minute))
		time.Sleep(readyFor)
		before := p.asked.Load()
		began := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { want("the database hangs", errSlow) })
		}
		wg.Wait()
		want("it still hangs", errSlow)
		if n, took := p.asked.Load()-before, time.Since(began); n != 1 || took != 2*readyAfter {
			t.Errorf("asked %d times in %v", n, took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Ready(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits: %v", err)
		}
		p.hang.Store(0)
		time.Sleep(2 * time.Minute)
		want("it answers again", nil)
	})
}
