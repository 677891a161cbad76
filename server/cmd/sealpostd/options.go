package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/internal/values"
)

type options struct {
	front           frontOptions
	limits          limitOptions
	stores          storeOptions
	lifetimes       values.Durations
	defaultLifetime time.Duration
	maxDownloads    int64
	maxShareSize    int64
	partSize        int64
	sweep           time.Duration
	abandonAfter    time.Duration
	reportRecipient string
	logLevel        slog.Level
	logFormat       string
	logNetworks     bool
	privateListen   string
	version         bool
	healthcheck     bool
	configCheck     bool
	rest            []string // arguments after the flags, of a command that takes some
}

// flags declares all options with their defaults.
func (o *options) flags(stderr io.Writer) *flag.FlagSet {
	const day = 24 * time.Hour
	o.lifetimes = values.Durations{5 * time.Minute, time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
	o.maxShareSize, o.partSize = api.MaxParts*api.MaxPartSize, api.DefaultPartSize
	o.sweep, o.abandonAfter = time.Minute, day
	fs := flag.NewFlagSet("sealpostd", flag.ContinueOnError)
	fs.SetOutput(stderr)
	o.front.flags(fs)
	o.limits.flags(fs)
	o.stores.register(fs)
	fs.Var(&o.lifetimes, "lifetimes", "`choices` that the page offers, ascending; the last is the maximum")
	fs.Var((*values.Duration)(&o.defaultLifetime), "default-lifetime", "`one` of the lifetimes (default: 1d if it is one, else the first)")
	fs.Int64Var(&o.maxDownloads, "max-downloads", 100, "largest `number` of downloads that a share may be limited to")
	fs.Var((*values.Size)(&o.maxShareSize), "max-share-size", "largest sealed `size` of a share")
	fs.Var((*values.Size)(&o.partSize), "part-size", "`size` of a part; large shares have larger ones")
	fs.Var((*values.Duration)(&o.sweep), "sweep", "`interval` of looking for shares to remove")
	fs.Var((*values.Duration)(&o.abandonAfter), "abandon-after", "`time` after its last part at which an unfinished upload is removed")
	fs.StringVar(&o.reportRecipient, "report-recipient", "", "`age recipient` to which the page seals reports of abuse; without one it takes none")
	fs.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level`: debug, info, warn or error")
	fs.StringVar(&o.logFormat, "log-format", "text", "`format`: text or json")
	fs.BoolVar(&o.logNetworks, "log-networks", false, "log the network, /24 or /48, that a request came from")
	fs.StringVar(&o.privateListen, "private-listen", "", "`address` of metrics, profiles and draining, or unix:/path; without one there are none")
	fs.BoolVar(&o.version, "version", false, "print the version and stop")
	fs.BoolVar(&o.healthcheck, "healthcheck", false, "ask the server that listens on the address whether it works, and stop")
	fs.BoolVar(&o.configCheck, "config-check", false, "say whether a server could start with these settings, and stop")
	return fs
}

// parseOptions reads the environment first and then the command line.
// More are flags of one command, which the environment does not set.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer, more ...func(*flag.FlagSet)) (*options, error) {
	o := &options{}
	fs := o.flags(stderr)
	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
		if isOrder(f.Name) {
			return // the environment is the same for all of them
		}
		name := "SEALPOST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		v, err := getenv(name), error(nil)
		if fs.Lookup(f.Name+"-file") == nil { // else that is what the variable is of
			v, err = valueOf(name, getenv)
		}
		if err == nil && v != "" {
			err = f.Value.Set(v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("failed to parse %s: %w", name, err))
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

// isOrder tells whether a flag says what to do, and not how to be.
func isOrder(name string) bool {
	return name == "version" || name == "healthcheck" || name == "config-check"
}

// valueOf returns a variable, or what is in the file that NAME_FILE names: for secrets, which do not belong into an environment.
func valueOf(name string, getenv func(string) string) (string, error) {
	v, path := getenv(name), getenv(name+"_FILE")
	switch {
	case path == "":
		return v, nil
	case v != "":
		return "", errors.New("there is a file for it, too")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxValue+1))
	if err == nil && len(text) > maxValue {
		err = errors.New("the file is too large")
	}
	return strings.TrimSpace(string(text)), err
}

const maxValue = 64 << 10

func (o *options) validate() error {
	switch {
	case o.logFormat != "text" && o.logFormat != "json":
		return fmt.Errorf("unknown log format %q", o.logFormat)
	case o.sweep < time.Second:
		return fmt.Errorf("sweep interval %v is shorter than a second", o.sweep)
	case o.privateListen == fromSystemd:
		return errors.New("systemd hands over no private socket")
	case o.maxShareSize == 0 || o.partSize == 0 || o.maxDownloads == 0 || o.abandonAfter == 0:
		return errors.New("a limit is zero") // which server.Config takes for its default
	}
	errs := []error{o.front.validate(), o.limits.validate(), o.stores.validate()}
	if o.privateListen != "" {
		errs = append(errs, checkListen(o.privateListen))
	}
	return errors.Join(errs...)
}

// config is what the handler is made of, but for stores and pages. It reads files, and changes nothing.
func (o *options) config(log *slog.Logger) (server.Config, error) {
	c := server.Config{
		Now:             time.Now,
		Log:             log,
		Lifetimes:       o.lifetimes,
		DefaultLifetime: o.defaultLifetime,
		MaxDownloads:    o.maxDownloads,
		MaxShareSize:    o.maxShareSize,
		PartSize:        o.partSize,
		ReportRecipient: o.reportRecipient,
		LongPoll:        longPoll,
		AbandonAfter:    o.abandonAfter,
		RequestID:       rand.Text,
		LogNetworks:     o.logNetworks,
	}
	if o.limits.uploadHeader != "" && len(o.front.trustedProxies) == 0 && !o.front.mayBeSocket() {
		return c, errors.New("a header vouches for uploaders, and no proxy is trusted to set it")
	}
	o.front.apply(&c)
	return c, o.limits.apply(&c, log)
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
