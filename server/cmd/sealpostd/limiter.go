package main

import (
	"sync"
	"time"

	"github.com/sealpost/sealpost/server"
	"golang.org/x/time/rate"
)

// maxKeys bounds a generation of a limiter, and so its memory to some tens of megabytes.
const maxKeys = 1 << 16

// limiter allows each key so many events per minute, as many at once to begin with. It remembers two generations of keys:
// when the young one is full the old one is forgotten, so a flood of new keys can free others early, but not fill memory.
type limiter struct {
	limit rate.Limit
	burst int

	mu         sync.Mutex
	young, old map[string]*rate.Limiter
}

// newLimiter returns nil, no limits, if perMinute is 0.
func newLimiter(perMinute float64) server.Limiter {
	if perMinute == 0 {
		return nil
	}
	return &limiter{limit: rate.Limit(perMinute / 60), burst: max(1, int(perMinute)), young: make(map[string]*rate.Limiter)}
}

// Allow implements server.Limiter.
func (l *limiter) Allow(key string) (ok bool, wait time.Duration) {
	now := time.Now()
	r := l.of(key).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait == 0, wait
}

func (l *limiter) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.young[key]; k != nil {
		return k
	}
	k := l.old[key]
	if k == nil {
		k = rate.NewLimiter(l.limit, l.burst)
	}
	if len(l.young) >= maxKeys {
		l.young, l.old = make(map[string]*rate.Limiter), l.young
	}
	l.young[key] = k
	return k
}
