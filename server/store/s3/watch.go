package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

var errStalled = errors.New("the store moves no byte")

// watchdog cancels a request while it is the store that is waited for, and for too long.
type watchdog struct {
	timer  *time.Timer
	stall  time.Duration
	cancel context.CancelCauseFunc
}

// watch returns a context for a request, and the watchdog, which is awake.
func watch(ctx context.Context, stall time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watchdog{stall: stall, cancel: cancel}
	w.timer = time.AfterFunc(stall, func() { cancel(fmt.Errorf("%w: %w", store.ErrUnavailable, errStalled)) })
	return ctx, w
}

// rest is for while somebody else is waited for.
func (w *watchdog) rest() { w.timer.Stop() }

// wake begins to wait for the store.
func (w *watchdog) wake() { w.timer.Reset(w.stall) }

func (w *watchdog) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// watchedBody is a client's body: while it is read, the client is waited for.
type watchedBody struct {
	io.Reader
	w *watchdog
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.w.rest()
	n, err := b.Reader.Read(p)
	b.w.wake()
	return n, err
}

// watchedObject is the store's: while it is read, the store is waited for.
type watchedObject struct {
	io.ReadCloser
	w *watchdog
}

func (o *watchedObject) Read(p []byte) (int, error) {
	o.w.wake()
	n, err := o.ReadCloser.Read(p)
	o.w.rest()
	return n, err
}

func (o *watchedObject) Close() error {
	err := o.ReadCloser.Close()
	o.w.end()
	return err
}
