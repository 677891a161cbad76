package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

const (
	askers     = 32 // connections
	metaShares = 64
	metaTimes  = 50 // operations of one kind on each share
)

// records measures operations on records, through the API: shares that are made, looked at and deleted, and downloads that are
// taken of many shares and of one. The counts have to be exact.
func (b *bench) records(name string, flags ...string) (figures []figure, err error) {
	data := filepath.Join(b.dir, "records")
	defer os.RemoveAll(data)
	p, addr, err := sealpostd(b.options, "records", b.dir, data, flags...)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	var callers []caller
	for range askers {
		c, err := newCaller(addr)
		if err != nil {
			return nil, err
		}
		defer c.close()
		callers = append(callers, c)
	}
	r := &records{name: name, server: p, callers: callers, all: make([]share, metaShares*metaTimes)}
	for _, step := range []func() error{r.create, r.look, r.takeMany, r.takeOne, r.delete} {
		if err := step(); err != nil {
			return r.figures, err
		}
	}
	return r.figures, nil
}

// records are those of one server, and what was measured with them.
type records struct {
	name    string
	server  *process
	callers []caller
	all     []share // of which the first are shared by many downloads
	figures []figure
}

// do makes n requests, as many at once as there are callers, and notes how fast and how late.
func (r *records) do(what string, n int, request func(c caller, i int) error) error {
	var failed errorList
	var next atomic.Int64
	var mu sync.Mutex
	var latencies []time.Duration
	cpu, began := cpuOf(r.server.pids()), time.Now()
	each(len(r.callers), func(k int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			asked := time.Now()
			failed.add(request(r.callers[k], i))
			took := time.Since(asked)
			mu.Lock()
			latencies = append(latencies, took)
			mu.Unlock()
		}
	})
	took := time.Since(began)
	slices.Sort(latencies)
	at := func(percent int) time.Duration { return latencies[(n-1)*percent/100].Round(10 * time.Microsecond) }
	r.figures = append(r.figures, figure{value: fmt.Sprintf("%.0f/s", float64(n)/took.Seconds()),
		what: fmt.Sprintf("%s, %s: %d, exactly; %d at once, p50 %v, p99 %v, max %v, %.0f µs of CPU each", r.name, what, n, len(r.callers),
			at(50), at(99), at(100), (cpuOf(r.server.pids())-cpu).Seconds()/float64(n)*1e6)})
	return failed.first()
}

func (r *records) create() error {
	err := r.do("shares made", len(r.all), func(c caller, i int) (err error) {
		limit := int64(metaTimes)
		if i == metaShares {
			limit = metaShares * metaTimes
		}
		r.all[i], err = c.create(1000, limit)
		return err
	})
	ids := map[string]bool{}
	for _, s := range r.all {
		ids[s.id] = true
	}
	if err == nil && len(ids) != len(r.all) {
		err = fmt.Errorf("%d requests made %d shares", len(r.all), len(ids))
	}
	return err
}

func (r *records) look() error {
	return r.do("shares looked at", len(r.all), func(c caller, i int) error {
		_, err := c.get(r.all[i].path(""), text(r.all[i].owner), nil)
		return err
	})
}

func (r *records) takeMany() error {
	return r.take(fmt.Sprintf("downloads taken of %d shares", metaShares), r.all[:metaShares])
}

func (r *records) takeOne() error {
	return r.take("downloads taken of one share", r.all[metaShares:metaShares+1])
}

// take takes all downloads that shares permit, and asks for a tenth more.
func (r *records) take(what string, shares []share) error {
	const permitted = metaShares * metaTimes
	const asked = permitted + permitted/10
	var taken atomic.Int64
	err := r.do(what+", and a tenth more refused", asked, func(c caller, i int) error {
		s := shares[i%len(shares)]
		err := c.json(http.MethodPost, s.path("/downloads"), text(s.access, s.reader), api.TakeDownload{Ticket: api.HashToken(newToken())}, nil)
		var status *wrongStatus
		switch {
		case err == nil:
			taken.Add(1)
		case errors.As(err, &status) && strings.Contains(status.text, string(api.CodeNoDownloadsLeft)):
			return nil
		}
		return err
	})
	if err == nil && taken.Load() != permitted {
		err = fmt.Errorf("%d of %d downloads taken", taken.Load(), permitted)
	}
	return err
}

func (r *records) delete() error {
	return r.do("shares deleted", len(r.all), func(c caller, i int) error { return c.delete(r.all[i]) })
}
