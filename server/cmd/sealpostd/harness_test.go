package main_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/services"
)

// The tests here run the real binary and talk to it over TCP, because they kill it.

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sealpostd")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "sealpostd")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		// A server compresses its pages when it starts, alone; watching it at that makes each of hundreds of starts take a second more.
		args = append(args, "-race", "-gcflags=github.com/andybalholm/brotli/...=-race=false", "-gcflags=compress/flate=-race=false")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	code := 1
	if err != nil {
		fmt.Fprintf(os.Stderr, "failed to build sealpostd: %v\n%s", err, out)
	} else {
		code = m.Run()
		services.End()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// secrets are all ids and tokens of all tests, as text. No log may have one of them.
var secrets struct {
	sync.Mutex
	words []string
}

func secret(words ...string) {
	secrets.Lock()
	defer secrets.Unlock()
	secrets.words = append(secrets.words, words...)
}

// daemon is a running sealpostd.
type daemon struct {
	url, addr string
	client    *http.Client // nil for the default one
	cmd       *exec.Cmd
	exited    chan error
	mu        sync.Mutex
	log       bytes.Buffer
}

const smallPart = 64 << 10

// start runs sealpostd on a port of its own choice. At the end of the test it is stopped, if it was not killed, and its log is
// searched for what must not be there.
func start(t *testing.T, data string, flags ...string) *daemon {
	t.Helper()
	return startBinary(t, binary, data, flags...)
}

// startBinary is start for a binary that was built in another way.
func startBinary(t *testing.T, binary, data string, flags ...string) *daemon {
	t.Helper()
	args := append([]string{"-listen", "127.0.0.1:0", "-data", data, "-part-size", "64KiB", "-min-free", "16MiB", "-sweep", "1s", "-log-level", "debug",
		"-create-rate", "0", "-take-rate", "0", "-miss-rate", "0", "-report-rate", "0"}, flags...)
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"GORACE=halt_on_error=1"}
	return startCommand(t, cmd)
}

// startCommand is start for a command that somebody else made up.
func startCommand(t *testing.T, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{cmd: cmd, exited: make(chan error, 1)}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			d.mu.Lock()
			d.log.WriteString(lines.Text() + "\n")
			d.mu.Unlock()
			if m := regexp.MustCompile(`listening on (https?://[^\s"]+)`).FindStringSubmatch(lines.Text()); m != nil {
				listening <- m[1]
			}
		}
		d.exited <- d.cmd.Wait()
	}()
	t.Cleanup(func() { d.finish(t) })
	select {
	case d.url = <-listening:
		_, d.addr, _ = strings.Cut(d.url, "://")
	case <-time.After(30 * time.Second):
		t.Fatalf("sealpostd does not listen:\n%s", d.text())
	case err := <-d.exited:
		d.exited <- err
		t.Fatalf("sealpostd ended, %v:\n%s", err, d.text())
	}
	return d
}

func (d *daemon) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// kill is kill -9.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	d.exited <- <-d.exited
}

// stop asks for a graceful end and wants one.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.exited:
		d.exited <- err
		if err != nil {
			t.Errorf("sealpostd did not stop gracefully: %v\n%s", err, d.text())
		}
	case <-time.After(40 * time.Second):
		t.Error("sealpostd did not stop")
		d.kill()
	}
}

func (d *daemon) finish(t *testing.T) {
	if d.cmd.ProcessState == nil {
		select {
		case err := <-d.exited:
			d.exited <- err
		default:
			d.stop(t)
		}
	}
	text := d.text()
	if strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic") {
		t.Errorf("sealpostd crashed:\n%s", text)
	}
	if t.Failed() {
		for line := range strings.Lines(text) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
				t.Log(line)
			}
		}
	}
	secrets.Lock()
	defer secrets.Unlock()
	for _, word := range secrets.words {
		if strings.Contains(text, word) {
			t.Errorf("the log tells %q", word)
		}
	}
}

// token is 32 random bytes and what is made of them.
type token struct {
	raw  []byte
	text string
	hash api.Hash
}

func newToken() token {
	raw := make([]byte, api.TokenSize)
	rand.Read(raw)
	k := token{raw, base64.RawURLEncoding.EncodeToString(raw), api.HashToken(raw)}
	secret(k.text, hex.EncodeToString(raw), k.hash.String(), hex.EncodeToString(k.hash[:]))
	return k
}

// upload is a share as its sender has it.
type upload struct {
	id                    string
	owner, access, reader token
	manifest              []byte
	content               []byte
}

// readerText is what a recipient presents.
func (u *upload) readerText() string {
	return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(u.access.raw), u.reader.raw...))
}

// parts returns how many the content makes.
func (u *upload) parts() int64 { return int64((len(u.content) + smallPart - 1) / smallPart) }

func (u *upload) part(n int64) []byte {
	if n == 0 {
		return u.manifest
	}
	return u.content[(n-1)*smallPart : min(n*smallPart, int64(len(u.content)))]
}

// sealed returns bytes that look like an age file. The server cannot tell.
func sealed(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	copy(b, api.AgeMagic)
	return b
}

func newUpload(size int) *upload {
	return &upload{owner: newToken(), access: newToken(), reader: newToken(), manifest: sealed(500), content: sealed(size)}
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	header http.Header
}

func (a answer) code() api.Code {
	var p api.Problem
	json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) String() string { return fmt.Sprintf("%d %.200s", a.status, a.body) }

// call makes one request; the error is that of a connection that broke.
func (d *daemon) call(method, path, bearer string, body []byte, contentType string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
		digest := sha256.Sum256(body)
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	}
	client := cmp.Or(d.client, http.DefaultClient)
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, got, res.Header}, err
}

func (d *daemon) json(method, path, bearer string, body any) (answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	return d.call(method, path, bearer, b, "application/json")
}

const lifetime = 3600

func (d *daemon) create(u *upload, downloads int64) error {
	a, err := d.tryCreate(u, downloads)
	if err == nil && a.status != http.StatusCreated && a.status != http.StatusOK {
		err = fmt.Errorf("create: %v", a)
	}
	return err
}

// tryCreate is create with whatever is answered.
func (d *daemon) tryCreate(u *upload, downloads int64) (answer, error) {
	a, err := d.json("POST", "/api/v1/shares", "", api.CreateShare{Access: u.access.hash, Reader: u.reader.hash, Owner: u.owner.hash,
		Size: int64(len(u.content)), Lifetime: lifetime, MaxDownloads: downloads})
	if err != nil || a.status >= 300 {
		return a, err
	}
	var s api.Share
	if err := json.Unmarshal(a.body, &s); err != nil || s.PartSize != smallPart {
		return a, fmt.Errorf("create: %v, part size %d, %v", a, s.PartSize, err)
	}
	u.id = s.ID
	secret(u.id)
	return a, nil
}

func (u *upload) path(rest string) string { return "/api/v1/shares/" + u.id + rest }

func (d *daemon) put(u *upload, n int64, data []byte) (answer, error) {
	path := u.path(fmt.Sprintf("/parts/%d", n))
	if n == 0 {
		path = u.path("/manifest")
	}
	return d.call("PUT", path, u.owner.text, data, "application/octet-stream")
}

func (d *daemon) complete(u *upload) (answer, error) {
	return d.json("POST", u.path("/complete"), u.owner.text, api.CompleteShare{Size: int64(len(u.content)), Parts: u.parts()})
}

func (d *daemon) take(u *upload, ticket token) (answer, error) {
	return d.json("POST", u.path("/downloads"), u.readerText(), api.TakeDownload{Ticket: ticket.hash})
}

// send uploads all of u and wants it to work.
func (d *daemon) send(t *testing.T, u *upload, downloads int64) {
	t.Helper()
	if err := d.create(u, downloads); err != nil {
		t.Fatal(err)
	}
	for n := u.parts(); n >= 0; n-- {
		if a, err := d.put(u, n, u.part(n)); err != nil || a.status != http.StatusNoContent {
			t.Fatalf("part %d: %v %v", n, a, err)
		}
	}
	if a, err := d.complete(u); err != nil || a.status != http.StatusOK {
		t.Fatalf("complete: %v %v", a, err)
	}
}

// wantWhole checks that a recipient gets every byte of u, as one body and in parts.
func (d *daemon) wantWhole(t *testing.T, u *upload, ticket token) {
	t.Helper()
	if a, err := d.take(u, ticket); err != nil || a.status != http.StatusOK {
		t.Errorf("download: %v %v", a, err)
		return
	}
	if a, err := d.call("GET", u.path("/manifest"), u.readerText(), nil, ""); err != nil || !bytes.Equal(a.body, u.manifest) {
		t.Errorf("manifest: %d, %d bytes of %d, or other ones, %v", a.status, len(a.body), len(u.manifest), err)
	}
	if a, err := d.call("GET", u.path("/content"), ticket.text, nil, ""); err != nil || !bytes.Equal(a.body, u.content) {
		t.Errorf("content: %d, %d bytes of %d, or other ones, %v", a.status, len(a.body), len(u.content), err)
	}
	for n := int64(1); n <= u.parts(); n++ {
		a, err := d.call("GET", u.path(fmt.Sprintf("/parts/%d", n)), ticket.text, nil, "")
		if err != nil || !bytes.Equal(a.body, u.part(n)) {
			t.Errorf("part %d: %d, %d bytes, or other ones, %v", n, a.status, len(a.body), err)
		}
	}
}

// state returns what the owner is told.
func (d *daemon) state(t *testing.T, u *upload) api.Share {
	t.Helper()
	a, err := d.call("GET", u.path(""), u.owner.text, nil, "")
	var s api.Share
	if err == nil {
		err = json.Unmarshal(a.body, &s)
	}
	if err != nil || a.status != http.StatusOK {
		t.Errorf("state: %v %v", a, err)
	}
	return s
}

// ready says whether a share is there and complete.
func (d *daemon) ready(u *upload) bool {
	var s api.Share
	a, err := d.call("GET", u.path(""), u.owner.text, nil, "")
	return err == nil && a.status == http.StatusOK && json.Unmarshal(a.body, &s) == nil && s.State == api.StateReady
}

// objects returns the files in the part store: path to size.
func objects(t *testing.T, data string) map[string]int64 {
	t.Helper()
	files := map[string]int64{}
	root := filepath.Join(data, "blobs")
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if os.IsNotExist(err) {
			return nil // swept this moment
		}
		if err == nil && !info.IsDir() && info.Name() != ".mark" {
			rel, _ := filepath.Rel(root, path)
			files[rel] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantObjects checks that the part store has the parts of these uploads and not a file more.
func wantObjects(t *testing.T, data string, uploads ...*upload) {
	t.Helper()
	files := objects(t, data)
	for _, u := range uploads {
		for n := int64(0); n <= u.parts(); n++ {
			name := filepath.Join(u.id[:2], u.id, fmt.Sprintf("%d-%x", n, sha256.Sum256(u.part(n))))
			if size, ok := files[name]; !ok || size != int64(len(u.part(n))) {
				t.Errorf("part %d is not in the store", n)
			}
			delete(files, name)
		}
	}
	for name := range files {
		t.Errorf("left in the store: %s", name)
	}
}
