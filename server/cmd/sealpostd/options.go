package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/internal/values"
)

type options struct {
	listen          string
	stores          storeOptions
	trustedProxies  prefixes
	lifetimes       values.Durations
	defaultLifetime time.Duration
	maxDownloads    int64
	maxShareSize    int64
	partSize        int64
	sweep           time.Duration
	abandonAfter    time.Duration
	createRate      float64
	missRate        float64
	reportRate      float64
	reportRecipient string
	logLevel        slog.Level
	logFormat       string
	logNetworks     bool
	privateListen   string
	version         bool
	healthcheck     bool
	rest            []string // arguments after the flags, of a command that takes some
}

// parseOptions reads the environment first and then the command line.
// More are flags of one command, which the environment does not set.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer, more ...func(*flag.FlagSet)) (*options, error) {
	const day = 24 * time.Hour
	o := &options{
		lifetimes:    values.Durations{5 * time.Minute, time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day},
		maxShareSize: api.MaxParts * api.MaxPartSize,
		partSize:     api.DefaultPartSize,
		sweep:        time.Minute,
		abandonAfter: day,
	}
	fs := flag.NewFlagSet("sealpostd", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", "localhost:8080", "`address` to listen on")
	o.stores.register(fs)
	fs.Var(&o.trustedProxies, "trusted-proxies", "`networks` whose X-Forwarded-For is believed, as 10.0.0.0/8,::1")
	fs.Var(&o.lifetimes, "lifetimes", "`choices` that the page offers, ascending; the last is the maximum")
	fs.Var((*values.Duration)(&o.defaultLifetime), "default-lifetime", "`one` of the lifetimes (default: 1d if it is one, else the first)")
	fs.Int64Var(&o.maxDownloads, "max-downloads", 100, "largest `number` of downloads that a share may be limited to")
	fs.Var((*values.Size)(&o.maxShareSize), "max-share-size", "largest sealed `size` of a share")
	fs.Var((*values.Size)(&o.partSize), "part-size", "`size` of a part; large shares have larger ones")
	fs.Var((*values.Duration)(&o.sweep), "sweep", "`interval` of looking for shares to remove")
	fs.Var((*values.Duration)(&o.abandonAfter), "abandon-after", "`time` after its last part at which an unfinished upload is removed")
	fs.Float64Var(&o.createRate, "create-rate", 60, "`shares` per minute and client address, 0 for any number")
	fs.Float64Var(&o.missRate, "miss-rate", 300, "`refusals` per minute and client address that say why, 0 for any number")
	fs.Float64Var(&o.reportRate, "report-rate", 6, "`reports` per minute and client address, 0 for any number")
	fs.StringVar(&o.reportRecipient, "report-recipient", "", "`age recipient` to which the page seals reports of abuse; without one it takes none")
	fs.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level`: debug, info, warn or error")
	fs.StringVar(&o.logFormat, "log-format", "text", "`format`: text or json")
	fs.BoolVar(&o.logNetworks, "log-networks", false, "log the network, /24 or /48, that a request came from")
	fs.StringVar(&o.privateListen, "private-listen", "", "`address` of metrics, profiles and draining; without one there are none")
	fs.BoolVar(&o.version, "version", false, "print the version and stop")
	fs.BoolVar(&o.healthcheck, "healthcheck", false, "ask the server that listens on the address whether it works, and stop")

	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
		if f.Name == "version" || f.Name == "healthcheck" {
			return // what to do, not how to be: the environment is the same for both
		}
		name := "SEALPOST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := getenv(name); v != "" {
			if err := f.Value.Set(v); err != nil {
				errs = append(errs, fmt.Errorf("failed to parse %s: %w", name, err))
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, f := range more {
		f(fs)
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.rest = fs.Args()
	if len(o.rest) > 0 && len(more) == 0 {
		return nil, fmt.Errorf("unexpected argument %q", o.rest[0])
	}
	return o, o.validate()
}

func (o *options) validate() error {
	switch {
	case o.logFormat != "text" && o.logFormat != "json":
		return fmt.Errorf("unknown log format %q", o.logFormat)
	case o.sweep < time.Second:
		return fmt.Errorf("sweep interval %v is shorter than a second", o.sweep)
	case o.createRate < 0 || o.missRate < 0 || o.reportRate < 0:
		return errors.New("a rate is negative")
	case o.maxShareSize == 0 || o.partSize == 0 || o.maxDownloads == 0 || o.abandonAfter == 0:
		return errors.New("a limit is zero") // which server.Config takes for its default
	}
	return o.stores.validate()
}

func (o *options) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// prefixes is a list of networks or single addresses, with commas.
type prefixes []netip.Prefix

func (l *prefixes) Set(text string) error {
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if addr, err := netip.ParseAddr(item); err == nil {
			addr = addr.Unmap()
			*l = append(*l, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return err
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 { // clients are known by their IPv4 address, too
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		*l = append(*l, p.Masked())
	}
	return nil
}

func (l *prefixes) String() string {
	var items []string
	for _, p := range *l {
		items = append(items, p.String())
	}
	return strings.Join(items, ",")
}
