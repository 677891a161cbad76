package main_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// The proxies are Debian's, with the files of server/deploy in which only names and addresses are changed, in front of two servers
// on one PostgreSQL and one bucket.

const deploy = "../../deploy/"

// tap passes connections on to a server, and counts what comes by.
type tap struct {
	net.Listener
	up, down atomic.Int64 // bytes to the server, and from it
}

func newTap(t *testing.T, server string) *tap {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &tap{Listener: l}
	pass := func(to, from net.Conn, count *atomic.Int64) {
		defer to.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			count.Add(int64(n))
			if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			c, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			go pass(c, client, &p.up)
			go pass(client, c, &p.down)
		}
	}()
	return p
}

// site is what is behind a proxy: servers, and a service where alice has signed in.
type site struct {
	*pair
	taps   [2]*tap
	signIn string
	asked  atomic.Int64 // times that the service was
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{pair: startPair(t, "-upload-header", "X-Remote-User", "-trusted-proxies", "127.0.0.1")}
	for i, d := range s.servers {
		s.taps[i] = newTap(t, d.addr)
	}
	s.signIn = startSignIn(t, func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("session")
		switch {
		case r.URL.Path != "/oauth2/auth":
			io.WriteString(w, "sign in here")
			return
		case r.Header.Get("Authorization") != "":
			t.Error("the sign-in is told a token")
		case err == nil && cookie.Value == "alice":
			w.Header().Set("X-Auth-Request-User", "alice")
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
		s.asked.Add(1)
	})
	return s
}

// startSignIn starts what is asked who somebody is, and returns its address.
func startSignIn(t *testing.T, answer http.HandlerFunc) string {
	service := httptest.NewServer(answer)
	t.Cleanup(service.Close)
	return service.Listener.Addr().String()
}

// addresses are those that a proxy is told.
func (s *site) addresses() (at [2]string) {
	for i, tap := range s.taps {
		at[i] = tap.Addr().String()
	}
	return at
}

func (s *site) up() int64   { return s.taps[0].up.Load() + s.taps[1].up.Load() }
func (s *site) down() int64 { return s.taps[0].down.Load() + s.taps[1].down.Load() }

// visitor makes requests with some headers, and does not follow redirects.
type visitor struct {
	http.Transport
	header http.Header
}

func (v *visitor) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range v.header {
		r.Header[name] = values
	}
	return v.Transport.RoundTrip(r)
}

func visit(t *testing.T, url string, headers ...string) *daemon {
	v := &visitor{header: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		v.header.Set(headers[i], headers[i+1])
	}
	t.Cleanup(v.CloseIdleConnections)
	return &daemon{url: url, client: &http.Client{Transport: v, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn are the headers of who is; forged those of who would like to be.
var (
	signedIn = []string{"Cookie", "session=alice"}
	forged   = []string{"X-Remote-User", "alice", "X-Auth-Request-User", "alice", "Cookie", "session=mallory"}
)

// deployed returns a file of server/deploy in which each old text, all of which are there, has become the new one after it.
func deployed(t *testing.T, file string, changes ...string) string {
	t.Helper()
	data, err := os.ReadFile(deploy + file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%s has no %q", file, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	return text
}

// unused returns an address where nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runProxy starts a proxy, and waits until it listens on addr. Its output, which has to be free of secrets, is in the file that it returns.
func runProxy(t *testing.T, dir, addr string, cmd *exec.Cmd) (logFile string) {
	t.Helper()
	logFile = filepath.Join(dir, "output")
	log, err := os.Create(logFile)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
		}
	})
	for range 300 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return logFile
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(logFile)
			t.Fatalf("%s ended, %v:\n%s", cmd.Path, err, text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen", cmd.Path)
	return ""
}

func wantNoSecrets(t *testing.T, files ...string) {
	t.Helper()
	secrets.Lock()
	defer secrets.Unlock()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		for _, word := range secrets.words {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s tells %q", file, word)
			}
		}
	}
}

// nginx is one that runs.
type nginx struct {
	url, redirect, https string
	roots                *x509.CertPool
	cache                string // folder
	logs                 []string
}

// startNginx puts one in front of servers.
func startNginx(t *testing.T, servers [2]string, signIn string) *nginx {
	t.Helper()
	needCommand(t, "nginx")
	dir := t.TempDir()
	plain, redirect, secure := unused(t), unused(t), unused(t)
	n := &nginx{url: "http://" + plain, redirect: "http://" + redirect, https: "https://" + secure, roots: x509.NewCertPool(), cache: dir + "/cache"}
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=post.example",
		"-addext", "subjectAltName=DNS:post.example", "-keyout", dir+"/key.pem", "-out", dir+"/cert.pem").CombinedOutput()
	if err != nil {
		t.Fatalf("failed to make a certificate: %v\n%s", err, out)
	}
	cert, err := os.ReadFile(dir + "/cert.pem")
	if err != nil {
		t.Fatal(err)
	}
	n.roots.AppendCertsFromPEM(cert)
	conf := deployed(t, "nginx/sealpost.conf", "10.0.0.11:8080", servers[0], "10.0.0.12:8080", servers[1],
		"server 127.0.0.1:4180;", "server "+signIn+";", "listen 80;", "listen "+redirect+";", "listen 443 ssl http2;", "listen "+plain+"; listen "+secure+" ssl http2;",
		"/etc/ssl/post.example.pem", dir+"/cert.pem", "/etc/ssl/private/post.example.key", dir+"/key.pem",
		"/var/log/nginx/sealpost.log", dir+"/sealpost.log", "/var/cache/nginx/sealpost", n.cache, "inactive=10m", "inactive=5s")
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/temp-%s;\n", kind, dir, kind)
	}
	writeFile(t, dir+"/nginx.conf", fmt.Sprintf("%sdaemon off;\npid %s/pid;\nevents {}\nhttp {\n%s%s}\n", user, dir, temp, conf))
	cmd := exec.Command("nginx", "-c", dir+"/nginx.conf", "-e", dir+"/sealpost.log")
	n.logs = []string{runProxy(t, dir, plain, cmd), dir + "/sealpost.log"}
	return n
}

// startCaddy starts one with a file of server/deploy.
func startCaddy(t *testing.T, servers [2]string, signIn, file string) (url, log string) {
	t.Helper()
	needCommand(t, "caddy")
	dir, addr := t.TempDir(), unused(t)
	writeFile(t, dir+"/Caddyfile", "{\n\tadmin off\n}\n"+deployed(t, "caddy/"+file))
	cmd := exec.Command("caddy", "run", "--config", dir+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "SEALPOST_SITE=http://" + addr, "SEALPOST_SIGN_IN=" + signIn, "SEALPOST_SERVERS=" + servers[0] + " " + servers[1]}
	return "http://" + addr, runProxy(t, dir, addr, cmd)
}

func TestNginx(t *testing.T) {
	s := newSite(t)
	n := startNginx(t, s.addresses(), s.signIn)
	checkShare(t, visit(t, n.url, signedIn...), visit(t, n.url))
	checkSignIn(t, s, n.url)
	checkHTTP2(t, n)
	checkRedirects(t, n.redirect)
	checkUnbuffered(t, s, visit(t, n.url, signedIn...))
	checkCache(t, s, n)
	checkFailover(t, s, n.url, 0)
	wantNoSecrets(t, n.logs...)
}

func TestCaddy(t *testing.T) {
	s := newSite(t)
	open, log1 := startCaddy(t, s.addresses(), s.signIn, "Caddyfile")
	url, log2 := startCaddy(t, s.addresses(), s.signIn, "Caddyfile.sign-in")
	wantRefused(t, open, forged...) // nobody signs in there, whatever they say of themselves
	checkShare(t, visit(t, url, signedIn...), visit(t, open))
	checkSignIn(t, s, url)
	checkUnbuffered(t, s, visit(t, url, signedIn...))
	checkFailover(t, s, url, 4*time.Second) // by then it has asked for /readyz
	wantNoSecrets(t, log1, log2)
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

func checkHTTP2(t *testing.T, n *nginx) {
	t.Helper()
	var clients []*daemon
	for _, headers := range [][]string{signedIn, nil} {
		d := visit(t, n.https, headers...)
		v := d.client.Transport.(*visitor)
		v.TLSClientConfig = &tls.Config{RootCAs: n.roots, ServerName: "post.example"}
		v.ForceAttemptHTTP2 = true
		clients = append(clients, d)
	}
	res, err := clients[1].client.Get(n.https + "/how")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.ProtoMajor != 2 {
		t.Errorf("over TLS it speaks %s", res.Proto)
	}
	checkShare(t, clients[0], clients[1])
}

// checkRedirects: plain HTTP leads on to HTTPS, but for links, whose key would go along.
func checkRedirects(t *testing.T, url string) {
	t.Helper()
	for path, want := range map[string]int{"/": http.StatusMovedPermanently, "/how": http.StatusMovedPermanently, "/d/9fK2mQ7xLr0aVb3T": http.StatusNotFound} {
		a, err := visit(t, url).call("GET", path, "", nil, "")
		if err != nil || a.status != want || (a.header.Get("Location") == "") != (want == http.StatusNotFound) {
			t.Errorf("plain HTTP, %s: %v, %v", path, a, err)
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
func checkCache(t *testing.T, s *site, n *nginx) {
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
	waitFor(t, 40*time.Second, "an empty cache", func() bool { return cachedFiles(t, n.cache) == 0 })
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
