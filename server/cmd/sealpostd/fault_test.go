package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// seeded returns a source that SEALPOST_SEED repeats.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("SEALPOST_SEED"); v != "" {
		var err error
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEALPOST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// long returns the second number where SEALPOST_LONG asks for it.
func long(short, long int) int {
	if os.Getenv("SEALPOST_LONG") != "" {
		return long
	}
	return short
}

// attempt is an upload that a kill may interrupt, and what the server has acknowledged of it.
type attempt struct {
	*upload
	mu       sync.Mutex
	stored   []int64 // parts
	at       time.Time
	complete bool // the answer to complete was 200
	asked    bool // complete was sent
}

// run uploads until something fails, in a random order of parts. It closes completed when complete was answered.
func (a *attempt) run(t *testing.T, d *daemon, order []int, completed func()) {
	if err := d.create(a.upload, 0); err != nil {
		return
	}
	var wg sync.WaitGroup
	var failed atomic.Bool
	for lane := range 2 {
		wg.Go(func() {
			for i := lane; i < len(order); i += 2 {
				n := int64(order[i])
				res, err := d.put(a.upload, n, a.part(n))
				if err != nil {
					failed.Store(true)
					return
				}
				if res.status != http.StatusNoContent {
					t.Errorf("part %d: %v", n, res)
				}
				a.mu.Lock()
				a.stored, a.at = append(a.stored, n), time.Now()
				a.mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed.Load() {
		return
	}
	a.asked = true
	res, err := d.complete(a.upload)
	if err != nil {
		return
	}
	if res.status != http.StatusOK {
		t.Errorf("complete: %v", res)
		return
	}
	a.complete = true
	completed()
}

const abandonAfter = 6 * time.Second

// TestKill kills the server in mid-upload, or at the moment when complete has answered, and starts it again, many times over.
// What was acknowledged is there each time, byte for byte; in the end nothing else is.
func TestKill(t *testing.T) {
	rnd := seeded(t)
	data := filepath.Join(t.TempDir(), "data")
	flags := []string{"-abandon-after", abandonAfter.String()}
	d := start(t, data, flags...)
	var whole, broken []*attempt
	for cycle := range long(5, 200) {
		attempts := make([]*attempt, 4)
		orders := make([][]int, len(attempts))
		for i := range attempts {
			attempts[i] = &attempt{upload: newUpload(1 + rnd.IntN(10*smallPart) + len(api.AgeMagic))}
			orders[i] = rnd.Perm(int(attempts[i].parts()) + 1)
		}
		first := make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		for i, a := range attempts {
			wg.Go(func() { a.run(t, d, orders[i], func() { once.Do(func() { close(first) }) }) })
		}
		if rnd.IntN(2) == 0 {
			select {
			case <-first:
			case <-time.After(20 * time.Second):
				t.Error("nothing was completed")
			}
		} else {
			time.Sleep(time.Duration(rnd.IntN(150)) * time.Millisecond)
		}
		d.kill()
		wg.Wait()
		d = start(t, data, flags...)
		for _, a := range attempts {
			d.wantAcknowledged(t, a)
			if a.complete {
				whole = append(whole, a)
			} else {
				broken = append(broken, a)
			}
		}
		for _, i := range rnd.Perm(len(whole))[:min(len(whole), 5)] { // what earlier kills have spared
			d.wantWhole(t, whole[i].upload, newToken())
		}
		if t.Failed() {
			t.Fatalf("in cycle %d", cycle)
		}
	}
	t.Logf("%d uploads completed, %d broken off", len(whole), len(broken))
	d.wantPurged(t, data, whole, broken)
}

// wantAcknowledged checks what is there of an upload after a kill.
func (d *daemon) wantAcknowledged(t *testing.T, a *attempt) {
	t.Helper()
	switch {
	case a.complete:
		d.wantWhole(t, a.upload, newToken())
		return
	case a.id == "":
		return // not even an id was acknowledged
	case a.asked: // the answer was lost: either is right, but if it is there, it is all there
		if d.ready(a.upload) {
			a.complete = true
			d.wantWhole(t, a.upload, newToken())
			return
		}
	}
	if len(a.stored) == 0 {
		return
	}
	lost := d.lost(a)
	if time.Since(a.at) > abandonAfter-time.Second {
		return // a slow machine: it may have been abandoned meanwhile
	}
	for _, what := range lost {
		t.Error(what)
	}
}

// lost returns what is not as it should be of the parts that were acknowledged.
func (d *daemon) lost(a *attempt) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	res, err := d.call("GET", a.path("/parts"), a.owner.text, nil, "")
	var list api.Parts
	if err == nil {
		err = json.Unmarshal(res.body, &list)
	}
	if err != nil || res.status != http.StatusOK {
		say("parts: %v %v", res, err)
		return all
	}
	for _, n := range a.stored {
		found := n == 0 && list.Manifest
		for _, r := range list.Ranges {
			found = found || r[0] <= n && n <= r[1]
		}
		if !found {
			say("part %d, which was acknowledged, is not there", n)
		}
	}
	// They are the right bytes: the digests in their names are checked at the end, and here that they can be read.
	ticket := newToken()
	if res, err := d.take(a.upload, ticket); err != nil || res.status != http.StatusOK {
		say("download of an open share: %v %v", res, err)
	}
	for _, n := range a.stored {
		if n == 0 {
			continue
		}
		res, err := d.call("GET", a.path(fmt.Sprintf("/parts/%d", n)), ticket.text, nil, "")
		if err != nil || !bytes.Equal(res.body, a.part(n)) {
			say("part %d has other bytes, %d %v", n, res.status, err)
		}
	}
	return all
}

// wantPurged waits until what was broken off is gone, and checks that everything else is not.
func (d *daemon) wantPurged(t *testing.T, data string, whole, broken []*attempt) {
	t.Helper()
	keep := make([]*upload, len(whole))
	want := 0
	for i, a := range whole {
		keep[i] = a.upload
		want += int(a.parts()) + 1
	}
	deadline := time.Now().Add(abandonAfter + 10*time.Second)
	for len(objects(t, data)) > want && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
	}
	for _, a := range broken {
		if a.id != "" {
			d.wantGone(t, a.upload, deadline)
		}
	}
	wantObjects(t, data, keep...)
	for _, a := range whole {
		d.wantWhole(t, a.upload, newToken())
	}
}

// wantGone waits until the share is not known any more: one without parts has no object that tells.
func (d *daemon) wantGone(t *testing.T, u *upload, deadline time.Time) {
	t.Helper()
	for {
		res, err := d.call("GET", u.path(""), u.owner.text, nil, "")
		if err == nil && res.status == http.StatusNotFound {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("an upload that was broken off is still there: %v %v", res, err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// askAndHangUp sends the request for a download and does not wait for the answer.
func (d *daemon) askAndHangUp(t *testing.T, u *upload, ticket token, after time.Duration) {
	t.Helper()
	body, err := json.Marshal(api.TakeDownload{Ticket: ticket.hash})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		u.path("/downloads"), d.addr, u.readerText(), len(body), body)
	time.Sleep(after)
	conn.(*net.TCPConn).SetLinger(0) // a reset, not a polite end
}

// TestLostAnswer: whoever did not hear the answer, because the server died, asks again with the same ticket, and that costs
// nothing.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	rnd := seeded(t)
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	for range long(3, 50) {
		u, ticket := newUpload(1000), newToken()
		d.send(t, u, 1)
		d.askAndHangUp(t, u, ticket, time.Duration(rnd.IntN(5))*time.Millisecond)
		d.kill()
		d = start(t, data)
		if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
			t.Errorf("the same ticket again: %v %v", a, err)
		}
		if a, err := d.take(u, newToken()); err != nil || a.code() != api.CodeNoDownloadsLeft {
			t.Errorf("another ticket: %v %v", a, err)
		}
		if s := d.state(t, u); s.Taken == nil || *s.Taken != 1 {
			t.Errorf("taken: %v, want 1", s.Taken)
		}
		d.wantWhole(t, u, ticket)
	}
}
