package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestSweepPatience: a sweep that gets nowhere is broken off, and the next one comes all the same.
func TestSweepPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun, ended := 0, make(chan struct{})
		go func() {
			defer close(ended)
			sweep(ctx, time.Minute, 10*time.Second, func(ctx context.Context) error {
				begun++
				<-ctx.Done()
				return ctx.Err()
			}, slog.New(slog.DiscardHandler))
		}()
		time.Sleep(5*time.Minute + time.Second)
		cancel()
		<-ended
		if begun != 6 {
			t.Errorf("begun %d times", begun)
		}
	})
}
