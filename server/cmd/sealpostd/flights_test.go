package main

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/sealpost/sealpost/server"
)

func TestFlights(t *testing.T) {
	if newFlights(0, 0) != nil {
		t.Error("0 limits")
	}
	f := newFlights(3, 2)
	enter := func(key string, want error) func() {
		t.Helper()
		leave, err := f.Enter(key)
		if !errors.Is(err, want) || (leave == nil) != (want != nil) {
			t.Fatalf("%s: got error %v, want %v", key, err, want)
		}
		return leave
	}
	first := enter("a", nil)
	enter("a", nil)
	enter("a", server.ErrKeyFull)
	last := enter("b", nil)
	enter("a", server.ErrKeyFull)
	enter("c", server.ErrFull)
	last()
	last() // leaves once
	enter("c", nil)
	enter("d", server.ErrFull)
	first()
	enter("a", nil)
	if f := newFlights(0, 1); f != nil {
		for i := range 1000 {
			if _, err := f.Enter(strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// However many clients come and go, what is remembered is what is under way.
func TestFlightsBounded(t *testing.T) {
	f := newFlights(50, 3).(*flights)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			var leave []func()
			for range 5000 {
				if l, err := f.Enter(strconv.Itoa(rand.IntN(1 << 30))); err == nil {
					leave = append(leave, l)
				}
				if len(leave) > 2 {
					leave[0]()
					leave = leave[1:]
				}
			}
			for _, l := range leave {
				l()
			}
		})
	}
	wg.Wait()
	if f.n != 0 || len(f.of) != 0 {
		t.Errorf("%d are in, of %d keys", f.n, len(f.of))
	}
}
