package webdriver_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

const page = `<!doctype html><title>t</title><input type=file id=f multiple><button id=b>b</button><a id=d href=/file>d</a>
<iframe id=i></iframe><p id=p data-x="1 &amp; 2">text</p>
<script>document.getElementById('b').onclick=()=>document.title='clicked '+navigator.userActivation?.isActive</script>`

func serve(t *testing.T, data []byte) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(page)) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="out.bin"`)
		w.Write(data)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func start(t *testing.T, engine string, o webdriver.Options) *webdriver.Browser {
	t.Helper()
	b, err := webdriver.Start(engine, o)
	if errors.Is(err, webdriver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	must(t, err)
	t.Cleanup(b.Close)
	return b
}

// TestEngines goes once through all that the driver can do.
func TestEngines(t *testing.T) {
	data := make([]byte, 3<<20)
	rand.Read(data)
	srv := serve(t, data)
	sample := filepath.Join(t.TempDir(), "sample.bin")
	must(t, os.WriteFile(sample, data, 0o600))
	for _, engine := range webdriver.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := start(t, engine, webdriver.Options{Dark: true})
			must(t, b.Go(srv.URL))
			must(t, b.SendKeys("#f", sample))
			v, err := b.Eval(`const f=document.getElementById('f').files[0];return f.name+' '+(await f.arrayBuffer()).byteLength`)
			must(t, err)
			if v != "sample.bin 3145728" {
				t.Errorf("upload: got %v", v)
			}
			must(t, b.Click("#b"))
			must(t, b.WaitFor("return document.title==='clicked true'", 5*time.Second))
			_, err = b.Eval("document.title='t';document.getElementById('d').focus()")
			must(t, err)
			must(t, b.Press(webdriver.Shift, webdriver.Tab))
			must(t, b.Press(webdriver.Enter))
			must(t, b.WaitFor("return document.title==='clicked true'", 5*time.Second))
			button, err := b.Eval("return document.getElementById('b')")
			must(t, err)
			if role, name, err := b.Accessible(button); err != nil || role != "button" || name != "b" {
				t.Errorf("accessible: got %q, %q, %v", role, name, err)
			}
			if v, err = b.Eval("return matchMedia('(prefers-color-scheme: dark)').matches"); err != nil || v != true {
				t.Errorf("dark: got %v, %v", v, err)
			}
			if s, err := b.Text("#p"); err != nil || s != "text" {
				t.Errorf("text: got %q, %v", s, err)
			}
			if s, err := b.Attr("#p", "data-x"); err != nil || s != "1 & 2" {
				t.Errorf("attribute: got %q, %v", s, err)
			}
			if _, err := b.Eval("throw new Error('boom')"); err == nil || !strings.Contains(err.Error(), "boom") {
				t.Error("a page error must reach Go, got", err)
			}
			must(t, b.SetWindowSize(600, 800))
			must(t, b.WaitFor("return innerWidth<=600", 5*time.Second))
			png, err := b.Screenshot()
			must(t, err)
			if !bytes.HasPrefix(png, []byte("\x89PNG")) {
				t.Error("screenshot is not a PNG")
			}
			_, err = b.Eval("document.getElementById('i').src='/file'")
			must(t, err)
			deadline := time.Now().Add(10 * time.Second)
			for time.Now().Before(deadline) {
				if got, err := os.ReadFile(filepath.Join(b.Downloads, "out.bin")); err == nil && bytes.Equal(got, data) {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Error("download did not arrive")
		})
	}
}

// TestNoNetworkDomain: nobody turns on the DevTools domain with which Chromium copies every request body to the driver, which would
// make uploads look many times slower than they are.
func TestNoNetworkDomain(t *testing.T) {
	t.Parallel()
	srv := serve(t, nil)
	log := filepath.Join(t.TempDir(), "log")
	b := start(t, "chromium", webdriver.Options{DriverArgs: []string{"--verbose", "--log-path=" + log}, Dark: true})
	must(t, b.Go(srv.URL))
	_, err := b.Eval("await fetch('/file',{method:'POST',body:new Uint8Array(1000)})")
	must(t, err)
	must(t, b.Click("#b"))
	b.Console()
	b.Close()
	said, err := os.ReadFile(log)
	must(t, err)
	if !bytes.Contains(said, []byte("Page.enable")) {
		t.Errorf("the log does not tell what the driver does:\n%s", said[:min(len(said), 4000)])
	}
	if bytes.Contains(said, []byte("Network.enable")) {
		t.Error("the Network domain is on")
	}
}

// TestCPU: what a page computes is counted, and for its own browser alone.
func TestCPU(t *testing.T) {
	for _, engine := range webdriver.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := start(t, engine, webdriver.Options{})
			must(t, b.Go(serve(t, nil).URL))
			before := b.CPU()
			if before <= 0 {
				t.Errorf("a browser that was started has taken %v", before)
			}
			_, err := b.Eval("for(const t=performance.now();performance.now()<t+500;);")
			must(t, err)
			// On a busy machine it gets but a part of the half second.
			if took := b.CPU() - before; took < 50*time.Millisecond || took > 20*time.Second {
				t.Errorf("half a second of computing took %v", took)
			}
			if own := webdriver.CPU(os.Getpid()); own < b.CPU() {
				t.Errorf("this process and its children took %v, one browser of them %v", own, b.CPU())
			}
		})
	}
}

// TestDeadline proves that a page that never answers ends in an error, and that nothing is left of the browser afterwards.
func TestDeadline(t *testing.T) {
	srv := serve(t, nil)
	for _, engine := range webdriver.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			b := start(t, engine, webdriver.Options{Timeout: 3 * time.Second})
			must(t, b.Go(srv.URL))
			if err := b.WaitFor("return false", 300*time.Millisecond); !errors.Is(err, webdriver.ErrTimeout) {
				t.Error("WaitFor: got", err)
			}
			t0 := time.Now()
			if _, err := b.Eval("await new Promise(()=>{})"); err == nil {
				t.Error("Eval: got no error")
			}
			if d := time.Since(t0); d > 10*time.Second {
				t.Error("Eval took", d)
			}
			b.Close()
			if _, err := os.Stat(b.Downloads); err == nil {
				t.Error("the profile is still there")
			}
			envs, _ := filepath.Glob("/proc/[0-9]*/environ")
			for _, path := range envs {
				env, err := os.ReadFile(path)
				if err == nil && bytes.Contains(env, []byte("PROFILE="+filepath.Dir(b.Downloads))) {
					t.Error("still running:", path)
				}
			}
			b.Close()
		})
	}
}

// TestHangsAtOnce: a WebKit that says nothing on its first page is started again.
func TestHangsAtOnce(t *testing.T) {
	srv := serve(t, nil)
	b := start(t, "webkit", webdriver.Options{Timeout: 5 * time.Second})
	var stopped int
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, path := range comms {
		comm, _ := os.ReadFile(path)
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if !strings.HasPrefix(string(comm), "WebKitWebProc") || !bytes.Contains(env, []byte(filepath.Dir(b.Downloads))) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		must(t, err)
		must(t, syscall.Kill(pid, syscall.SIGSTOP))
		stopped++
	}
	if stopped == 0 {
		t.Fatal("no process of its pages was found")
	}
	must(t, b.Go(srv.URL))
	if v, err := b.Eval("return document.title"); err != nil || v != "t" {
		t.Errorf("after the new start: %v, %v", v, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
