package main_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
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

// onPostgres are the flags of a server whose records are in an empty schema.
func onPostgres(t *testing.T) []string { return []string{"-db", services.Postgres(t).Schema(t)} }

// onS3 are the flags of a server whose parts are in an empty bucket.
func onS3(t *testing.T) []string {
	server := services.S3(t)
	return inBucket(t, server, server.Bucket(t))
}

func inBucket(t *testing.T, server *services.S3Server, bucket string) []string {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(services.S3Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-s3-endpoint", server.Endpoint(), "-s3-bucket", bucket, "-s3-prefix", "parts/",
		"-s3-access-key", services.S3Access, "-s3-secret-key-file", secret}
}

// pair are two servers on the same stores, and these.
type pair struct {
	servers [2]*daemon
	db      *services.PostgreSQL
	address string
	bucket  string // folder of it
}

func startPair(t *testing.T, flags ...string) *pair {
	t.Helper()
	p := &pair{db: services.Postgres(t)}
	server := services.S3(t)
	bucket := server.Bucket(t)
	p.address, p.bucket = p.db.Schema(t), server.Folder(bucket)
	flags = append(append(inBucket(t, server, bucket), "-db", p.address), flags...)
	for i := range p.servers {
		none := filepath.Join(t.TempDir(), "data")
		p.servers[i] = start(t, none, flags...)
		t.Cleanup(func() {
			if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a server that keeps everything elsewhere has made a data folder, %v", err)
			}
		})
	}
	return p
}

// objects are the names of what is in the bucket, but for the mark.
func (p *pair) objects(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(p.bucket, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted this moment
		case err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".sgwtmp"):
			return fs.SkipDir
		case err == nil && !d.IsDir() && d.Name() != ".mark":
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// wantEmpty waits until neither store has anything left.
func (p *pair) wantEmpty(t *testing.T) {
	t.Helper()
	_, schema, _ := strings.Cut(p.address, "search_path=")
	count := fmt.Sprintf("SELECT (SELECT COUNT(*) FROM %[1]s.shares) + (SELECT COUNT(*) FROM %[1]s.parts) + (SELECT COUNT(*) FROM %[1]s.tickets)", schema)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		left, rows := p.objects(t), p.db.SQL(t, count)
		if len(left) == 0 && rows == "0\n" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d objects and %s records are left", len(left), strings.TrimSpace(rows))
		}
	}
}

// both runs f for each server at once, so many times.
func (p *pair) both(times int, f func(d *daemon, i int)) {
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range times * len(p.servers) {
		wg.Go(func() {
			<-begin
			f(p.servers[i%len(p.servers)], i)
		})
	}
	close(begin)
	wg.Wait()
}

// TestTwoServers: two servers on one PostgreSQL and one bucket are one post office. Whatever they race for, one share, one part, one
// completion, so many downloads and one end come of it, and both say the same.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	for range long(3, 30) {
		u := newUpload(3*smallPart + 1)
		var mu sync.Mutex
		ids := map[string]bool{}
		p.both(2, func(d *daemon, _ int) { // the same request, which was repeated
			copied := *u
			if err := d.create(&copied, 5); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[copied.id] = true
		})
		if len(ids) != 1 {
			t.Fatalf("%d shares of one sender", len(ids))
		}
		for u.id = range ids {
		}
		p.both(int(u.parts()+1), func(d *daemon, i int) { // each part by both, at once
			n := int64(i/2) % (u.parts() + 1)
			if a, err := d.put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
				t.Errorf("part %d: %v %v", n, a, err)
			}
		})
		answers := map[string]bool{}
		p.both(3, func(d *daemon, _ int) {
			a, err := d.complete(u)
			if err != nil || a.status != http.StatusOK {
				t.Errorf("complete: %v %v", a, err)
			}
			s := d.state(t, u)
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprint(s.State, s.Size, s.Parts, s.Expires)] = true
		})
		if len(answers) != 1 {
			t.Errorf("the share is %v", answers)
		}
		if n := len(p.objects(t)); int64(n) != u.parts()+1 {
			t.Errorf("%d objects", n)
		}

		var leased []token
		p.both(12, func(d *daemon, i int) {
			ticket := newToken()
			first, err1 := d.take(u, ticket)
			again, err2 := p.servers[(i+1)%2].take(u, ticket)
			switch {
			case err1 != nil || err2 != nil || first.status != again.status:
				t.Errorf("first %v %v, by the other one %v %v", first, err1, again, err2)
			case first.status == http.StatusOK:
				mu.Lock()
				defer mu.Unlock()
				leased = append(leased, ticket)
			case first.code() != api.CodeNoDownloadsLeft:
				t.Error(first)
			}
		})
		if len(leased) != 5 {
			t.Errorf("%d downloads of 5", len(leased))
		}
		for _, d := range p.servers {
			if s := d.state(t, u); s.Taken == nil || *s.Taken != 5 || *s.Left != 0 {
				t.Errorf("the owner is told %+v", s)
			}
		}
		for i, ticket := range leased {
			p.servers[i%2].wantWhole(t, u, ticket)
		}
		p.both(len(leased), func(d *daemon, i int) { // each is finished at both
			a, err := d.call("DELETE", u.path("/downloads/current"), leased[i/2].text, nil, "")
			if err != nil || a.status != http.StatusNoContent && a.status != http.StatusNotFound {
				t.Errorf("finish: %v %v", a, err)
			}
		})
		for _, d := range p.servers {
			if a, err := d.take(u, leased[0]); err != nil || a.code() != api.CodeNotFound {
				t.Errorf("a spent share: %v %v", a, err)
			}
		}
		p.wantEmpty(t)
	}
}

// TestTwoServersRevoke: a share that is revoked here while it is sent, completed and fetched there is gone from both.
func TestTwoServersRevoke(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	for range long(4, 60) {
		u, ticket := newUpload(4*smallPart), newToken()
		if err := p.servers[0].create(u, 5); err != nil {
			t.Fatal(err)
		}
		var revoked atomic.Int64
		p.both(8, func(d *daemon, i int) {
			var a answer
			var err error
			switch k := int64(i / 2); {
			case k <= u.parts():
				a, err = d.put(u, k, u.part(k))
			case k == 5:
				a, err = d.take(u, ticket)
			case k == 6:
				a, err = d.complete(u)
			default:
				if a, err = d.call("DELETE", u.path(""), u.owner.text, nil, ""); a.status == http.StatusNoContent {
					revoked.Add(1)
				}
			}
			known := []int{http.StatusOK, http.StatusNoContent, http.StatusNotFound, http.StatusServiceUnavailable} // ask again, says the store
			if err != nil || !slices.Contains(known, a.status) && a.code() != api.CodeIncomplete && a.code() != api.CodeAlreadyComplete {
				t.Errorf("of a share that is revoked: %v %v", a, err)
			}
		})
		if revoked.Load() != 1 {
			t.Errorf("revoked %d times", revoked.Load())
		}
		for _, d := range p.servers {
			d.wantGone(t, u, time.Now())
		}
	}
	// What was put when its share was gone already has no record, and waits for a sweep of orphans if its server could not delete it.
	p.wantEmpty(t)
}

// TestTwoServersSweep: both sweep what expires, and neither stumbles over the other.
func TestTwoServersSweep(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	kept := newUpload(2 * smallPart)
	p.servers[0].send(t, kept, 5)
	p.both(15, func(d *daemon, i int) {
		u := newUpload(1000)
		if err := d.create(u, 5); err != nil {
			t.Error(err)
			return
		}
		for n := range u.parts() + 1 {
			if a, err := d.put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
				t.Errorf("part %d: %v %v", n, a, err)
			}
		}
		if a, err := d.complete(u); err != nil || a.status != http.StatusOK {
			t.Errorf("complete: %v %v", a, err)
		}
		if a, err := d.json("PATCH", u.path(""), u.owner.text, map[string]any{"lifetime": 2}); err != nil || a.status != http.StatusOK {
			t.Errorf("update: %v %v", a, err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); int64(len(p.objects(t))) > kept.parts()+1; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d objects are left", len(p.objects(t)))
		}
	}
	p.servers[1].wantWhole(t, kept, newToken())
	if a, err := p.servers[1].call("DELETE", kept.path(""), kept.owner.text, nil, ""); err != nil || a.status != http.StatusNoContent {
		t.Errorf("revoke: %v %v", a, err)
	}
	p.wantEmpty(t)
	for _, d := range p.servers {
		if strings.Contains(d.text(), "level=ERROR") {
			t.Errorf("a sweep stumbled:\n%s", d.text())
		}
	}
}

// TestHandOver: what one server began the other one goes on with when the first is killed.
func TestHandOver(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	u, ticket := newUpload(4*smallPart), newToken()
	if err := p.servers[0].create(u, 1); err != nil {
		t.Fatal(err)
	}
	if a, err := p.servers[0].take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatalf("take: %v %v", a, err)
	}
	for n := range u.parts() + 1 {
		if n == 3 {
			p.servers[0].kill()
		}
		if a, err := p.servers[n/3].put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d: %v %v", n, a, err)
		}
	}
	if a, err := p.servers[1].complete(u); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v %v", a, err)
	}
	p.servers[1].wantWhole(t, u, ticket)
}
