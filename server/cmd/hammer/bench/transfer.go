package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A worker makes the i-th request of one connection and returns how many bytes of body it moved.
type worker func(c conn, i int) (int64, error)

// A measurement is what one round came to.
type measurement struct {
	took     time.Duration
	bytes    int64
	requests int64
	cpu      time.Duration // of the server's processes
	others   float64       // processors that other programs kept busy meanwhile
}

func (m measurement) rate() float64 { return float64(m.bytes) / m.took.Seconds() / 1e6 } // MB/s

func (m measurement) perGiB() float64 { return m.cpu.Seconds() / (float64(m.bytes) / (1 << 30)) }

// round keeps connections busy for d: each makes its first request before the clock starts, and finishes its last one while
// it still runs.
func round(t target, server *process, connections int, d time.Duration, newWorker func(n int) (worker, error)) (measurement, error) {
	conns, workers := make([]conn, connections), make([]worker, connections)
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.close()
			}
		}
	}()
	var failed errorList
	each(connections, func(n int) {
		var err error
		if conns[n], err = dial(t); err == nil {
			if workers[n], err = newWorker(n); err == nil {
				_, err = workers[n](conns[n], 0)
			}
		}
		failed.add(err)
	})
	if err := failed.first(); err != nil {
		return measurement{}, err
	}
	pids := server.pids()
	var bytes, requests atomic.Int64
	cpu, own, all, began := cpuOf(pids), ownCPU(), allCPU(), time.Now()
	until := began.Add(d)
	each(connections, func(n int) {
		for i := 1; time.Now().Before(until); i++ {
			moved, err := workers[n](conns[n], i)
			if err != nil {
				failed.add(err)
				return
			}
			bytes.Add(moved)
			requests.Add(1)
		}
	})
	m := measurement{took: time.Since(began), bytes: bytes.Load(), requests: requests.Load(), cpu: cpuOf(pids) - cpu}
	m.others = max(0, (allCPU()-all-m.cpu-(ownCPU()-own)).Seconds()/m.took.Seconds())
	return m, failed.first()
}

// each calls f with 0 … n-1 at once, and waits.
func each(n int, f func(int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// errorList keeps the first error of many.
type errorList struct {
	mu  sync.Mutex
	err error
}

func (l *errorList) add(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *errorList) first() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// getter fetches the same path again and again. The first answer is compared by digest, of the others the length.
func getter(path, bearer string, p part) worker {
	return func(c conn, i int) (int64, error) {
		if i > 0 {
			n, err := c.get(path, bearer, nil)
			if err == nil && n != int64(len(p.bytes)) {
				err = fmt.Errorf("%d bytes, want %d", n, len(p.bytes))
			}
			return n, err
		}
		h := sha256.New()
		n, err := c.get(path, bearer, h)
		if err == nil && [sha256.Size]byte(h.Sum(nil)) != p.digest {
			err = errors.New("wrong bytes")
		}
		return n, err
	}
}

// putter sends the same bytes to one path after the other.
func putter(path func(i int) string, bearer string, p part) worker {
	return func(c conn, i int) (int64, error) {
		return int64(len(p.bytes)), c.put(path(i), bearer, p.contentDigest(), p.bytes)
	}
}
