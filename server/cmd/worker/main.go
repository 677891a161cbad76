//go:build js && wasm

// Command worker is Sealpost on Cloudflare Workers: the same handler as sealpostd, with R2 for bytes and D1 for records. This
// program is the part of it that decides; JavaScript around it moves bytes and hands out the page. README.md tells how to
// deploy it.
//
//	worker.mjs    the entry, by the pool below; stock.mjs is the same by the library's own glue
//	handler.mjs   what answers a request or a cron trigger: Go for the API, pages.mjs for the rest
//	pool.mjs      Go instances
//	serve.go      what passes between handler.mjs and Go
//	pages.mjs     the page, from the assets binding, in the language of the browser
//	limits.mjs    how often an address may do what it may not
//	build/        what make worker makes: go/ is this program and the library's glue, assets/ and site.mjs are the page
//
// # Instances
//
// github.com/syumai/workers starts a Go instance for each request, which costs 6 ms of CPU, most of what the free plan allows
// and ten times what the request itself takes. pool.mjs keeps instances and gives each one request at a time. It must not be
// more: the runtime ties timers and promises to the request that made them and cancels them with it, and so one request would
// stall another that shares its instance. Nor may what a request has begun outlive it, be it a goroutine, a timer or a
// database handle.
//
// An instance settles at 13 MiB, and an isolate has 128 MB, so at most 8 are alive. For none to be taken while bytes move, all
// of these are JavaScript's: a part on its way in (package r2 tells how a request is put off until it has arrived), a part on
// its way out, and any body in JSON, which is read before an instance is asked for. What is left to Go are some milliseconds.
// Who finds none free waits for a moment and is then sent away with 503 and Retry-After. A request runs to its end in Go even
// if its client hangs up, and an instance that has not come back after half a minute is given up. A panic is recovered in
// serve.go; what else ends an instance ends that request only. After 10,000 requests an instance is replaced, in case something
// leaks with each.
//
// To go back to the library's way, have wrangler.jsonc name stock.mjs as main.
//
// # What a call costs
//
// A value that passes between Go and JavaScript on its own takes longer than to read it in a text. So a request crosses as one
// text, and so do the headers of its answer (serve.go), a batch for D1, and what D1 answers (package d1). TestCPU, in workerd,
// holds GET /api/v1/shares/{id} against JavaScript that asks the same of D1, checks and answers the same. On an idle machine it
// took 1.2 ms of CPU more, 1.4 times as much, and 2 ms more than JavaScript that answers at once. Under eight jobs for each core,
// where JavaScript alone took twice as long too, it was 2.3 to 3.2 ms more, 1.3 to 1.6 times as much.
//
// # What differs from sealpostd
//
// Nobody waits for news of an upload: Retry-After says when to ask again. Limits by address are kept in the memory of an
// isolate, of which Cloudflare runs as many as it pleases, so they are a brake and no guarantee. What one answer can be made
// of is limited (SEALPOST_SUBREQUESTS). Sweeping is done by cron triggers, every minute, and for orphans every hour.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/syumai/workers/cloudflare"
	"github.com/syumai/workers/cloudflare/cron"

	"github.com/sealpost/sealpost/server"
)

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, nil))
	s, err := newServer(cloudflare.Getenv, logger)
	if err != nil {
		logger.Error("failed to start", "error", err)
		s = nil
	}
	cron.ScheduleTaskNonBlock(func(ctx context.Context) error {
		if s != nil {
			sweep(ctx, s, logger)
		}
		return nil // an error would end the instance
	})
	serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s == nil {
			http.Error(w, "the Worker is not configured rightly, its log says more", http.StatusInternalServerError)
			return
		}
		s.ServeHTTP(w, r)
	}), logger)
}

// orphans is the trigger, of those in wrangler.jsonc, at which orphans are swept.
const orphans = "17 * * * *"

func sweep(ctx context.Context, s *server.Server, logger *slog.Logger) {
	f := s.Sweep
	if e, err := cron.NewEvent(ctx); err == nil && e.Cron == orphans {
		f = s.SweepOrphans
	}
	if err := f(ctx); err != nil {
		logger.Error("sweep failed, will try again", "error", err)
	}
}
