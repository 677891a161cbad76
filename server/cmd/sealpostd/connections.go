package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/internal/metrics"
)

// connections bounds how many connections there are at once, on all listeners together: each takes memory, before anything is known of
// who it is from. One more than there may be waits until another ends, or a timeout ends it; so it takes but one more of each
// listener. One more of an address than that may have is closed, so that nobody alone has all of them; a proxy that is trusted may, since
// everybody comes by it. Connections are not wrapped, since net/http would not find the socket then that it has the system send files to; so it
// is the server that tells when one has ended.
type connections struct {
	room    chan struct{} // has an element for each connection; nil bounds nothing
	each    int           // of an address, 0 for any number
	trusted prefixes
	metrics *metrics.Metrics

	mu   sync.Mutex
	of   map[netip.Prefix]int
	open map[net.Conn]netip.Prefix // as the server knows them
}

func newConnections(o *limitOptions, trusted prefixes, m *metrics.Metrics) *connections {
	c := &connections{each: o.clientConnections, trusted: trusted, metrics: m, of: map[netip.Prefix]int{}, open: map[net.Conn]netip.Prefix{}}
	if o.connections > 0 {
		c.room = make(chan struct{}, o.connections)
	}
	return c
}

// limit returns l, which accepts as long as there is room. The server that it is for has to be watched.
func (c *connections) limit(l net.Listener) net.Listener {
	return &limitedListener{Listener: l, connections: c, closed: make(chan struct{})}
}

// watch has s tell when connections end.
func (c *connections) watch(s *http.Server) {
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.open[conn] = server.ClientNet(peerOf(conn))
			c.metrics.Connected(1)
		case http.StateClosed, http.StateHijacked:
			c.ended(conn)
		}
	}
}

func (c *connections) ended(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	client, ok := c.open[conn]
	if !ok {
		return
	}
	delete(c.open, conn)
	c.leave(client)
	c.metrics.Connected(-1)
	if c.room != nil {
		<-c.room
	}
}

// enter tells whether a client may have one more.
func (c *connections) enter(addr netip.Addr) bool {
	client := server.ClientNet(addr)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.each > 0 && c.of[client] >= c.each && addr.IsValid() && !c.trusts(addr) {
		return false
	}
	c.of[client]++
	return true
}

// leave is called with the lock held.
func (c *connections) leave(client netip.Prefix) {
	if c.of[client]--; c.of[client] == 0 {
		delete(c.of, client)
	}
}

func (c *connections) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(c.trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peerOf is no address if somebody comes by a Unix socket.
func peerOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

type limitedListener struct {
	net.Listener
	*connections
	once   sync.Once
	closed chan struct{}
}

// Accept accepts first and waits then: listeners that wait for somebody to come take no room.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.enter(peerOf(conn)) {
			l.metrics.Refused()
			conn.Close()
			continue
		}
		if l.room == nil {
			return conn, nil
		}
		select {
		case l.room <- struct{}{}:
			return conn, nil
		default:
			l.metrics.Delayed()
		}
		select {
		case l.room <- struct{}{}:
			return conn, nil
		case <-l.closed:
			conn.Close()
			return nil, net.ErrClosed
		}
	}
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
