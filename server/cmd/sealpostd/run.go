package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/static"
)

// version is set by the linker; a plain go build falls back to what Go recorded.
var version string

const (
	longPoll      = 10 * time.Second // well below what proxies and shutdown allow
	shutdownAfter = 30 * time.Second
	orphansEvery  = time.Hour
)

// noLog takes what net/http would log: it would tell client addresses. The handler logs its own errors.
var noLog = log.New(io.Discard, "", 0)

// run serves until ctx is done.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	o, err := parseOptions(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.version {
		fmt.Fprintln(stderr, build())
		return nil
	}
	if o.healthcheck {
		return checkHealth(ctx, o.listen)
	}
	blobs, err := o.stores.openBlobs(ctx)
	if err != nil {
		return fmt.Errorf("failed to open parts: %w", err)
	}
	defer blobs.Close()
	meta, err := o.stores.openMeta(ctx)
	if err != nil {
		return fmt.Errorf("failed to open records: %w", err)
	}
	defer meta.Close()

	site, err := static.Render(static.FS)
	if err != nil {
		return err
	}
	if err := site.Compress(); err != nil {
		return err
	}
	pages, err := server.Pages(site.Files)
	if err != nil {
		return err
	}
	logger := o.logger(stderr)
	watch := newWatch(blobs, meta, logger)
	s, err := server.New(server.Config{
		Blobs:           watch.blobs,
		Meta:            watch.meta,
		Now:             time.Now,
		Log:             logger,
		Build:           site.Build,
		Pages:           pages,
		CreateLimiter:   newLimiter(o.createRate),
		MissLimiter:     newLimiter(o.missRate),
		ReportLimiter:   newLimiter(o.reportRate),
		TrustedProxies:  o.trustedProxies,
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
		Observer:        watch.metrics,
		Closing:         watch.draining.Load,
		Ready:           watch.Ready,
	})
	if err != nil {
		return err
	}
	return serve(ctx, o, s, watch, logger, stderr)
}

// serve listens and sweeps until ctx is done, and returns when both have come to an end.
func serve(ctx context.Context, o *options, s *server.Server, watch *watch, logger *slog.Logger, stderr io.Writer) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("failed to listen: %w", err)
	}
	fmt.Fprintf(stderr, "listening on http://%s\n", listener.Addr())
	stopPrivate, err := servePrivate(o.privateListen, watch.private(), stderr)
	if err != nil {
		listener.Close()
		return err
	}
	defer stopPrivate()

	ctx, cancel := context.WithCancel(ctx)
	var sweeper sync.WaitGroup
	sweeper.Go(func() { sweep(ctx, o.sweep, s, logger) })
	defer sweeper.Wait()
	defer cancel()

	web := &http.Server{
		Handler:           watch.metrics.InFlight(withDeadlines(s, stallAfter, watch.metrics)),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          noLog,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		watch.draining.Store(true) // who asks in private learns that this one is about to go
		patience, cancel := context.WithTimeout(context.Background(), shutdownAfter)
		defer cancel()
		err := web.Shutdown(patience)
		if err != nil {
			err = errors.Join(fmt.Errorf("failed to stop gracefully: %w", err), web.Close())
		}
		stopped <- err
	}()
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("failed to serve: %w", err)
	}
	return <-stopped
}

// sweep removes what is due now and then, beginning with what was due while the server was down.
func sweep(ctx context.Context, every time.Duration, s *server.Server, logger *slog.Logger) {
	tick, orphans := time.NewTicker(every), time.NewTicker(orphansEvery)
	defer tick.Stop()
	defer orphans.Stop()
	attempt := func(f func(context.Context) error) {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			logger.Error("sweep failed, will try again", "error", err)
		}
	}
	attempt(s.Sweep)
	attempt(s.SweepOrphans)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			attempt(s.Sweep)
		case <-orphans.C:
			attempt(s.SweepOrphans)
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
