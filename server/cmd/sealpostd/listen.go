package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Where to listen, besides an address:
const (
	unixPrefix  = "unix:"   // and the path of a socket
	fromSystemd = "systemd" // on sockets that systemd hands over
)

// listenOn opens what -listen says.
func listenOn(where string, getenv func(string) string) ([]net.Listener, error) {
	if where == fromSystemd {
		return handedOver(getenv)
	}
	l, err := listenAt(where)
	if err != nil {
		return nil, fmt.Errorf("failed to listen: %w", err)
	}
	return []net.Listener{l}, nil
}

func listenAt(where string) (net.Listener, error) {
	path, ok := strings.CutPrefix(where, unixPrefix)
	if !ok {
		return net.Listen("tcp", where)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil { // who may write to it may connect: the server's user and its group
		l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a socket on which nobody listens, as a server leaves it that was killed.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and no socket", path)
	}
	if c, err := net.Dial("unix", path); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			c.Close()
			err = fmt.Errorf("somebody listens on %s already", path)
		}
		return err
	}
	return os.Remove(path)
}

// firstHanded is the number of the first descriptor that systemd hands over (sd_listen_fds(3)).
const firstHanded = 3

// handedOver returns the sockets of systemd's socket units.
func handedOver(getenv func(string) string) ([]net.Listener, error) {
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if pid := getenv("LISTEN_PID"); err != nil || n < 1 || n > 100 || pid != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("failed to listen: systemd handed over no socket")
	}
	var all []net.Listener
	for fd := firstHanded; fd < firstHanded+n; fd++ {
		f := os.NewFile(uintptr(fd), "socket "+strconv.Itoa(fd))
		l, err := net.FileListener(f) // has a copy of its own
		f.Close()
		if err != nil {
			closeAll(all)
			return nil, fmt.Errorf("failed to listen: descriptor %d of systemd: %w", fd, err)
		}
		all = append(all, l)
	}
	return all, nil
}

func closeAll(all []net.Listener) {
	for _, l := range all {
		l.Close()
	}
}

// tell tells systemd how it goes (sd_notify(3)), if that asks for it.
func tell(getenv func(string) string, state string) {
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if c, err := net.Dial("unixgram", path); err == nil {
		c.Write([]byte(state))
		c.Close()
	}
}

// peerOfSocket is the address that whoever connects to a Unix socket is given: one that nothing else can have. The system decides who may
// connect, and so it is a trusted proxy.
const peerOfSocket = "0.0.0.0"

// withPeers gives those an address who have none.
func withPeers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && addr.Network() == "unix" {
			r.RemoteAddr = net.JoinHostPort(peerOfSocket, "0")
		}
		next.ServeHTTP(w, r)
	})
}
