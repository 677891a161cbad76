package main_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/internal/load"
	"github.com/sealpost/sealpost/server/store/fsck"
)

// place is where a server of a test keeps everything, whichever process it is.
type place struct {
	data  string
	flags []string
	left  func(t *testing.T) int // objects
	crash func(t *testing.T, d *daemon)
}

func kill(_ *testing.T, d *daemon) { d.kill() }

// places are a folder, and a database and a bucket.
var places = map[string]func(t *testing.T) *place{
	"disk and SQLite": func(t *testing.T) *place {
		data := filepath.Join(t.TempDir(), "data")
		return onDisk(data, kill)
	},
	"S3 and PostgreSQL": func(t *testing.T) *place {
		s3 := services.S3(t)
		bucket := s3.Bucket(t)
		p := &pair{bucket: s3.Folder(bucket)}
		return &place{data: filepath.Join(t.TempDir(), "none"), flags: append(inBucket(t, s3, bucket), onPostgres(t)...),
			left: func(t *testing.T) int { return len(p.objects(t)) }, crash: kill}
	},
}

func onDisk(data string, crash func(t *testing.T, d *daemon)) *place {
	return &place{data: data, left: func(t *testing.T) int { return len(objects(t, data)) }, crash: crash}
}

func (p *place) start(t *testing.T, flags ...string) *daemon {
	t.Helper()
	return start(t, p.data, append(append([]string{}, p.flags...), flags...)...)
}

// wantSound checks bytes against records, with no patience for what may be in flight. What an interrupted write has left, and a sweep
// takes later, is no damage after a crash.
func (p *place) wantSound(t *testing.T, crashed bool) {
	t.Helper()
	out, errs, ok := admin(t, append([]string{"fsck", "-json", "-young", "0s", "-data", p.data}, p.flags...)...)
	damaged := false
	for line := range strings.Lines(out) {
		var f fsck.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		damaged = damaged || f.Kind != "summary" && (!crashed || f.Kind != fsck.Stray)
	}
	if damaged || !ok && out == "" {
		t.Errorf("fsck: %s%s", out, errs)
	}
}

// wantEmpty waits until a sweep has taken everything.
func (p *place) wantEmpty(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); p.left(t) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d objects are left", p.left(t))
		}
	}
}

// counted is a share whose downloads are taken by clients that do not ask again, so that a kill may cost them the answer.
type counted struct {
	*upload
	mu      sync.Mutex
	told    []token // tickets that were acknowledged
	unheard []token // tickets whose answer never came
}

const countedDownloads = 100

// take takes downloads until there is no answer.
func (c *counted) take(t *testing.T, d *daemon) {
	for {
		ticket := newToken()
		a, err := d.take(c.upload, ticket)
		c.mu.Lock()
		switch {
		case err != nil || a.status >= 500: // a store that fails may have written
			c.unheard = append(c.unheard, ticket)
		case a.status == http.StatusOK:
			c.told = append(c.told, ticket)
		default:
			t.Errorf("take: %v", a)
		}
		enough := len(c.told)+len(c.unheard) > countedDownloads/2 // the rest is for what looks at it later
		c.mu.Unlock()
		if err != nil || a.status >= 500 || enough {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// wantCounted checks that what was acknowledged counts, and of the rest at most what was asked for; that to ask again with the same
// ticket costs nothing; and that what was unheard is counted once if it is repeated now.
func (c *counted) wantCounted(t *testing.T, d *daemon, rnd *rand.Rand) {
	t.Helper()
	told, unheard := int64(len(c.told)), int64(len(c.unheard))
	s := d.state(t, c.upload)
	if s.Taken == nil || *s.Taken < told || *s.Taken > told+unheard {
		counted := int64(-1)
		if s.Taken != nil {
			counted = *s.Taken
		}
		t.Errorf("%d downloads acknowledged, %d unheard of, counted %d", told, unheard, counted)
		return
	}
	again := c.unheard
	if told > 0 {
		again = append([]token{c.told[rnd.IntN(int(told))]}, again...)
	}
	for _, ticket := range again {
		d.wantWhole(t, c.upload, ticket)
	}
	if s = d.state(t, c.upload); s.Taken == nil || *s.Taken != told+unheard {
		t.Errorf("%d downloads, counted %+v", told+unheard, s)
	}
}

// TestKillUnderLoad kills the server at any moment.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	for name, open := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crashUnderLoad(t, open(t), long(2, 200))
		})
	}
}

// crashUnderLoad crashes the server while hammer sends and fetches, and starts it anew behind the same address, so many times. hammer
// repeats what has failed, and in the end of each cycle every share it made was whole, was counted exactly, and is gone. Right after the
// crash, with nothing running, bytes and records agree. What others had completed is there, and what they were told was counted was.
func crashUnderLoad(t *testing.T, p *place, cycles int) {
	rnd := seeded(t)
	b := newBalancer(t)
	var kept []*upload
	var shares, taken, retries, unheard int64
	d := p.start(t)
	s := b.add(t, d)
	for cycle := range cycles {
		c := &counted{upload: newUpload(1 + rnd.IntN(2*smallPart) + smallPart)}
		d.send(t, c.upload, countedDownloads)
		over := make(chan struct{})
		l := startLoad(t, b.url, rnd, load.Config{Senders: 3, Receivers: 4, Downloads: 2, Retry: time.Minute, Duration: time.Minute, Over: over})
		var takers sync.WaitGroup
		for range 3 {
			takers.Go(func() { c.take(t, d) })
		}
		time.Sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
		p.crash(t, d)
		takers.Wait()
		p.wantSound(t, true)
		b.remove(s)
		d = p.start(t)
		c.wantCounted(t, d, rnd)
		for _, i := range rnd.Perm(len(kept))[:min(len(kept), 3)] { // what earlier crashes have spared
			d.wantWhole(t, kept[i], newToken())
		}
		s = b.add(t, d)
		close(over)
		r := l.wantExact(t, 2)
		kept = append(kept, c.upload)
		shares, taken, retries, unheard = shares+r.Shares, taken+r.Taken, retries+r.Retries, unheard+int64(len(c.unheard))
		if t.Failed() {
			t.Fatalf("in cycle %d", cycle)
		}
	}
	t.Logf("%d crashes: %d shares, %d downloads, %d requests repeated, %d downloads unheard of", cycles, shares, taken, retries, unheard)
	d.stop(t)
	p.wantSound(t, false)
	d = p.start(t)
	for _, u := range kept {
		if a, err := d.json("PATCH", u.path(""), u.owner.text, map[string]any{"lifetime": 1}); err != nil || a.status != http.StatusOK {
			t.Errorf("update: %v %v", a, err)
		}
	}
	p.wantEmpty(t)
	d.stop(t)
	p.wantSound(t, false)
}
