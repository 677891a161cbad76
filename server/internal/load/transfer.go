package load

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// afterFailure is how long a sender waits before it begins another share, so that a server which is down is not asked as fast
// as the machine can.
const afterFailure = 100 * time.Millisecond

// send makes shares until it is time, or enough is sent.
func (r *run) send(ctx, until context.Context) {
	c := newClient(r.Config, r.tally)
	defer c.close()
	for until.Err() == nil && r.budget.Add(-r.Size) >= 0 {
		s := r.newShare()
		if err := r.sendShare(ctx, c, s); err != nil {
			select {
			case <-until.Done():
			case <-time.After(afterFailure):
			}
			continue
		}
		r.shares.Add(1)
		if r.Receivers == 0 {
			r.drop(ctx, c, s)
			continue
		}
		for range r.Downloads {
			r.jobs <- s // receivers go on when ctx is done, too
		}
	}
}

func (r *run) sendShare(ctx context.Context, c *client, s *share) error {
	downloads := r.Downloads
	if r.Receivers == 0 {
		downloads = 0 // any number, none of which is taken
	}
	if err := c.create(ctx, s, downloads); err != nil {
		return err
	}
	for n := range s.parts() + 1 {
		b := s.part(r.bodies, n)
		if err := c.put(ctx, s, n, b); err != nil {
			return err
		}
		r.sent.Add(b.size())
	}
	return c.complete(ctx, s)
}

// drop deletes a share that nobody is to fetch.
func (r *run) drop(ctx context.Context, c *client, s *share) {
	if c.counted(ctx, s, 0) == nil && c.delete(ctx, s) == nil && c.gone(ctx, s) == nil {
		r.gone.Add(1)
		r.forget(s)
	}
}

// receive takes one download after the other until there are no more.
func (r *run) receive(ctx context.Context) {
	c := newClient(r.Config, r.tally)
	defer c.close()
	for s := range r.jobs {
		if ctx.Err() != nil {
			continue // and let the senders see that it is over
		}
		if err := r.receiveShare(ctx, c, s); errors.Is(err, errWrongBytes) {
			r.wrongs.Add(1)
		}
	}
}

func (r *run) receiveShare(ctx context.Context, c *client, s *share) error {
	ticket := newToken(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	if err := c.take(ctx, s, ticket); err != nil {
		return err
	}
	r.taken.Add(1)
	for n := range s.parts() + 1 {
		b := s.part(r.bodies, n)
		if err := c.get(ctx, s, n, ticket, b); err != nil {
			return err
		}
		r.received.Add(b.size())
	}
	if s.fetched.Add(1) == r.Downloads { // all are taken, and ours is not finished
		if err := c.counted(ctx, s, r.Downloads); err != nil {
			return err
		}
		if err := c.takeTooMany(ctx, s, newToken(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))); err != nil {
			return err
		}
		r.refused.Add(1)
	}
	if err := c.finish(ctx, s, ticket); err != nil {
		return err
	}
	if s.finished.Add(1) < r.Downloads {
		return nil
	}
	if err := c.gone(ctx, s); err != nil {
		return err
	}
	r.gone.Add(1)
	r.forget(s)
	return nil
}
