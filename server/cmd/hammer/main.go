// Hammer puts load on a Sealpost server through its API, as many senders and receivers do at once, and checks what comes back:
// each byte, and each count.
//
//	hammer                                            a gibibyte or half a minute, at http://localhost:8080
//	hammer -senders 32 -receivers 64 -downloads 4     more of it at once
//	hammer -slow 1000 -duration 1m                    beside a thousand uploads that trickle
//	hammer -senders 0 -receivers 0 -idle 5000         connections that say nothing, and nothing else
//	hammer -url https://files.example.org -ca ca.pem -http2 -mine
//
// It prints rates, latencies and errors by problem code, and ends with a status other than 0 if anything was not as it should
// be. What it makes it deletes again. A server limits what one address may do: give it -create-rate 0 -take-rate 0
// -call-rate 0 -client-parts-in-flight 0 -client-connections 0 for the time.
// Package load says what is done and checked.
//
// It is for your own servers. An address other than this machine's it takes only with -mine.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sealpost/sealpost/server/internal/load"
	"github.com/sealpost/sealpost/server/internal/values"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "hammer: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "seed %d\n", c.Seed)
	report, err := load.Run(ctx, c)
	if err != nil {
		return err
	}
	if err := report.Write(stdout); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return errors.New("stopped early")
	}
	return report.Err()
}

func parse(args []string, stderr io.Writer) (c load.Config, err error) {
	c = load.Config{Size: 32 << 20, Manifest: 4 << 10, Bytes: 1 << 30, SlowBurst: 64 << 10, SlowRate: 1 << 10}
	var ca string
	var mine bool
	fs := flag.NewFlagSet("hammer", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.URL, "url", "http://localhost:8080", "`address` of the server")
	fs.BoolVar(&c.HTTP2, "http2", false, "speak HTTP/2, also without TLS, instead of HTTP/1.1")
	fs.StringVar(&ca, "ca", "", "`file` with certificates to trust, instead of the system's")
	fs.BoolVar(&mine, "mine", false, "the server is my own, although it is not on this machine")
	fs.Uint64Var(&c.Seed, "seed", rand.Uint64(), "`number` that decides all bytes and tokens (default: another each time)")
	fs.IntVar(&c.Senders, "senders", 4, "`connections` that send shares")
	fs.IntVar(&c.Receivers, "receivers", 4, "`connections` that fetch them; with 0 they are deleted as they are")
	fs.Var((*values.Size)(&c.Size), "size", "`size` of a share's content; below the server's size of a part, it is one part")
	fs.Var((*values.Size)(&c.Manifest), "manifest", "`size` of a manifest")
	fs.Int64Var(&c.Downloads, "downloads", 2, "`number` of downloads of each share, all of which are taken")
	fs.Var((*values.Size)(&c.Bytes), "bytes", "`size` of all shares together, at most")
	fs.DurationVar(&c.Duration, "duration", 30*time.Second, "`time` after which no share is begun")
	fs.DurationVar(&c.Retry, "retry", 0, "how long to `repeat` what fails without connection, or as only a stopping server may")
	fs.IntVar(&c.Slow, "slow", 0, "`connections` that send a part slowly, and never all of it")
	fs.Var((*values.Size)(&c.SlowBurst), "slow-burst", "`size` of what each of them sends at once")
	fs.Var((*values.Size)(&c.SlowRate), "slow-rate", "`size` of what each sends in a second after that")
	fs.IntVar(&c.Idle, "idle", 0, "`connections` that are kept open without a word")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	at, err := url.Parse(c.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return c, fmt.Errorf("not the address of a server: %q", c.URL)
	}
	if !mine && !loopback(at.Hostname()) {
		return c, fmt.Errorf("%s is not this machine: say -mine if the server is yours", at.Hostname())
	}
	if ca != "" {
		c.Roots, err = roots(ca)
	}
	return c, err
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func roots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("failed to read certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificates in %s", file)
	}
	return pool, nil
}
