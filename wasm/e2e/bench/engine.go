package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// A step is what the engine does with bytes, and the program that does the same.
type step struct {
	name      string
	benchmark string   // of package seal
	native    []string // command
	input     string   // what the command reads
}

// The names of files are those that native makes.
var steps = []step{
	{"seal", "^BenchmarkSeal$", []string{"age", "-e", "-R", "recipient"}, random},
	{"open", "^BenchmarkOpen$", []string{"age", "-d", "-i", "identity"}, random + ".age"},
	{"compress text", "^BenchmarkCompress$/^text$", []string{"zstd", "-1", "-T1", "-c"}, text},
	{"compress random", "^BenchmarkCompress$/^random$", []string{"zstd", "-1", "-T1", "-c"}, random},
	{"decompress text", "^BenchmarkDecompress$/^text$", []string{"zstd", "-d", "-c"}, text + ".zst"},
	{"decompress random", "^BenchmarkDecompress$/^random$", []string{"zstd", "-d", "-c"}, random + ".zst"},
}

// A throughput is in MB of plain bytes a second, of so many at once.
type throughput struct {
	step           step
	engine         string
	cores          int
	engineMB, tool float64
}

// The engine's functions run for longer; commands have to be started, which takes some milliseconds.
const (
	corpusSize = 48 << 20
	benchTime  = "4s"
	nativeSize = 256 << 20
)

// throughputs measures the engine's steps in browsers and those of commands, on one core and on all.
func (p *plan) throughputs(engines []string) ([]throughput, error) {
	counts := []int{1}
	if n := runtime.NumCPU(); n > 1 {
		counts = append(counts, n)
	}
	dir := filepath.Join(p.dir, "engine")
	if err := prepareNative(dir); err != nil {
		return nil, err
	}
	addr, stop, err := serveEngine(dir, corpusSize)
	if err != nil {
		return nil, err
	}
	defer stop()
	var all []throughput
	for _, s := range steps {
		for _, n := range counts {
			tool, err := s.runNative(dir, n)
			if err != nil {
				return all, err
			}
			for _, engine := range engines {
				t := throughput{s, engine, n, 0, tool}
				err := browse(engine, nil, func(b *webdriver.Browser) (err error) {
					t.engineMB, err = s.runEngine(b, addr, n, benchTime)
					return err
				})
				if errors.Is(err, webdriver.ErrNotInstalled) {
					continue
				}
				if err != nil {
					return all, fmt.Errorf("%s, %s: %w", engine, s.name, err)
				}
				p.say("%s, %d at once, %s: %.0f MB/s, %s %.0f", engine, n, s.name, t.engineMB, s.native[0], tool)
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// serveEngine serves what the pages of the engine's benchmark need.
func serveEngine(dir string, corpusSize int64) (addr string, stop func() error, err error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", nil, fmt.Errorf("failed to find Go: %w", err)
	}
	glue := filepath.Join(strings.TrimSpace(string(out)), "lib/wasm/wasm_exec.js")
	program, corpus := filepath.Join(dir, "seal.wasm"), filepath.Join(dir, "corpus")
	c := exec.Command("go", "test", "-c", "-o", program, "github.com/sealpost/sealpost/wasm/internal/seal")
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := c.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("failed to build the engine's benchmark: %w\n%s", err, out)
	}
	in, err := newInput(dir, text, corpusSize)
	if err != nil {
		return "", nil, err
	}
	if err := os.Rename(in.path, corpus); err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", newFloor(""))
	for path, file := range map[string]string{"/seal.wasm": program, "/corpus": corpus, "/wasm_exec.js": glue} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: mux}
	go srv.Serve(l)
	return l.Addr().String(), srv.Close, nil
}

var speed = regexp.MustCompile(`([\d.]+) MB/s`)

// runEngine returns the sum of what n workers do.
func (s step) runEngine(b *webdriver.Browser, addr string, n int, benchTime string) (sum float64, err error) {
	if err := b.Go("http://" + addr + "/engine.html"); err != nil {
		return 0, err
	}
	if err := b.WaitFor("return document.documentElement.dataset.state==='ready'", patience); err != nil {
		return 0, err
	}
	v, err := b.Eval("return await window.run(a[0],a[1],a[2])", n, s.benchmark, benchTime)
	if err != nil {
		return 0, err
	}
	printed, _ := v.([]any)
	for _, p := range printed {
		m := speed.FindStringSubmatch(fmt.Sprint(p))
		if m == nil {
			return 0, fmt.Errorf("the benchmark printed no speed: %v", p)
		}
		mb, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, err
		}
		sum += mb
	}
	return sum, nil
}

// prepareNative writes what commands read, and keys for them.
func prepareNative(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, kind := range []string{random, text} {
		in, err := newInput(dir, kind, nativeSize)
		if err != nil {
			return err
		}
		if err := os.Rename(in.path, filepath.Join(dir, kind)); err != nil {
			return err
		}
	}
	const script = `age-keygen -o identity 2>&1 && age-keygen -y -o recipient identity &&
		age -e -R recipient -o random.age random && zstd -q -1 random -o random.zst && zstd -q -1 text -o text.zst`
	c := exec.Command("sh", "-c", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to run age and zstd: %w\n%s", err, out)
	}
	return nil
}

// runNative returns the sum of what n commands at once do, by the time of the slowest. It is the best of three.
func (s step) runNative(dir string, n int) (best float64, err error) {
	for range 3 {
		var wg sync.WaitGroup
		errs := make([]error, n)
		begun := time.Now()
		for i := range n {
			wg.Go(func() {
				in, err := os.Open(filepath.Join(dir, s.input))
				if err != nil {
					errs[i] = err
					return
				}
				defer in.Close()
				c := exec.Command(s.native[0], s.native[1:]...) // its output goes to the null device
				c.Dir, c.Stdin = dir, in
				errs[i] = c.Run()
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return 0, fmt.Errorf("failed to run %s: %w", s.native[0], err)
		}
		best = max(best, float64(n)*nativeSize/1e6/time.Since(begun).Seconds())
	}
	return best, nil
}
