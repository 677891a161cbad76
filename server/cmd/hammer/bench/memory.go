package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sealpost/sealpost/server/internal/load"
)

// figure is a line of the second table.
type figure struct {
	value, limit, what string
	over               bool
}

func (f figure) row() string { return fmt.Sprintf("| **%s** | %s | %s |\n", f.value, f.limit, f.what) }

const (
	slowUploads, slowLimit     = 1000, 128 // MiB
	idleConnections, idleLimit = 5000, 160 // MiB
	slowBurst, slowRate        = 1536 << 10, 4 << 10
	crowdStays                 = 10 * time.Second
)

// memory measures the resident set of a fresh sealpostd with many that do little. More than the limit, of which there is one figure on
// every machine, is an error.
func (b *bench) memory(ctx context.Context) (figures []figure, err error) {
	crowds := []struct {
		load  load.Config
		tls   bool
		limit int
		what  string
	}{
		{load.Config{Slow: slowUploads, SlowBurst: slowBurst, SlowRate: slowRate}, false, slowLimit,
			fmt.Sprintf("%d uploads that send 1.5 MiB of a part and then %d KiB a second", slowUploads, slowRate>>10)},
		{load.Config{Idle: idleConnections}, false, idleLimit, fmt.Sprintf("%d idle connections", idleConnections)},
		{load.Config{Idle: idleConnections}, true, 0, fmt.Sprintf("%d idle connections with TLS", idleConnections)},
	}
	var over error
	for _, c := range crowds {
		if c.tls && b.standIn {
			continue
		}
		f, err := b.crowd(ctx, c.load, c.tls, c.limit, c.what)
		if err != nil {
			return figures, err
		}
		figures = append(figures, f)
		if f.over {
			over = errors.Join(over, fmt.Errorf("%s with %s", f.value, c.what))
		}
	}
	return figures, over
}

// crowd has a server of its own, so that nothing but what is measured has grown it.
func (b *bench) crowd(ctx context.Context, c load.Config, tls bool, limit int, what string) (figure, error) {
	data := filepath.Join(b.dir, "crowd")
	defer os.RemoveAll(data)
	var flags []string
	if tls {
		flags = []string{"-tls-cert", b.pair.cert, "-tls-key", b.pair.key}
	}
	p, addr, err := sealpostd(b.options, "crowd", b.dir, data, flags...)
	if err != nil {
		return figure{}, err
	}
	defer p.stop()
	before, _ := memoryOf(p.pids())
	c.URL, c.Size, c.Manifest, c.Duration = "http://"+addr, 8<<20, 1<<10, crowdStays
	if tls {
		c.URL, c.Roots = "https://"+addr, b.pair.roots
	}
	r, err := load.Run(ctx, c)
	if err != nil {
		return figure{}, err
	}
	if err := r.Err(); err != nil || r.Slow != c.Slow || r.Idle != c.Idle || r.SlowCut+r.IdleCut > 0 {
		return figure{}, fmt.Errorf("failed to gather a crowd: %d slow, %d idle, %d ended, %v, %w", r.Slow, r.Idle, r.SlowCut+r.IdleCut, r.Errors, err)
	}
	_, peak := memoryOf(p.pids())
	f := figure{value: fmt.Sprintf("%d MiB", peak>>20), what: fmt.Sprintf("peak resident set with %s (%d MiB before)", what, before>>20)}
	if limit > 0 {
		f.limit, f.over = fmt.Sprintf("%d MiB", limit), peak>>20 > int64(limit)
	}
	return f, nil
}
