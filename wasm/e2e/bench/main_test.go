package main

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestMain lets this program be the floor's server, as the benchmark is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "floor" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestTrip: the floor and Sealpost both bring a file to its end, by a line that nothing is faster than, and the benchmark
// notes what that took. A long run does so in every engine.
func TestTrip(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../../static/bin/engine.wasm.br"); err != nil {
		t.Fatal("the engine is not built: run make build")
	}
	dir := t.TempDir()
	ours, err := sealpost(dir)
	must(t, err)
	in, err := newInput(dir, random, 2<<20)
	must(t, err)
	p := &plan{dir: dir, apps: [2]app{floorApp, ours}, runs: 1, speed: 20e6, delay: 10 * time.Millisecond, say: t.Logf}
	engines := webdriver.Engines
	if os.Getenv("SEALPOST_LONG") != "1" {
		engines = engines[:1]
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			all, err := p.measure([]condition{{engine, in, true}})
			must(t, err)
			if len(all[0].pairs) == 0 {
				if os.Getenv("CI") == "true" {
					t.Fatal("not installed")
				}
				t.Skip("not installed")
			}
			sampled, err := p.pair(condition{engine, in, false}, true, true)
			must(t, err)
			looked := int64(0)
			for i, a := range p.apps {
				slow := all[0].pairs[0][i]
				least := time.Duration(float64(in.size)/p.speed*1e9) - 2*burst // holds for the bytes alone
				for what, m := range map[string]measurement{"up": slow.up, "down": slow.down} {
					if m.took < least || m.took > time.Minute || m.browser <= 0 || m.peak != 0 {
						t.Errorf("%s %s: %+v by a line that takes %v", a.name, what, m, least)
					}
				}
				if slow.down.way == "" {
					t.Errorf("%s does not say how it saved", a.name)
				}
				looked += sampled[i].up.peak + sampled[i].down.peak
			}
			if looked <= 0 {
				t.Error("memory was not looked at")
			}
		})
	}
}

// TestFloorServer: parts in any order make the file.
func TestFloorServer(t *testing.T) {
	srv := httptest.NewServer(newFloor(filepath.Join(t.TempDir(), "file")))
	defer srv.Close()
	put := func(path string, body []byte) int {
		t.Helper()
		req, err := http.NewRequest("PUT", srv.URL+path, bytes.NewReader(body))
		must(t, err)
		resp, err := srv.Client().Do(req)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	want := bytes.Repeat([]byte("0123456789"), 50_000)
	for _, at := range []int{300_000, 0, 100_000} {
		if status := put(fmt.Sprintf("/parts/%d", at), want[at:min(len(want), at+200_000)]); status != http.StatusNoContent {
			t.Errorf("part at %d: status %d", at, status)
		}
	}
	for _, path := range []string{"/parts/x", "/parts/-1"} {
		if status := put(path, nil); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, status)
		}
	}
	resp, err := srv.Client().Get(srv.URL + "/content")
	must(t, err)
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, want) || resp.ContentLength != int64(len(want)) {
		t.Errorf("got %d bytes of %d, %v", len(got), resp.ContentLength, err)
	}
}

// TestInput: inputs are the same each time, as large as asked for, and compress as their names say.
func TestInput(t *testing.T) {
	for _, kind := range []string{random, text} {
		const size = 3<<20 + 7
		in, err := newInput(t.TempDir(), kind, size)
		must(t, err)
		again, err := newInput(t.TempDir(), kind, size)
		must(t, err)
		onDisk, err := hashFile(in.path)
		must(t, err)
		info, err := os.Stat(in.path)
		must(t, err)
		if info.Size() != size || in.hash != again.hash || onDisk != in.hash {
			t.Errorf("%s: %d bytes, hashes %x, %x and on disk %x", kind, info.Size(), in.hash, again.hash, onDisk)
		}
		data, err := os.ReadFile(in.path)
		must(t, err)
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, flate.BestSpeed)
		must(t, err)
		w.Write(data)
		must(t, w.Close())
		if compresses := packed.Len() < size/2; compresses != (kind == text) {
			t.Errorf("%s: %d bytes compress to %d", kind, size, packed.Len())
		}
	}
}

// TestAwaitFile: what a browser is still writing is not taken for saved, whatever its name is meanwhile.
func TestAwaitFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) {
		must(t, os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600))
	}
	write("a.bin", 0)
	write("a.bin.part", 100)
	write("b.crdownload", 100)
	write(".c", 100)
	write("d.wkdownload", 100)
	write("e.bin", 99)
	stop := make(chan struct{})
	close(stop)
	if f := awaitFile(dir, 100, stop); f.err == nil {
		t.Errorf("took %s for whole", f.path)
	}
	found := make(chan saved)
	go func() { found <- awaitFile(dir, 100, nil) }()
	must(t, os.Rename(filepath.Join(dir, "a.bin.part"), filepath.Join(dir, "a.bin")))
	if f := <-found; f.err != nil || filepath.Base(f.path) != "a.bin" {
		t.Errorf("got %s, %v", f.path, f.err)
	}
}

// TestEngine: the benchmarks of package seal run in one worker or two at once, read the corpus there, and tell their speed.
func TestEngine(t *testing.T) {
	dir := t.TempDir()
	addr, stop, err := serveEngine(dir, 2<<20)
	must(t, err)
	defer stop()
	err = browse("chromium", nil, func(b *webdriver.Browser) error {
		for i, s := range steps {
			sum, err := s.runEngine(b, addr, 1+i%2, "20x") // once may be less than a browser's clock can tell
			if err != nil || sum <= 0 {
				t.Errorf("%s: %v MB/s, %v", s.name, sum, err)
			}
		}
		return nil
	})
	if errors.Is(err, webdriver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	must(t, err)
}

// TestOwnCipher: Chromium has ChaCha20-Poly1305, unless it is told not to. Without either, that comparison would be one with itself.
func TestOwnCipher(t *testing.T) {
	s := httptest.NewServer(newFloor(""))
	defer s.Close()
	for want, args := range map[string][]string{"there": nil, "NotSupportedError": noCipher} {
		err := browse("chromium", args, func(b *webdriver.Browser) error {
			if err := b.Go(s.URL); err != nil {
				return err
			}
			got, err := b.Eval(`return crypto.subtle.importKey('raw-secret',new Uint8Array(32),'ChaCha20-Poly1305',false,['encrypt'])
				.then(()=>'there',e=>e.name)`)
			if got != want {
				t.Errorf("with %v it is %v, want %s", args, got, want)
			}
			return err
		})
		if errors.Is(err, webdriver.ErrNotInstalled) && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
		must(t, err)
	}
}
