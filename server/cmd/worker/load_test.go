//go:build !js

package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

// share is one that a test has made, and its tokens.
type share struct {
	api.Share
	url           string
	owner, reader string
	content       []byte
}

func token() ([]byte, string) {
	b := make([]byte, api.TokenSize)
	rand.Read(b)
	return b, base64.RawURLEncoding.EncodeToString(b)
}

func sealed(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	copy(b, api.AgeMagic)
	return b
}

// call makes a request, again for as long as it is told that there is no room.
func call(method, url, bearer string, body []byte, header ...string) (status int, answer []byte, err error) {
	for range 20 {
		req, err := http.NewRequest(method, url, bytes.NewReader(body))
		if err != nil {
			return 0, nil, err
		}
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		if method == "POST" {
			req.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil, err
		}
		answer, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			return resp.StatusCode, answer, err
		}
		wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil {
			return resp.StatusCode, answer, nil
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
	return http.StatusServiceUnavailable, nil, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// create makes a share of which nothing has arrived.
func create(base string, content []byte) (*share, error) {
	access, _ := token()
	reader, _ := token()
	owner, text := token()
	in, err := json.Marshal(api.CreateShare{Access: api.HashToken(access), Reader: api.HashToken(reader), Owner: api.HashToken(owner),
		Size: int64(len(content)), Lifetime: 3600})
	if err != nil {
		return nil, err
	}
	status, answer, err := call("POST", base+"/api/v1/shares", "", in)
	if err != nil || status != http.StatusCreated {
		return nil, fmt.Errorf("create: %d %s %w", status, answer, err)
	}
	s := &share{owner: text, content: content, reader: base64.RawURLEncoding.EncodeToString(append(access, reader...))}
	err = json.Unmarshal(answer, &s.Share)
	s.url = base + "/api/v1/shares/" + s.ID
	return s, err
}

// want makes a request of a share.
func (s *share) want(status int, method, path, bearer string, body []byte, header ...string) ([]byte, error) {
	got, answer, err := call(method, s.url+path, bearer, body, header...)
	if err == nil && got != status {
		err = fmt.Errorf("%s %s: %d %.200s", method, path, got, answer)
	}
	return answer, err
}

func (s *share) put(path string, data []byte) error {
	_, err := s.want(http.StatusNoContent, "PUT", path, s.owner, data, "Content-Digest", digest(data))
	return err
}

// parts cuts the content.
func (s *share) parts() (all [][]byte) {
	for rest := s.content; len(rest) > 0; {
		n := min(int(s.PartSize), len(rest))
		all, rest = append(all, rest[:n]), rest[n:]
	}
	return all
}

// seedOf returns what a test chooses by, which SEALPOST_SEED repeats.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SEALPOST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("failed to parse SEALPOST_SEED: %v", err)
		}
	}
	t.Logf("SEALPOST_SEED=%d", seed)
	return seed
}

// round is what a sender and a recipient do with one share, from the beginning to the end.
func round(base string, rnd *mathrand.Rand) error {
	s, err := create(base, sealed(1000+rnd.IntN(300_000)))
	if err != nil {
		return err
	}
	parts := s.parts()
	if err := s.put("/manifest", sealed(500)); err != nil {
		return err
	}
	for _, i := range rnd.Perm(len(parts)) {
		if err := s.put(fmt.Sprintf("/parts/%d", i+1), parts[i]); err != nil {
			return err
		}
	}
	in, err := json.Marshal(api.CompleteShare{Size: int64(len(s.content)), Parts: int64(len(parts))})
	if err != nil {
		return err
	}
	if _, err := s.want(http.StatusOK, "POST", "/complete", s.owner, in); err != nil {
		return err
	}
	raw, ticket := token()
	if in, err = json.Marshal(api.TakeDownload{Ticket: api.HashToken(raw)}); err != nil {
		return err
	}
	if _, err := s.want(http.StatusOK, "POST", "/downloads", s.reader, in); err != nil {
		return err
	}
	got, err := s.want(http.StatusOK, "GET", "/content", ticket, nil)
	if err != nil || !bytes.Equal(got, s.content) {
		return fmt.Errorf("other bytes than were sent, %d of %d, %w", len(got), len(s.content), err)
	}
	from := rnd.IntN(len(s.content))
	got, err = s.want(http.StatusPartialContent, "GET", "/content", ticket, nil, "Range", fmt.Sprintf("bytes=%d-", from))
	if err != nil || !bytes.Equal(got, s.content[from:]) {
		return fmt.Errorf("another range than was asked for, %w", err)
	}
	if _, err := s.want(http.StatusNotFound, "GET", "/parts/1", s.reader[:43], nil); err != nil {
		return err
	}
	_, err = s.want(http.StatusNoContent, "DELETE", "", s.owner, nil)
	return err
}

// trickle begins to send a part and says a little now and then, until it is told to finish. It returns what is answered.
func (s *share) trickle(path string, data []byte, finish <-chan struct{}) (string, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return "", err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Hour)) // longer than any run
	fmt.Fprintf(conn, "PUT %s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\nContent-Digest: %s\r\n\r\n",
		u.Path, path, u.Host, s.owner, len(data), digest(data))
	for rest := data; ; {
		n := min(64, len(rest)-1) // a byte is always left to send
		if _, err := conn.Write(rest[:n]); err != nil {
			return "", err
		}
		rest = rest[n:]
		select {
		case <-finish:
			if _, err := conn.Write(rest); err != nil {
				return "", err
			}
			answer, err := io.ReadAll(conn)
			line, _, _ := strings.Cut(string(answer), "\r\n")
			return line, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestPool: what holds instances up in other programs does not here. While 40 senders trickle, with five times as many as there
// are instances, 16 clients go through whole shares; some hang up in the middle; and all that was trickled is there in the end.
func TestPool(t *testing.T) {
	t.Parallel()
	d := deploy(t, "worker.mjs", "SEALPOST_PART_SIZE:64KiB", "SEALPOST_CREATE_RATE:0", "SEALPOST_TAKE_RATE:0", "SEALPOST_MISS_RATE:0")
	s, err := create(d.URL, sealed(40*64<<10))
	if err != nil {
		t.Fatal(err)
	}
	finish := make(chan struct{})
	var trickling, clients sync.WaitGroup
	for i, part := range s.parts() {
		trickling.Go(func() {
			if line, err := s.trickle(fmt.Sprintf("/parts/%d", i+1), part, finish); err != nil || line != "HTTP/1.1 204 No Content" {
				t.Errorf("a sender that trickles is answered %q, %v", line, err)
			}
		})
	}
	time.Sleep(time.Second)
	seed, rounds := seedOf(t), 1
	if os.Getenv("SEALPOST_LONG") == "1" {
		rounds = 25
	}
	began := time.Now()
	for client := range 16 {
		clients.Go(func() {
			rnd := mathrand.New(mathrand.NewPCG(seed, uint64(client)))
			for range rounds {
				hangUp(t, d.URL, rnd)
				if err := round(d.URL, rnd); err != nil {
					t.Errorf("client %d: %v", client, err)
				}
			}
		})
	}
	clients.Wait()
	t.Logf("%d shares in %v", 16*rounds, time.Since(began).Round(time.Millisecond))
	close(finish)
	trickling.Wait()
	list, err := s.want(http.StatusOK, "GET", "/parts", s.owner, nil)
	if err != nil || !strings.Contains(string(list), `"ranges":[[1,40]]`) {
		t.Errorf("what was trickled: %s, %v", list, err)
	}
	if text := d.Log.Own(); strings.Contains(text, s.ID) || !strings.Contains(text, "route=/api/v1/shares/{id}") {
		t.Errorf("the log is to have routes and no ids:\n%s", text)
	}
}

// hangUp begins an upload and a download, and ends neither.
func hangUp(t *testing.T, base string, rnd *mathrand.Rand) {
	s, err := create(base, sealed(200_000))
	if err != nil {
		t.Error(err)
		return
	}
	u, err := url.Parse(s.url)
	if err != nil {
		t.Error(err)
		return
	}
	for _, head := range []string{
		fmt.Sprintf("PUT %s/parts/2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 65536\r\nContent-Digest: %s\r\n\r\n%s",
			u.Path, s.owner, digest(s.parts()[1]), s.parts()[1][:rnd.IntN(65536)]),
		fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", u.Path, s.owner),
		fmt.Sprintf("POST %s/downloads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{", u.Path, s.reader),
	} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, head)
		time.Sleep(time.Duration(rnd.IntN(30)) * time.Millisecond)
		conn.Close()
	}
}
