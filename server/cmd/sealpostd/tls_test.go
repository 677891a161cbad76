package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// makeCert returns a certificate for names, signed by itself, and its key, as PEM.
func makeCert(t *testing.T, names ...string) (cert, key []byte) {
	t.Helper()
	return makeCertFor(t, 90*24*time.Hour, names...)
}

func makeCertFor(t *testing.T, lifetime time.Duration, names ...string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// sendOver sends a share of two parts and receives it. It returns where it is, below the API's shares, and the download's ticket.
func sendOver(t *testing.T, client *http.Client, site string) (path, ticket string) {
	t.Helper()
	token := func(b ...byte) (text string, hash api.Hash) {
		var raw []byte
		for _, c := range b {
			raw = append(raw, bytes.Repeat([]byte{c}, api.TokenSize)...)
		}
		return base64.RawURLEncoding.EncodeToString(raw), api.HashToken(raw)
	}
	call := func(method, path, bearer string, body any, want int) []byte {
		t.Helper()
		data, ok := body.([]byte)
		kind := "application/octet-stream"
		if !ok {
			data, _ = json.Marshal(body)
			kind = "application/json"
		}
		req, err := http.NewRequest(method, site+"/api/v1/shares"+path, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		req.Header.Set("Authorization", "Bearer "+bearer)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s %s: %s, %v: %.200s", method, path, resp.Status, err, answer)
		}
		return answer
	}
	_, access := token(1)
	_, read := token(2)
	owner, ownerHash := token(3)
	var ticketHash api.Hash
	ticket, ticketHash = token(4)
	reader, _ := token(1, 2)
	content := bytes.Repeat([]byte(api.AgeMagic), (api.DefaultPartSize+100_000)/len(api.AgeMagic))
	var sh api.Share
	if err := json.Unmarshal(call("POST", "", "", api.CreateShare{Access: access, Reader: read, Owner: ownerHash, Size: int64(len(content)),
		Lifetime: 60}, 201), &sh); err != nil {
		t.Fatal(err)
	}
	path = "/" + sh.ID
	call("PUT", path+"/manifest", owner, []byte(api.AgeMagic), 204)
	call("PUT", path+"/parts/1", owner, content[:sh.PartSize], 204)
	call("PUT", path+"/parts/2", owner, content[sh.PartSize:], 204)
	call("POST", path+"/complete", owner, api.CompleteShare{Size: int64(len(content)), Parts: 2}, 200)
	call("POST", path+"/downloads", reader, api.TakeDownload{Ticket: ticketHash}, 200)
	if got := call("GET", path+"/content", ticket, []byte{}, 200); !bytes.Equal(got, content) {
		t.Errorf("%d bytes came, or other ones, of %d", len(got), len(content))
	}
	return path, ticket
}

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// HTTPS by files: HTTP/2, a certificate that is replaced while the server runs, and plain HTTP beside it.
func TestTLSFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	install := func(cert, key []byte) {
		t.Helper()
		for name, data := range map[string][]byte{certFile: cert, keyFile: key} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	cert, key := makeCert(t, "post.example", "mail.example")
	install(cert, key)
	plain := freeAddress(t)
	s := runHere(t, 1, "-listen", "127.0.0.1:0", "-tls-cert", certFile, "-tls-key", keyFile, "-redirect-listen", plain)
	address, ok := strings.CutPrefix(s.addresses[0], "https://")
	if !ok {
		t.Fatalf("listens on %s", s.addresses[0])
	}
	_, port, _ := net.SplitHostPort(address)
	try := func(cert []byte) error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(cert)
		client := clientOf(t, "tcp", address, &tls.Config{RootCAs: roots})
		defer client.CloseIdleConnections()
		resp, err := client.Get("https://post.example/api/v1/config")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
			return fmt.Errorf("got %s %s %v", resp.Proto, resp.Status, resp.Header)
		}
		return nil
	}
	if err := try(cert); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	sendOver(t, clientOf(t, "tcp", address, &tls.Config{RootCAs: roots}), "https://post.example")
	if err := checkHealth(t.Context(), &frontOptions{listen: address, tls: tlsOptions{cert: certFile, key: keyFile}}); err != nil {
		t.Error(err)
	}
	install([]byte("half of"), []byte("it"))
	time.Sleep(lookEvery + 100*time.Millisecond)
	if err := try(cert); err != nil {
		t.Errorf("a broken certificate took the place of a good one: %v", err)
	}
	next, nextKey := makeCert(t, "post.example")
	install(next, nextKey)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if err := try(next); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatalf("a new certificate is not taken: %v", err)
		}
	}

	client := clientOf(t, "tcp", plain, nil)
	for url, want := range map[string]string{
		"http://post.example/":                          "https://post.example:" + port + "/",
		"http://post.example:80/mine":                   "https://post.example:" + port + "/mine",
		"http://post.example/how?x=y":                   "https://post.example:" + port + "/how",
		"http://post.example/d/9fK2mQ7xLr0aVb3T":        "",
		"http://post.example/%64/9fK2mQ7xLr0aVb3T":      "",
		"http://post.example//d/9fK2mQ7xLr0aVb3T":       "",
		"http://post.example/mine/../d/x":               "",
		"http://post.example/api/v1/config":             "",
		"http://post.example/b/x/js/api.js":             "",
		"http://other.example/":                         "", // the certificate does not have it
		"http://mail.example/":                          "", // any more
		"http://post.example.other.example/":            "",
		"http://127.0.0.1/":                             "",
		"http://post.example//other.example/":           "",
		"http://post.example/.well-known/acme-challeng": "",
	} {
		resp, body := get(t, client, url)
		got := resp.Header.Get("Location")
		if got != want || (want == "") != (resp.StatusCode == http.StatusForbidden && strings.Contains(body, "https")) || strings.Contains(body, "<") {
			t.Errorf("%s: %d %q %s, want %q", url, resp.StatusCode, got, body, want)
		}
	}
	resp, err := client.Post("http://post.example/", "text/plain", strings.NewReader("x"))
	if err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("post: %v", err)
	}
}

// Over HTTP/2, too, who stops in the midst of a part, or of taking an answer, is given up in time, and others on the same connection are not.
func TestStalledHTTP2(t *testing.T) {
	t.Parallel()
	const stall = 3 * time.Second
	dir := t.TempDir()
	certFile, keyFile, private := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), "unix:"+filepath.Join(dir, "private")
	cert, key := makeCert(t, "post.example")
	for name, data := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := runHere(t, 1, "-listen", "127.0.0.1:0", "-tls-cert", certFile, "-tls-key", keyFile, "-stall-timeout", stall.String(),
		"-private-listen", private)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	client := clientOf(t, "tcp", strings.TrimPrefix(s.addresses[0], "https://"), &tls.Config{RootCAs: roots})
	const site = "https://post.example"
	path, ticket := sendOver(t, client, site)
	owner := bytes.Repeat([]byte{5}, api.TokenSize)
	create, _ := json.Marshal(api.CreateShare{Access: api.HashToken(owner[:1]), Reader: api.HashToken(owner[:2]), Owner: api.HashToken(owner),
		Size: api.DefaultPartSize, Lifetime: 60})
	resp, err := client.Post(site+"/api/v1/shares", "application/json", bytes.NewReader(create))
	if err != nil {
		t.Fatal(err)
	}
	var open api.Share
	err = json.NewDecoder(resp.Body).Decode(&open)
	resp.Body.Close()
	if err != nil || open.ID == "" {
		t.Fatalf("create: %s, %v", resp.Status, err)
	}
	inFlight := func() int64 {
		t.Helper()
		var state drainState
		resp, err := askLocal(t.Context(), "GET", private, "/drain", nil)
		if err == nil {
			err = json.NewDecoder(resp.Body).Decode(&state)
			resp.Body.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return state.InFlight
	}
	// wantGivenUp waits until the one request that the server is at has ended.
	wantGivenUp := func(what string) {
		t.Helper()
		began := time.Now()
		time.Sleep(stall / 2)
		if n := inFlight(); n != 1 {
			t.Errorf("%s: %d requests before the time is over", what, n)
		}
		if resp, _ := get(t, client, site+"/api/v1/config"); resp.StatusCode != 200 || resp.ProtoMajor != 2 {
			t.Errorf("%s: another one is answered %s %s", what, resp.Proto, resp.Status)
		}
		for inFlight() > 0 {
			if time.Since(began) > stall+10*time.Second {
				t.Fatalf("%s is not given up", what)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}

	body, part := io.Pipe()
	defer part.Close()
	put, _ := http.NewRequest("PUT", site+"/api/v1/shares/"+open.ID+"/parts/1", body)
	put.ContentLength = api.DefaultPartSize
	put.Header.Set("Authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(owner))
	put.Header.Set("Content-Type", "application/octet-stream")
	put.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+":")
	told := make(chan error, 1)
	go func() {
		resp, err := client.Do(put)
		if err != nil { // it was cut off
			told <- nil
			return
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			err = fmt.Errorf("a part that stops is answered %s", resp.Status)
		}
		told <- err
	}()
	io.WriteString(part, api.AgeMagic+strings.Repeat("x", 100_000))
	wantGivenUp("a part that stops")
	if err := within(t, "the part", told); err != nil {
		t.Error(err)
	}

	read, _ := http.NewRequest("GET", site+"/api/v1/shares"+path+"/content", nil)
	read.Header.Set("Authorization", "Bearer "+ticket)
	resp, err = client.Do(read)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	wantGivenUp("an answer that nobody takes")
	if n, err := io.Copy(io.Discard, resp.Body); err == nil || n >= api.DefaultPartSize {
		t.Errorf("an answer that was given up has %d bytes, %v", n, err)
	}
}

func TestRedirectsBelowBasePath(t *testing.T) {
	h := redirects("/send", "443", func(host string) bool { return host == "post.example" })
	for path, want := range map[string]string{"/send/": "https://post.example/send/", "/send/mine": "https://post.example/send/mine",
		"/": "", "/mine": "", "/send": "", "/send/d/x": "", "/d/x": "", "/sendmine": ""} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "http://post.example"+path, nil))
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("%s: %d %q", path, w.Code, got)
		}
	}
}

// By ACME a certificate comes from the cache, or else from the authority, and for our names only.
func TestACME(t *testing.T) {
	cache := t.TempDir()
	cert, key := makeCertFor(t, 24*time.Hour, "post.example")
	if err := os.WriteFile(filepath.Join(cache, "post.example"), append(key, cert...), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := 0
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer authority.Close()
	o := tlsOptions{acmeHosts: words{"post.example", "second.example"}, acmeCache: cache, acmeDirectory: authority.URL}
	var log bytes.Buffer
	certs, err := o.open("", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	hello := func(name string) (*tls.Certificate, error) {
		return certs.config.GetCertificate(&tls.ClientHelloInfo{ServerName: name, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
			SupportedVersions: []uint16{tls.VersionTLS13}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	}
	got, err := hello("post.example")
	if err != nil || got.Leaf.VerifyHostname("post.example") != nil {
		t.Errorf("%v, %v", got, err)
	}
	if !strings.Contains(log.String(), `msg="a certificate ends soon, and there is no new one" host=post.example`) {
		t.Errorf("of one that ends tomorrow it says %q", log.String())
	}
	log.Reset()
	if _, err := hello("other.example"); err == nil || asked != 0 {
		t.Errorf("another name: %v, and the authority was asked %d times", err, asked)
	}
	if _, err := hello("second.example"); err == nil || asked == 0 {
		t.Errorf("a name without a certificate: %v, and the authority was asked %d times", err, asked)
	}
	hello("second.example")
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `msg="failed to get a certificate" host=second.example error="403 `) {
		t.Errorf("why there is none it says as %q", text)
	}
	if certs.hosts("other.example") || !certs.hosts("Post.Example") {
		t.Error("takes other names for ours")
	}
	w := httptest.NewRecorder()
	h := certs.over(redirects("", "443", certs.hosts))
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://post.example/.well-known/acme-challenge/x", nil))
	if w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
		t.Errorf("a challenge that is not: %d", w.Code)
	}
}
