package main

import (
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections there are at once, on all listeners together: each takes memory, before anything is known of
// who it is from. One more than there may be waits until another ends, or a timeout ends it; so it takes but one more of each
// listener. Connections are not wrapped, since net/http would not find the socket then that it has the system send files to; so it is the
// server that tells when one has ended.
type connections struct {
	room chan struct{} // has an element for each connection
	open sync.Map      // of net.Conn, as the server knows them
}

// newConnections returns a bound of n, or nil, which bounds nothing, if that is 0.
func newConnections(n int) *connections {
	if n == 0 {
		return nil
	}
	return &connections{room: make(chan struct{}, n)}
}

// limit returns l, which accepts as long as there is room. The server that it is for has to be watched.
func (c *connections) limit(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return &limitedListener{Listener: l, room: c.room, closed: make(chan struct{})}
}

// watch has s tell when connections end.
func (c *connections) watch(s *http.Server) {
	if c == nil {
		return
	}
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			c.open.Store(conn, nil)
		case http.StateClosed, http.StateHijacked:
			if _, ok := c.open.LoadAndDelete(conn); ok {
				<-c.room
			}
		}
	}
}

type limitedListener struct {
	net.Listener
	room   chan<- struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept accepts first and waits then: listeners that wait for somebody to come take no room.
func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.room <- struct{}{}:
		return conn, nil
	case <-l.closed:
		conn.Close()
		return nil, net.ErrClosed
	}
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
