// Package e2e tests Sealpost as people meet it: the real sealpostd, and the page in Chromium, Firefox and WebKit.
//
// Each test is a user's story. TestMain builds the binaries once; the page is the one that is built into sealpostd, so run
// `make build` first, or `make e2e`. TestWorker tells the same stories with the Worker in the place of sealpostd. Between
// browser and server there is always a tap, which can record every byte that the server is sent, lose answers, be slow, and
// watch the page for what its security policy forbade.
//
//	SEALPOST_LONG=1             many gigabytes, many files and hundreds of runs instead of small samples of them
//	SEALPOST_STORIES=n          of what is told sometimes, tell one story in n, 5 by default; 1 for all, in one engine each
//	SEALPOST_SEED=n             repeat the random choices of an earlier run, which printed its seed
//	SEALPOST_BROWSERS=n         browsers at once, 3 by default
//	SEALPOST_SCREENSHOTS=dir    keep pictures and contact sheets of every state of the page there
//	SEALPOST_BENCH=n,m          sizes in MiB whose memory TestBounded compares
//	SEALPOST_HUGE=engine,…      have TestHuge run in these engines
//	SEALPOST_LIGHTHOUSE=command how TestLighthouse starts Lighthouse
//	CI=true                     an engine, or a runtime of Workers, that is not installed is a failure
package e2e

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

var (
	long     = os.Getenv("SEALPOST_LONG") == "1"
	seed     uint64
	programs string // folder of the binaries
	oneIn    = 5    // of what is told sometimes
	slots    = newSlots(3)
	launched sync.Map // names of the tests that have browsers
	grounds  sync.Map // of what the sites stand on, by names of tests
)

func TestMain(m *testing.M) {
	code := run(m)
	services.End()
	os.Exit(code)
}

func run(m *testing.M) int {
	seed = uint64(time.Now().UnixNano())
	if text := os.Getenv("SEALPOST_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			fmt.Fprintln(os.Stderr, "failed to parse SEALPOST_SEED:", err)
			return 1
		}
		seed = n
	}
	if n, err := strconv.Atoi(os.Getenv("SEALPOST_BROWSERS")); err == nil && n > 0 {
		slots = newSlots(n)
	}
	if n, err := strconv.Atoi(os.Getenv("SEALPOST_STORIES")); err == nil && n > 0 {
		oneIn = n
	}
	fmt.Printf("SEALPOST_SEED=%d\n", seed)
	if _, err := os.Stat("../../static/bin/engine.wasm.br"); err != nil {
		fmt.Fprintln(os.Stderr, "the engine is not built: run make build")
		return 1
	}
	dir, err := os.MkdirTemp("", "sealpost-e2e-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	for name, pkg := range map[string]string{"sealpostd": "../../server/cmd/sealpostd", "sealpost": "../cmd/sealpost"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "failed to build %s: %v\n%s", name, err, out)
			return 1
		}
	}
	return m.Run()
}

// random returns a source that depends on the seed and the test alone.
func random(t *testing.T) *rand.Rand {
	h := seed
	for _, c := range t.Name() {
		h = h*1099511628211 + uint64(c)
	}
	return rand.New(rand.NewPCG(seed, h))
}

// sized returns the sample's value, or the one of a long run.
func sized[T any](sample, whole T) T {
	if long {
		return whole
	}
	return sample
}

// sometimes has a test run beside others. A sample has some of these tests, others with another seed; the Worker's were chosen
// before, and who asks for one by its name gets it.
func sometimes(t *testing.T) {
	t.Helper()
	chosen := strings.Contains(t.Name(), "/") || flag.Lookup("test.run").Value.String() != ""
	if !long && !chosen && random(t).IntN(oneIn) != 0 {
		t.Skip("not in this sample, see SEALPOST_STORIES")
	}
	t.Parallel()
}

// semaphore counts the browsers that may still be started.
type semaphore struct {
	mu   sync.Mutex
	cond *sync.Cond
	free int
}

func newSlots(n int) *semaphore {
	s := &semaphore{free: n}
	s.cond = sync.NewCond(&s.mu)
	return s
}

// take takes n at once, or all there are: tests that need two can not wait for each other's second.
func (s *semaphore) take(n int) (give func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.free < n {
		s.cond.Wait()
	}
	s.free -= n
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.free += n
		s.mu.Unlock()
		s.cond.Broadcast()
	})
}

// launch starts a browser, when it is its turn, and closes it at the end of the test. A test does that once, and so do those that
// it runs: were it to wait for a second turn, all might wait for ever. One that needs several browsers starts them at once with
// launchAll.
func launch(t *testing.T, engine string, o webdriver.Options) *webdriver.Browser {
	t.Helper()
	return launchAll(t, o, engine)[0]
}

func launchAll(t *testing.T, o webdriver.Options, engines ...string) []*webdriver.Browser {
	t.Helper()
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if _, has := launched.Load(name); has {
			t.Fatal("BUG: a test must start its browsers at once")
		}
	}
	launched.Store(t.Name(), true)
	t.Cleanup(func() { launched.Delete(t.Name()) })
	give := slots.take(len(engines))
	began := time.Now()
	t.Cleanup(func() {
		give()
		t.Logf("held %d browsers for %v", len(engines), time.Since(began).Round(time.Second))
	})
	var all []*webdriver.Browser
	for _, engine := range engines {
		b, err := webdriver.Start(engine, o)
		if errors.Is(err, webdriver.ErrNotInstalled) && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
		must(t, err)
		t.Cleanup(func() {
			if t.Failed() {
				report(t, b)
			}
			b.Close()
		})
		all = append(all, b)
	}
	return all
}

// report tells what the page shows, for a test that failed.
func report(t *testing.T, b *webdriver.Browser) {
	text, err := b.Text("main")
	state, _ := b.Attr("main", "data-state")
	t.Logf("%s shows, in state %q (%v):\n%s", b.Engine, state, err, text)
}

// ground is what sites stand on: sealpostd, unless a test is told otherwise.
type ground struct {
	engines []string // that meet it
	start   func(t *testing.T, args []string) (s server, addr string)
}

// stand has the sites of a test, and of those that it runs, stand on g.
func stand(t *testing.T, g ground) {
	grounds.Store(t.Name(), g)
	t.Cleanup(func() { grounds.Delete(t.Name()) })
}

func groundOf(t *testing.T) ground {
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if g, told := grounds.Load(name); told {
			return g.(ground)
		}
	}
	return onSealpostd
}

// eachEngine runs f in parallel with each engine.
func eachEngine(t *testing.T, f func(t *testing.T, engine string)) {
	inEngines(t, groundOf(t).engines, f)
}

func inEngines(t *testing.T, engines []string, f func(t *testing.T, engine string)) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f(t, engine)
		})
	}
}

// someEngine is eachEngine for what hardly differs between them: a sample is one of them, a different one in each test.
func someEngine(t *testing.T, f func(t *testing.T, engine string)) {
	inEngines(t, sample(t, groundOf(t).engines), f)
}

// sample is one of all, a different one in each test, and all of them in a long run.
func sample[T any](t *testing.T, all []T) []T {
	if long {
		return all
	}
	return all[random(t).IntN(len(all)):][:1]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
