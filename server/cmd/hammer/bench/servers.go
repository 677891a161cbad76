package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// target is where a request can go to.
type target struct {
	addr  string
	http2 bool
	roots *x509.CertPool // nil without TLS
	name  string         // in its certificate, "" for localhost
}

// A process is a server that is measured.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
}

// start starts a server on the processors that list names.
func start(name, list, dir string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: exec.Command("taskset", append([]string{"-c", list}, args...)...), log: log}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("failed to start %s: %w", name, err)
	}
	return p, nil
}

func (p *process) pids() []int { return family(p.cmd.Process.Pid) }

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(40 * time.Second):
		p.cmd.Process.Kill()
	}
	p.log.Close()
}

// said waits until the log has a line that matches, and returns what its parentheses hold.
func (p *process) said(pattern string) (string, error) {
	for range 200 {
		text, err := os.ReadFile(p.log.Name())
		if m := regexp.MustCompile(pattern).FindSubmatch(text); m != nil {
			return string(m[1]), nil
		}
		if err != nil || p.cmd.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(p.log.Name())
	return "", fmt.Errorf("%s does not listen:\n%s", p.name, text)
}

// unlimited are the limits that a client which sends as much as it can would meet.
var unlimited = []string{"create-rate", "take-rate", "miss-rate", "report-rate", "call-rate", "client-connections", "client-parts-in-flight", "parts-in-flight"}

// sealpostd starts one over data and returns its address.
func sealpostd(o options, name, dir, data string, flags ...string) (*process, string, error) {
	args := []string{o.binary, "-listen", "localhost:0", "-data", data, "-max-downloads", "1000000", "-part-size", "8MiB"}
	for _, limit := range unlimited {
		if takes(o.binary, limit) {
			args = append(args, "-"+limit, "0")
		}
	}
	p, err := start(name, o.serverCPUs, dir, append(args, flags...)...)
	if err != nil {
		return nil, "", err
	}
	addr, err := p.said(`listening on https?://(\S+)`)
	if err != nil {
		p.stop()
	}
	return p, addr, err
}

// takes tells whether the binary has an option.
func takes(binary, option string) bool {
	help, _ := exec.Command(binary, "-help").CombinedOutput()
	return bytes.Contains(help, []byte("  -"+option+" "))
}

// nginx is the yardstick: Debian's, with its defaults but for what the configuration says.
type nginx struct {
	*process
	plain, clear2, tls string // addresses: HTTP/1.1, HTTP/2 without TLS, both with it
}

// The first server sends what sealpostd keeps; what is put lies beside it, on the same file system. Every request of a connection
// counts for keepalive_requests, and nginx's own log is off as sealpostd writes none of what works either.
var nginxConf = template.Must(template.New("").Parse(`
{{if .Root}}user root;{{end}}
daemon off;
worker_processes {{.Workers}};
worker_rlimit_nofile 20000;
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/nginx-error.log warn;
events { worker_connections 10000; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	default_type application/octet-stream;
	keepalive_requests 1000000000;
	client_max_body_size 64m;
	client_body_timeout 10m; # a busy disk
	client_body_temp_path {{.Put}}/temp;
	ssl_certificate {{.Cert}};
	ssl_certificate_key {{.Key}};
	server {
		listen {{.Plain}};
		listen {{.TLS}} ssl http2;
		root {{.Blobs}};
		location /put/ { root {{.Put}}; dav_methods PUT; }
		location /tuned/ { root {{.Put}}; dav_methods PUT; client_body_buffer_size 256k; }
	}
	server {
		listen {{.Clear2}} http2;
		root {{.Blobs}};
		location /put/ { root {{.Put}}; dav_methods PUT; }
	}
}
`))

func startNginx(o options, dir, blobs, put string, pair keyPair) (*nginx, error) {
	n := &nginx{}
	for _, addr := range []*string{&n.plain, &n.clear2, &n.tls} {
		var err error
		if *addr, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	for _, sub := range []string{"put", "tuned"} {
		if err := os.MkdirAll(filepath.Join(put, sub), 0o700); err != nil {
			return nil, err
		}
	}
	var conf bytes.Buffer
	err := nginxConf.Execute(&conf, map[string]any{"Root": os.Getuid() == 0, "Workers": o.serverCount, "Dir": dir, "Put": put, "Blobs": blobs,
		"Cert": pair.cert, "Key": pair.key, "Plain": n.plain, "Clear2": n.clear2, "TLS": n.tls})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, conf.Bytes(), 0o600); err != nil {
		return nil, err
	}
	if n.process, err = start("nginx", o.serverCPUs, dir, "nginx", "-c", file, "-e", filepath.Join(dir, "nginx-error.log")); err != nil {
		return nil, err
	}
	for range 100 {
		if c, err := net.Dial("tcp", n.plain); err == nil {
			c.Close()
			return n, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.stop()
	text, _ := os.ReadFile(n.log.Name())
	return nil, fmt.Errorf("nginx does not listen:\n%s", text)
}

func nginxVersion() string {
	out, err := exec.Command("nginx", "-v").CombinedOutput()
	if err != nil {
		return "nginx of unknown version"
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(out)), ": ")
	return strings.TrimPrefix(version, "nginx version: ")
}

// freeAddress is one that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// keyPair is a certificate for localhost that signs itself, and its key, as files.
type keyPair struct {
	cert, key string
	roots     *x509.CertPool
}

func newKeyPair(dir string) (keyPair, error) {
	p := keyPair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err1 := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	private, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2); err != nil {
		return p, err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	p.roots.AppendCertsFromPEM(cert)
	return p, errors.Join(os.WriteFile(p.cert, cert, 0o600),
		os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}
