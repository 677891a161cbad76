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

const usage = `usage: sealpostd [FLAG …]           serves
       sealpostd admin COMMAND …    looks after the stores; without a command it lists them
       sealpostd token …            manages upload tokens; with -h it says how

Each flag but -config-check, -healthcheck and -version is an environment variable, too: -max-downloads is SEALPOST_MAX_DOWNLOADS, and a file
with its value is SEALPOST_MAX_DOWNLOADS_FILE.

`

var errUsage = errors.New("sealpostd -h lists all settings")

// flags declares all settings with their defaults.
func (o *options) flags(out io.Writer) *flag.FlagSet {
	const day = 24 * time.Hour
	o.lifetimes = values.Durations{5 * time.Minute, time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
	o.maxShareSize, o.partSize = api.MaxParts*api.MaxPartSize, api.DefaultPartSize
	o.sweep, o.abandonAfter = time.Minute, day
	fs := flag.NewFlagSet("sealpostd", flag.ContinueOnError)
	fs.SetOutput(out)
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
	return fs
}

// orders declares the flags that say what to do, and not how to be.
func (o *options) orders(fs *flag.FlagSet) {
	fs.BoolVar(&o.version, "version", false, "print the version and stop")
	fs.BoolVar(&o.healthcheck, "healthcheck", false, "ask the server that listens on the address whether it works, and stop")
	fs.BoolVar(&o.configCheck, "config-check", false, "say whether a server could start with these settings, and stop")
}

// parseOptions reads the environment first and then the command line. More are flags of one command; with none it is the server itself that
// is called, which takes orders and no arguments. The environment, which is the same for all of them, sets neither.
func parseOptions(args []string, getenv func(string) string, out io.Writer, more ...func(*flag.FlagSet)) (*options, error) {
	o := &options{}
	fs := o.flags(io.Discard)
	fs.VisitAll(explain)
	if err := setByEnvironment(fs, getenv); err != nil {
		return nil, err
	}
	serves := len(more) == 0
	if serves {
		more = append(more, o.orders)
	}
	for _, f := range more {
		f(fs)
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		if serves {
			printUsage(out)
		}
		return nil, err
	case err != nil:
		return nil, errors.Join(err, errUsage)
	}
	o.rest = fs.Args()
	if serves && len(o.rest) > 0 {
		return nil, errors.Join(unexpected(fs, o.rest[0]), errUsage)
	}
	return o, o.validate()
}

func setByEnvironment(fs *flag.FlagSet, getenv func(string) string) error {
	var errs []error
	fs.VisitAll(func(f *flag.Flag) {
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
	return errors.Join(errs...)
}

func printUsage(out io.Writer) {
	io.WriteString(out, usage)
	o := &options{}
	fs := o.flags(out)
	o.orders(fs)
	fs.PrintDefaults()
}

// unexpected is the error of an argument, which says what may have been meant.
func unexpected(fs *flag.FlagSet, arg string) error {
	switch {
	case arg == "admin" || arg == "token":
		return fmt.Errorf("unexpected argument %q: it comes first, and flags come after it", arg)
	case arg == "help" || fs.Lookup(arg) != nil:
		return fmt.Errorf("unexpected argument %q: the flag is -%s", arg, arg)
	}
	return fmt.Errorf("unexpected argument %q", arg)
}

// explained is a flag of package flag that says what it takes, and takes no number that cannot be one of things.
type explained struct {
	flag.Getter
	takes string
}

// explain lets flags say what they take that do not do so themselves.
func explain(f *flag.Flag) {
	getter, ok := f.Value.(flag.Getter)
	if !ok {
		return
	}
	switch getter.Get().(type) {
	case int, int64:
		f.Value = explained{getter, "a whole number, 0 or more"}
	case float64:
		f.Value = explained{getter, "a number from 0 to 1000000000"}
	case bool:
		f.Value = explained{getter, "true or false"}
	case *slog.Level:
		f.Value = explained{getter, "debug, info, warn or error"}
	}
}

// Set implements [flag.Value].
func (e explained) Set(text string) error {
	ok := e.Getter.Set(text) == nil
	switch v := e.Get().(type) {
	case int:
		ok = ok && v >= 0
	case int64:
		ok = ok && v >= 0
	case float64:
		ok = ok && v >= 0 && v <= 1e9 // nor is it none at all
	}
	if !ok {
		return errors.New("not " + e.takes)
	}
	return nil
}

// IsBoolFlag lets a flag be set by its name alone.
func (e explained) IsBoolFlag() bool {
	_, ok := e.Get().(bool)
	return ok
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
	value := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxValue:
		return "", fmt.Errorf("%s is too large", path)
	case value == "":
		return "", fmt.Errorf("%s is empty", path)
	case strings.ContainsAny(value, "\r\n"): // and so is something else, which is not to be told
		return "", fmt.Errorf("%s has more than one line", path)
	}
	return value, nil
}

const maxValue = 64 << 10

func (o *options) validate() error {
	switch {
	case o.logFormat != "text" && o.logFormat != "json":
		return fmt.Errorf("-log-format is %q, and neither text nor json", o.logFormat)
	case o.sweep < time.Second:
		return errors.New("-sweep is shorter than a second")
	case o.privateListen == fromSystemd:
		return errors.New("-private-listen: systemd hands over no private socket")
	}
	errs := []error{o.validateTerms(), o.front.validate(), o.limits.validate(), o.stores.validate()}
	if o.privateListen != "" {
		errs = append(errs, checkListen("-private-listen", o.privateListen),
			checkApart("-private-listen", o.privateListen, "-listen", o.front.listen),
			checkApart("-private-listen", o.privateListen, "-redirect-listen", o.front.redirectListen))
	}
	return errors.Join(errs...)
}

// validateTerms has the handler judge its terms one at a time, for an error to name the flag.
func (o *options) validateTerms() error {
	for _, term := range []struct {
		flag   string
		isZero bool // which the handler would take for its default
		alone  server.Config
	}{
		{"lifetimes", false, server.Config{Lifetimes: o.lifetimes}},
		{"default-lifetime", false, server.Config{Lifetimes: o.lifetimes, DefaultLifetime: o.defaultLifetime}},
		{"max-downloads", o.maxDownloads == 0, server.Config{MaxDownloads: o.maxDownloads}},
		{"max-share-size", o.maxShareSize == 0, server.Config{MaxShareSize: o.maxShareSize}},
		{"part-size", o.partSize == 0, server.Config{PartSize: o.partSize}},
		{"abandon-after", o.abandonAfter == 0, server.Config{AbandonAfter: o.abandonAfter}},
		{"report-recipient", false, server.Config{ReportRecipient: o.reportRecipient}},
		{"upload-header", false, server.Config{UploadHeader: o.limits.uploadHeader, TrustedProxies: make([]netip.Prefix, 1)}},
	} {
		if term.isZero {
			return fmt.Errorf("-%s is zero", term.flag)
		}
		if err := term.alone.Check(); err != nil {
			return fmt.Errorf("-%s: %w", term.flag, err)
		}
	}
	return nil
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
		return c, errors.New("-upload-header needs -trusted-proxies, which name who may set it")
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

// announcer returns what says where the server is found: a line of its own for people, and one of the log where all of that is JSON.
func (o *options) announcer(logger *slog.Logger, w io.Writer) func(text string) {
	if o.logFormat == "json" {
		return func(text string) { logger.Info(text) }
	}
	return func(text string) { fmt.Fprintln(w, text) }
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
			return fmt.Errorf("%q is not a network as 10.0.0.0/8, nor an address as ::1", item)
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
