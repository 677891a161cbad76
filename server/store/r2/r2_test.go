//go:build js && wasm

package r2_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall/js"
	"testing"
	"time"

	"github.com/syumai/workers/cloudflare"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/internal/promise"
	"github.com/sealpost/sealpost/server/store/r2"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// The Worker's tests run this in workerd.

func parts() js.Value { return cloudflare.GetBinding("PARTS") }

func TestBlobs(t *testing.T) {
	storetest.Blobs(t, func(t *testing.T) store.Blobs {
		empty(t)
		return &reopening{&r2.Store{Parts: parts}}
	})
}

func empty(t *testing.T) {
	t.Helper()
	if _, err := promise.Await(parts().Call("removeAll", "")); err != nil {
		t.Fatal(err)
	}
}

type reopening struct{ *r2.Store }

func (*reopening) Reopen(*testing.T) store.Blobs { return &reopening{&r2.Store{Parts: parts}} }

// response is a ResponseWriter that takes streams, as the Worker's does.
type response struct{ stream js.Value }

func (*response) Write([]byte) (int, error)        { return 0, errors.New("not by Go") }
func (r *response) WriteRawJSBody(stream js.Value) { r.stream = stream }

// TestSend: spans of several objects are one body; a missing first one is told before the answer begins, and too many are, too.
func TestSend(t *testing.T) {
	empty(t)
	s := &r2.Store{Parts: parts, MaxSpans: 3}
	body := func(n int64) string { return strings.Repeat(string(rune('a'+n)), 4) }
	key := func(n int64) store.Key {
		return store.Key{Share: "share", N: n, Digest: sha256.Sum256([]byte(body(n)))}
	}
	for n := range int64(3) {
		if err := s.Put(t.Context(), key(n), strings.NewReader(body(n)), 4, ""); err != nil {
			t.Fatal(err)
		}
	}
	send := func(spans ...store.Span) (text string, began int, err error) {
		var r response
		n, err := s.Send(t.Context(), &r, func() { began++ }, spans)
		if err != nil {
			return "", began, err
		}
		v, err := promise.Await(js.Global().Get("Response").New(r.stream).Call("text"))
		if err != nil {
			return "", began, err
		}
		if int(n) != len(v.String()) {
			t.Errorf("announced %d bytes, came %q", n, v.String())
		}
		return v.String(), began, nil
	}
	text, began, err := send(store.Span{Key: key(0), Offset: 2, Length: 2}, store.Span{Key: key(1), Length: 4}, store.Span{Key: key(2), Offset: 0, Length: 1})
	if text != "aabbbbc" || began != 1 || err != nil {
		t.Errorf("got %q, began %d times, %v", text, began, err)
	}
	missing := store.Span{Key: store.Key{Share: "share", N: 9}, Length: 4}
	if _, began, err := send(missing, store.Span{Key: key(1), Length: 4}); !errors.Is(err, store.ErrNotFound) || began != 0 {
		t.Errorf("first one missing: began %d times, %v", began, err)
	}
	if text, _, err := send(store.Span{Key: key(1), Length: 4}, missing); err == nil {
		t.Errorf("second one missing: got %q as if it were all", text)
	}
	one := store.Span{Key: key(1), Length: 4}
	if _, began, err := send(one, one, one, one); !errors.Is(err, store.ErrTooMany) || began != 0 {
		t.Errorf("too many: began %d times, %v", began, err)
	}
}

// TestSweeps: a sweep looks twice, so what has been put anew since it saw it stays; and sweeps at the same time leave nothing.
func TestSweeps(t *testing.T) {
	empty(t)
	s := &r2.Store{Parts: parts}
	put := func(n int64) store.Key {
		key := store.Key{Share: "share", N: n, Digest: sha256.Sum256([]byte("part"))}
		if err := s.Put(context.Background(), key, strings.NewReader("part"), 4, ""); err != nil {
			t.Error(err)
		}
		return key
	}
	there := func(key store.Key) bool {
		r, err := s.Open(t.Context(), key, 0, 4)
		if err == nil {
			r.Close()
		}
		return err == nil
	}
	again, orphan := put(1), put(2)
	time.Sleep(20 * time.Millisecond)
	before := time.Now()
	time.Sleep(20 * time.Millisecond)
	removed, err := s.Sweep(t.Context(), before, func(_ context.Context, key store.Key) (bool, error) {
		if key == again {
			put(again.N)
		}
		return false, nil
	})
	if removed != 1 || err != nil || !there(again) || there(orphan) {
		t.Errorf("removed %d, %v; what was put anew is there: %v, the orphan: %v", removed, err, there(again), there(orphan))
	}

	for n := range int64(50) {
		put(n)
	}
	var sweeps sync.WaitGroup
	var sum atomic.Int64
	for range 4 {
		sweeps.Go(func() {
			n, err := s.Sweep(context.Background(), time.Now().Add(time.Hour), func(context.Context, store.Key) (bool, error) { return false, nil })
			if err != nil {
				t.Error(err)
			}
			sum.Add(int64(n))
		})
	}
	sweeps.Wait()
	for n := range int64(50) {
		if there(store.Key{Share: "share", N: n, Digest: sha256.Sum256([]byte("part"))}) {
			t.Errorf("part %d is left", n)
		}
	}
	if sum.Load() < 50 {
		t.Errorf("sweeps together say they removed %d objects of 50", sum.Load())
	}
}
