package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

// What a stranger may send to the whole server, over TCP, as run configures it. make test runs the seeds:
//
//	go test ./server/cmd/sealpostd -run '^$' -fuzz FuzzHead -fuzztime 5m

// target is a server in this process with two shares, one that is complete and one that is open.
type target struct {
	addr          string
	ready, open   fuzzShare
	ticket        string // of ready
	described     *description.Description
	connection    *http.Client
	panicked      chan string
	content, part []byte // of ready; what goes into open
}

type fuzzShare struct{ path, owner, reader string }

func newTarget(f *testing.F) *target {
	f.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-data", filepath.Join(f.TempDir(), "data"), "-part-size", "64KiB",
			"-log-level", "error", "-create-rate", "0", "-take-rate", "0", "-miss-rate", "0"}, none, w)
		w.Close()
	}()
	t := &target{connection: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		panicked: make(chan string, 1)}
	lines := bufio.NewReader(r)
	line, err := lines.ReadString('\n')
	if err != nil {
		f.Fatalf("%v: %v", err, <-done)
	}
	go t.watch(lines)
	t.addr = strings.TrimPrefix(strings.TrimSpace(line), "listening on http://")
	f.Cleanup(func() {
		t.connection.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			f.Error(err)
		}
	})
	if t.described, err = description.New(api.OpenAPI); err != nil {
		f.Fatal(err)
	}
	t.content, t.part = sealedBytes(3*api.MinPartSize+100), sealedBytes(1000)
	t.ready, t.open = t.make(f, t.content), t.make(f, nil)
	ticket, hash := randomToken()
	t.ticket = ticket
	t.want(f, 200, "POST", t.ready.path+"/downloads", t.ready.reader, []byte(`{"ticket":"`+hash+`"}`))
	return t
}

// watch looks for panics in the log.
func (t *target) watch(log *bufio.Reader) {
	for {
		line, err := log.ReadString('\n')
		if strings.Contains(line, "panic") {
			select {
			case t.panicked <- line:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

func randomToken() (text, hash string) {
	b := make([]byte, api.TokenSize)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b), api.HashToken(b).String()
}

func sealedBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	copy(b, api.AgeMagic)
	return b
}

// make makes a share, and completes it if there is content.
func (t *target) make(tb testing.TB, content []byte) (s fuzzShare) {
	tb.Helper()
	access, accessHash := randomToken()
	reader, readerHash := randomToken()
	owner, ownerHash := randomToken()
	raw, _ := base64.RawURLEncoding.DecodeString(access)
	more, _ := base64.RawURLEncoding.DecodeString(reader)
	s.owner, s.reader = owner, base64.RawURLEncoding.EncodeToString(append(raw, more...))
	a := t.want(tb, 201, "POST", "/api/v1/shares", "", fmt.Appendf(nil, `{"access":%q,"reader":%q,"owner":%q,"size":%d,"lifetime":3600}`,
		accessHash, readerHash, ownerHash, max(len(content), 1<<20)))
	var share api.Share
	if err := json.Unmarshal(a.Body, &share); err != nil {
		tb.Fatal(err)
	}
	s.path = "/api/v1/shares/" + share.ID
	if content == nil {
		return s
	}
	t.want(tb, 204, "PUT", s.path+"/manifest", owner, sealedBytes(100))
	n := 0
	for part := range slices.Chunk(content, api.MinPartSize) {
		n++
		t.want(tb, 204, "PUT", fmt.Sprintf("%s/parts/%d", s.path, n), owner, part)
	}
	t.want(tb, 200, "POST", s.path+"/complete", owner, fmt.Appendf(nil, `{"size":%d,"parts":%d}`, len(content), n))
	return s
}

func (t *target) want(tb testing.TB, status int, method, path, bearer string, body []byte) description.Answer {
	tb.Helper()
	a := t.do(tb, method, path, bearer, body, http.Header{"Content-Type": {"application/json"}, "Content-Digest": {digest(body)}})
	if a.Status != status {
		tb.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	return a
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// do makes a request that net/http would make, and checks the answer.
func (t *target) do(tb testing.TB, method, path, bearer string, body []byte, header http.Header) description.Answer {
	tb.Helper()
	req, err := http.NewRequest(method, "http://"+t.addr+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = header
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := t.connection.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	a := description.Answer{Method: method, Path: path, Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		tb.Fatal(err)
	}
	t.check(tb, a)
	return a
}

// check checks what holds for every answer of the server's own.
func (t *target) check(tb testing.TB, a description.Answer) {
	tb.Helper()
	if err := t.described.Check(a); err != nil {
		tb.Errorf("%s %q is answered %d %.200q: %v", a.Method, a.Path, a.Status, a.Body, err)
	}
	if a.Status >= 500 || a.Status >= 300 && a.Status < 400 && a.Status != http.StatusNotModified {
		tb.Errorf("%s %q is answered %d %.200q", a.Method, a.Path, a.Status, a.Body)
	}
	select {
	case line := <-t.panicked:
		tb.Errorf("%s %q: %s", a.Method, a.Path, line)
	default:
	}
}

// raw sends bytes as they are, and after them the end of this side if they may ask for more, and returns the answers until the end.
// method and path are of the first.
func (t *target) raw(tb testing.TB, method, path, text string, end bool) (answers []description.Answer) {
	tb.Helper()
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		io.WriteString(conn, text) // fails when the server has heard enough
		if end {
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	r := bufio.NewReader(conn)
	for {
		if _, err := r.Peek(1); err != nil {
			if err != io.EOF && !strings.Contains(err.Error(), "reset") {
				tb.Errorf("after %d answers: %v", len(answers), err)
			}
			return answers
		}
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			tb.Errorf("what came back is not HTTP: %v", err)
			return answers
		}
		if resp.StatusCode == http.StatusContinue {
			continue
		}
		a := description.Answer{Method: method, Path: path, Status: resp.StatusCode, Header: resp.Header}
		if a.Body, err = io.ReadAll(resp.Body); err != nil {
			tb.Errorf("a body that came back is cut: %v", err)
			return answers
		}
		answers = append(answers, a)
		if len(answers) > 1 {
			method, path = "GET", "/"
		}
	}
}

// ofHTTP tells whether an answer is that of net/http to what it cannot read.
func ofHTTP(a description.Answer) bool {
	return a.Header.Get("X-Content-Type-Options") == "" && slices.Contains([]int{400, 413, 417, 431, 501, 505}, a.Status)
}

// whole checks that who holds the link still gets everything.
func (t *target) whole(tb testing.TB) {
	tb.Helper()
	a := t.want(tb, 200, "GET", t.ready.path+"/content", t.ticket, nil)
	if !bytes.Equal(a.Body, t.content) {
		tb.Error("the holder of the link got other bytes")
	}
}

// fill replaces names in what is fuzzed by what is another one in each run.
func (t *target) fill(text string) string {
	return strings.NewReplacer("READY", t.ready.path, "OPEN", t.open.path, "OWNER", t.open.owner, "TICKET", t.ticket,
		"DIGEST", digest(t.part)).Replace(text)
}

// FuzzPath: a path is something that is described, a page, or nothing.
func FuzzPath(f *testing.F) {
	t := newTarget(f)
	for _, path := range []string{"/", "/d/x", "/how", "READY/content", "READY/parts/1", "READY/parts/1?a=b", "OPEN/parts?wait=0&seen=0", "/api/v1/config#a",
		"/../etc/passwd", "//x", "/%2e%2e/%2f", "/b/x/..", "/api/v1/shares/%00", "READY/parts/%31", "http://other/healthz", "*", "/%zz", "x",
		"/a b", "/\x7f", "/é", "/?%00", "READY/parts/18446744073709551617", "READY%2fcontent", "/healthz;a=b"} {
		f.Add(path)
	}
	f.Fuzz(func(tt *testing.T, path string) {
		if strings.ContainsAny(path, "\r\n") {
			tt.Skip("is for FuzzHead")
		}
		path = t.fill(path)
		text := "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + t.ticket + "\r\nConnection: close\r\n\r\n"
		answers := t.raw(tt, "GET", path, text, false)
		if len(answers) != 1 {
			tt.Fatalf("%q has %d answers", path, len(answers))
		}
		a := answers[0]
		if ofHTTP(a) {
			return
		}
		if u, err := url.ParseRequestURI(path); err == nil && u.Path != "" {
			a.Path = u.RequestURI()
		} else if a.Status == 200 {
			a.Path = "/"
		}
		t.check(tt, a)
		if a.Status == 200 && a.Header.Get("Content-Type") == "application/octet-stream" && !bytes.Contains(t.content, a.Body) {
			tt.Errorf("%q leads to other bytes", path)
		}
	})
}

// FuzzHead: whatever the lines of a head are, and what comes behind it, the answers are HTTP, nothing is taken that was not meant, and the
// holder of a link gets it all.
func FuzzHead(f *testing.F) {
	t := newTarget(f)
	const owner = "Authorization: Bearer OWNER\r\n"
	for _, head := range []string{
		owner + "Content-Digest: DIGEST\r\nContent-Length: 1000", owner + "Content-Length: 1000", "Content-Length: 1000", owner,
		owner + "Content-Digest: DIGEST\r\nTransfer-Encoding: chunked", owner + "Content-Length: 1\r\nTransfer-Encoding: chunked",
		owner + "Content-Length: 1000\r\nContent-Length: 999", owner + "Content-Length: +1000", owner + "Content-Length:1000 ",
		owner + "Content-Digest: DIGEST\r\nContent-Length: 1000\r\nExpect: 100-continue", "Expect: x", "Authorization: Basic OWNER",
		"Authorization: Bearer OWNER, Bearer OWNER", owner + owner + "X: y", "Authorization: bearer  OWNER\t", "X: a\r\n b", "X: a\x00", "X : a", ": x",
		"Connection: close", "Connection: Upgrade\r\nUpgrade: websocket", "X-Forwarded-For: 1,2,3", "Host: y", "Trailer: Content-Length\r\nTransfer-Encoding: chunked",
		owner + "Content-Digest: md5=:AA==:, DIGEST\r\nContent-Length: 1000",
	} {
		f.Add(head, t.part)
		f.Add(head, []byte("3e8;x=y\r\n"+string(t.part)+"\r\n0\r\nX: y\r\n\r\n"))
		f.Add(head, []byte{})
	}
	f.Fuzz(func(tt *testing.T, head string, body []byte) {
		path := t.open.path + "/parts/1"
		head = t.fill(head)
		answers := t.raw(tt, "PUT", path, "PUT "+path+" HTTP/1.1\r\nHost: x\r\n"+head+"\r\n\r\n"+string(body), true)
		for i, a := range answers {
			if a.Status == http.StatusServiceUnavailable || ofHTTP(a) { // who ends his side may be taken for gone
				continue
			}
			if a.Status == http.StatusNoContent && !strings.Contains(head, t.open.owner) {
				tt.Errorf("taken without the owner's token: %q", head)
			}
			if i > 0 { // of a request in the body, which we do not know
				a.Path = "/"
			}
			t.check(tt, a)
		}
		t.whole(tt)
	})
}

// FuzzRange: the answer to a range is the bytes that it says it is, or all of them, or none.
func FuzzRange(f *testing.F) {
	t := newTarget(f)
	for _, r := range []string{"bytes=0-0", "bytes=-1", "bytes=1-", "bytes=65535-65536", "bytes=0-0,2-3", "bytes=99999999999999999999-", "bytes=-0", "bytes=5-1", "Bytes = 1-2",
		"bytes=0x1-2", "bytes=+1-2", "bytes= 1-2", "bytes=1 -2", "bytes=1-2 ", "bytes=--1", "bytes=1-2-3", "lines=0-1", "bytes", "=", "bytes=196707-", "bytes=196708-"} {
		f.Add(r, "")
		f.Add(r, "\"x\"")
		f.Add(r, "W/\"x\"")
	}
	form := regexp.MustCompile(`^bytes (\d+)-(\d+)/(\d+)$`)
	f.Fuzz(func(tt *testing.T, rng, condition string) {
		header := http.Header{"Range": {rng}}
		if condition != "" {
			header.Set("If-Range", condition)
		}
		if strings.ContainsFunc(rng+condition, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			tt.Skip("is for FuzzHead")
		}
		a := t.do(tt, "GET", t.ready.path+"/content", t.ticket, nil, header)
		switch a.Status {
		case http.StatusOK:
			if !bytes.Equal(a.Body, t.content) {
				tt.Errorf("%q: not the whole", rng)
			}
		case http.StatusPartialContent:
			m := form.FindStringSubmatch(a.Header.Get("Content-Range"))
			first, _ := strconv.Atoi(m[1])
			last, _ := strconv.Atoi(m[2])
			if m[3] != strconv.Itoa(len(t.content)) || first > last || last >= len(t.content) || !bytes.Equal(a.Body, t.content[first:last+1]) {
				tt.Errorf("%q: %q is not what came, %d bytes", rng, m, len(a.Body))
			}
		case http.StatusRequestedRangeNotSatisfiable:
		default:
			tt.Errorf("%q: %d", rng, a.Status)
		}
	})
}

// FuzzDigest: bytes are taken if their digest is there, and else they are not.
func FuzzDigest(f *testing.F) {
	t := newTarget(f)
	for _, d := range []string{"DIGEST", "DIGEST, DIGEST", "md5=:AA==:,DIGEST", "DIGEST;a=b", "sha-256=", "sha-256=:", "sha-256=::", "SHA-DIGEST", "sha-256=:AA==:, DIGEST",
		"sha-512=:AA==:", "", " DIGEST ", "\"DIGEST\"", "sha-256=?1", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"} {
		f.Add(d)
	}
	right := digest(t.part)
	f.Fuzz(func(tt *testing.T, text string) {
		text = t.fill(text)
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			tt.Skip("is for FuzzHead")
		}
		a := t.do(tt, "PUT", t.open.path+"/parts/2", t.open.owner, t.part, http.Header{"Content-Digest": {text}})
		taken := a.Status == http.StatusNoContent
		if taken && !strings.Contains(text, right) || !taken && strings.TrimSpace(text) == right {
			tt.Errorf("%q: %d %s", text, a.Status, a.Body)
		}
	})
}

// FuzzJSON: what is taken of a body is as described, and else it is refused.
func FuzzJSON(f *testing.F) {
	t := newTarget(f)
	calls := []struct {
		method, path, bearer string
		into                 func() any
	}{
		{"POST", "/api/v1/shares", "", func() any { return new(api.CreateShare) }},
		{"POST", t.open.path + "/complete", t.open.owner, func() any { return new(api.CompleteShare) }},
		{"POST", t.ready.path + "/downloads", t.ready.reader, func() any { return new(api.TakeDownload) }},
		{"PATCH", t.open.path, t.open.owner, func() any { return new(api.UpdateShare) }},
	}
	_, hash := randomToken()
	for i := range calls {
		for _, body := range []string{"", "{}", "[]", "null", "{", `{"size":1,"parts":1}`, `{"ticket":"` + hash + `"}`, `{"lifetime":60,"maxDownloads":1}`,
			`{"access":"` + hash + `","reader":"` + hash + `","owner":"` + hash + `","password":true,"size":1,"lifetime":60,"maxDownloads":1,"later":{}}`,
			`{"size":1e3}`, `{"size":1.5}`, `{"size":"1"}`, `{"SIZE":1,"size":2}`, `{"size":9223372036854775808}`, "\ufeff{}", `{"ticket":"\ud800"}`, "{\"\xff\":1}",
			`{"lifetime":null}`, strings.Repeat("[", 10_001), strings.Repeat(`{"a":`, 10_001)} {
			f.Add(uint(i), []byte(body))
		}
	}
	f.Fuzz(func(tt *testing.T, which uint, body []byte) {
		call := calls[which%uint(len(calls))]
		a := t.do(tt, call.method, call.path, call.bearer, body, http.Header{"Content-Type": {"application/json"}})
		if a.Status >= 300 {
			return
		}
		v := call.into()
		err := json.Unmarshal(body, v)
		if err == nil {
			a.Sent, err = json.Marshal(v)
		}
		if err != nil {
			tt.Errorf("%q was taken: %v", body, err)
		}
		t.check(tt, a)
	})
}
