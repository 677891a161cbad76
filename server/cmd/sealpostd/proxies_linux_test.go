package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store/storetest"
)

func TestNginx(t *testing.T) {
	s := newSite(t)
	cache := t.TempDir() + "/cache"
	n := startNginx(t, s.addresses(), s.signIn, cache, "inactive=10m", "inactive=5s", "min_free=2g", "min_free=1m")
	checkShare(t, visit(t, n.url, signedIn...), visit(t, n.url))
	checkSignIn(t, s, n.url)
	checkHTTP2(t, n)
	checkRedirects(t, n)
	checkUnbuffered(t, s, visit(t, n.url, signedIn...))
	checkCache(t, s, n, cache)
	checkFailover(t, s, n.url, 0)
	checkNobodyThere(t, s, n)
}

// TestNginxFullCache: the cache makes room on its disk before that is full. When others have filled it, nginx does not write down whom and what
// that befalls, and all is well when there is room again.
func TestNginxFullCache(t *testing.T) {
	s := newSite(t)
	disk := storetest.SmallDisk(t, 16<<20) // less than what is to stay free
	cache := disk + "/cache"
	n := startNginx(t, s.addresses(), s.signIn, cache)
	u := newUpload(10 * smallPart)
	visit(t, n.url, signedIn...).send(t, u, 5)
	ticket, recipient := newToken(), visit(t, n.url)
	if a, err := recipient.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatalf("take: %v, %v", a, err)
	}
	whole := func() (n int) {
		for i := range u.parts() {
			if a, err := recipient.call("GET", u.path(fmt.Sprintf("/parts/%d", i+1)), ticket.text, nil, ""); err == nil && bytes.Equal(a.body, u.part(i+1)) {
				n++
			}
		}
		return n
	}
	if got := whole(); got != 10 || cachedFiles(t, cache) == 0 {
		t.Errorf("%d of 10 parts, %d files in the cache", got, cachedFiles(t, cache))
	}
	waitFor(t, 30*time.Second, "room on the disk of the cache", func() bool { return cachedFiles(t, cache) == 0 })
	ballast := storetest.Fill(t, disk)
	t.Logf("%d of 10 parts come over a full disk", whole())
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if got := whole(); got != 10 {
		t.Errorf("%d of 10 parts, with room again", got)
	}
	wantNoSecrets(t, n.logs...)
}

func TestCaddy(t *testing.T) {
	s := newSite(t)
	open := startCaddy(t, s.addresses(), s.signIn, "Caddyfile")
	c := startCaddy(t, s.addresses(), s.signIn, "Caddyfile.sign-in")
	wantRefused(t, open.url, forged...) // nobody signs in there, whatever they say of themselves
	checkShare(t, visit(t, c.url, signedIn...), visit(t, open.url))
	checkSignIn(t, s, c.url)
	checkHTTP2(t, c)
	checkRedirects(t, open)
	checkRedirects(t, c)
	checkUnbuffered(t, s, visit(t, c.url, signedIn...))
	checkFailover(t, s, c.url, 4*time.Second) // by then it has asked for /readyz
	checkNobodyThere(t, s, c, open)
}

func checkShare(t *testing.T, sender, recipient *daemon) {
	t.Helper()
	u := newUpload(3*smallPart + 1)
	sender.send(t, u, 5)
	recipient.wantWhole(t, u, newToken())
}

func wantRefused(t *testing.T, url string, headers ...string) {
	t.Helper()
	a, err := visit(t, url, headers...).tryCreate(newUpload(1000), 1)
	if err != nil || a.code() != api.CodeSignIn {
		t.Errorf("who is not signed in makes a share: %v, %v", a, err)
	}
}

// checkSignIn: who sends has to be signed in, and who receives is not even asked.
func checkSignIn(t *testing.T, s *site, url string) {
	t.Helper()
	get := func(d *daemon, path string) answer {
		t.Helper()
		a, err := d.call("GET", path, "", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	signed, stranger := visit(t, url, signedIn...), visit(t, url)
	for _, path := range []string{"/", "/mine"} {
		for _, d := range []*daemon{stranger, visit(t, url, forged...)} {
			if a := get(d, path); a.status != http.StatusFound || a.header.Get("Location") != "/oauth2/start?rd="+path {
				t.Errorf("%s is given to strangers: %d, to %q", path, a.status, a.header.Get("Location"))
			}
		}
		if a := get(signed, path); a.status != http.StatusOK || !bytes.Contains(a.body, []byte("data-page")) {
			t.Errorf("%s is not given to who is signed in: %d", path, a.status)
		}
	}
	if a := get(stranger, "/oauth2/start"); string(a.body) != "sign in here" {
		t.Errorf("there is no way to sign in: %v", a)
	}
	wantRefused(t, url)
	wantRefused(t, url, forged...)

	u := newUpload(1000)
	signed.send(t, u, 5)
	before := s.asked.Load()
	page := get(stranger, "/d/"+u.id)
	paths := append(regexp.MustCompile(`/b/[A-Za-z0-9_./-]+`).FindAllString(string(page.body), 3), "/d/"+u.id, "/how", "/api/v1/config", "/readyz")
	if len(paths) < 5 {
		t.Errorf("the page is %v", page)
	}
	for _, path := range paths {
		if a := get(stranger, path); a.status != http.StatusOK || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%.3s… answers strangers with %d", path, a.status)
		}
	}
	stranger.wantWhole(t, u, newToken())
	if a := get(stranger, u.path("")); a.code() != api.CodeNotFound {
		t.Errorf("without a token: %v", a)
	}
	if n := s.asked.Load(); n != before {
		t.Errorf("recipients were asked %d times who they are", n-before)
	}
}

func checkHTTP2(t *testing.T, p *proxy) {
	t.Helper()
	sender, recipient := visit(t, p.https, signedIn...), visit(t, p.https)
	res, err := recipient.client.Get(p.https + "/how")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
		t.Errorf("over TLS it answers %s %s", res.Proto, res.Status)
	}
	checkShare(t, sender, recipient)
}

// checkRedirects: plain HTTP leads on to HTTPS from pages, and from nothing else: the key of a link would go along, or a token.
func checkRedirects(t *testing.T, p *proxy) {
	t.Helper()
	for _, c := range []struct{ method, path, to string }{
		{"GET", "/", "https://post.example/"},
		{"GET", "/how?x=y", "https://post.example/how"},
		{"HEAD", "/mine", "https://post.example/mine"},
		{"GET", "/d/9fK2mQ7xLr0aVb3T", ""},
		{"GET", "/%64/9fK2mQ7xLr0aVb3T", ""},
		{"GET", "//d/9fK2mQ7xLr0aVb3T", ""},
		{"GET", "/d", ""},
		{"GET", "/api/v1/config", ""},
		{"POST", "/api/v1/shares", ""},
		{"GET", "/api/v1/shares/9fK2mQ7xLr0aVb3T/parts/1", ""},
		{"GET", "/b/x/js/api.js", ""},
	} {
		a, err := visit(t, p.redirect).call(c.method, c.path, newToken().text, nil, "")
		want := http.StatusMovedPermanently
		if c.to == "" {
			want = http.StatusForbidden
		}
		if err != nil || a.status != want || a.header.Get("Location") != c.to || c.to == "" && !bytes.Contains(a.body, []byte("https://")) {
			t.Errorf("plain HTTP, %s %s: %v, to %q, %v", c.method, c.path, a, a.header.Get("Location"), err)
		}
	}
}

// waitFor waits until something has happened.
func waitFor(t *testing.T, patience time.Duration, what string, happened func() bool) {
	t.Helper()
	for began := time.Now(); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("in vain waited for: " + what)
		}
	}
}

// checkUnbuffered: of a part of 64 MiB the server has bytes while the client still has others, and the other way round.
func checkUnbuffered(t *testing.T, s *site, d *daemon) {
	t.Helper()
	u := newUpload(api.MaxPartSize)
	a, err := d.json("POST", "/api/v1/shares", "", api.CreateShare{Access: u.access.hash, Reader: u.reader.hash, Owner: u.owner.hash,
		Size: api.MaxParts * api.MaxPartSize, Lifetime: lifetime}) // so large a share has the largest parts
	var made api.Share
	if err != nil || json.Unmarshal(a.body, &made) != nil || made.PartSize != api.MaxPartSize {
		t.Fatalf("create: %v, %v", a, err)
	}
	u.id = made.ID
	secret(u.id)
	if a, err := d.put(u, 0, u.manifest); err != nil || a.status != http.StatusNoContent {
		t.Fatalf("manifest: %v, %v", a, err)
	}

	const first = 4 << 20
	body, sender := io.Pipe()
	req, err := http.NewRequest("PUT", d.url+u.path("/parts/1"), body)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(u.content)
	req.ContentLength = int64(len(u.content))
	req.Header.Set("Authorization", "Bearer "+u.owner.text)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	before, put := s.up(), make(chan error, 1)
	go func() {
		res, err := d.client.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusNoContent {
				err = errors.New(res.Status)
			}
		}
		body.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		put <- err
	}()
	sender.Write(u.content[:first])
	waitFor(t, 10*time.Second, "the first bytes of a part at the server", func() bool { return s.up()-before > first/2 })
	sender.Write(u.content[first:])
	if err := <-put; err != nil {
		t.Fatal(err)
	}

	if a, err := d.json("POST", u.path("/complete"), u.owner.text, api.CompleteShare{Size: api.MaxPartSize, Parts: 1}); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v, %v", a, err)
	}
	ticket := newToken()
	if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Fatalf("take: %v, %v", a, err)
	}
	req, err = http.NewRequest("GET", d.url+u.path("/content"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+ticket.text)
	before = s.down()
	res, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := make([]byte, first, len(u.content))
	if _, err := io.ReadFull(res.Body, got); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)                   // in which a proxy that buffers has all of it
	if n := s.down() - before; n > api.MaxPartSize*3/4 { // kernels take much between two
		t.Errorf("the proxy has taken %d bytes for a client who took %d", n, first)
	}
	rest, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(append(got, rest...), u.content) {
		t.Errorf("%d bytes came, or other ones, %v", len(got)+len(rest), err)
	}
}

// checkCache: parts come from the cache, for good tickets only.
func checkCache(t *testing.T, s *site, n *proxy, cache string) {
	t.Helper()
	u, other := newUpload(2*smallPart), newUpload(smallPart)
	sender, stranger := visit(t, n.url, signedIn...), visit(t, n.url)
	sender.send(t, u, 5)
	sender.send(t, other, 5)
	var tickets []token
	for range 3 {
		ticket := newToken()
		tickets = append(tickets, ticket)
		if a, err := stranger.take(u, ticket); err != nil || a.status != http.StatusOK {
			t.Fatalf("take: %v, %v", a, err)
		}
	}
	foreign := newToken()
	if a, err := stranger.take(other, foreign); err != nil || a.status != http.StatusOK {
		t.Fatalf("take: %v, %v", a, err)
	}
	get := func(ticket token, header ...string) (answer, int64) {
		t.Helper()
		before := s.down()
		a, err := visit(t, n.url, header...).call("GET", u.path("/parts/1"), ticket.text, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return a, s.down() - before
	}
	wantHit := func(ticket token) {
		t.Helper()
		a, asked := get(ticket)
		if a.header.Get("X-Cache") != "HIT" || asked > smallPart/4 || !bytes.Equal(a.body, u.part(1)) || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("a part that is cached: %d, %d bytes, %d from servers, %q", a.status, len(a.body), asked, a.header)
		}
	}
	wantNothing := func(what string, ticket token) {
		t.Helper()
		if a, _ := get(ticket); a.status != http.StatusNotFound || a.code() != api.CodeNotFound || a.header.Get("X-Cache") != "" {
			t.Errorf("%s: %v %q", what, a.status, a.header)
		}
	}
	if a, asked := get(tickets[0]); a.header.Get("X-Cache") != "MISS" || asked < smallPart || !bytes.Equal(a.body, u.part(1)) {
		t.Errorf("a part that is not cached: %d, %d bytes, %d from servers, %q", a.status, len(a.body), asked, a.header)
	}
	wantHit(tickets[0])
	wantHit(tickets[1])
	if a, _ := get(tickets[1], "Range", "bytes=100-199"); a.status != http.StatusPartialContent || !bytes.Equal(a.body, u.part(1)[100:200]) {
		t.Errorf("a range: %d, %d bytes", a.status, len(a.body))
	}
	if a, err := stranger.call("HEAD", u.path("/parts/1"), tickets[1].text, nil, ""); err != nil || a.status != http.StatusOK || a.header.Get("X-Cache") != "" {
		t.Errorf("HEAD: %v, %v", a, err)
	}
	wantNothing("a ticket that nobody took", newToken())
	wantNothing("the ticket of another share", foreign)
	wantNothing("the owner's token", u.owner)
	wantNothing("no ticket", token{})
	if a, err := stranger.call("DELETE", u.path("/downloads/current"), tickets[1].text, nil, ""); err != nil || a.status != http.StatusNoContent {
		t.Errorf("finish: %v, %v", a, err)
	}
	wantNothing("a ticket that ended", tickets[1])
	wantHit(tickets[2])

	if a, err := sender.call("DELETE", u.path(""), u.owner.text, nil, ""); err != nil || a.status != http.StatusNoContent {
		t.Errorf("revoke: %v, %v", a, err)
	}
	wantNothing("a share that is gone", tickets[2])
	waitFor(t, 40*time.Second, "an empty cache", func() bool { return cachedFiles(t, cache) == 0 })
}

// cachedFiles counts what is in a cache.
func cachedFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err == nil && !d.IsDir():
			n++
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

// checkFailover: with one server gone, and after the time that the proxy may take to notice, the other one does all.
func checkFailover(t *testing.T, s *site, url string, patience time.Duration) {
	t.Helper()
	s.taps[0].Close()
	s.servers[0].kill()
	time.Sleep(patience)
	for range 3 {
		checkShare(t, visit(t, url, signedIn...), visit(t, url))
	}
}

// checkNobodyThere: without any server everything fails, and the proxies' logs do not tell of whom.
func checkNobodyThere(t *testing.T, s *site, proxies ...*proxy) {
	t.Helper()
	u := newUpload(smallPart)
	visit(t, proxies[0].url, signedIn...).send(t, u, 5)
	for _, tap := range s.taps {
		tap.Close()
	}
	for _, d := range s.servers {
		d.kill()
	}
	for _, p := range proxies {
		if a, err := visit(t, p.url).call("GET", u.path("/parts/1"), newToken().text, nil, ""); err != nil || a.status < 500 {
			t.Errorf("without a server: %v, %v", a, err)
		}
		wantNoSecrets(t, p.logs...)
	}
}
