package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// In which ways a line is bad.
var faultKinds = []string{
	"reset",    // both ends are told that the connection is broken
	"truncate", // the browser is told that there is no more to come
	"delay",    // nothing moves for a while
	"overtake", // nothing moves until other connections have moved something
	"drop",     // nothing moves any more, and nobody is told
	"late",     // the browser is told that the connection is broken; what it had sent arrives when it has been sent again. Up only
}

const (
	overtaking = 64 << 10               // bytes of others
	waits      = 100 * time.Millisecond // for an answer, who sends nothing for so long
	again      = 700 * time.Millisecond // after which the browser has tried again
	most       = 2 << 20                // bytes that are kept to arrive late
)

// fault is what happens to a connection after it has carried some bytes in one direction.
type fault struct {
	kind  string // of faultKinds; "" if nothing does
	up    bool   // counts what the browser sends, not what it is sent
	after int64  // bytes
	pause time.Duration
}

func (f fault) String() string {
	return fmt.Sprintf("%s up=%v after %d (%v)", f.kind, f.up, f.after, f.pause)
}

// badLine is a TCP proxy whose connections break as random numbers want it. When as many faults have happened as were wanted, it
// is a good line.
type badLine struct {
	url    string
	target string

	mu     sync.Mutex
	r      *rand.Rand
	faults int      // that are still to happen
	drops  int      // how many of these may be drops, which cost half a minute each
	within int64    // bytes of a connection
	told   []string // what has happened
	kinds  map[string]int

	moved atomic.Int64 // bytes of all connections
}

// newBadLine starts a good line to target.
func newBadLine(t *testing.T, target string) *badLine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	b := &badLine{url: "http://" + l.Addr().String(), target: target, kinds: map[string]int{}}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.carry(c.(*net.TCPConn))
		}
	}()
	return b
}

// worsen wants a number of faults from now on, each after at most within bytes of its connection.
func (b *badLine) worsen(r *rand.Rand, faults, drops int, within int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.r, b.faults, b.drops, b.within, b.told = r, faults, drops, within, nil
}

// mend makes the line good and says what had happened.
func (b *badLine) mend() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = 0
	return b.told
}

// draw chooses what happens next to a connection that has moved some bytes in one direction.
func (b *badLine) draw(up bool, moved int64) fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults == 0 {
		return fault{}
	}
	kinds := faultKinds
	if !up {
		kinds = kinds[:len(kinds)-1]
	}
	return fault{
		kind:  kinds[b.r.IntN(len(kinds))],
		up:    up,
		after: moved + b.r.Int64N(b.within>>b.r.IntN(12)+1),
		pause: time.Duration(b.r.IntN(1000)) * time.Millisecond,
	}
}

// happens counts a fault, unless there were enough in the meantime.
func (b *badLine) happens(f fault) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults == 0 || f.kind == "drop" && b.drops == 0 {
		return false
	}
	b.faults--
	if f.kind == "drop" {
		b.drops--
	}
	b.told = append(b.told, f.String())
	b.kinds[f.kind]++
	return true
}

// happened tells how often there was which kind of fault since it was asked last.
func (b *badLine) happened() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	kinds := b.kinds
	b.kinds = map[string]int{}
	return kinds
}

func (b *badLine) carry(browser *net.TCPConn) {
	defer browser.Close()
	server, err := net.Dial("tcp", b.target)
	if err != nil {
		return
	}
	defer server.Close()
	c := carried{line: b, browser: browser, server: server.(*net.TCPConn)}
	var both sync.WaitGroup
	both.Go(func() { c.copy(c.server, c.browser, true) })
	both.Go(func() { c.copy(c.browser, c.server, false) })
	both.Wait()
}

// carried is a connection.
type carried struct {
	line            *badLine
	browser, server *net.TCPConn
	dropped         atomic.Bool
}

// copy moves bytes until an end or a fault ends it.
func (c *carried) copy(to, from *net.TCPConn, up bool) {
	var f fault
	moved := int64(0)
	for p := make([]byte, 16<<10); ; {
		n, err := from.Read(p)
		if f.kind == "" {
			f = c.line.draw(up, moved)
		}
		rest := p[:n]
		if due := f.after - moved; f.kind != "" && due < int64(n) {
			if c.line.happens(f) {
				c.write(to, rest[:due])
				rest = rest[due:]
				if f.kind == "late" {
					c.late(rest, f.pause)
					return
				}
				if !c.survives(f) {
					return
				}
			}
			f = fault{}
		}
		moved += int64(n)
		c.line.moved.Add(int64(n))
		if werr := c.write(to, rest); werr != nil {
			err = werr
		}
		switch {
		case err == nil:
			continue
		case c.dropped.Load():
		case err == io.EOF:
			to.CloseWrite()
		default:
			c.reset()
		}
		return
	}
}

// write moves bytes, or loses them.
func (c *carried) write(to *net.TCPConn, p []byte) error {
	if len(p) == 0 || c.dropped.Load() {
		return nil
	}
	_, err := to.Write(p)
	return err
}

// survives lets a fault happen, and returns whether there is a connection afterwards.
func (c *carried) survives(f fault) bool {
	switch f.kind {
	case "reset":
		c.reset()
		return false
	case "truncate":
		c.browser.Close()
		c.server.Close()
		return false
	case "delay":
		time.Sleep(f.pause)
	case "overtake":
		c.overtake(f.pause)
	case "drop":
		c.dropped.Store(true)
	}
	return true
}

// overtake waits until other connections have moved something, or, if there is none, for a while.
func (c *carried) overtake(pause time.Duration) {
	before := c.line.moved.Load()
	for end := time.Now().Add(pause); time.Now().Before(end) && c.line.moved.Load() < before+overtaking; {
		time.Sleep(5 * time.Millisecond)
	}
}

// late takes what the browser sends until it waits for an answer, and breaks the connection under it. The server gets all of it, and
// answers nobody.
func (c *carried) late(held []byte, pause time.Duration) {
	held = append([]byte(nil), held...)
	for p := make([]byte, 16<<10); len(held) < most; {
		c.browser.SetReadDeadline(time.Now().Add(waits))
		n, err := c.browser.Read(p)
		held = append(held, p[:n]...)
		if err != nil {
			break
		}
	}
	c.browser.SetLinger(0)
	c.browser.Close()
	time.Sleep(again + pause)
	c.server.Write(held)
	time.AfterFunc(2*time.Second, c.reset) // it may wait for more than there was
}

func (c *carried) reset() {
	for _, end := range []*net.TCPConn{c.browser, c.server} {
		end.SetLinger(0)
		end.Close()
	}
}
