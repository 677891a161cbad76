package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/observed"
	"github.com/sealpost/sealpost/static"
)

// version is set by the linker; a plain go build falls back to what Go recorded.
var version string

const (
	longPoll      = 10 * time.Second // well below what proxies and shutdown allow
	shutdownAfter = 30 * time.Second
	sweepPatience = 10 * time.Minute // then the next one goes on
	orphansEvery  = time.Hour
)

// noLog takes what net/http would log: it would tell client addresses. The handler logs its own errors.
var noLog = log.New(io.Discard, "", 0)

// errMended ends the server, for whoever looks after it to start it again.
var errMended = errors.New("records could not be written; now they can be, by a server that is started anew")

// run serves until ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "token" {
		return manageTokens(args[1:], getenv, os.Stdout, stderr)
	}
	o, err := parseOptions(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.version {
		fmt.Println(build())
		return nil
	}
	if o.healthcheck {
		return checkHealth(ctx, &o.front)
	}
	if o.configCheck {
		return checkConfig(o, stderr)
	}
	logger := o.logger(stderr)
	c, err := o.config(logger)
	if err != nil {
		return err
	}
	blobs, err := o.stores.openBlobs(ctx, o.limits.minFree)
	if err != nil {
		return fmt.Errorf("failed to open parts: %w", err)
	}
	defer blobs.Close()
	if c.Direct, err = o.stores.direct(blobs); err != nil {
		return err
	}
	meta, err := o.stores.openMeta(ctx)
	if err != nil {
		return fmt.Errorf("failed to open records: %w", err)
	}
	defer meta.Close()
	if err := matchStores(ctx, blobs, meta); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	if m, ok := meta.(store.Mender); ok {
		go func() {
			select {
			case <-m.Mended():
				logger.Error("the server ends", "error", errMended)
				end(errMended)
			case <-ctx.Done():
			}
		}()
	}

	site, err := static.Render(static.FS, o.front.basePath)
	if err != nil {
		return err
	}
	if err := site.Compress(); err != nil {
		return err
	}
	pages, err := server.Pages(site.Files, o.front.basePath)
	if err != nil {
		return err
	}
	watch := newWatch(blobs, meta, logger)
	if c.Direct != nil {
		c.Direct = observed.Direct(c.Direct, watch.metrics.Store("blobs"))
	}
	c.Blobs, c.Meta, c.Build, c.Pages = watch.blobs, watch.meta, site.Build, pages
	c.Observer, c.Closing, c.Ready = watch.metrics, watch.draining.Load, watch.Ready
	s, err := server.New(c)
	if err != nil {
		return err
	}
	logger.Info("starting", "version", build(), "uploads", o.limits.uploads(), "parts", o.stores.parts(), "records", o.stores.records())
	err = serve(ctx, o, getenv, s, watch, logger, stderr)
	if context.Cause(ctx) == errMended {
		err = errors.Join(err, errMended)
	}
	return err
}

// serve listens and sweeps until ctx is done, and returns when both have come to an end.
func serve(ctx context.Context, o *options, getenv func(string) string, s *server.Server, watch *watch, logger *slog.Logger,
	stderr io.Writer) error {
	front, err := o.front.open(o.stores.data, getenv, logger)
	if err != nil {
		return err
	}
	say := o.announcer(logger, stderr)
	for _, address := range front.addresses() {
		say("listening on " + address)
	}
	stopPrivate, err := servePrivate(o.privateListen, watch.private(), say)
	if err != nil {
		front.close()
		return err
	}
	defer stopPrivate()
	tell(getenv, "READY=1")

	ctx, cancel := context.WithCancel(ctx)
	var sweeper sync.WaitGroup
	sweeper.Go(func() { sweep(ctx, o.sweep, sweepPatience, s.Sweep, logger) })
	sweeper.Go(func() { sweep(ctx, orphansEvery, 0, s.SweepOrphans, logger) }) // as long as that takes, and shares do not wait for it
	defer sweeper.Wait()
	defer cancel()

	web, plain := front.servers(s, &o.limits, watch.metrics)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		watch.draining.Store(true) // who asks in private learns that this one is about to go
		tell(getenv, "STOPPING=1")
		logger.Info("stopping", "requests", watch.metrics.InFlightNow())
		patience, cancel := context.WithTimeout(context.Background(), shutdownAfter)
		defer cancel()
		if plain != nil {
			plain.Close()
		}
		err := web.Shutdown(patience)
		if errors.Is(err, context.DeadlineExceeded) { // whose clients repeat them
			logger.Warn("some requests have not ended in time, they are broken off", "requests", watch.metrics.InFlightNow())
			err = web.Close()
		}
		if err != nil {
			err = fmt.Errorf("failed to stop: %w", err)
		}
		stopped <- err
	}()
	if err := front.serve(web, plain); err != nil {
		return err
	}
	return <-stopped
}

// sweep removes what is due now and then, beginning with what was due while the server was down. One that takes longer than its patience, if
// there is an end to that, is broken off.
func sweep(ctx context.Context, every, patience time.Duration, f func(context.Context) error, logger *slog.Logger) {
	attempt := func() {
		ctx, cancel := ctx, context.CancelFunc(func() {})
		if patience > 0 {
			ctx, cancel = context.WithTimeout(ctx, patience)
		}
		defer cancel()
		if err := f(ctx); err != nil && !errors.Is(context.Cause(ctx), context.Canceled) {
			logger.Error("sweep failed, will try again", "error", err)
		}
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		attempt()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// build names what was built.
func build() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "devel"
}
