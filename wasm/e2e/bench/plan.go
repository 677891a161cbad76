package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// A condition is under which a file is sent and saved.
type condition struct {
	engine string
	in     *input
	slow   bool // over a line
}

func (c condition) String() string {
	text := fmt.Sprintf("%s, %s %d MiB", c.engine, c.in.kind, c.in.size>>20)
	if c.slow {
		text += ", line"
	}
	return text
}

// Apps in the order of a trip's measurements.
const (
	yardstickTrip = iota
	sealpostTrip
)

// A trip is one file sent and saved.
type trip struct{ up, down measurement }

// trips are all trips under one condition: pairs of one by the yardstick and one through Sealpost, one after the other.
type trips struct {
	condition
	pairs   [][2]trip
	sampled [2]trip // a pair in which memory was looked at
}

// plan is what is to be measured.
type plan struct {
	dir    string // for everything that is written
	apps   [2]app
	runs   int
	speed  float64 // of the line, in bytes a second
	delay  time.Duration
	memory bool
	rest   time.Duration // before a transfer, until what the page has loaded has settled: a person takes longer
	say    func(format string, args ...any)
}

// measure measures all conditions in turns, so that what else goes on in the machine hits all of them. It returns what it has
// measured, also with an error.
func (p *plan) measure(conditions []condition) ([]*trips, error) {
	all := make([]*trips, len(conditions))
	missing := map[string]bool{}
	for i, c := range conditions {
		all[i] = &trips{condition: c}
	}
	for run := range p.runs {
		for _, t := range all {
			if missing[t.engine] {
				continue
			}
			pair, err := p.pair(t.condition, false, run%2 == 1)
			if errors.Is(err, webdriver.ErrNotInstalled) {
				p.say("%v", err)
				missing[t.engine] = true
				continue
			}
			if err != nil {
				return all, err
			}
			t.pairs = append(t.pairs, pair)
		}
	}
	for _, t := range all {
		if !p.memory || t.slow || missing[t.engine] {
			continue
		}
		var err error
		if t.sampled, err = p.pair(t.condition, true, false); err != nil {
			return all, err
		}
	}
	return all, nil
}

// pair makes a trip with each app.
func (p *plan) pair(c condition, sample, reverse bool) (pair [2]trip, err error) {
	order := []int{yardstickTrip, sealpostTrip}
	if reverse {
		order = []int{sealpostTrip, yardstickTrip}
	}
	for _, i := range order {
		if pair[i], err = p.trip(p.apps[i], c, sample); err != nil {
			return pair, fmt.Errorf("%v, %s: %w", c, p.apps[i].name, err)
		}
		p.say("%v, %s: up %.1f, down %.1f MB/s", c, p.apps[i].name, pair[i].up.rate(c.in), pair[i].down.rate(c.in))
	}
	return pair, nil
}

// trip sends and saves a file, by a fresh server and a fresh browser each.
func (p *plan) trip(a app, c condition, sample bool) (t trip, err error) {
	s, err := a.start(p.dir)
	if err != nil {
		return t, err
	}
	defer s.stop()
	addr := s.addr
	if c.slow {
		l, err := newLine(s.addr, p.speed, p.delay)
		if err != nil {
			return t, err
		}
		defer l.Close()
		addr = l.addr()
	}
	var link string
	err = browse(c.engine, a.args, func(b *webdriver.Browser) (err error) {
		var took time.Duration
		took, link, err = upload(b, "http://"+addr, c.in, func(transfer func() error) (err error) {
			t.up, err = meter(b, s, p.rest, sample, transfer)
			return err
		})
		t.up.took = took
		return err
	})
	if err != nil {
		return t, fmt.Errorf("failed to send: %w", err)
	}
	err = browse(c.engine, a.args, func(b *webdriver.Browser) error {
		took, way, err := download(b, link, c.in, func(transfer func() error) (err error) {
			t.down, err = meter(b, s, p.rest, sample, transfer)
			return err
		})
		t.down.took, t.down.way = took, way
		return err
	})
	if err != nil {
		return t, fmt.Errorf("failed to save: %w", err)
	}
	return t, nil
}

// browse runs f with a fresh browser.
func browse(engine string, args []string, f func(*webdriver.Browser) error) error {
	b, err := webdriver.Start(engine, webdriver.Options{Timeout: longest, Args: args})
	if err != nil {
		return err
	}
	defer b.Close()
	return f(b)
}

// rate is in MB a second.
func (m measurement) rate(in *input) float64 { return float64(in.size) / 1e6 / m.took.Seconds() }
