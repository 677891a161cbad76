//go:build !js

package server_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
)

func TestConfig(t *testing.T) {
	h := newHost(t)
	c := into[api.Config](t, h.want(h.do("GET", "/api/v1/config", "", nil), 200, ""))
	if c.Build != "test" || c.DefaultLifetime != 86400 ||
		c.MaxLifetime != 30*86400 || c.MaxDownloads != 100 || len(c.Lifetimes) != 7 {
		t.Errorf("unexpected: %+v", c)
	}
	for name, f := range map[string]func(*server.Config){
		"stores":   func(c *server.Config) { c.Blobs = nil },
		"log":      func(c *server.Config) { c.Log = nil },
		"budget":   func(c *server.Config) { c.Budget.Refill = -1 },
		"clock":    func(c *server.Config) { c.Now = nil },
		"unsorted": func(c *server.Config) { c.Lifetimes = []time.Duration{time.Hour, time.Minute} },
		"default":  func(c *server.Config) { c.DefaultLifetime = time.Second },
		"fraction": func(c *server.Config) { c.Lifetimes = []time.Duration{1500 * time.Millisecond} },
		"part":     func(c *server.Config) { c.PartSize = api.MaxPartSize + 1 },
		"share":    func(c *server.Config) { c.MaxShareSize = api.MaxParts*api.MaxPartSize + 1 },
	} {
		c := server.Config{Blobs: h.blobs, Meta: h.meta, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		if _, err := server.New(c); err != nil {
			t.Fatal(err)
		}
		f(&c)
		if _, err := server.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCreate(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.MaxShareSize = 1 << 38 })
	in, _ := terms(1000)
	first := into[api.Share](t, h.want(h.do("POST", "/api/v1/shares", "", in), 201, ""))
	again := into[api.Share](t, h.want(h.do("POST", "/api/v1/shares", "", in), 200, ""))
	if !reflect.DeepEqual(first, again) || len(first.ID) != api.IDSize ||
		*first.Left != 5 || *first.Taken != 0 || first.State != api.StateOpen {
		t.Errorf("first %+v, again %+v", first, again)
	}
	other := in
	other.MaxDownloads++
	h.want(h.do("POST", "/api/v1/shares", "", other), 409, api.CodeShareConflict)

	for _, test := range []struct {
		f    func(*api.CreateShare)
		code api.Code
		want int
	}{
		{func(c *api.CreateShare) { c.Lifetime = 0 }, api.CodeBadLifetime, 400},
		{func(c *api.CreateShare) { c.Lifetime = 30*86400 + 1 }, api.CodeBadLifetime, 400},
		{func(c *api.CreateShare) { c.Lifetime = 30 * 86400 }, "", 201},
		{func(c *api.CreateShare) { c.Lifetime = 1 }, "", 201},
		{func(c *api.CreateShare) { c.MaxDownloads = -1 }, api.CodeBadDownloads, 400},
		{func(c *api.CreateShare) { c.MaxDownloads = 101 }, api.CodeBadDownloads, 400},
		{func(c *api.CreateShare) { c.MaxDownloads = 0 }, "", 201},
		{func(c *api.CreateShare) { c.MaxDownloads = 100 }, "", 201},
		{func(c *api.CreateShare) { c.Size = 0 }, api.CodeBadRequest, 400},
		{func(c *api.CreateShare) { c.Size = 1<<38 + 1 }, api.CodeTooLarge, 413},
		{func(c *api.CreateShare) { c.Owner = api.Hash{} }, api.CodeBadRequest, 400},
	} {
		in, _ := terms(1)
		test.f(&in)
		h.want(h.do("POST", "/api/v1/shares", "", in), test.want, test.code)
	}
	for size, want := range map[int64]int64{
		1: partSize, partSize * api.MaxParts: partSize, partSize*api.MaxParts + 1: 2 * partSize, 1 << 38: api.MaxPartSize,
	} {
		in, _ := terms(size)
		if got := into[api.Share](t, h.do("POST", "/api/v1/shares", "", in)).PartSize; got != want {
			t.Errorf("size %d: part size %d, want %d", size, got, want)
		}
	}
}

func TestBodies(t *testing.T) {
	h := newHost(t)
	const path = "/api/v1/shares"
	for body, code := range map[string]api.Code{
		"":                                     api.CodeBadRequest,
		"null":                                 api.CodeBadLifetime,
		"{} {}":                                api.CodeBadRequest,
		`{"owner":"short"}`:                    api.CodeBadRequest,
		`{"lifetime":"1"}`:                     api.CodeBadRequest,
		strings.Repeat(" ", api.MaxJSONBody):   api.CodeBadRequest,
		strings.Repeat(" ", api.MaxJSONBody+1): api.CodeTooLarge,
	} {
		if got := h.do("POST", path, "", body).code(); got != code {
			t.Errorf("%.20q: got %q, want %q", body, got, code)
		}
	}
	h.want(h.do("POST", path, "", "{}", "Content-Type", "text/plain"), 400, api.CodeBadRequest)
	in, _ := terms(1)
	text := fmt.Sprintf(`{"later":1,"access":%q,"reader":%q,"owner":%q,"size":1,"lifetime":1}`, in.Access, in.Reader, in.Owner)
	h.want(h.do("POST", path, "", text, "Content-Type", "application/json; charset=utf-8"), 201, "")
}

func TestPut(t *testing.T) {
	h := newHost(t)
	const size = 2*partSize + 10
	l := h.create(size)
	one, two, three := sealed(partSize), sealed(partSize), sealed(10)
	put := func(what string, data []byte, status int, code api.Code, header ...string) {
		t.Helper()
		if header == nil {
			header = []string{"Content-Digest", digestOf(data)}
		}
		h.want(h.do("PUT", l.path+"/"+what, l.owner, data, header...), status, code)
	}
	put("parts/1", append([]byte("x"), one[1:]...), 422, api.CodeNotSealed)
	put("manifest", []byte("{}"), 422, api.CodeNotSealed)
	put("parts/1", one, 400, api.CodeDigestRequired, "X", "y")
	put("parts/1", one, 400, api.CodeDigestRequired, "Content-Digest", "sha-256=:AAAA:")
	put("parts/1", one, 400, api.CodeDigestMismatch, "Content-Digest", digestOf(two))
	put("parts/1", append(one, 0), 413, api.CodeTooLarge)
	put("parts/3", append(three, 0), 413, api.CodeTooLarge)
	put("parts/4", three, 413, api.CodeTooLarge)
	put("parts/2", []byte{}, 400, api.CodeWrongSize)
	put("manifest", make([]byte, api.MaxManifestSize+1), 413, api.CodeTooLarge)
	for _, n := range []string{"0", "-1", "01", "x", "4097", "99999999999999999999"} {
		put("parts/"+n, one, 404, api.CodeNotFound)
	}
	r, _ := http.NewRequest("PUT", h.url+l.path+"/parts/1", io.MultiReader(bytes.NewReader(one)))
	r.Header.Set("Authorization", "Bearer "+l.owner)
	r.Header.Set("Content-Digest", digestOf(one))
	if resp, err := http.DefaultClient.Do(r); err != nil || resp.StatusCode != 411 {
		t.Errorf("chunked: %v %v", resp, err)
	}

	// Any order; repeated; other bytes refused and the first kept.
	put("parts/3", three, 204, "", "Content-Digest", "sha-512=:AAAA:, "+digestOf(three))
	put("parts/1", one, 204, "")
	put("parts/1", one, 204, "")
	put("parts/1", sealed(partSize), 409, api.CodePartConflict)
	a := h.want(h.complete(l, size, 3), 409, api.CodeIncomplete)
	if got := a.problem(t).Missing; !reflect.DeepEqual(got, [][2]int64{{0, 0}, {2, 2}}) {
		t.Errorf("missing %v", got)
	}
	parts := into[api.Parts](t, h.do("GET", l.path+"/parts", l.owner, nil))
	if parts.Manifest || parts.Count != 2 || !reflect.DeepEqual(parts.Ranges, [][2]int64{{1, 1}, {3, 3}}) {
		t.Errorf("parts %+v", parts)
	}
	put("parts/2", two, 204, "")
	put("manifest", sealed(50), 204, "")
	put("manifest", sealed(50), 409, api.CodePartConflict)
	h.want(h.complete(l, size-1, 3), 409, api.CodeIncomplete)
	h.want(h.complete(l, size, 2), 400, api.CodeWrongSize)
	h.want(h.complete(l, size+1, 3), 413, api.CodeTooLarge)
	sh := into[api.Share](t, h.want(h.complete(l, size, 3), 200, ""))
	if sh.State != api.StateReady || sh.Parts != 3 || sh.Size != size || sh.Expires != sh.Now+3600 {
		t.Errorf("share %+v", sh)
	}
	h.want(h.complete(l, size, 3), 200, "")
	h.want(h.complete(l, size-1, 3), 409, api.CodeAlreadyComplete)
	put("parts/1", one, 204, "")
	put("parts/1", sealed(partSize), 409, api.CodeAlreadyComplete)
	put("parts/3", sealed(11), 409, api.CodeAlreadyComplete)
	put("parts/4", one, 409, api.CodeAlreadyComplete)
	put("manifest", make([]byte, api.MaxManifestSize+1), 413, api.CodeTooLarge)
}

func TestShortLastPart(t *testing.T) {
	h := newHost(t)
	l := h.create(3 * partSize) // the bound is larger than what comes
	content := sealed(partSize + 1)
	h.send(l, content)
	if a := h.do("GET", l.path+"/content", h.mustTake(l), nil); !bytes.Equal(a.body, content) {
		t.Errorf("content differs: %d", a.status)
	}
}

// Whoever is second learns that other bytes are there; what is read is one of the two and never a mix.
func TestRacingPuts(t *testing.T) {
	h := newHost(t)
	for range 5 {
		l := h.create(partSize)
		bodies := make([][]byte, 8)
		answers := make([]answer, len(bodies))
		var wg sync.WaitGroup
		for i := range bodies {
			bodies[i] = sealed(partSize)
			wg.Go(func() { answers[i] = h.put(l, "parts/1", bodies[i]) })
		}
		wg.Wait()
		var winner []byte
		for i, a := range answers {
			switch {
			case a.status == 204 && winner == nil:
				winner = bodies[i]
			case a.status != 409 || a.code() != api.CodePartConflict:
				t.Fatalf("answer %d: %d %s", i, a.status, a.body)
			}
		}
		if a := h.do("GET", l.path+"/parts/1", h.mustTake(l), nil); winner == nil || !bytes.Equal(a.body, winner) {
			t.Fatal("the winner's bytes are not the part")
		}
		kept := 0
		for _, b := range bodies {
			kept += h.objects(l, nil, b)
		}
		if kept != 1 {
			t.Errorf("%d objects are kept", kept)
		}
	}
}

func TestCutUpload(t *testing.T) {
	h := newHost(t)
	l := h.create(partSize)
	data := sealed(partSize)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT %s/parts/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Digest: %s\r\nContent-Length: %d\r\n\r\n",
		l.path, l.owner, digestOf(data), len(data))
	conn.Write(data[:len(data)/2])
	conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	if !bytes.Contains(answer, []byte(`"interrupted"`)) {
		t.Errorf("got %q", answer)
	}
	h.want(h.put(l, "parts/1", data), 204, "")
}

func TestFollow(t *testing.T) {
	h := newHost(t, func(c *server.Config) { c.LongPoll = 5 * time.Second })
	l := h.create(2 * partSize)
	ticket := h.mustTake(l)
	h.want(h.do("GET", l.path+"/parts/1", ticket, nil), 409, api.CodeNotReady)
	h.want(h.do("GET", l.path+"/content", ticket, nil), 409, api.CodeNotReady)
	a := h.want(h.do("GET", l.path+"/manifest", l.bearer, nil), 409, api.CodeNotReady)
	if a.header.Get("Retry-After") != "1" {
		t.Error("no Retry-After")
	}
	h.want(h.do("GET", l.path+"/parts/3", ticket, nil), 404, api.CodeNotFound)
	h.want(h.do("GET", l.path+"/parts?wait=x&seen=0", ticket, nil), 400, api.CodeBadRequest)
	if a := h.do("GET", l.path+"/parts", ticket, nil); a.header.Get("Retry-After") != "1" ||
		!bytes.Contains(a.body, []byte(`"ranges":[]`)) {
		t.Errorf("parts %s", a.body)
	}
	began := time.Now()
	done := make(chan api.Parts)
	go func() { done <- into[api.Parts](t, h.do("GET", l.path+"/parts?wait=60&seen=0", ticket, nil)) }()
	time.Sleep(50 * time.Millisecond)
	h.want(h.put(l, "parts/2", sealed(partSize)), 204, "")
	if p := <-done; p.Count != 1 || time.Since(began) > 3*time.Second {
		t.Errorf("news %+v after %v", p, time.Since(began))
	}
}
