package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// Config is what a Server is made of. Blobs, Meta, Now and Log are required; the zero value of everything else means the
// default that is told, or that the feature is off.
type Config struct {
	Blobs  store.Blobs
	Meta   store.Meta
	Direct store.Direct     // sends clients to where Blobs has its parts; nil for nobody
	Now    func() time.Time // the only clock
	Log    *slog.Logger     // gets no ids of shares, tokens, queries or addresses

	BasePath string       // below which all of it is, as /send; "" for the whole host
	Build    string       // of Pages; told to clients, which never mix builds
	Pages    http.Handler // answers whatever is not under /api, see Pages; nil for the API alone

	CreateLimiter  Limiter        // of new shares, by client address
	TakeLimiter    Limiter        // of downloads that are taken, by client address; not asked about a ticket that has one
	ReportLimiter  Limiter        // of reports, by client address
	MissLimiter    Limiter        // of refused tokens, by client address; never asked about a request with the right one
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Request-Id are believed

	RequestID   func() string               // makes up a name for a request, for log and answer; nil for no names
	LogNetworks bool                        // the log tells from which network, /24 or /48, a request came
	Observer    Observer                    // counts what happens; nil for nobody
	Closing     func() bool                 // tells whether no new shares are taken here; nil for never
	Ready       func(context.Context) error // tells why requests had better go elsewhere; nil for always ready

	Lifetimes       []time.Duration // choices that the page offers, ascending; 5 minutes … 30 days
	DefaultLifetime time.Duration   // one of Lifetimes; a day if that is one, else the first
	MaxLifetime     time.Duration   // the last of Lifetimes
	MaxDownloads    int64           // largest limit that a share may have; 100
	MaxShareSize    int64           // sealed content bytes; as much as the protocol can carry, 256 GiB
	PartSize        int64           // of small shares, doubled for larger ones as often as needed; 8 MiB

	MaxTotalSize int64       // sealed bytes of all shares, manifests too; 0 for any number
	Daily        store.Daily // of one client address; Bytes are those that are announced, and of large manifests
	Flights      Flights     // of bodies that are taken in, by client address; nil for any number
	CallLimiter  Limiter     // of calls for shares, by client address and token: what one may, another cannot use up

	UploadTokens func(token store.Hash) bool // whether the token of that hash may make shares; nil to ask for none
	UploadHeader string                      // in which a trusted proxy names whom it vouches for; "" for none. With both, either does

	ReportRecipient string            // age recipient of the operator, whom recipients may report shares to; "" for nobody
	ReportLimit     store.ReportLimit // how many reports are kept: 20 of a share, 10,000 of all
	KeepReports     time.Duration     // how long they are; 90 days

	LongPoll     time.Duration // how long a request for news of an upload may wait; 0 to answer at once
	AbandonAfter time.Duration // an open share goes when so long no part arrived; a day
	LeaseIdle    time.Duration // an unfinished download counts as over when unused for so long; a day
	Budget       store.Budget  // of wrong passwords, per share; 10 and one more each minute
}

const day = 24 * time.Hour

// maxShareSize is what fits into the largest parts that there may be.
const maxShareSize = api.MaxParts * api.MaxPartSize

func (c Config) withDefaults() Config {
	if len(c.Lifetimes) == 0 {
		c.Lifetimes = []time.Duration{5 * time.Minute, time.Hour, day, 3 * day, 7 * day, 14 * day, 30 * day}
	}
	if c.DefaultLifetime == 0 {
		c.DefaultLifetime = c.Lifetimes[0]
		if slices.Contains(c.Lifetimes, day) {
			c.DefaultLifetime = day
		}
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = slices.Max(c.Lifetimes)
	}
	orDefault(&c.MaxDownloads, 100)
	orDefault(&c.MaxShareSize, maxShareSize)
	orDefault(&c.PartSize, api.DefaultPartSize)
	orDefault(&c.ReportLimit.Share, 20)
	orDefault(&c.ReportLimit.All, 10_000)
	orDefault(&c.KeepReports, 90*day)
	orDefault(&c.AbandonAfter, day)
	orDefault(&c.LeaseIdle, day)
	orDefault(&c.Budget.Burst, 10)
	orDefault(&c.Budget.Refill, 60)
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return c
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (c Config) validate() error {
	switch {
	case c.Blobs == nil || c.Meta == nil:
		return errors.New("stores are missing")
	case c.Now == nil:
		return errors.New("clock is missing")
	case c.Log == nil:
		return errors.New("log is missing")
	}
	return c.validateTerms()
}

// Check returns what New would find wrong with c, but for what is required and missing: so that it can be told before stores are opened.
func (c Config) Check() error { return c.withDefaults().validateTerms() }

func (c Config) validateTerms() error {
	switch {
	case !slices.IsSorted(c.Lifetimes) || len(slices.Compact(slices.Clone(c.Lifetimes))) != len(c.Lifetimes):
		return errors.New("lifetimes are not ascending")
	case !slices.Contains(c.Lifetimes, c.DefaultLifetime):
		return fmt.Errorf("default lifetime %v is not one of the lifetimes", c.DefaultLifetime)
	case c.MaxLifetime < c.Lifetimes[len(c.Lifetimes)-1]:
		return fmt.Errorf("maximum lifetime %v is shorter than one of the lifetimes", c.MaxLifetime)
	case c.MaxDownloads < 1:
		return fmt.Errorf("maximum downloads %d is less than 1", c.MaxDownloads)
	case c.MaxShareSize < 1 || c.MaxShareSize > maxShareSize:
		return fmt.Errorf("maximum share size %d is not within 1 … %d", c.MaxShareSize, int64(maxShareSize))
	case c.PartSize < api.MinPartSize || c.PartSize > api.MaxPartSize:
		return fmt.Errorf("part size %d is not within %d … %d", c.PartSize, api.MinPartSize, api.MaxPartSize)
	case c.BasePath != "" && (!strings.HasPrefix(c.BasePath, "/") || strings.HasSuffix(c.BasePath, "/")):
		return errors.New("base path does not begin with a slash, or ends with one")
	case c.MaxTotalSize < 0 || c.Daily.Shares < 0 || c.Daily.Bytes < 0:
		return errors.New("a limit is negative")
	case c.UploadHeader != "" && !headerForm.MatchString(c.UploadHeader):
		return errors.New("name of the header that vouches for uploaders is not one")
	case c.UploadHeader != "" && len(c.TrustedProxies) == 0:
		return errors.New("a header vouches for uploaders, and no proxy is trusted to set it")
	case c.ReportRecipient != "" && (!recipientForm.MatchString(c.ReportRecipient) || len(c.ReportRecipient) >= maxRecipient):
		return errors.New("recipient of reports is not an age recipient, age1… or age1pq1…")
	case c.ReportLimit.Share < 1 || c.ReportLimit.All < 1 || c.KeepReports < time.Second:
		return errors.New("no reports would be kept")
	case c.LongPoll < 0 || c.AbandonAfter < time.Second || c.LeaseIdle < time.Second:
		return errors.New("a waiting time is shorter than a second")
	case c.Budget.Burst < 1 || c.Budget.Refill < 1:
		return errors.New("budget of wrong passwords is empty")
	}
	for _, d := range append(slices.Clone(c.Lifetimes), c.MaxLifetime) {
		if d < time.Second || d%time.Second != 0 {
			return fmt.Errorf("lifetime %v is not a number of whole seconds", d)
		}
	}
	return nil
}

const maxRecipient = 4096 // characters; a hybrid one has half as many

// headerForm is the name of a header. Some mean something else already, but no proxy would have a person's name in them.
var headerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)

// recipientForm is what an age recipient looks like that the page can seal to: X25519, or the hybrid of it and ML-KEM-768. Whether
// it is one only those can tell who have age, which is not to be found here.
var recipientForm = regexp.MustCompile(`^age1(pq1)?[02-9ac-hj-np-z]{58,}$`)

// partSize returns the smallest part size with which size bytes make at most api.MaxParts parts.
func (c Config) partSize(size int64) int64 {
	p := c.PartSize
	for p < api.MaxPartSize && partCount(size, p) > api.MaxParts {
		p = min(2*p, api.MaxPartSize)
	}
	return p
}

// maxOpen is how long an upload may take altogether. Else who never completes could keep bytes here for years, a tiny part a
// day, and have them read.
func (c Config) maxOpen() time.Duration { return max(c.MaxLifetime, 7*c.AbandonAfter) }

func partCount(size, partSize int64) int64 { return (size + partSize - 1) / partSize }

// wire is what clients are told of c.
func (c Config) wire() api.Config {
	lifetimes := make([]int64, len(c.Lifetimes))
	for i, d := range c.Lifetimes {
		lifetimes[i] = seconds(d)
	}
	return api.Config{
		Build:           c.Build,
		Now:             c.Now().Unix(),
		MaxShareSize:    c.MaxShareSize,
		MaxManifestSize: api.MaxManifestSize,
		Lifetimes:       lifetimes,
		DefaultLifetime: seconds(c.DefaultLifetime),
		MaxLifetime:     seconds(c.MaxLifetime),
		MaxDownloads:    c.MaxDownloads,
		ReportRecipient: c.ReportRecipient,
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
