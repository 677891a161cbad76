package load

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// Config is what a run consists of.
type Config struct {
	URL   string         // of the server, without a slash at the end
	HTTP2 bool           // instead of HTTP/1.1, also without TLS
	Roots *x509.CertPool // nil for the system's
	Seed  uint64         // of all tokens and bodies; of two runs at one server at the same time each needs its own

	Senders, Receivers int             // connections that send and fetch shares
	Size               int64           // of a share's content; the server says in parts of what size
	Manifest           int64           // size of a manifest
	Downloads          int64           // of each share, if there are receivers
	Bytes              int64           // of content to send in all, at most
	Duration           time.Duration   // after which no share is begun
	Over               <-chan struct{} // when it is closed no share is begun either; may be nil
	Retry              time.Duration   // how long to repeat a request that failed in a way that may pass

	Slow      int   // uploads that trickle
	SlowBurst int64 // bytes that each sends at once
	SlowRate  int64 // bytes a second after that
	Idle      int   // connections that say nothing
}

// Report is what came of a run.
type Report struct {
	Took                  time.Duration
	Calls                 []Call
	Errors                map[Failure]int64
	Retries               int64
	Shares, Gone          int64 // completed, and seen to be gone
	Sent, Received        int64 // bytes of content and manifests
	Taken, Refused, Wrong int64 // downloads; those beyond the limit; answers with wrong bytes
	Slow, SlowCut         int   // uploads that trickled, and of them those that the server ended
	Idle, IdleCut         int
}

// Err is what is wrong with r, if anything is.
func (r *Report) Err() error {
	var failed int64
	for _, n := range r.Errors {
		failed += n
	}
	switch {
	case r.Wrong > 0:
		return fmt.Errorf("%d answers had wrong bytes", r.Wrong)
	case failed > 0:
		return fmt.Errorf("%d requests failed", failed)
	case r.Shares != r.Gone:
		return fmt.Errorf("of %d shares %d are gone", r.Shares, r.Gone)
	}
	return nil
}

// run is a run on its way.
type run struct {
	Config
	tally  *tally
	bodies *bodies
	jobs   chan *share // one for each download

	begun                                atomic.Int64 // shares
	budget                               atomic.Int64 // bytes left to begin
	shares, gone, taken, refused, wrongs atomic.Int64
	sent, received                       atomic.Int64

	mu   sync.Mutex
	live map[*share]bool // that are to be deleted if the run ends early
}

func (c Config) validate() error {
	switch {
	case c.Senders < 0 || c.Receivers < 0 || c.Slow < 0 || c.Idle < 0:
		return errors.New("a number of connections is negative")
	case c.Receivers > 0 && (c.Senders == 0 || c.Downloads < 1):
		return errors.New("receivers need senders, and downloads")
	case c.Size < int64(minPart) || c.Manifest < int64(minPart) || c.Manifest > api.MaxManifestSize:
		return fmt.Errorf("share or manifest is smaller than %d bytes, or manifest larger than %d", minPart, api.MaxManifestSize)
	case c.Bytes < c.Size && c.Senders > 0:
		return errors.New("fewer bytes in all than a share has")
	case c.Duration <= 0:
		return errors.New("no time to run for")
	case c.Slow > 0 && (c.SlowBurst < int64(minPart) || c.SlowRate < 1):
		return fmt.Errorf("slow uploads need a rate, and %d bytes to begin with", minPart)
	}
	return nil
}

// Run makes the load that c describes and returns what came of it. It has an error only if it could not begin. When ctx is
// done it stops and deletes the shares that it made.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("failed to plan load: %w", err)
	}
	r := &run{Config: c, tally: newTally(), bodies: newBodies(c.Seed, max(c.Manifest, min(c.Size, api.MaxPartSize))), live: map[*share]bool{},
		jobs: make(chan *share, 2*c.Receivers)}
	r.budget.Store(c.Bytes)

	around, release := context.WithCancel(ctx)
	slow, idle := r.startSlow(around), r.startIdle(around)
	slow.began.Wait()
	idle.began.Wait()

	began := time.Now()
	until, stop := context.WithTimeout(ctx, c.Duration)
	defer stop()
	go func() {
		select {
		case <-c.Over:
			stop()
		case <-until.Done():
		}
	}()
	var senders, receivers sync.WaitGroup
	for range c.Senders {
		senders.Go(func() { r.send(ctx, until) })
	}
	for range c.Receivers {
		receivers.Go(func() { r.receive(ctx) })
	}
	if c.Senders == 0 {
		<-until.Done()
	}
	senders.Wait()
	close(r.jobs)
	receivers.Wait()
	report := r.report(time.Since(began))
	release()
	report.Slow, report.SlowCut = slow.end()
	report.Idle, report.IdleCut = idle.end()
	r.cleanUp(ctx)
	return report, nil
}

func (r *run) report(took time.Duration) *Report {
	calls, errs := r.tally.report()
	return &Report{Took: took, Calls: calls, Errors: errs, Retries: r.tally.retries, Shares: r.shares.Load(), Gone: r.gone.Load(),
		Sent: r.sent.Load(), Received: r.received.Load(), Taken: r.taken.Load(), Refused: r.refused.Load(), Wrong: r.wrongs.Load()}
}

// newShare returns the next one of the run, with the tokens that the seed gives it.
func (r *run) newShare() *share {
	n := r.begun.Add(1)
	from := rand.New(rand.NewPCG(r.Seed, uint64(n)))
	s := &share{n: n, size: r.Size, manifest: r.Manifest, owner: newToken(from), access: newToken(from), reader: newToken(from)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[s] = true
	return s
}

func (r *run) forget(s *share) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, s)
}

// cleanUp deletes what a run that was stopped, or met errors, has left.
func (r *run) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	c := newClient(r.Config, newTally())
	defer c.close()
	for s := range r.live {
		if s.id != "" {
			c.delete(ctx, s)
		}
	}
}
