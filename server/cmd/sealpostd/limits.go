package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/internal/values"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
)

// limitOptions are how much is taken in, and of whom.
type limitOptions struct {
	createRate, takeRate, missRate, reportRate, callRate float64 // per minute

	totalSize         int64
	minFree           int64
	dailyShares       int64
	dailyBytes        int64
	connections       int
	clientConnections int
	parts             int
	clientParts       int

	headerTimeout time.Duration
	stallTimeout  time.Duration
	idleTimeout   time.Duration
	maxHeaders    int64

	uploadTokens string // file
	uploadHeader string
}

// flags declares them with their defaults.
func (o *limitOptions) flags(fs *flag.FlagSet) {
	o.minFree = 256 << 20
	o.headerTimeout, o.stallTimeout, o.idleTimeout = 10*time.Second, 60*time.Second, 75*time.Second
	o.maxHeaders = 16 << 10
	fs.Float64Var(&o.createRate, "create-rate", 60, "`shares` per minute and client address, 0 for any number")
	fs.Float64Var(&o.takeRate, "take-rate", 600, "`downloads` taken per minute and client address, 0 for any number")
	fs.Float64Var(&o.missRate, "miss-rate", 300, "`refusals` per minute and client address that say why, 0 for any number")
	fs.Float64Var(&o.reportRate, "report-rate", 6, "`reports` per minute and client address, 0 for any number")
	fs.Float64Var(&o.callRate, "call-rate", 6000, "`calls` per minute with one token and from one client address, 0 for any number")
	fs.Var((*values.Size)(&o.totalSize), "max-total-size", "sealed `size` of all shares together, 0 for any")
	fs.Var((*values.Size)(&o.minFree), "min-free", "`size` that stays free on the disk with the parts")
	fs.Int64Var(&o.dailyShares, "daily-shares", 0, "`shares` per day (UTC) and client address, 0 for any number")
	fs.Var((*values.Size)(&o.dailyBytes), "daily-size", "announced `size` of these together, and of manifests above 64 KiB, 0 for any")
	fs.IntVar(&o.connections, "max-connections", 16384, "`connections` of clients at once, 0 for any number; further ones wait")
	fs.IntVar(&o.clientConnections, "client-connections", 1024, "`connections` of these from one client address, 0 for any number; further ones are closed")
	fs.IntVar(&o.parts, "parts-in-flight", 1024, "`parts` taken in at once, 0 for any number")
	fs.IntVar(&o.clientParts, "client-parts-in-flight", 64, "`parts` of these from one client address, 0 for any number")
	fs.Var((*values.Duration)(&o.headerTimeout), "header-timeout", "`time` in which the head of a request has to arrive")
	fs.Var((*values.Duration)(&o.stallTimeout), "stall-timeout", "`time` in which each 16 KiB of a body have to arrive, and each 256 KiB of an answer to be taken")
	fs.Var((*values.Duration)(&o.idleTimeout), "idle-timeout", "`time` after which a connection without a request is closed")
	fs.Var((*values.Size)(&o.maxHeaders), "max-headers", "`size` of the head of a request")
	fs.StringVar(&o.uploadTokens, "upload-tokens", "", "`file` of upload tokens; with it, only their holders make shares")
	fs.StringVar(&o.uploadHeader, "upload-header", "", "`name` of the header in which a trusted proxy names whom it lets make shares")
}

func (o *limitOptions) validate() error {
	switch {
	case o.minFree < disk.MinFree:
		return errors.New("-min-free is less than 16MiB, which the records need to note what may be deleted")
	case o.headerTimeout < time.Second:
		return errors.New("-header-timeout is shorter than a second")
	case o.stallTimeout < time.Second:
		return errors.New("-stall-timeout is shorter than a second")
	case o.idleTimeout < time.Second:
		return errors.New("-idle-timeout is shorter than a second")
	case o.maxHeaders < 4<<10 || o.maxHeaders > 1<<20:
		return errors.New("-max-headers is not within 4KiB … 1MiB")
	case slices.Contains(takenHeaders, http.CanonicalHeaderKey(o.uploadHeader)):
		return fmt.Errorf("-upload-header: %s means something else already", o.uploadHeader)
	}
	return nil
}

// takenHeaders have no person's name in them, and some of them whoever sends a request sets.
var takenHeaders = []string{"Authorization", "Connection", "Content-Length", "Cookie", "Host", "Transfer-Encoding", "X-Forwarded-For"}

// uploads says who may make shares, for people.
func (o *limitOptions) uploads() string {
	switch {
	case o.uploadTokens != "" && o.uploadHeader != "":
		return "holders of tokens, and who is vouched for"
	case o.uploadTokens != "":
		return "holders of tokens"
	case o.uploadHeader != "":
		return "who is vouched for"
	}
	return "anybody"
}

// apply sets what of it is the handler's. It opens the file of tokens to read it.
func (o *limitOptions) apply(c *server.Config, log *slog.Logger) error {
	c.CreateLimiter, c.TakeLimiter, c.MissLimiter = newLimiter(o.createRate), newLimiter(o.takeRate), newLimiter(o.missRate)
	c.ReportLimiter, c.CallLimiter = newLimiter(o.reportRate), newLimiter(o.callRate)
	c.MaxTotalSize = o.totalSize
	c.Daily = store.Daily{Shares: o.dailyShares, Bytes: o.dailyBytes}
	c.Flights = newFlights(o.parts, o.clientParts)
	c.UploadHeader = o.uploadHeader
	if o.uploadTokens == "" {
		return nil
	}
	tokens, err := openUploadTokens(o.uploadTokens, log)
	if err != nil {
		return err
	}
	c.UploadTokens = tokens.Has
	return nil
}
