package main

import (
	"sync"

	"github.com/sealpost/sealpost/server"
)

// flights bounds what is under way at once, in all and for each key; 0 is any number. It remembers the keys of what is under way, and no
// others.
type flights struct {
	all, each int

	mu sync.Mutex
	n  int
	of map[string]int
}

// newFlights returns nil, no limits, if both are 0.
func newFlights(all, each int) server.Flights {
	if all == 0 && each == 0 {
		return nil
	}
	return &flights{all: all, each: each, of: make(map[string]int)}
}

// Enter implements server.Flights. A client that has enough of its own is told so even if there is too much in all: that is what it can change.
func (f *flights) Enter(key string) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.each > 0 && f.of[key] >= f.each:
		return nil, server.ErrKeyFull
	case f.all > 0 && f.n >= f.all:
		return nil, server.ErrFull
	}
	f.n++
	f.of[key]++
	return sync.OnceFunc(func() { f.leave(key) }), nil
}

func (f *flights) leave(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.of[key]--; f.of[key] == 0 {
		delete(f.of, key)
	}
}
