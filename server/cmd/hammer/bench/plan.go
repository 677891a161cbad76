package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// A cell is one line of the table: what is done how.
type cell struct {
	put, http2, tls bool
	connections     int
	size            int64 // of a body
}

func (c cell) String() string {
	text := map[bool]string{false: "GET", true: "PUT"}[c.put] + map[bool]string{false: " HTTP/1.1", true: " HTTP/2"}[c.http2]
	if c.tls {
		text += " TLS"
	}
	return fmt.Sprintf("%s, %d × %d MiB", text, c.connections, c.size>>20)
}

// plan is every cell, those with the most connections in smaller pieces; fetching also in pieces of the usual size.
func plan() (all []cell) {
	for _, put := range []bool{false, true} {
		for _, tls := range []bool{false, true} {
			for _, http2 := range []bool{false, true} {
				for _, n := range []int{1, 64, 512} {
					size := int64(8 << 20)
					if n > 64 {
						size = 1 << 20
					}
					all = append(all, cell{put, http2, tls, n, size})
					if n > 64 && !put && !http2 && !tls {
						all = append(all, cell{put, http2, tls, n, 8 << 20})
					}
				}
			}
		}
	}
	return all
}

// The sides that a cell is measured on, in turns.
const (
	ours = iota
	theirs
	theirsTuned
	sides
)

// A line is what a cell came to: a measurement of each round and side. The tuned side has none but for PUT over HTTP/1.1.
type line struct {
	cell
	rounds [sides][]measurement
}

// bench is the servers that are measured, and where they keep what.
type bench struct {
	options
	dir, data, putDir string
	pair              keyPair
	plain, tls        *process // sealpostd
	plainAddr         string
	clear2Addr        string // which may be that of the stand-in
	clear2            *process
	tlsAddr           string
	nginx             *nginx
	standIn           bool
}

func newBench(o options, dir string) (b *bench, err error) {
	b = &bench{options: o, dir: dir, data: filepath.Join(dir, "data"), putDir: filepath.Join(dir, "put")}
	if b.pair, err = newKeyPair(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.stop()
		}
	}()
	if b.plain, b.plainAddr, err = sealpostd(o, "sealpostd", dir, b.data); err != nil {
		return b, err
	}
	if takes(o.binary, "tls-cert") {
		b.tls, b.tlsAddr, err = sealpostd(o, "sealpostd-tls", dir, b.data, "-tls-cert", b.pair.cert, "-tls-key", b.pair.key)
	} else {
		b.standIn = true
		b.tls, b.tlsAddr, err = b.startStandIn("stand-in-tls", b.pair.cert, b.pair.key)
	}
	if err != nil {
		return b, err
	}
	b.clear2, b.clear2Addr = b.plain, b.plainAddr
	if c, err := newCaller2(b.plainAddr); err != nil {
		if b.clear2, b.clear2Addr, err = b.startStandIn("stand-in", "", ""); err != nil {
			return b, err
		}
	} else {
		c.close()
	}
	b.nginx, err = startNginx(o, dir, filepath.Join(b.data, "blobs"), b.putDir, b.pair)
	return b, err
}

func (b *bench) startStandIn(name, cert, key string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p, err := start(name, b.serverCPUs, b.dir, self, "-stand-in", b.data, "-cert", cert, "-key", key)
	if err != nil {
		return nil, "", err
	}
	addr, err := p.said(`listening on https://(\S+)`)
	return p, addr, err
}

// newCaller2 tells whether somebody speaks HTTP/2 without TLS at addr.
func newCaller2(addr string) (conn, error) {
	c, err := dial(target{addr: addr, http2: true})
	if err == nil {
		if _, err = c.get("/api/v1/config", "", nil); err != nil {
			c.close()
		}
	}
	return c, err
}

func (b *bench) stop() {
	for _, p := range []*process{b.plain, b.tls} {
		if p != nil {
			p.stop()
		}
	}
	if b.clear2 != nil && b.clear2 != b.plain {
		b.clear2.stop()
	}
	if b.nginx != nil {
		b.nginx.stop()
	}
}

// target returns where a cell's requests go to.
func (b *bench) target(c cell, side int) (target, *process) {
	t := target{http2: c.http2}
	if c.tls {
		t.roots = b.pair.roots
	}
	var p *process
	switch {
	case side == ours && c.tls:
		t.addr, p = b.tlsAddr, b.tls
	case side == ours && c.http2:
		t.addr, p = b.clear2Addr, b.clear2
	case side == ours:
		t.addr, p = b.plainAddr, b.plain
	case c.tls:
		t.addr, p = b.nginx.tls, b.nginx.process
	case c.http2:
		t.addr, p = b.nginx.clear2, b.nginx.process
	default:
		t.addr, p = b.nginx.plain, b.nginx.process
	}
	return t, p
}

// transfers measures the cells whose names only matches, round by round and side by side. One that fails does not keep it from the others.
func (b *bench) transfers(cells []cell, only *regexp.Regexp, progress func(string)) (lines []*line, err error) {
	c, err := newCaller(b.plainAddr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	for _, cell := range cells {
		if !only.MatchString(cell.String()) {
			continue
		}
		l := &line{cell: cell}
		if merr := b.measure(c, l); merr != nil {
			err = errors.Join(err, fmt.Errorf("failed to measure %v: %w", cell, merr))
			continue
		}
		lines = append(lines, l)
		progress(row(l))
	}
	return lines, err
}

func (b *bench) measure(c caller, l *line) error {
	p := newPart(l.size)
	var fetched share
	var ticket string
	if !l.put {
		var err error
		if fetched, ticket, err = c.publish(p); err != nil {
			return err
		}
		defer c.delete(fetched)
	}
	for n := range b.rounds {
		for side := range sides {
			if side == theirsTuned && (!l.put || l.http2 || l.tls) {
				continue
			}
			syscall.Sync() // what the round before has left
			time.Sleep(100 * time.Millisecond)
			t, server := b.target(l.cell, side)
			newWorker, after := b.worker(c, l.cell, side, n, fetched, ticket, p)
			m, err := round(t, server, l.connections, b.duration, newWorker)
			after()
			if err != nil {
				return fmt.Errorf("%s: %w", server.name, err)
			}
			l.rounds[side] = append(l.rounds[side], m)
		}
	}
	return nil
}

// worker returns what makes the workers of a round, and what removes what they left.
func (b *bench) worker(c caller, l cell, side, round int, fetched share, ticket string, p part) (func(int) (worker, error), func()) {
	switch {
	case !l.put && side == ours:
		return func(int) (worker, error) { return getter(fetched.partPath(1), ticket, p), nil }, func() {}
	case !l.put:
		return func(int) (worker, error) { return getter(fetched.file(1, p), "", p), nil }, func() {}
	case side == ours:
		return b.ourPuts(c, l, p)
	}
	folder := "/put"
	if side == theirsTuned {
		folder = "/tuned"
	}
	return func(n int) (worker, error) {
			return putter(func(i int) string { return fmt.Sprintf("%s/%d-%d-%d", folder, round, n, i) }, "", p), nil
		}, func() {
			files, _ := filepath.Glob(filepath.Join(b.putDir+folder, "*"))
			for _, f := range files {
				os.Remove(f)
			}
		}
}

// ourPuts gives each connection a share of its own.
func (b *bench) ourPuts(c caller, l cell, p part) (func(int) (worker, error), func()) {
	shares := make([]share, l.connections)
	var err error
	for i := range shares {
		if shares[i], err = c.create(4096*l.size, 0); err != nil {
			break
		}
	}
	return func(n int) (worker, error) {
			s := shares[n]
			return putter(func(i int) string { return s.partPath(int64(i) + 1) }, text(s.owner), p), err
		}, func() {
			for _, s := range shares {
				if s.id != "" {
					c.delete(s)
				}
			}
		}
}
