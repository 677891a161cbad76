package main_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
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

// visitor makes requests with some headers, and does not follow redirects. To it post.example is this machine.
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
	if pem, err := siteCertificate(); err != nil {
		t.Fatal(err)
	} else {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem.cert)
		v.TLSClientConfig, v.ForceAttemptHTTP2 = &tls.Config{RootCAs: roots}, true
	}
	v.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port(address)) // where post.example is, too
	}
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

// siteCertificate is that of post.example, signed by itself.
var siteCertificate = sync.OnceValues(func() (pem struct{ cert, key []byte }, err error) {
	dir, err := os.MkdirTemp("", "certificate")
	if err != nil {
		return pem, err
	}
	defer os.RemoveAll(dir)
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=post.example",
		"-addext", "subjectAltName=DNS:post.example", "-keyout", dir+"/key.pem", "-out", dir+"/cert.pem").CombinedOutput()
	if err != nil {
		return pem, fmt.Errorf("failed to make a certificate: %w\n%s", err, out)
	}
	pem.cert, err = os.ReadFile(dir + "/cert.pem")
	if err == nil {
		pem.key, err = os.ReadFile(dir + "/key.pem")
	}
	return pem, err
})

// installCertificate writes it to cert.pem and key.pem.
func installCertificate(t *testing.T, dir string) {
	t.Helper()
	pem, err := siteCertificate()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir+"/cert.pem", string(pem.cert))
	writeFile(t, dir+"/key.pem", string(pem.key))
}

// proxy is one that runs. Its site is post.example, and the first address is the same site over plain HTTP, for tests alone.
type proxy struct {
	url, https string
	redirect   string   // where plain HTTP is told to use HTTPS
	logs       []string // files
}

// newProxy chooses addresses.
func newProxy(t *testing.T) (p *proxy, plain, secure, redirect string) {
	t.Helper()
	plain, secure, redirect = unused(t), unused(t), unused(t)
	return &proxy{url: "http://" + plain, https: "https://post.example:" + port(secure), redirect: "http://post.example:" + port(redirect)},
		plain, secure, redirect
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// startNginx puts one in front of servers. It has its cache in a folder, and looks after it as more changes of its file say.
func startNginx(t *testing.T, servers [2]string, signIn, cache string, changes ...string) *proxy {
	t.Helper()
	needCommand(t, "nginx")
	dir := t.TempDir()
	installCertificate(t, dir)
	p, plain, secure, redirect := newProxy(t)
	conf := deployed(t, "nginx/sealpost.conf", append([]string{"10.0.0.11:8080", servers[0], "10.0.0.12:8080", servers[1],
		"server 127.0.0.1:4180;", "server " + signIn + ";", "listen 80;", "listen " + redirect + ";",
		"listen 443 ssl http2;", "listen " + plain + "; listen " + secure + " ssl http2;",
		"/etc/ssl/post.example.pem", dir + "/cert.pem", "/etc/ssl/private/post.example.key", dir + "/key.pem",
		"/var/cache/nginx/sealpost", cache}, changes...)...)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/temp-%s;\n", kind, dir, kind)
	}
	writeFile(t, dir+"/nginx.conf", fmt.Sprintf("%sdaemon off;\npid %s/pid;\nevents {}\nhttp {\n%s%s}\n", user, dir, temp, conf))
	cmd := exec.Command("nginx", "-c", dir+"/nginx.conf", "-e", dir+"/errors")
	p.logs = []string{runProxy(t, dir, plain, cmd), dir + "/errors"}
	return p
}

// startCaddy starts one with a file of server/deploy.
func startCaddy(t *testing.T, servers [2]string, signIn, file string) *proxy {
	t.Helper()
	needCommand(t, "caddy")
	dir := t.TempDir()
	installCertificate(t, dir)
	p, plain, secure, redirect := newProxy(t)
	const name = "\n{$SEALPOST_SITE:post.example} {"
	text := deployed(t, "caddy/"+file,
		"\tauto_https ", "\tadmin off\n\tdefault_bind 127.0.0.1\n\thttp_port "+port(redirect)+"\n\thttps_port "+port(secure)+"\n\tauto_https ",
		name, name+"\n\ttls "+dir+"/cert.pem "+dir+"/key.pem")
	_, site, _ := strings.Cut(deployed(t, "caddy/"+file), name)
	writeFile(t, dir+"/Caddyfile", text+"\nhttp://"+plain+" {"+site)
	cmd := exec.Command("caddy", "run", "--config", dir+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "SEALPOST_SIGN_IN=" + signIn, "SEALPOST_SERVERS=" + servers[0] + " " + servers[1]}
	p.logs = []string{runProxy(t, dir, plain, cmd)}
	return p
}
