// Package storetest is the suite that every storage driver passes: each sentence of the contract in package store is a test
// here. A driver's own tests open it and add only what is peculiar to it.
//
//	func TestBlobs(t *testing.T) { storetest.Blobs(t, openBlobs) }
//	func TestMeta(t *testing.T)  { storetest.Meta(t, openMeta) }
//
// Each subtest opens a store of its own, which must be empty, and which the driver closes in t.Cleanup.
package storetest

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

// A store may have the method Reopen, which the suite calls to see what is durable: it returns another view of the same
// data, as a new process would find it; the old one is not used any more. Drivers' tests wrap theirs to have it.
type (
	reopensBlobs interface {
		Reopen(t *testing.T) store.Blobs
	}
	reopensMeta interface {
		Reopen(t *testing.T) store.Meta
	}
)

var counter atomic.Int64

// newID returns an id that no other test uses.
func newID() string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
	id := make([]byte, 16)
	for i := range id {
		id[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(id)
}

// newHash returns a hash that no other test uses.
func newHash() store.Hash {
	return sha256.Sum256([]byte("hash " + strconv.FormatInt(counter.Add(1), 10)))
}

// race runs f n times at once and returns when all are done.
func race(n int, f func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr checks for a sentinel.
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
