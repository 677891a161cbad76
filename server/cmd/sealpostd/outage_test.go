package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/services"
)

// patient repeats a call for as long as the server says that it cannot do it now, and notes how often that was and whether it took
// long to say so.
type patient struct {
	*daemon
	refused atomic.Int64
	slowest atomic.Int64
}

func (p *patient) until(call func() (answer, error)) (answer, error) {
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		began := time.Now()
		a, err := call()
		if took := int64(time.Since(began)); took > p.slowest.Load() {
			p.slowest.Store(took)
		}
		if err != nil || a.code() != api.CodeUnavailable || time.Now().After(deadline) {
			return a, err
		}
		if a.status != http.StatusServiceUnavailable {
			return a, err
		}
		p.refused.Add(1)
	}
}

// send uploads all of u, however long that takes.
func (p *patient) send(t *testing.T, u *upload, downloads int64) bool {
	a, err := p.until(func() (answer, error) { return p.tryCreate(u, downloads) })
	if err != nil || a.status != http.StatusCreated && a.status != http.StatusOK {
		t.Errorf("create: %v %v", a, err)
		return false
	}
	for n := range u.parts() + 1 {
		if a, err := p.until(func() (answer, error) { return p.put(u, n, u.part(n)) }); err != nil || a.status != http.StatusNoContent {
			t.Errorf("part %d: %v %v", n, a, err)
			return false
		}
	}
	if a, err := p.until(func() (answer, error) { return p.complete(u) }); err != nil || a.status != http.StatusOK {
		t.Errorf("complete: %v %v", a, err)
		return false
	}
	return true
}

// fetch takes a download, reads all of it, and finishes it.
func (p *patient) fetch(t *testing.T, u *upload, ticket token) (got bool) {
	a, err := p.until(func() (answer, error) { return p.take(u, ticket) })
	if err == nil && a.code() == api.CodeNoDownloadsLeft {
		return false
	}
	if err != nil || a.status != http.StatusOK {
		t.Errorf("take: %v %v", a, err)
		return false
	}
	for { // an answer that has begun is cut when the store is lost, and so begun again
		a, err := p.until(func() (answer, error) { return p.call("GET", u.path("/content"), ticket.text, nil, "") })
		switch {
		case err != nil && strings.Contains(err.Error(), "EOF"):
			continue
		case err != nil || a.status != http.StatusOK || !bytes.Equal(a.body, u.content):
			t.Errorf("content: %v, %d bytes of %d or other ones, %v", a.status, len(a.body), len(u.content), err)
		}
		return true
	}
}

// TestOutage stops the database and the object store in turn, and both, under the hands of senders and recipients. They are told 503,
// soon, and nothing worse; when both are back everything goes on, nothing that was acknowledged is lost, nothing is left that nobody knows, and counts are exact.
func TestOutage(t *testing.T) {
	db, objects := services.StartPostgres(t), services.StartS3(t)
	flags := append(inBucket(t, objects, objects.Bucket(t)), "-db", db.Schema(t))
	p := &patient{daemon: start(t, filepath.Join(t.TempDir(), "data"), flags...)}
	limited := newUpload(2*smallPart + 1)
	p.daemon.send(t, limited, 7)

	over := make(chan struct{})
	var work sync.WaitGroup
	var mu sync.Mutex
	var whole []*upload
	for range 4 {
		work.Go(func() {
			for {
				u := newUpload(3 * smallPart)
				if p.send(t, u, 0) {
					mu.Lock()
					whole = append(whole, u)
					mu.Unlock()
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	var leased atomic.Int64
	for range 4 {
		work.Go(func() {
			for range 5 {
				time.Sleep(300 * time.Millisecond)
				if p.fetch(t, limited, newToken()) {
					leased.Add(1)
				}
			}
		})
	}
	outages := [][]interface {
		Kill()
		Start(testing.TB)
	}{{db}, {objects}, {db, objects}}
	for range long(1, 10) {
		for _, outage := range outages {
			time.Sleep(300 * time.Millisecond)
			before := p.refused.Load()
			for _, s := range outage {
				s.Kill()
			}
			for deadline := time.Now().Add(15 * time.Second); p.refused.Load() == before; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("nobody is told that something is wrong")
				}
			}
			time.Sleep(300 * time.Millisecond)
			for _, s := range slices.Backward(outage) {
				s.Start(t)
			}
		}
	}
	close(over)
	work.Wait()
	if n := leased.Load(); n != 7 {
		t.Errorf("%d downloads of 7", n)
	}
	if s := p.state(t, limited); s.Taken == nil || *s.Taken != 7 {
		t.Errorf("the owner is told %+v", s)
	}
	for _, u := range whole {
		p.wantWhole(t, u, newToken())
	}
	t.Logf("%d uploads completed, %d calls refused, the slowest took %v", len(whole), p.refused.Load(), time.Duration(p.slowest.Load()))
	if took := time.Duration(p.slowest.Load()); took > 15*time.Second {
		t.Errorf("a call took %v", took)
	}
	p.stop(t)
	all := fmt.Sprintf("%d shares with ", len(whole)+1)
	if out, errs, ok := admin(t, append([]string{"fsck", "-young", "0s"}, flags...)...); !ok || !strings.HasPrefix(errs, all) {
		t.Errorf("fsck finds no %s: %s%s", all, out, errs)
	}
	if len(whole) < 4 || !strings.Contains(p.text(), "store is not available") {
		t.Errorf("%d uploads, or nothing in the log", len(whole))
	}
}
