package server

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// Limiter limits how often something may happen for a key. It is safe for concurrent use, and bounds its own memory.
type Limiter interface {
	// Allow counts one event for key and returns true, or false and how long to wait.
	Allow(key string) (ok bool, wait time.Duration)
}

// limited returns the problem to answer if l, which may be nil, has had enough of key.
func limited(l Limiter, key string) *api.Problem {
	if l == nil {
		return nil
	}
	ok, wait := l.Allow(key)
	if ok {
		return nil
	}
	p := api.NewProblem(api.CodeTooManyRequests)
	p.RetryAfter = max(1, seconds(wait+time.Second-1))
	return p
}

// missProblem is what a caller without the right token gets.
func (s *Server) missProblem(c *call) *api.Problem {
	if p := limited(s.cfg.MissLimiter, s.clientKey(c.r)); p != nil {
		return p
	}
	return api.NewProblem(api.CodeNotFound)
}

// ClientNet is what counts as one client for limits: an IPv4 address, or the /64 of an IPv6 one, as that is what one customer is given.
// Without an address it is no network.
func ClientNet(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

// clientKey names the client for limits.
func (s *Server) clientKey(r *http.Request) string {
	addr := s.clientAddr(r)
	if addr.Is6() {
		return ClientNet(addr).String()
	}
	return addr.String()
}

// clientAddr is the peer or, if that is a trusted proxy, the nearest address in X-Forwarded-For that is not. What stands to
// the left of that one was written by someone who is not trusted.
func (s *Server) clientAddr(r *http.Request) netip.Addr {
	addr, err := parseAddr(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(addr); i-- {
		hop, err := parseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop
	}
	return addr
}

func (s *Server) trusts(addr netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// parseAddr takes an address with or without a port. Mapped IPv4 becomes IPv4, and a zone is dropped.
func parseAddr(text string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err
}
