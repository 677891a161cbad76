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
		if s := d.state(t, a.upload); s.State == api.StateReady {
			a.complete = true
			d.wantWhole(t, a.upload, newToken())
			return
		}
	}
	if len(a.stored) == 0 {
		return
	}
	res, err := d.call("GET", a.path("/parts"), a.owner.text, nil, "")
	if time.Since(a.at) > abandonAfter-time.Second {
		return // a slow machine: it may have been abandoned by now
	}
	var list api.Parts
	if err == nil {
		err = json.Unmarshal(res.body, &list)
	}
	if err != nil || res.status != http.StatusOK {
		t.Errorf("parts: %v %v", res, err)
		return
	}
	for _, n := range a.stored {
		found := n == 0 && list.Manifest
		for _, r := range list.Ranges {
			found = found || r[0] <= n && n <= r[1]
		}
		if !found {
			t.Errorf("part %d, which was acknowledged, is not there", n)
		}
	}
	// They are the right bytes: the digests in their names are checked at the end, and here that they can be read.
	ticket := newToken()
	if res, err := d.take(a.upload, ticket); err != nil || res.status != http.StatusOK {
		t.Errorf("download of an open share: %v %v", res, err)
	}
	for _, n := range a.stored {
		if n == 0 {
			continue
		}
		res, err := d.call("GET", a.path(fmt.Sprintf("/parts/%d", n)), ticket.text, nil, "")
		if err != nil || !bytes.Equal(res.body, a.part(n)) {
			t.Errorf("part %d has other bytes, %d %v", n, res.status, err)
		}
	}
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
	for deadline := time.Now().Add(abandonAfter + 10*time.Second); len(objects(t, data)) > want && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	for _, a := range broken {
		if a.id == "" {
			continue
		}
		if res, err := d.call("GET", a.path(""), a.owner.text, nil, ""); err != nil || res.status != http.StatusNotFound {
			t.Errorf("an upload that was broken off is still there: %v %v", res, err)
		}
	}
	wantObjects(t, data, keep...)
	for _, a := range whole {
		d.wantWhole(t, a.upload, newToken())
	}
}

// TestRacingPuts of one part with different bytes: one wins, entirely, and the others are told so and leave nothing.
func TestRacingPuts(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	for range long(3, 50) {
		candidates := []*upload{newUpload(3*smallPart + 100)}
		if err := d.create(candidates[0], 0); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c := *candidates[0]
			c.manifest, c.content = sealed(500), sealed(3*smallPart+100)
			candidates = append(candidates, &c)
		}
		winner := *candidates[0]
		winner.content = bytes.Clone(winner.content)
		for n := range winner.parts() + 1 {
			var mu sync.Mutex
			won := map[int]int{} // candidate → how many were told that theirs is stored
			var wg sync.WaitGroup
			for i := range 3 * len(candidates) { // each candidate is sent three times
				wg.Go(func() {
					who := i % len(candidates)
					a, err := d.put(candidates[who], n, candidates[who].part(n))
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err != nil:
						t.Errorf("part %d: %v", n, err)
					case a.status == http.StatusNoContent:
						won[who]++
					case a.code() != api.CodePartConflict:
						t.Errorf("part %d: %v", n, a)
					}
				})
			}
			wg.Wait()
			if len(won) != 1 {
				t.Fatalf("part %d has %d winners: %v", n, len(won), won)
			}
			for who, times := range won {
				if times != 3 {
					t.Errorf("part %d: the winner was told so %d times of 3", n, times)
				}
				if n == 0 {
					winner.manifest = candidates[who].manifest
				} else {
					copy(winner.part(n), candidates[who].part(n))
				}
			}
		}
		if a, err := d.complete(&winner); err != nil || a.status != http.StatusOK {
			t.Fatalf("complete: %v %v", a, err)
		}
		d.wantWhole(t, &winner, newToken())
		wantObjects(t, data, &winner)
		if a, err := d.call("DELETE", winner.path(""), winner.owner.text, nil, ""); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("delete: %v %v", a, err)
		}
		wantObjects(t, data)
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

// TestLostAnswer: whoever did not hear the answer asks again with the same ticket, and that costs nothing.
func TestLostAnswer(t *testing.T) {
	rnd := seeded(t)
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	check := func(u *upload, ticket token) {
		t.Helper()
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
	for range long(10, 200) {
		u, ticket := newUpload(1000), newToken()
		d.send(t, u, 1)
		for range 3 {
			d.askAndHangUp(t, u, ticket, time.Duration(rnd.IntN(5))*time.Millisecond)
		}
		check(u, ticket)
	}
	for range long(3, 50) { // the server dies instead
		u, ticket := newUpload(1000), newToken()
		d.send(t, u, 1)
		d.askAndHangUp(t, u, ticket, time.Duration(rnd.IntN(5))*time.Millisecond)
		d.kill()
		d = start(t, data)
		check(u, ticket)
	}
}

// TestExactTickets: as many tickets get a download as may, however many ask at once.
func TestExactTickets(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"))
	u := newUpload(1000)
	d.send(t, u, 5)
	var leased, spent atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			ticket := newToken()
			for range 2 { // and asking twice makes no difference
				a, err := d.take(u, ticket)
				switch {
				case err != nil:
					t.Error(err)
				case a.status == http.StatusOK:
					leased.Add(1)
				case a.code() == api.CodeNoDownloadsLeft:
					spent.Add(1)
				default:
					t.Error(a)
				}
			}
		})
	}
	wg.Wait()
	if leased.Load() != 10 || spent.Load() != 118 {
		t.Errorf("%d answers with a download and %d without, want 10 and 118", leased.Load(), spent.Load())
	}
	if s := d.state(t, u); s.Taken == nil || *s.Taken != 5 || s.Left == nil || *s.Left != 0 {
		t.Errorf("taken %v, left %v", s.Taken, s.Left)
	}
}

// TestGoneAfterLastDownload: bytes and record go when the last permitted download is finished.
func TestGoneAfterLastDownload(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := start(t, data)
	u, ticket := newUpload(3*smallPart), newToken()
	d.send(t, u, 1)
	d.wantWhole(t, u, ticket)
	for i, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		if a, err := d.call("DELETE", u.path("/downloads/current"), ticket.text, nil, ""); err != nil || a.status != want {
			t.Errorf("finish %d: %v %v", i, a, err)
		}
	}
	wantObjects(t, data)
	if a, err := d.call("GET", u.path(""), u.owner.text, nil, ""); err != nil || a.status != http.StatusNotFound {
		t.Errorf("state: %v %v", a, err)
	}
}
