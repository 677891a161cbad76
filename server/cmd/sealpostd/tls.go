package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// tlsOptions are where a certificate comes from: files, or an authority that speaks ACME. Without either there is no HTTPS.
type tlsOptions struct {
	cert, key string // PEM files

	acmeHosts     words
	acmeEmail     string
	acmeDirectory string
	acmeCache     string
}

func (o *tlsOptions) on() bool { return o.cert != "" || len(o.acmeHosts) > 0 }

func (o *tlsOptions) validate() error {
	switch {
	case (o.cert == "") != (o.key == ""):
		return errors.New("-tls-cert needs -tls-key, and the other way round")
	case o.cert != "" && len(o.acmeHosts) > 0:
		return errors.New("a certificate comes from -tls-cert or by -acme-hosts, not both")
	}
	for _, host := range o.acmeHosts {
		if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || strings.ContainsAny(host, ":/*_ ") {
			return fmt.Errorf("-acme-hosts: %q is no name to get a certificate for", host)
		}
	}
	return nil
}

// certificates serves one from files, or gets them.
type certificates struct {
	config *tls.Config
	hosts  func(host string) bool                   // whether a name is one of ours
	over   func(fallback http.Handler) http.Handler // answers the authority on plain HTTP, if it asks there
}

func (o *tlsOptions) open(data string, log *slog.Logger) (*certificates, error) {
	if o.cert != "" {
		files, err := openKeyPair(o.cert, o.key, log)
		if err != nil {
			return nil, err
		}
		return &certificates{
			config: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return files.current(), nil }},
			hosts:  func(host string) bool { return files.current().Leaf.VerifyHostname(host) == nil },
			over:   func(fallback http.Handler) http.Handler { return fallback },
		}, nil
	}
	cache := o.acmeCache
	if cache == "" {
		cache = filepath.Join(data, "acme")
	}
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS, // the README says so
		Cache:      autocert.DirCache(cache),
		HostPolicy: autocert.HostWhitelist(o.acmeHosts...),
		Email:      o.acmeEmail,
		Client:     &acme.Client{DirectoryURL: o.acmeDirectory},
	}
	config, ours := m.TLSConfig(), func(host string) bool { return slices.Contains(o.acmeHosts, strings.ToLower(host)) }
	config.GetCertificate = (&certLog{get: m.GetCertificate, ours: ours, log: log, told: map[string]time.Time{}}).GetCertificate
	return &certificates{config: config, hosts: ours, over: m.HTTPHandler}, nil
}

// keyPair is a certificate in files, which are read again when they have changed. If that fails, as it does between the writing of one and
// of the other, the old one stays.
type keyPair struct {
	cert, key string
	log       *slog.Logger

	mu    sync.Mutex
	next  time.Time
	state [2]fileState
	pair  *tls.Certificate
	told  string // of what is wrong, already
}

func openKeyPair(cert, key string, log *slog.Logger) (*keyPair, error) {
	p := &keyPair{cert: cert, key: key, log: log}
	p.state = [2]fileState{stateOf(cert), stateOf(key)}
	var err error
	p.pair, err = loadKeyPair(cert, key)
	return p, err
}

func loadKeyPair(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("failed to load certificate: %w", err)
	}
	return &pair, nil
}

func (p *keyPair) current() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.next) {
		return p.pair
	}
	p.next = now.Add(lookEvery)
	state := [2]fileState{stateOf(p.cert), stateOf(p.key)}
	if state == p.state {
		return p.pair
	}
	pair, err := loadKeyPair(p.cert, p.key)
	if err != nil {
		if p.told != err.Error() {
			p.told = err.Error()
			p.log.Error("the certificate has changed and is no good, the old one stays", "error", err)
		}
		return p.pair
	}
	p.log.Info("read the certificate again")
	p.state, p.pair, p.told = state, pair, ""
	return p.pair
}

// redirected are the pages that plain HTTP leads on from, below the base path.
var redirected = []string{"/", "/how", "/mine"}

// redirects answers plain HTTP: the pages are redirected to HTTPS on the same host, which has to be one of ours. Nothing else is, and above
// all nothing below /d/. A redirect carries the part of a link after "#" along, which is its key, and the answer to plain HTTP can be
// anybody's: so there must never be one that somebody could have got used to. Nor is a token to be sent that way again.
func redirects(base, port string, hosts func(string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		page, below := strings.CutPrefix(r.URL.Path, base)
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		w.Header().Set("Cache-Control", "no-store")
		if !reads || !below || !slices.Contains(redirected, page) || !hosts(host) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			if r.Method != http.MethodHead {
				io.WriteString(w, "This works with https only. Write https:// at the beginning of the address.\n")
			}
			return
		}
		if port != "443" {
			host = net.JoinHostPort(host, port)
		}
		w.Header().Set("Location", "https://"+host+base+page)
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// withHSTS has browsers come by HTTPS of their own accord. It is for hosts whose plain HTTP is ours, too: browsers do so for every port.
func withHSTS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}
