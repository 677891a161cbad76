package observed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/observed"
	"github.com/sealpost/sealpost/server/store/sqlite"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// seen counts what is observed.
type seen struct {
	mu  sync.Mutex
	n   map[string]int
	err map[string]error
	d   time.Duration
}

func (s *seen) observe(operation string, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n, s.err = map[string]int{}, map[string]error{}
	}
	s.n[operation]++
	s.err[operation] = err
	s.d = took
}

// TestSuites: an observed store is a store, and no method of the contract passes unobserved.
func TestSuites(t *testing.T) {
	var s seen
	storetest.Blobs(t, func(t *testing.T) store.Blobs {
		b, err := disk.Open(filepath.Join(t.TempDir(), "blobs"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return observed.Blobs(b, s.observe)
	})
	storetest.Meta(t, func(t *testing.T) store.Meta {
		m, err := sqlite.Open(filepath.Join(t.TempDir(), "meta.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		if err := observed.Meta(m, s.observe).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		return observed.Meta(m, s.observe)
	})
	var want []string
	for _, contract := range []reflect.Type{reflect.TypeFor[store.Blobs](), reflect.TypeFor[store.Meta]()} {
		for i := range contract.NumMethod() {
			want = append(want, contract.Method(i).Name)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want) // both have a Mark
	if got := slices.Sorted(maps.Keys(s.n)); !slices.Equal(got, want) {
		t.Errorf("observed %v, want %v", got, want)
	}
}

type both struct {
	store.Blobs
	store.Sender
	store.Lister
}

// TestNothingIsHidden: what a store is besides it still is, and it is nothing else.
func TestNothingIsHidden(t *testing.T) {
	b, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var s seen
	type senderOnly struct {
		store.Blobs
		store.Sender
	}
	type listerOnly struct {
		store.Blobs
		store.Lister
	}
	type roomyOnly struct {
		store.Blobs
		store.Roomy
	}
	for name, c := range map[string]struct {
		b                   store.Blobs
		sends, lists, tells bool
	}{
		"nothing":          {struct{ store.Blobs }{b}, false, false, false},
		"roomy":            {roomyOnly{b, b}, false, false, true},
		"lister":           {listerOnly{b, b}, false, true, false},
		"lister and roomy": {b, false, true, true},
		"sender":           {senderOnly{b, fake{}}, true, false, false},
		"sender and roomy": {struct {
			senderOnly
			store.Roomy
		}{senderOnly{b, fake{}}, b}, true, false, true},
		"sender and lister": {both{b, fake{}, b}, true, true, false},
		"all": {struct {
			both
			store.Roomy
		}{both{b, fake{}, b}, b}, true, true, true},
	} {
		o := observed.Blobs(c.b, s.observe)
		sender, sends := o.(store.Sender)
		_, lists := o.(store.Lister)
		roomy, tells := o.(store.Roomy)
		if sends != c.sends || lists != c.lists || tells != c.tells {
			t.Errorf("%s: sends %t, lists %t, tells its room %t", name, sends, lists, tells)
		}
		if tells {
			if err := roomy.HasRoom(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !sends {
			continue
		}
		begun := 0
		n, err := sender.Send(t.Context(), io.Discard, func() { begun++ }, nil)
		if n != 7 || err != nil || begun != 1 || s.n["Send"] == 0 {
			t.Errorf("%s: sent %d, %v, begun %d times, observed %v", name, n, err, begun, s.n)
		}
	}

	data := []byte("sealed")
	key := store.Key{Share: "abcdefghijklmnop", N: 1, Digest: sha256.Sum256(data)}
	o := observed.Blobs(b, s.observe)
	if err := o.Put(t.Context(), key, bytes.NewReader(data), 6, ""); err != nil {
		t.Fatal(err)
	}
	r, err := o.Open(t.Context(), key, 0, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ok := r.(*os.File); !ok {
		t.Errorf("opens a %T, which the system cannot send", r)
	}
	if _, err := o.Open(t.Context(), store.Key{Share: "abcdefghijklmnop"}, 0, 6); !errors.Is(err, store.ErrNotFound) || s.err["Open"] != err {
		t.Errorf("observed %v, want %v", s.err["Open"], err)
	}
}

type fake struct{}

func (fake) Send(_ context.Context, _ io.Writer, begin func(), _ []store.Span) (int64, error) {
	begin()
	return 7, nil
}

// slow is a body that comes slowly, and says so.
type slow struct {
	io.Reader
	waited time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(50 * time.Millisecond)
	s.waited += 50 * time.Millisecond
	return s.Reader.Read(p)
}

func (s *slow) Waited() time.Duration { return s.waited }

// TestSlowClient: a client's time is not the store's.
func TestSlowClient(t *testing.T) {
	data := []byte("sealed")
	var s seen
	bodies := &witness{}
	o := observed.Blobs(bodies, s.observe)
	body := &slow{Reader: bytes.NewReader(data), waited: time.Hour} // of an earlier reader
	if err := o.Put(t.Context(), store.Key{}, body, 6, ""); err != nil {
		t.Fatal(err)
	}
	if body.waited < time.Hour+100*time.Millisecond || s.d >= 50*time.Millisecond {
		t.Errorf("took %v, after %v of waiting", s.d, body.waited)
	}
	if bodies.body != body {
		t.Errorf("the store got a %T", bodies.body)
	}
}

// witness reads what it is to store.
type witness struct {
	store.Blobs
	body io.Reader
}

func (w *witness) Put(_ context.Context, _ store.Key, body io.Reader, _ int64, _ string) error {
	w.body = body
	_, err := io.Copy(io.Discard, body)
	return err
}
