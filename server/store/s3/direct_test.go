package s3_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/s3"
)

// directTo returns a store and what sends clients to it.
func directTo(t *testing.T) (reopening, *s3.Direct) {
	t.Helper()
	server := services.S3(t)
	s := open(t, config(t, server))
	d, err := s.Direct(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// ask makes a request as a client does that has nothing else.
func ask(t *testing.T, r store.Request, body []byte, change func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	if change != nil {
		change(req)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestDirectPut: the one body that a request is for can be stored with it, once; any other request is refused, and nothing is there of it.
func TestDirectPut(t *testing.T) {
	s, d := directTo(t)
	data := []byte("magic and what follows it")
	k := key(1, data)
	put := func(lasts time.Duration) store.Request {
		t.Helper()
		r, err := d.PutRequest(t.Context(), k, int64(len(data)), lasts)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := put(time.Minute)
	if u, err := url.Parse(r.URL); err != nil || u.Scheme+"://"+u.Host != d.Origin() {
		t.Errorf("goes to %s, not to %s", r.URL, d.Origin())
	}
	other := bytes.Replace(data, []byte("what"), []byte("that"), 1)
	expired := put(time.Second)
	for what, c := range map[string]struct {
		r      store.Request
		body   []byte
		change func(*http.Request)
	}{
		"other bytes":   {r, other, nil},
		"a byte more":   {r, append(bytes.Clone(data), 'x'), nil},
		"a byte less":   {r, data[:len(data)-1], nil},
		"no condition":  {r, data, func(r *http.Request) { r.Header.Del("If-None-Match") }},
		"as a page":     {r, data, func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }},
		"of no kind":    {r, data, func(r *http.Request) { r.Header.Del("Content-Type") }},
		"no checksum":   {r, data, func(r *http.Request) { r.Header.Del("X-Amz-Checksum-Sha256") }},
		"another place": {r, data, func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "/1-", "/2-", 1) }},
		"its deletion":  {r, nil, func(r *http.Request) { r.Method = "DELETE" }},
		"reading it":    {r, nil, func(r *http.Request) { r.Method = "GET" }},
		"too late": {expired, data, func(r *http.Request) {
			time.Sleep(2500 * time.Millisecond)
		}},
	} {
		if status, text := ask(t, c.r, c.body, c.change); status < 400 {
			t.Errorf("%s: %d %s", what, status, text)
		}
		if err := d.Confirm(t.Context(), k, int64(len(data)), ""); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%s: confirmed: %v", what, err)
		}
	}
	if status, text := ask(t, r, data, nil); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := ask(t, r, data, nil); status != http.StatusPreconditionFailed {
		t.Errorf("again: %d %s", status, text)
	}
	body, err := s.Open(t.Context(), k, 0, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("has %q, %v", got, err)
	}
}

// TestDirectAllowed: the rules that we publish for buckets let pages of one origin make these requests.
func TestDirectAllowed(t *testing.T) {
	const page = "https://sealpost.test"
	server := services.S3(t)
	cfg := config(t, server)
	s := open(t, cfg)
	server.AllowPages(t, cfg.Bucket, page)
	d, err := s.Direct(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	k := key(1, []byte("data"))
	put, err := d.PutRequest(t.Context(), k, 4, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	get, err := d.GetRequest(t.Context(), k, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []store.Request{put, get} {
		names := []string{"range"}
		if r.Method == http.MethodPut {
			names = slices.Sorted(maps.Keys(r.Header))
		}
		for _, from := range []string{page, "https://elsewhere.test"} {
			status, _ := ask(t, store.Request{Method: http.MethodOptions, URL: r.URL, Header: map[string]string{
				"Origin":                         from,
				"Access-Control-Request-Method":  r.Method,
				"Access-Control-Request-Headers": strings.ToLower(strings.Join(names, ",")),
			}}, nil, nil)
			if allowed := status < 300; allowed != (from == page) {
				t.Errorf("%s from %s with %v: %d", r.Method, from, names, status)
			}
		}
	}
}

// TestDirectConfirm: only what Put would have stored is confirmed, whether the store keeps a checksum of it or not.
func TestDirectConfirm(t *testing.T) {
	s, d := directTo(t)
	data := []byte("magic and what follows it")
	for n, stored := range []func(store.Key) error{
		func(k store.Key) error {
			r, err := d.PutRequest(t.Context(), k, int64(len(data)), time.Minute)
			if err == nil {
				if status, text := ask(t, r, data, nil); status != http.StatusOK {
					t.Errorf("%d %s", status, text)
				}
			}
			return err
		},
		func(k store.Key) error { return s.PutPlain(t.Context(), k, data) },
	} {
		k := store.Key{Share: share, N: int64(n), Digest: sha256.Sum256(data)}
		if err := stored(k); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			size  int64
			magic string
			want  error
		}{
			{int64(len(data)), "", nil},
			{int64(len(data)), "magic", nil},
			{int64(len(data)), "Magic", store.ErrMagic},
			{int64(len(data)), string(data) + "x", store.ErrMagic},
			{int64(len(data)) - 1, "", store.ErrSize},
			{int64(len(data)) + 1, "", store.ErrSize},
		} {
			if err := d.Confirm(t.Context(), k, c.size, c.magic); !errors.Is(err, c.want) {
				t.Errorf("%d, %+v: %v", n, c, err)
			}
		}
	}
	wrong := key(7, []byte("something else as long as it"))
	if err := s.PutPlain(t.Context(), wrong, []byte("something that is as long it")); err != nil {
		t.Fatal(err)
	}
	if err := d.Confirm(t.Context(), wrong, 28, ""); !errors.Is(err, store.ErrDigest) {
		t.Errorf("other bytes: %v", err)
	}
	if err := d.Confirm(t.Context(), key(8, data), int64(len(data)), ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

// TestDirectGet: an object is read, in ranges too, until the request expires or the object is gone; and with that request nothing else.
func TestDirectGet(t *testing.T) {
	s, d := directTo(t)
	data := []byte("what is there")
	if err := put(s, 1, data); err != nil {
		t.Fatal(err)
	}
	get := func(lasts time.Duration) store.Request {
		t.Helper()
		r, err := d.GetRequest(t.Context(), key(1, data), lasts)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r, short := get(time.Minute), get(time.Second)
	if status, text := ask(t, r, nil, nil); status != http.StatusOK || text != string(data) {
		t.Errorf("%d %s", status, text)
	}
	ranged := func(r *http.Request) { r.Header.Set("Range", "bytes=5-6") }
	if status, text := ask(t, r, nil, ranged); status != http.StatusPartialContent || text != "is" {
		t.Errorf("range: %d %s", status, text)
	}
	if status, text := ask(t, r, data, func(r *http.Request) { r.Method = "PUT" }); status != http.StatusForbidden {
		t.Errorf("writing: %d %s", status, text)
	}
	time.Sleep(2500 * time.Millisecond)
	if status, text := ask(t, short, nil, nil); status != http.StatusForbidden {
		t.Errorf("too late: %d %s", status, text)
	}
	if err := s.DeleteShare(t.Context(), share); err != nil {
		t.Fatal(err)
	}
	if status, text := ask(t, r, nil, nil); status != http.StatusNotFound {
		t.Errorf("deleted: %d %s", status, text)
	}
}

// TestDirectNoPage: nothing that is in the bucket, however it got there, is shown as a page at its address.
func TestDirectNoPage(t *testing.T) {
	s, d := directTo(t)
	data := []byte("<script>alert(1)</script>")
	if err := s.PutAs(t.Context(), key(1, data), data, "text/html"); err != nil {
		t.Fatal(err)
	}
	r, err := d.GetRequest(t.Context(), key(1, data), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, http.Header) {
		t.Helper()
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode, answer.Header
	}
	status, header := get(r.URL)
	if kind, shown := header.Get("Content-Type"), header.Get("Content-Disposition"); status != http.StatusOK ||
		kind != "application/octet-stream" || shown != "attachment" {
		t.Errorf("%d, %q, %q", status, kind, shown)
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name := range u.Query() {
		if !strings.HasPrefix(name, "response-") {
			continue
		}
		other := *u
		q := u.Query()
		q.Del(name)
		other.RawQuery = q.Encode()
		if status, _ := get(other.String()); status != http.StatusForbidden {
			t.Errorf("without %s: %d", name, status)
		}
		q.Set(name, "text/html")
		other.RawQuery = q.Encode()
		if status, _ := get(other.String()); status != http.StatusForbidden {
			t.Errorf("with another %s: %d", name, status)
		}
	}
}

// TestDirectRefuses: what cannot be, and an endpoint that is none.
func TestDirectRefuses(t *testing.T) {
	s, d := directTo(t)
	for _, endpoint := range []string{"", "s3.example", "https://s3.example/bucket", "ftp://s3.example", "https://a:b@s3.example"} {
		if _, err := s.Direct(endpoint); err == nil {
			t.Errorf("took %q", endpoint)
		}
	}
	if elsewhere, err := s.Direct("https://files.example"); err != nil || elsewhere.Origin() != "https://files.example" {
		t.Errorf("another address: %v", err)
	}
	bad := store.Key{Share: "../x", N: 1}
	if _, err := d.PutRequest(t.Context(), bad, 1, time.Minute); err == nil {
		t.Error("signed for a key that is none")
	}
	if _, err := d.GetRequest(t.Context(), bad, time.Minute); err == nil {
		t.Error("signed for a key that is none")
	}
	if err := d.Confirm(t.Context(), bad, 1, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("confirmed a key that is none: %v", err)
	}
}
