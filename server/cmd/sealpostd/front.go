package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/crypto/acme"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/internal/metrics"
)

// frontOptions are how clients get here.
type frontOptions struct {
	listen         string
	redirectListen string
	basePath       string
	trustedProxies prefixes
	tls            tlsOptions
}

// flags declares them with their defaults.
func (o *frontOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.listen, "listen", "localhost:8080", "`address` to listen on, or unix:/path, or systemd for its sockets")
	fs.StringVar(&o.redirectListen, "redirect-listen", "", "second `address`, such as :80, where plain HTTP leads on to HTTPS")
	fs.StringVar(&o.basePath, "base-path", "", "`path` below which all of it is, as /send")
	fs.Var(&o.trustedProxies, "trusted-proxies", "`networks` whose X-Forwarded-For is believed, as 10.0.0.0/8,::1")
	fs.StringVar(&o.tls.cert, "tls-cert", "", "PEM `file` with the certificate for HTTPS; read again when it changes")
	fs.StringVar(&o.tls.key, "tls-key", "", "PEM `file` with its key")
	fs.Var(&o.tls.acmeHosts, "acme-hosts", "`names` to get certificates for by ACME, as post.example")
	fs.StringVar(&o.tls.acmeEmail, "acme-email", "", "`address` that the authority may write to")
	fs.StringVar(&o.tls.acmeDirectory, "acme-directory", acme.LetsEncryptURL, "`URL` of the authority")
	fs.StringVar(&o.tls.acmeCache, "acme-cache", "", "`folder` for certificates and their keys (default: acme in the data folder)")
}

var basePathForm = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func (o *frontOptions) validate() error {
	if err := o.tls.validate(); err != nil {
		return err
	}
	switch {
	case o.redirectListen != "" && !o.tls.on():
		return errors.New("-redirect-listen leads on to HTTPS, and needs -tls-cert or -acme-hosts")
	case !basePathForm.MatchString(o.basePath) || len(o.basePath) > 200:
		return errors.New("-base-path is not like /send: it begins with a slash, and does not end with one")
	case o.tls.acmeEmail != "" && len(o.tls.acmeHosts) == 0:
		return errors.New("-acme-email needs -acme-hosts")
	case !isHTTPS(o.tls.acmeDirectory):
		return errors.New("-acme-directory is not https://…")
	}
	var errs []error
	if o.listen != fromSystemd {
		errs = append(errs, checkListen("-listen", o.listen))
	}
	if o.redirectListen != "" {
		errs = append(errs, checkAddress("-redirect-listen", o.redirectListen),
			checkApart("-redirect-listen", o.redirectListen, "-listen", o.listen))
	}
	return errors.Join(errs...)
}

// apply sets what of it is the handler's.
func (o *frontOptions) apply(c *server.Config) {
	c.BasePath = o.basePath
	c.TrustedProxies = append(c.TrustedProxies, o.trustedProxies...)
	c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix(peerOfSocket+"/32"))
}

// mayBeSocket tells whether clients may come over a Unix socket, and so from a trusted proxy.
func (o *frontOptions) mayBeSocket() bool {
	return strings.HasPrefix(o.listen, unixPrefix) || o.listen == fromSystemd
}

// front listens.
type front struct {
	listeners []net.Listener
	redirect  net.Listener // nil for none
	certs     *certificates
	options   *frontOptions
}

// open opens certificates and listens.
func (o *frontOptions) open(data string, getenv func(string) string, logger *slog.Logger) (*front, error) {
	f := &front{options: o}
	var err error
	if o.tls.on() {
		if f.certs, err = o.tls.open(data, logger); err != nil {
			return nil, err
		}
	}
	if f.listeners, err = listenOn(o.listen, getenv); err != nil {
		return nil, err
	}
	if o.redirectListen != "" {
		if f.redirect, err = net.Listen("tcp", o.redirectListen); err != nil {
			closeAll(f.listeners)
			return nil, fmt.Errorf("failed to listen for plain HTTP: %w", err)
		}
	}
	return f, nil
}

// close stops listening, before anything is served.
func (f *front) close() {
	closeAll(f.listeners)
	if f.redirect != nil {
		f.redirect.Close()
	}
}

// addresses are where it is to be found.
func (f *front) addresses() (all []string) {
	scheme := "http"
	if f.certs != nil {
		scheme = "https"
	}
	for _, l := range f.listeners {
		if l.Addr().Network() == "unix" {
			all = append(all, unixPrefix+l.Addr().String())
		} else {
			all = append(all, scheme+"://"+l.Addr().String()+f.options.basePath)
		}
	}
	return all
}

// maxStreams is how many requests a connection of HTTP/2 may have at once. Each takes memory as a connection of HTTP/1.1 does.
const maxStreams = 32

// servers are what answers: the web, which m watches, and plain HTTP besides or nil.
func (f *front) servers(h http.Handler, limits *limitOptions, m *metrics.Metrics) (web, plain *http.Server) {
	bound := newConnections(limits, f.options.trustedProxies, m)
	for i, l := range f.listeners {
		f.listeners[i] = bound.limit(l)
	}
	if f.redirect != nil {
		f.redirect = bound.limit(f.redirect)
	}
	newServer := func(h http.Handler) *http.Server {
		s := &http.Server{
			Handler:           h,
			ReadHeaderTimeout: limits.headerTimeout,
			IdleTimeout:       limits.idleTimeout,
			MaxHeaderBytes:    int(limits.maxHeaders),
			ErrorLog:          noLog,
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},

			DisableGeneralOptionsHandler: true, // that would answer OPTIONS * without what every answer of ours has
		}
		bound.watch(s)
		return s
	}
	h = m.InFlight(withDeadlines(h, limits.stallTimeout, m))
	if f.redirect != nil {
		h = withHSTS(h)
	}
	web = newServer(withPeers(h))
	if f.certs != nil {
		web.TLSConfig = f.certs.config
	}
	if f.redirect != nil {
		port := "443"
		if _, p, err := net.SplitHostPort(f.listeners[0].Addr().String()); err == nil && !f.shared() {
			port = p
		}
		plain = newServer(withDeadlines(f.certs.over(redirects(f.options.basePath, port, f.certs.hosts)), limits.stallTimeout, m))
	}
	return web, plain
}

// shared tells whether somebody else listens where clients come in, and passes on.
func (f *front) shared() bool { return f.options.mayBeSocket() }

// serve serves on all listeners until the servers are shut down.
func (f *front) serve(web, plain *http.Server) error {
	done := make(chan error, len(f.listeners)+1)
	for _, l := range f.listeners {
		go func() {
			if f.certs != nil {
				done <- web.ServeTLS(l, "", "")
			} else {
				done <- web.Serve(l)
			}
		}()
	}
	n := len(f.listeners)
	if plain != nil {
		n++
		go func() { done <- plain.Serve(f.redirect) }()
	}
	for range n {
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("failed to serve: %w", err)
		}
	}
	return nil
}

// words is a list with commas.
type words []string

func (l *words) Set(text string) error {
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		*l = append(*l, strings.ToLower(strings.TrimSpace(item)))
	}
	return nil
}

func (l *words) String() string { return strings.Join(*l, ",") }
