// Package observed tells how long each operation of a store takes, and what came of it. It hides nothing of the store that it wraps: what
// Blobs returns is a [store.Sender], [store.Lister] or [store.Roomy] exactly if the store is one, and what Open returns, and the body and
// writer that pass through, are the very same, so that a file still goes to a socket without passing through this program.
//
// A Put lasts for as long as the client takes to send, which says nothing of the store. A body that can tell how long it was waited
// for, a [Waiter], has that taken off. Open is the time until there is something to read, and not that of reading it.
package observed

import (
	"context"
	"io"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// Observe is told of an operation, by the name of the method. It is called from any goroutine and returns at once.
type Observe func(operation string, took time.Duration, err error)

// Waiter is what a body may be that knows how long its readers have waited for the client so far.
type Waiter interface{ Waited() time.Duration }

// Blobs returns b, observed.
func Blobs(b store.Blobs, observe Observe) store.Blobs {
	o := blobs{b, observe}
	sender, sends := b.(store.Sender)
	lister, lists := b.(store.Lister)
	roomy, tells := b.(store.Roomy)
	s := sending{sender, observe}
	switch {
	case sends && lists && tells:
		return struct {
			blobs
			sending
			store.Lister
			store.Roomy
		}{o, s, lister, roomy}
	case sends && lists:
		return struct {
			blobs
			sending
			store.Lister
		}{o, s, lister}
	case sends && tells:
		return struct {
			blobs
			sending
			store.Roomy
		}{o, s, roomy}
	case lists && tells:
		return struct {
			blobs
			store.Lister
			store.Roomy
		}{o, lister, roomy}
	case sends:
		return struct {
			blobs
			sending
		}{o, s}
	case lists:
		return struct {
			blobs
			store.Lister
		}{o, lister}
	case tells:
		return struct {
			blobs
			store.Roomy
		}{o, roomy}
	}
	return o
}

type blobs struct {
	store.Blobs
	observe Observe
}

// since tells of an operation that ends now.
func (o Observe) since(operation string, began time.Time, err error) {
	o(operation, time.Since(began), err)
}

func (b blobs) Put(ctx context.Context, key store.Key, body io.Reader, size int64, magic string) error {
	began := time.Now()
	waited := waiting(body)
	err := b.Blobs.Put(ctx, key, body, size, magic)
	b.observe("Put", max(0, time.Since(began)-waiting(body)+waited), err)
	return err
}

func waiting(body io.Reader) time.Duration {
	if w, ok := body.(Waiter); ok {
		return w.Waited()
	}
	return 0
}

func (b blobs) Open(ctx context.Context, key store.Key, offset, length int64) (io.ReadCloser, error) {
	began := time.Now()
	r, err := b.Blobs.Open(ctx, key, offset, length)
	b.observe.since("Open", began, err)
	return r, err
}

func (b blobs) Delete(ctx context.Context, key store.Key) error {
	began := time.Now()
	err := b.Blobs.Delete(ctx, key)
	b.observe.since("Delete", began, err)
	return err
}

func (b blobs) DeleteShare(ctx context.Context, share string) error {
	began := time.Now()
	err := b.Blobs.DeleteShare(ctx, share)
	b.observe.since("DeleteShare", began, err)
	return err
}

func (b blobs) Sweep(ctx context.Context, before time.Time, keep func(context.Context, store.Key) (bool, error)) (int, error) {
	began := time.Now()
	n, err := b.Blobs.Sweep(ctx, before, keep)
	b.observe.since("Sweep", began, err)
	return n, err
}

func (b blobs) Mark(ctx context.Context, mark string) (string, error) {
	began := time.Now()
	there, err := b.Blobs.Mark(ctx, mark)
	b.observe.since("Mark", began, err)
	return there, err
}

type sending struct {
	sender  store.Sender
	observe Observe
}

// Send implements [store.Sender]. Its time is that until the first span is sure to be there.
func (s sending) Send(ctx context.Context, w io.Writer, begin func(), spans []store.Span) (int64, error) {
	began := time.Now()
	told := false
	n, err := s.sender.Send(ctx, w, func() {
		told = true
		s.observe.since("Send", began, nil)
		begin()
	}, spans)
	if !told {
		s.observe.since("Send", began, err)
	}
	return n, err
}

// Direct returns d, observed. What it only signs asks nothing of the store.
func Direct(d store.Direct, observe Observe) store.Direct { return direct{d, observe} }

type direct struct {
	store.Direct
	observe Observe
}

// Confirm implements [store.Direct].
func (d direct) Confirm(ctx context.Context, key store.Key, size int64, magic string) error {
	began := time.Now()
	err := d.Direct.Confirm(ctx, key, size, magic)
	d.observe.since("Confirm", began, err)
	return err
}
