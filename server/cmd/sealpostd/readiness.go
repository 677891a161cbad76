package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

const (
	readyAfter = 2 * time.Second // a store that takes longer to answer is not there
	readyFor   = time.Second     // an answer is as good as new, however many ask
)

var (
	errDraining = errors.New("draining: no new shares are taken here")
	errSlow     = errors.New("stores do not answer")
)

// readiness tells whether requests should come here: not while the process drains, and not while a store does not answer. Anyone
// may ask as often as they please, so the stores are asked once for all who ask within a second, and never twice at a time: one that
// hangs takes one goroutine.
type readiness struct {
	blobs    store.Blobs
	meta     store.Meta
	log      *slog.Logger
	draining atomic.Bool

	mu      sync.Mutex
	asking  chan struct{} // closed when the stores have answered; nil while nobody waits for them
	asked   time.Time     // of the last answer
	trouble error         // the last answer
}

// Ready implements the Ready of [server.Config].
func (r *readiness) Ready(ctx context.Context) error {
	if r.draining.Load() {
		return errDraining
	}
	r.mu.Lock()
	if r.asking == nil && time.Since(r.asked) < readyFor {
		defer r.mu.Unlock()
		return r.trouble
	}
	if r.asking == nil {
		r.asking = make(chan struct{})
		go r.ask(r.asking)
	}
	asking := r.asking
	r.mu.Unlock()

	patience := time.NewTimer(readyAfter)
	defer patience.Stop()
	select {
	case <-asking:
	case <-patience.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

func (r *readiness) ask(asking chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), readyAfter)
	defer cancel()
	err := errors.Join(r.meta.Ping(ctx), pingBlobs(ctx, r.blobs))
	r.mu.Lock()
	defer r.mu.Unlock()
	if (err == nil) != (r.trouble == nil) {
		if err != nil {
			r.log.Error("not ready", "error", err)
		} else {
			r.log.Info("ready again")
		}
	}
	r.trouble, r.asked, r.asking = err, time.Now(), nil
	close(asking)
}

// pingBlobs asks for an object that nobody has: that it is not found is the answer of a store that works.
func pingBlobs(ctx context.Context, blobs store.Blobs) error {
	r, err := blobs.Open(ctx, store.Key{Share: "AAAAAAAAAAAAAAAA"}, 0, 1)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("failed to ask for a part: %w", err)
	}
	return r.Close()
}
