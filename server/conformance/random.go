package conformance

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/sealpost/sealpost/server/api"
)

// testRandom lives through whole lives of shares, several at once: parts in any order, repeated and contradicted, read by some
// while they arrive and by all later, finished, revoked or left, and in the end everyone has got exactly what was his.
func testRandom(c *check) {
	size := c.partSize()
	for range c.rounds(2, 40) {
		lives := make([]*life, 4)
		for i := range lives {
			lives[i] = c.newLife(size)
		}
		together(len(lives), func(i int) { lives[i].run() })
		if c.Failed() {
			c.FailNow()
		}
	}
}

// life is one share's, with what is going to happen in it.
type life struct {
	*check
	u         *share
	uploads   []upload
	permitted int
	tickets   []token
	end       int // 0: all are finished, 1: revoked, else left to expire
}

// upload is a part to be sent, now or again, perhaps with other bytes.
type upload struct {
	n   int64
	lie bool
}

func (c *check) newLife(size int) *life {
	l := &life{check: c, u: newShare(sealed(1 + c.rnd.IntN(6*size))), permitted: 1 + c.rnd.IntN(4), end: c.rnd.IntN(3)}
	l.u.partSize = int64(size)
	l.u.terms.Password = c.rnd.IntN(2) == 0
	l.u.terms.MaxDownloads = int64(l.permitted)
	l.u.terms.Size += int64(c.rnd.IntN(2 * size))
	parts := int(l.u.parts())
	for _, i := range c.rnd.Perm(2 * (parts + 1)) {
		l.uploads = append(l.uploads, upload{int64(i % (parts + 1)), false})
		if c.rnd.IntN(3) == 0 {
			earlier := l.uploads[c.rnd.IntN(len(l.uploads))]
			l.uploads = append(l.uploads, upload{earlier.n, true})
		}
	}
	for range l.permitted + 2 {
		l.tickets = append(l.tickets, newToken())
	}
	return l
}

// run calls nothing that ends the test, since it is not in the test's own goroutine.
func (l *life) run() {
	a := l.do("POST", "/api/v1/shares", "", l.u.terms)
	if a.status != http.StatusCreated {
		l.Error(a)
		return
	}
	l.u.id = into[api.Share](l.check, a).ID
	if got := into[api.Share](l.check, a).PartSize; got != l.u.partSize {
		l.Errorf("parts have %d bytes, and others %d", got, l.u.partSize)
		return
	}
	early := l.take(l.u, l.tickets[0])
	l.upload()
	if a := l.complete(l.u); early.status != http.StatusOK || a.status != http.StatusOK {
		l.Errorf("early %s, complete %s", early, a)
	}
	var mu sync.Mutex
	var leased []token
	together(len(l.tickets), func(i int) {
		switch a := l.take(l.u, l.tickets[i]); {
		case a.status == http.StatusOK:
			l.wantWhole(l.u, l.tickets[i])
			mu.Lock()
			leased = append(leased, l.tickets[i])
			mu.Unlock()
		case a.code() != api.CodeNoDownloadsLeft || i == 0:
			l.Error(a)
		}
	})
	if len(leased) != l.permitted {
		l.Errorf("%d downloads of %d", len(leased), l.permitted)
	}
	switch l.end {
	case 0:
		together(len(leased), func(i int) {
			if a := l.finish(l.u, leased[i]); a.status != http.StatusNoContent {
				l.Error(a)
			}
		})
	case 1:
		if a := l.do("DELETE", l.u.path(""), l.u.owner.String(), nil); a.status != http.StatusNoContent {
			l.Error(a)
		}
	default:
		return
	}
	if a := l.take(l.u, l.tickets[0]); a.code() != api.CodeNotFound {
		l.Errorf("of what is gone: %s", a)
	}
}

// upload sends the parts as they come. A lie is only told after the truth.
func (l *life) upload() {
	stored := map[int64]bool{}
	for _, up := range l.uploads {
		data := l.u.part(up.n)
		if up.lie {
			if !stored[up.n] {
				continue
			}
			data = bytes.Clone(data)
			data[len(data)-1] ^= 1
		}
		a := l.put(l.u, up.n, data)
		if up.lie && a.code() != api.CodePartConflict || !up.lie && a.status != http.StatusNoContent {
			l.Errorf("part %d, lie is %v: %s", up.n, up.lie, a)
		}
		stored[up.n] = true
		if up.n > 0 {
			if a := l.do("GET", l.u.partPath(up.n), l.tickets[0].String(), nil); !bytes.Equal(a.body, l.u.part(up.n)) {
				l.Errorf("part %d, which has arrived: %s", up.n, a)
			}
		}
	}
}
