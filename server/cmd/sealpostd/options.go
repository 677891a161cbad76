package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

type options struct {
	listen, data    string
	trustedProxies  prefixes
	lifetimes       durations
	defaultLifetime time.Duration
	maxDownloads    int64
	maxShareSize    int64
	partSize        int64
	sweep           time.Duration
	abandonAfter    time.Duration
	createRate      float64
	missRate        float64
	logLevel        slog.Level
	logFormat       string
	version         bool
	healthcheck     bool
}

// parseOptions reads the environment first and then the command line.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer) (*options, error) {
	const day = 24 * time.Hour
	o := &options{
		lifetimes:    durations{5 * time.Minute, time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day},
		maxShareSize: api.MaxParts * api.MaxPartSize,
		partSize:     api.DefaultPartSize,
		sweep:        time.Minute,
		abandonAfter: day,
	}
	fs := flag.NewFlagSet("sealpostd", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", "localhost:8080", "`address` to listen on")
	fs.StringVar(&o.data, "data", "./data", "`folder` that keeps everything")
	fs.Var(&o.trustedProxies, "trusted-proxies", "`networks` whose X-Forwarded-For is believed, as 10.0.0.0/8,::1")
	fs.Var(&o.lifetimes, "lifetimes", "`choices` that the page offers, ascending; the last is the maximum")
	fs.Var((*duration)(&o.defaultLifetime), "default-lifetime", "`one` of the lifetimes (default: 1d if it is one, else the first)")
	fs.Int64Var(&o.maxDownloads, "max-downloads", 100, "largest `number` of downloads that a share may be limited to")
	fs.Var((*size)(&o.maxShareSize), "max-share-size", "largest sealed `size` of a share")
	fs.Var((*size)(&o.partSize), "part-size", "`size` of a part; large shares have larger ones")
	fs.Var((*duration)(&o.sweep), "sweep", "`interval` of looking for shares to remove")
	fs.Var((*duration)(&o.abandonAfter), "abandon-after", "`time` after its last part at which an unfinished upload is removed")
	fs.Float64Var(&o.createRate, "create-rate", 60, "`shares` per minute and client address, 0 for any number")
	fs.Float64Var(&o.missRate, "miss-rate", 300, "`refusals` per minute and client address that say why, 0 for any number")
	fs.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level`: debug, info, warn or error")
	fs.StringVar(&o.logFormat, "log-format", "text", "`format`: text or json")
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
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return o, o.validate(fs.Args())
}

func (o *options) validate(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.logFormat != "text" && o.logFormat != "json":
		return fmt.Errorf("unknown log format %q", o.logFormat)
	case o.sweep < time.Second:
		return fmt.Errorf("sweep interval %v is shorter than a second", o.sweep)
	case o.createRate < 0 || o.missRate < 0:
		return errors.New("a rate is negative")
	case o.maxShareSize == 0 || o.partSize == 0 || o.maxDownloads == 0 || o.abandonAfter == 0:
		return errors.New("a limit is zero") // which server.Config takes for its default
	}
	return nil
}

func (o *options) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// duration is a time.Duration that also takes days.
type duration time.Duration

func (d *duration) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		*d = duration(n) * duration(24*time.Hour)
		return err
	}
	v, err := time.ParseDuration(text)
	*d = duration(v)
	return err
}

func (d *duration) String() string {
	const day = duration(24 * time.Hour)
	switch {
	case *d == 0:
		return ""
	case *d%day == 0:
		return fmt.Sprintf("%dd", *d/day)
	}
	text := time.Duration(*d).String() // 5m0s, 1h0m0s
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}

// durations is a list with commas.
type durations []time.Duration

func (l *durations) Set(text string) error {
	*l = nil
	for item := range strings.SplitSeq(text, ",") {
		var d duration
		if err := d.Set(strings.TrimSpace(item)); err != nil {
			return err
		}
		*l = append(*l, time.Duration(d))
	}
	return nil
}

func (l *durations) String() string {
	var items []string
	for _, d := range *l {
		items = append(items, (*duration)(&d).String())
	}
	return strings.Join(items, ",")
}

// size is a number of bytes with a binary unit.
type size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func (s *size) Set(text string) error {
	unit := int64(1)
	for _, u := range units {
		if digits, ok := strings.CutSuffix(text, u.suffix); ok {
			text, unit = strings.TrimSpace(digits), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("not a size: %q", text)
	}
	*s = size(n * unit)
	return nil
}

func (s *size) String() string {
	for _, u := range units {
		if n := int64(*s); n > 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(*s), 10)
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
