package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/s3"
	"github.com/sealpost/sealpost/server/store/storetest"
)

func TestMain(m *testing.M) { services.Main(m) }

// reopening is a store that the suite can open anew.
type reopening struct {
	*s3.Store
	cfg s3.Config
}

func (r reopening) Reopen(t *testing.T) store.Blobs { return open(t, r.cfg) }

func open(t testing.TB, cfg s3.Config) reopening {
	t.Helper()
	s, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return reopening{s, cfg}
}

// config is that of an empty bucket.
func config(t testing.TB, server *services.S3Server) s3.Config {
	t.Helper()
	return s3.Config{Endpoint: server.Endpoint(), Bucket: server.Bucket(t), Region: services.S3Region, Prefix: "some/where/",
		AccessKey: services.S3Access, SecretKey: services.S3Secret}
}

func TestBlobs(t *testing.T) {
	server := services.S3(t)
	storetest.Blobs(t, func(t *testing.T) store.Blobs { return open(t, config(t, server)) })
}

const share = "abcdefghijklmnop"

func key(n int64, data []byte) store.Key {
	return store.Key{Share: share, N: n, Digest: sha256.Sum256(data)}
}

func put(s store.Blobs, n int64, data []byte) error {
	return s.Put(context.Background(), key(n, data), bytes.NewReader(data), int64(len(data)), "")
}

// objects are the names of what is in a bucket.
func objects(t *testing.T, server *services.S3Server, bucket string) (names []string) {
	t.Helper()
	root := server.Folder(bucket)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".sgwtmp") {
			return fs.SkipDir // the server's own
		}
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(root, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestNames(t *testing.T) {
	server := services.S3(t)
	for _, prefix := range []string{"", "a/", "a/b-/"} {
		cfg := config(t, server)
		cfg.Prefix = prefix
		s := open(t, cfg)
		if err := put(s, 7, []byte("data")); err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("data"))
		want := []string{prefix + share + "/7-" + hex.EncodeToString(digest[:])}
		if got := objects(t, server, cfg.Bucket); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestForeign: what is not ours stays, in our place and beside it, as another server's is that shares the bucket.
func TestForeign(t *testing.T) {
	server := services.S3(t)
	cfg, other := config(t, server), config(t, server)
	other.Bucket, other.Prefix = cfg.Bucket, "some/where-else/"
	s, beside := open(t, cfg), open(t, other)
	for _, err := range []error{put(s, 1, []byte("ours")), put(beside, 1, []byte("theirs"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	strange := filepath.Join(server.Folder(cfg.Bucket), "some/where", share, "notes.txt")
	if err := os.WriteFile(strange, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), func(context.Context, store.Key) (bool, error) { return false, nil })
	if n != 1 || err != nil || len(objects(t, server, cfg.Bucket)) != 2 {
		t.Errorf("removed %d, left %v, %v", n, objects(t, server, cfg.Bucket), err)
	}
}

// TestPages: of more objects than a page or a batch has, all are seen and removed.
func TestPages(t *testing.T) {
	server := services.S3(t)
	cfg := config(t, server)
	s := open(t, cfg)
	const n = 2345
	plant := func() {
		dir := filepath.Join(server.Folder(cfg.Bucket), cfg.Prefix, share)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range int64(n) {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(key(i, nil).Name())), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	plant()
	asked := map[store.Key]bool{}
	removed, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), func(_ context.Context, k store.Key) (bool, error) {
		asked[k] = true
		return k.N%2 == 0, nil
	})
	if removed != n/2 || len(asked) != n || err != nil {
		t.Errorf("removed %d of %d, asked about %d, %v", removed, n/2, len(asked), err)
	}
	plant()
	if err := s.DeleteShare(t.Context(), share); err != nil || len(objects(t, server, cfg.Bucket)) != 0 {
		t.Errorf("%d objects are left, %v", len(objects(t, server, cfg.Bucket)), err)
	}
}

// TestStoreVerifies: what this package let through by mistake the store would refuse.
func TestStoreVerifies(t *testing.T) {
	server := services.S3(t)
	cfg := config(t, server)
	s := open(t, cfg)
	data := bytes.Repeat([]byte("sealed "), 20_000)
	other := bytes.Clone(data)
	other[100_000] ^= 1
	for name, body := range map[string][]byte{"another byte": other, "short": data[:len(data)-1]} {
		if err := s.PutUnverified(t.Context(), key(1, data), body, int64(len(data))); err == nil {
			t.Errorf("%s: taken", name)
		}
		if got := objects(t, server, cfg.Bucket); len(got) != 0 {
			t.Errorf("%s: kept %v", name, got)
		}
	}
	if err := s.PutUnverified(t.Context(), key(1, data), data, int64(len(data))); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := config(t, services.S3(t))
	for want, change := range map[string]func(*s3.Config){
		"there is none":   func(c *s3.Config) { c.Bucket = "no-such-bucket" },
		"403":             func(c *s3.Config) { c.SecretKey = "hush-hush" },
		"refused":         func(c *s3.Config) { c.Endpoint = "http://127.0.0.1:1" },
		"is not https://": func(c *s3.Config) { c.Endpoint = "127.0.0.1:9000" },
		"no name":         func(c *s3.Config) { c.Bucket = "" },
		"key is missing":  func(c *s3.Config) { c.AccessKey = "" },
		`prefix "/x/"`:    func(c *s3.Config) { c.Prefix = "/x/" },
		`prefix "x"`:      func(c *s3.Config) { c.Prefix = "x" },
		`prefix "../"`:    func(c *s3.Config) { c.Prefix = "../" },
	} {
		cfg := good
		change(&cfg)
		if _, err := s3.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestUnbuffered: a part takes as much memory as any other, whatever its size.
func TestUnbuffered(t *testing.T) {
	s := open(t, config(t, services.S3(t)))
	const size = 64 << 20
	h := sha256.New()
	io.CopyN(h, zeros{}, size)
	k := store.Key{Share: share, N: 1, Digest: store.Hash(h.Sum(nil))}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := s.Put(t.Context(), k, io.LimitReader(zeros{}, size), size, "\x00\x00"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), k, 1, size-1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.CopyN(io.Discard, r, size-1); err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
		t.Errorf("a part of %d MiB took %d KiB to write and read", size>>20, took>>10)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestRestart: without its store everything says so, soon, and works again when the store does. What was acknowledged is there, what
// was on its way is not.
func TestRestart(t *testing.T) {
	server := services.StartS3(t)
	cfg := config(t, server)
	s := open(t, cfg)
	kept := []byte("kept")
	for i := range 2 {
		if err := put(s, int64(i), kept); err != nil {
			t.Fatalf("after %d starts: %v", i, err)
		}
		body, client := io.Pipe()
		broken := bytes.Repeat([]byte("broken off"), 100_000)
		done := make(chan error)
		go func() { done <- s.Put(context.Background(), key(10, broken), body, int64(len(broken)), "") }()
		client.Write(broken[:500_000])
		server.Kill()
		go client.Write(broken[500_000:]) // or else it would be the client who is waited for
		if err := <-done; !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("a part that was on its way: %v", err)
		}
		began := time.Now()
		var calls sync.WaitGroup
		for name, call := range map[string]func() error{
			"put":          func() error { return put(s, 2, kept) },
			"open":         func() error { _, err := s.Open(context.Background(), key(0, kept), 0, 4); return err },
			"sweep":        func() error { _, err := s.Sweep(context.Background(), time.Now(), nil); return err },
			"delete":       func() error { return s.Delete(context.Background(), key(2, kept)) },
			"delete share": func() error { return s.DeleteShare(context.Background(), share) },
		} {
			calls.Go(func() {
				if err := call(); !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), share) {
					t.Errorf("%s without a store: %v", name, err)
				}
			})
		}
		calls.Wait()
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("it took %v to say so", d)
		}
		server.Start(t)
		if _, err := s.Open(t.Context(), key(10, broken), 0, 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the part that was broken off: %v", err)
		}
		for n := range int64(i + 1) {
			r, err := s.Open(t.Context(), key(n, kept), 0, 4)
			if err != nil {
				t.Fatalf("part %d, which was acknowledged: %v", n, err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, kept) {
				t.Errorf("part %d: %q, %v", n, got, err)
			}
			r.Close()
		}
	}
}

// answering opens a store that gives any request but the first, for the bucket, one answer.
func answering(t *testing.T, h http.HandlerFunc) reopening {
	t.Helper()
	opened := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !opened {
			opened = true
			return
		}
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return open(t, s3.Config{Endpoint: server.URL, Bucket: "bucket", AccessKey: "a", SecretKey: "b"})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{507, "InsufficientStorage", store.ErrFull},
		{403, "QuotaExceeded", store.ErrFull},
		{500, "InternalError", store.ErrUnavailable},
		{503, "SlowDown", store.ErrUnavailable},
		{502, "", store.ErrUnavailable},
		{429, "", store.ErrUnavailable},
		{409, "OperationAborted", store.ErrUnavailable},
		{400, "RequestTimeout", store.ErrUnavailable}, // as AWS has it
		{403, "RequestTimeTooSkewed", store.ErrUnavailable},
		{400, "SlowDown", store.ErrUnavailable},
		{400, "InternalError", store.ErrUnavailable},
		{400, "ServiceUnavailable", store.ErrUnavailable},
		{400, "OperationAborted", store.ErrUnavailable},
		{400, "InvalidRequest", nil},
		{403, "AccessDenied", nil},
		{404, "NoSuchBucket", nil}, // which is not the share's fault
	} {
		t.Run(strconv.Itoa(c.status)+c.code, func(t *testing.T) {
			t.Parallel()
			s := answering(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(c.status)
				if c.code != "" {
					fmt.Fprintf(w, "<Error><Code>%s</Code><Message>about %s</Message></Error>", c.code, r.URL.Path)
				}
			})
			_, opened := s.Open(t.Context(), key(1, nil), 0, 1)
			for what, err := range map[string]error{"put": put(s, 1, []byte("data")), "open": opened, "delete": s.DeleteShare(t.Context(), share)} {
				known := errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound)
				if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && known {
					t.Fatalf("%s: %v", what, err)
				}
				if strings.Contains(err.Error(), share) || !strings.Contains(err.Error(), strconv.Itoa(c.status)) {
					t.Errorf("the error is %v", err)
				}
			}
		})
	}
}

// TestWrongRange: a store that does not know ranges is found out.
func TestWrongRange(t *testing.T) {
	s := answering(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "all of it") })
	if _, err := s.Open(t.Context(), key(1, nil), 4, 2); err == nil || !strings.Contains(err.Error(), "asked for bytes from 4") {
		t.Errorf("bytes from the beginning are taken for those of the middle: %v", err)
	}
}

// TestStall: a store that stands still is given up, in either direction; a client that takes its time is not.
func TestStall(t *testing.T) {
	const stall = 600 * time.Millisecond
	release := make(chan struct{})
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "the beginning")
			w.(http.Flusher).Flush()
		}
		<-release
	})
	defer close(release)
	s.SetStall(stall)
	large := make([]byte, 16<<20) // more than fits on the way
	if err := put(s, 1, large); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("put: %v", err)
	}
	r, err := s.Open(t.Context(), key(1, nil), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err == nil || string(got) != "the beginning" {
		t.Errorf("read %q, %v", got, err)
	}

	real := open(t, config(t, services.S3(t)))
	real.SetStall(stall)
	data := []byte("slowly")
	if err := real.Put(t.Context(), key(1, data), &slow{data, stall / 4}, int64(len(data)), ""); err != nil {
		t.Errorf("a slow sender: %v", err)
	}
	r, err = real.Open(t.Context(), key(1, data), 0, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	time.Sleep(2 * stall)
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("a slow recipient: %q, %v", got, err)
	}
}

// TestStallInAnswers: a store that begins to answer and then stands still is given up too, whatever was asked.
func TestStallInAnswers(t *testing.T) {
	const stall = 600 * time.Millisecond
	name := key(1, nil).Name()
	for what, c := range map[string]struct {
		list string // nothing if it is the list that stands still
		call func(reopening) error
	}{
		"list": {"", func(s reopening) error { return s.List(t.Context(), func(store.Object) error { return nil }) }},
		"list of a sweep": {"", func(s reopening) error {
			_, err := s.Sweep(t.Context(), time.Now(), nil)
			return err
		}},
		"list of a share": {"", func(s reopening) error { return s.DeleteShare(t.Context(), share) }},
		"deletion of a share": {"<ListBucketResult><Contents><Key>" + name + "</Key><LastModified>2020-01-01T00:00:00Z</LastModified>" +
			"</Contents></ListBucketResult>", func(s reopening) error { return s.DeleteShare(t.Context(), share) }},
		"deletion": {"", func(s reopening) error { return s.Delete(t.Context(), key(1, nil)) }},
		"mark": {"", func(s reopening) error {
			_, err := s.Mark(t.Context(), "mark")
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			s := answering(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodGet && c.list != "" {
					io.WriteString(w, c.list)
					return
				}
				w.Header().Set("Content-Length", "100")
				io.WriteString(w, "<ListBucketResult>")
				w.(http.Flusher).Flush()
				<-release
			})
			defer close(release)
			s.SetStall(stall)
			began := time.Now()
			done := make(chan error, 1)
			go func() { done <- c.call(s) }()
			select {
			case err := <-done:
				if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), share) {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			case <-time.After(10 * stall):
				t.Error("it was not given up")
			}
		})
	}
}

// TestSlowVisitor: who takes their time with what is listed is waited for.
func TestSlowVisitor(t *testing.T) {
	const stall = 300 * time.Millisecond
	server := services.S3(t)
	s := open(t, config(t, server))
	for n := range int64(3) {
		if err := put(s, n, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.SetStall(stall)
	n := 0
	err := s.List(t.Context(), func(store.Object) error {
		n++
		time.Sleep(2 * stall)
		return nil
	})
	if n != 3 || err != nil {
		t.Errorf("listed %d, %v", n, err)
	}
	removed, err := s.Sweep(t.Context(), time.Now().Add(time.Hour), func(context.Context, store.Key) (bool, error) {
		time.Sleep(2 * stall)
		return false, nil
	})
	if removed != 3 || err != nil {
		t.Errorf("swept %d, %v", removed, err)
	}
}

// slow gives a byte now and then.
type slow struct {
	data  []byte
	pause time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	p[0], s.data = s.data[0], s.data[1:]
	return 1, nil
}
