//go:build js && wasm

package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/syumai/workers/cloudflare"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/internal/tokens"
	"github.com/sealpost/sealpost/server/internal/values"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/d1"
	"github.com/sealpost/sealpost/server/store/r2"
)

// build names the page that is deployed beside this program; the linker sets it.
var build string

// reserved is how many of a request's subrequests are for what is asked of D1 before the first part is opened, and to spare.
const reserved = 10

// newServer makes the server of the variables in wrangler.jsonc, which are named as the options of sealpostd are.
func newServer(getenv func(string) string, logger *slog.Logger) (*server.Server, error) {
	c := server.Config{
		Meta:  d1.New(binding("BATCHES")),
		Now:   time.Now,
		Log:   logger,
		Build: build,
	}
	createRate, takeRate, missRate, reportRate, callRate := 60.0, 600.0, 300.0, 6.0, 0.0
	var uploadTokens text
	// Subrequests of a request: 50 on Cloudflare's free plan, 10,000 on the paid one.
	// https://developers.cloudflare.com/workers/platform/limits/
	subrequests := int64(50)
	err := errors.Join(
		set(getenv, "LIFETIMES", (*values.Durations)(&c.Lifetimes)),
		set(getenv, "DEFAULT_LIFETIME", (*values.Duration)(&c.DefaultLifetime)),
		set(getenv, "MAX_SHARE_SIZE", (*values.Size)(&c.MaxShareSize)),
		set(getenv, "PART_SIZE", (*values.Size)(&c.PartSize)),
		set(getenv, "MAX_DOWNLOADS", (*integer)(&c.MaxDownloads)),
		set(getenv, "ABANDON_AFTER", (*values.Duration)(&c.AbandonAfter)),
		set(getenv, "CREATE_RATE", (*number)(&createRate)),
		set(getenv, "TAKE_RATE", (*number)(&takeRate)),
		set(getenv, "MISS_RATE", (*number)(&missRate)),
		set(getenv, "REPORT_RATE", (*number)(&reportRate)),
		set(getenv, "CALL_RATE", (*number)(&callRate)),
		set(getenv, "MAX_TOTAL_SIZE", (*values.Size)(&c.MaxTotalSize)),
		set(getenv, "DAILY_SHARES", (*integer)(&c.Daily.Shares)),
		set(getenv, "DAILY_SIZE", (*values.Size)(&c.Daily.Bytes)),
		set(getenv, "UPLOAD_TOKENS", &uploadTokens),
		set(getenv, "REPORT_RECIPIENT", (*text)(&c.ReportRecipient)),
		set(getenv, "SUBREQUESTS", (*integer)(&subrequests)),
	)
	if err != nil {
		return nil, err
	}
	c.CreateLimiter, c.TakeLimiter = newLimiter("create", createRate), newLimiter("take", takeRate)
	c.MissLimiter = newLimiter("miss", missRate)
	c.ReportLimiter, c.CallLimiter = newLimiter("report", reportRate), newLimiter("call", callRate)
	if uploadTokens != "" {
		list, err := tokens.Parse([]byte(uploadTokens))
		if err != nil {
			return nil, err
		}
		c.UploadTokens = func(token store.Hash) bool { return list.Has(token) }
	}
	spans := max(1, int(subrequests)-reserved)
	c.Blobs = &r2.Store{Parts: binding("PARTS"), MaxSpans: spans, MaxSweep: max(1, spans/4)} // of an orphan, three questions and an answer
	return server.New(c)
}

func binding(name string) func() js.Value {
	return func() js.Value { return cloudflare.GetBinding(name) }
}

func set(getenv func(string) string, name string, v flag.Value) error {
	name = "SEALPOST_" + name
	if text := strings.TrimSpace(getenv(name)); text != "" {
		if err := v.Set(text); err != nil {
			return fmt.Errorf("failed to parse %s: %w", name, err)
		}
	}
	return nil
}

type text string

func (t *text) String() string { return string(*t) }
func (t *text) Set(s string) error {
	*t = text(s)
	return nil
}

type integer int64

func (i *integer) String() string { return strconv.FormatInt(int64(*i), 10) }
func (i *integer) Set(text string) (err error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n < 1 {
		err = errors.New("less than 1")
	}
	*i = integer(n)
	return err
}

type number float64

func (n *number) String() string { return strconv.FormatFloat(float64(*n), 'g', -1, 64) }
func (n *number) Set(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && !(f >= 0 && f <= 1e9) {
		err = errors.New("not a rate")
	}
	*n = number(f)
	return err
}

// limiter asks limits.mjs, which all instances of an isolate have in common.
type limiter struct {
	kind      string
	perMinute float64
}

// newLimiter returns nil, no limits, if perMinute is 0.
func newLimiter(kind string, perMinute float64) server.Limiter {
	if perMinute == 0 {
		return nil
	}
	return limiter{kind, perMinute}
}

// Allow implements [server.Limiter].
func (l limiter) Allow(key string) (ok bool, wait time.Duration) {
	ms := cloudflare.GetBinding("LIMITS").Call("wait", l.kind+" "+key, l.perMinute).Float()
	return ms == 0, time.Duration(ms * float64(time.Millisecond))
}
