//go:build !js

package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// faultyBlobs fails on demand, without touching what is there.
type faultyBlobs struct {
	store.Blobs
	put, deleteShare error
}

func (f *faultyBlobs) Put(ctx context.Context, k store.Key, r io.Reader, n int64, magic string) error {
	if f.put != nil {
		return fmt.Errorf("failed to write %s: %w", k.Share, f.put)
	}
	return f.Blobs.Put(ctx, k, r, n, magic)
}

func (f *faultyBlobs) DeleteShare(ctx context.Context, id string) error {
	if f.deleteShare != nil {
		return fmt.Errorf("failed to delete %s: %w", id, f.deleteShare)
	}
	return f.Blobs.DeleteShare(ctx, id)
}

// faultyMeta fails after the write: what it answers is not what happened.
type faultyMeta struct {
	store.Meta
	addPart     error
	dropReports error
	between     func() // happens right after a download was finished
}

func (f *faultyMeta) DropReports(ctx context.Context, before int64) (int64, error) {
	n, err := f.Meta.DropReports(ctx, before)
	if f.dropReports != nil {
		return 0, f.dropReports
	}
	return n, err
}

func (f *faultyMeta) FinishDownload(ctx context.Context, id string, ticket store.Hash, now, idle int64) (bool, error) {
	spent, err := f.Meta.FinishDownload(ctx, id, ticket, now, idle)
	if f.between != nil {
		f.between()
	}
	return spent, err
}

func (f *faultyMeta) AddPart(ctx context.Context, id string, p store.Part, now, expires, most int64) (store.Part, error) {
	got, err := f.Meta.AddPart(ctx, id, p, now, expires, most)
	if f.addPart != nil {
		return store.Part{}, f.addPart
	}
	return got, err
}

func TestFaults(t *testing.T) {
	blobs, meta := &faultyBlobs{}, &faultyMeta{}
	h := newHost(t, func(c *server.Config) {
		blobs.Blobs, meta.Meta = c.Blobs, c.Meta
		c.Blobs, c.Meta = blobs, meta
	})
	content := sealed(100)
	l := h.create(100)

	blobs.put = store.ErrFull
	h.want(h.put(l, "parts/1", content), 507, api.CodeStorageFull)
	blobs.put = errors.New("broken disk")
	h.want(h.put(l, "parts/1", content), 500, api.CodeInternal)
	blobs.put = context.DeadlineExceeded
	h.want(h.put(l, "parts/1", content), 503, api.CodeUnavailable)
	blobs.put = nil

	// The answer of the database is lost, and the record may or may not be there: the bytes have to stay.
	meta.addPart = errors.New("connection lost")
	h.want(h.put(l, "parts/1", content), 500, api.CodeInternal)
	meta.addPart = nil
	if h.objects(l, nil, content) != 1 {
		t.Fatal("bytes that a record names are gone")
	}
	manifest := h.send(l, content)

	// Bytes that cannot be deleted now are deleted later; nobody gets at them meanwhile.
	blobs.deleteShare = errors.New("broken disk")
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	h.want(h.do("GET", l.path+"/manifest", l.bearer, nil), 404, api.CodeNotFound)
	if err := h.srv.Sweep(t.Context()); err == nil || strings.Contains(err.Error(), l.id) {
		t.Errorf("sweep said %v", err)
	}
	blobs.deleteShare = nil
	h.sweep()
	if h.objects(l, manifest, content) != 0 {
		t.Error("bytes remain")
	}
	if out := h.log.String(); strings.Contains(out, l.id) || !strings.Contains(out, "broken disk") {
		t.Errorf("log:\n%s", out)
	}
}

// An owner who is told that there may be more downloads has them, though the last one is finished at this very moment.
func TestSpentOrProlonged(t *testing.T) {
	meta := &faultyMeta{}
	h := newHost(t, func(c *server.Config) { meta.Meta, c.Meta = c.Meta, meta })
	l := h.create(100, func(c *api.CreateShare) { c.MaxDownloads = 1 })
	h.send(l, sealed(100))
	ticket := h.mustTake(l)
	var prolonged answer
	more := int64(2)
	meta.between = func() { prolonged = h.do("PATCH", l.path, l.owner, api.UpdateShare{MaxDownloads: &more}) }
	h.want(h.do("DELETE", l.path+"/downloads/current", ticket, nil), 204, "")
	if a := h.do("GET", l.path, l.access, nil); a.status != prolonged.status {
		t.Errorf("prolonging was answered %d, then asking for the share %d", prolonged.status, a.status)
	}
}

// A part that goes missing in the middle of a response cuts the connection: nobody takes what came for the whole.
func TestCutDownload(t *testing.T) {
	h := newHost(t)
	content := sealed(2 * partSize)
	l := h.create(2 * partSize)
	h.send(l, content)
	ticket := h.mustTake(l)
	part, err := h.meta.Part(t.Context(), l.id, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.blobs.Delete(t.Context(), store.Key{Share: l.id, N: 2, Digest: part.Digest}); err != nil {
		t.Fatal(err)
	}
	req := h.request("GET", l.path+"/content", ticket)
	resp, err := req()
	if err != nil {
		return // cut before the client had the header
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("%d bytes arrived and no error", n)
	}
	a := h.do("GET", l.path+"/content", ticket, nil, "Range", fmt.Sprintf("bytes=%d-", partSize))
	h.want(a, 404, api.CodeNotFound)
	if a.header.Get("Content-Range") != "" {
		t.Errorf("headers: %v", a.header)
	}
}

// damagedBlobs opens something else than there is.
type damagedBlobs struct {
	store.Blobs
	instead func(io.ReadCloser) (io.ReadCloser, error)
}

func (d *damagedBlobs) Open(ctx context.Context, k store.Key, offset, length int64) (io.ReadCloser, error) {
	body, err := d.Blobs.Open(ctx, k, offset, length)
	if err != nil || d.instead == nil {
		return body, err
	}
	return d.instead(body)
}

// closing is a reader of which something has to be closed.
type closing struct {
	io.Reader
	io.Closer
}

// An operator learns of a part that is not what its record says, whoever's fault the end of an answer seems to be; a client that hangs up, and
// a share that goes meanwhile, are none of their business.
func TestDamaged(t *testing.T) {
	const size = 8 << 20 // more than is on its way when nobody reads
	blobs, seen := &damagedBlobs{}, &recorder{}
	h := newHost(t, func(c *server.Config) {
		blobs.Blobs, c.Blobs = c.Blobs, blobs
		c.Observer, c.PartSize = seen, size
	})
	content := sealed(size)
	l := h.create(size, func(c *api.CreateShare) { c.MaxDownloads = 0 })
	h.want(h.put(l, "manifest", sealed(100)), 204, "")
	h.want(h.put(l, "parts/1", content), 204, "")
	h.want(h.complete(l, size, 1), 200, "")
	ticket := h.mustTake(l)
	short, folder := filepath.Join(t.TempDir(), l.id), t.TempDir()
	if err := os.WriteFile(short, content[:size/2], 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(hangUp bool) {
		resp, err := h.request("GET", l.path+"/parts/1", ticket)()
		if err != nil {
			return // cut before the client had the header
		}
		defer resp.Body.Close()
		if !hangUp {
			io.Copy(io.Discard, resp.Body)
		}
	}
	for _, c := range []struct {
		name    string
		instead func(io.ReadCloser) (io.ReadCloser, error)
		hangUp  bool
		damaged bool
	}{
		{"a file that is too short", func(b io.ReadCloser) (io.ReadCloser, error) {
			b.Close()
			return os.Open(short)
		}, false, true},
		{"a file that cannot be read", func(b io.ReadCloser) (io.ReadCloser, error) {
			b.Close()
			return os.Open(folder)
		}, false, true},
		{"a body that is too short", func(b io.ReadCloser) (io.ReadCloser, error) {
			return closing{io.LimitReader(b, size/2), b}, nil
		}, false, true},
		{"a body that breaks off", func(b io.ReadCloser) (io.ReadCloser, error) {
			return closing{io.MultiReader(io.LimitReader(b, size/2), iotest.ErrReader(errors.New("broken disk"))), b}, nil
		}, false, true},
		{"nothing", func(b io.ReadCloser) (io.ReadCloser, error) {
			b.Close()
			return nil, store.ErrNotFound
		}, false, true},
		{"a client that hangs up on a file", nil, true, false},
		{"a client that hangs up", func(b io.ReadCloser) (io.ReadCloser, error) { return closing{b, b}, nil }, true, false},
		{"a client that takes all", nil, false, false},
		{"a share that goes meanwhile", func(b io.ReadCloser) (io.ReadCloser, error) {
			b.Close()
			h.meta.Remove(context.Background(), l.id, h.clock().Unix())
			return nil, store.ErrNotFound
		}, false, false},
	} {
		seen.take(0)
		before := len(h.log.String())
		blobs.instead = c.instead
		get(c.hangUp)
		told, said := seen.take(1), h.log.String()[before:]
		if got := strings.Contains(told, "damaged"); got != c.damaged {
			t.Errorf("%s: told %q, want damaged: %t", c.name, told, c.damaged)
		}
		if got := strings.Contains(said, `level=ERROR msg="a part is damaged, or cannot be read"`); got != c.damaged || strings.Contains(said, "level=ERROR") != c.damaged {
			t.Errorf("%s: the log says\n%s", c.name, said)
		}
	}
	if strings.Contains(h.log.String(), l.id) {
		t.Errorf("the log tells the share:\n%s", h.log)
	}
}

func TestPanic(t *testing.T) {
	h := newHost(t, func(c *server.Config) {
		c.CreateLimiter = panicking{}
	})
	h.want(h.do("POST", "/api/v1/shares", "", nil), 500, api.CodeInternal)
}

type panicking struct{}

func (panicking) Allow(string) (bool, time.Duration) { panic("a defect") }
