package load

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// kind is what a request was for.
type kind string

const (
	createShare   kind = "create share"
	putManifest   kind = "put manifest"
	putPart       kind = "put part"
	completeShare kind = "complete"
	takeDownload  kind = "take download"
	getManifest   kind = "get manifest"
	getPart       kind = "get part"
	finish        kind = "finish"
	getShare      kind = "get share"
	deleteShare   kind = "delete share"
)

var kinds = []kind{createShare, putManifest, putPart, completeShare, takeDownload, getManifest, getPart, finish, getShare, deleteShare}

// tally counts requests. It is safe for concurrent use.
type tally struct {
	mu      sync.Mutex
	calls   map[kind]*callTally
	errors  map[Failure]int64
	retries int64
}

type callTally struct {
	bytes     int64
	latencies []time.Duration // of what was answered as it should be
}

func newTally() *tally { return &tally{calls: map[kind]*callTally{}, errors: map[Failure]int64{}} }

// succeed notes a request that was answered as it should be, with bytes of body in either direction.
func (t *tally) succeed(k kind, bytes int64, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.calls[k]
	if c == nil {
		c = &callTally{}
		t.calls[k] = c
	}
	c.bytes += bytes
	c.latencies = append(c.latencies, took)
}

func (t *tally) fail(k kind, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors[Failure{string(k), what}]++
}

func (t *tally) retry() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retries++
}

// Failure is a kind of request and the problem code that it was answered with, "connection" or "wrong bytes".
type Failure struct{ Call, What string }

// Call is what is known of all requests of one kind that were answered as they should be.
type Call struct {
	Name          string
	Count, Bytes  int64
	P50, P99, Max time.Duration // until the last byte of the answer
}

// report returns the calls in the order in which a share meets them, and the errors.
func (t *tally) report() (calls []Call, errors map[Failure]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range kinds {
		c := t.calls[k]
		if c == nil {
			continue
		}
		slices.Sort(c.latencies)
		n := len(c.latencies)
		calls = append(calls, Call{Name: string(k), Count: int64(n), Bytes: c.bytes,
			P50: c.latencies[(n-1)/2], P99: c.latencies[(n-1)*99/100], Max: c.latencies[n-1]})
	}
	return calls, maps.Clone(t.errors)
}

// sorted returns the failures in an order that stays.
func sorted(errors map[Failure]int64) []Failure {
	return slices.SortedFunc(maps.Keys(errors), func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.What, b.What))
	})
}
