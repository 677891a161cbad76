package main

import (
	"crypto/tls"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	certTellEvery = time.Hour          // the same about the same host
	certEndsSoon  = 7 * 24 * time.Hour // an authority is asked for the next one long before
)

// certLog says what becomes of certificates that an authority is asked for: nobody else would. What is wrong with requests for other names
// than ours is no news.
type certLog struct {
	get  func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	ours func(host string) bool
	log  *slog.Logger

	mu   sync.Mutex
	told map[string]time.Time // by what, and of which of our hosts
}

// GetCertificate is that of a tls.Config.
func (l *certLog) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := l.get(hello)
	host := strings.ToLower(hello.ServerName)
	switch {
	case !l.ours(host):
	case err != nil:
		l.tell("failed to get a certificate", host, "error", err)
	case cert.Leaf != nil && time.Until(cert.Leaf.NotAfter) < certEndsSoon:
		l.tell("a certificate ends soon, and there is no new one", host, "ends", cert.Leaf.NotAfter)
	}
	return cert, err
}

func (l *certLog) tell(what, host, name string, value any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.told[what+host]) > certTellEvery {
		l.told[what+host] = now
		l.log.Error(what, "host", host, name, value)
	}
}
