// Command bench measures how fast Sealpost's pages send and save files in Chromium, Firefox and WebKit, and prints one
// table.
//
//	make bench                                        all of it, which takes hours
//	make bench BENCH='-engines chromium -sizes 256'   some of it
//	taskset -c 0,1 make bench                         as if the machine had two cores
//
// With taskset Chromium starts as many workers as it has cores; Firefox and WebKit count those of the machine.
//
// Every figure is held against a yardstick that is measured beside it, in turns, because ratios hold better than absolute
// figures: the next machine has other cores, and this one may be busy. The first column is the ratio, the median of those
// of the single pairs; the second is how far they spread.
//
// # Transfers
//
// The yardstick is the floor: a page that sends and saves the same file without compressing or encrypting it, in the same
// browser, by the same disk, in parts of the same size. It reads 8 MiB at a time into typed arrays, in two module workers,
// and has four requests in flight. A plain Go server writes them into one file, and neither checks nor syncs anything,
// whereas sealpostd verifies and syncs each part. To save, a service worker fetches the whole as one body and passes each
// chunk on by script. Sealpost chooses its own way to save: the table says which it took.
//
// Sending begins with the click and ends when the page says that it is done. Saving begins with the click and ends when the
// file lies whole and under its final name among the downloads; then its SHA-256 is compared. Each transfer has a fresh
// browser, profile and server. Nothing asks anything of browser or server meanwhile. So the processor time is that of the
// transfer alone: of the browser's whole process tree and of the server. Memory is the peak of the proportional set size of
// the tree over what it was before; it comes from runs of its own, because looking costs speed.
//
// The inputs are noise, and Go's own sources. A line is a proxy in this program: in each direction all connections share a
// rate, and bytes arrive half the round trip later.
//
// With -against own-cipher the yardstick is Sealpost itself in a Chromium that is told to have no ChaCha20-Poly1305 of its own, so that
// the engine's is used: what the browser's is worth.
//
// # Engine
//
// The benchmarks of package seal run in module workers, one of them and as many as there are cores, against the commands
// age and zstd, as many at once, reading a file and writing to the null device.
//
// # Traps
//
// When a tool turns the Network domain of Chromium's DevTools protocol on, the browser copies every body of typed arrays to
// it, and uploads seem up to fifteen times slower. Playwright and Puppeteer do that always; chromedriver only for its
// performance log, which package webdriver does not ask for, and a test here holds it to that.
//
// On a busy machine the ratios come out too low, because Sealpost takes more processor time than the floor. The report says how busy
// it was. Reports that are worth keeping are in the folder results; -o writes one.
//
// It needs Linux, the Debian packages of `make deps`, and as much disk as four times the largest file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// ownCipher is the yardstick that noCipher, arguments of Chromium, makes of Sealpost.
const ownCipher = "own-cipher"

var noCipher = []string{"--disable-blink-features=WebCryptoPQC"}

type options struct {
	engines, kinds   []string
	sizes, lineSizes []int64
	runs             int
	mbit             float64
	roundTrip        time.Duration
	mem, engine      bool
	against, output  string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	engines := fs.String("engines", strings.Join(webdriver.Engines, ","), "browsers")
	kinds := fs.String("inputs", random+","+text, "kinds of files")
	sizes := fs.String("sizes", "256,1024", "sizes of files in `MiB`")
	lineSizes := fs.String("line-sizes", "256", "sizes over the slow line in `MiB`; none if empty")
	fs.IntVar(&o.runs, "runs", 5, "how often each transfer is made")
	fs.Float64Var(&o.mbit, "line-rate", 100, "of the slow line, in `Mbit/s`")
	fs.DurationVar(&o.roundTrip, "line-delay", 20*time.Millisecond, "of the slow line, there and back")
	fs.BoolVar(&o.mem, "memory", true, "look at memory, in runs of their own")
	fs.BoolVar(&o.engine, "engine", true, "measure the engine's steps against age and zstd")
	fs.StringVar(&o.against, "against", floorApp.name, "what transfers are held against: floor, or own-cipher")
	fs.StringVar(&o.output, "o", "", "`file` to write the table to, besides")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.engines, o.kinds = list(*engines), list(*kinds)
	for _, e := range o.engines {
		if !slices.Contains(webdriver.Engines, e) {
			return o, fmt.Errorf("unknown browser %q", e)
		}
	}
	if o.against == ownCipher {
		o.engines = []string{"chromium"} // the only one that has another
	} else if o.against != floorApp.name {
		return o, fmt.Errorf("unknown yardstick %q", o.against)
	}
	for _, k := range o.kinds {
		if k != random && k != text {
			return o, fmt.Errorf("unknown kind of file %q", k)
		}
	}
	if o.runs < 1 || o.mbit <= 0 || o.roundTrip < 0 || fs.NArg() > 0 {
		return o, errors.New("nothing can be measured like this; see -help")
	}
	if o.sizes, err = mebibytes(*sizes); err != nil {
		return o, err
	}
	o.lineSizes, err = mebibytes(*lineSizes)
	return o, err
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func mebibytes(text string) (sizes []int64, err error) {
	for _, word := range list(text) {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a size in MiB", word)
		}
		sizes = append(sizes, n<<20)
	}
	return sizes, nil
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) == 2 && args[0] == "floor" {
		return serveFloor(args[1])
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sealpost-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	os.Setenv("TMPDIR", dir) // where browsers have their profiles
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		os.RemoveAll(dir)
		os.Exit(1) // and with it all that it has started
	}()
	r, err := o.measure(dir, func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) })
	if o.output != "" {
		f, cerr := os.Create(o.output)
		if cerr != nil {
			return errors.Join(err, cerr)
		}
		defer f.Close()
		stdout = io.MultiWriter(stdout, f)
	}
	return errors.Join(err, r.write(stdout)) // what came before an error may have taken hours
}

// measure returns what it has measured, also with an error.
func (o options) measure(dir string, say func(string, ...any)) (*report, error) {
	r := &report{date: time.Now().UTC(), cores: runtime.NumCPU(), machine: machine(), version: version(), runs: o.runs}
	r.line = fmt.Sprintf("%g Mbit/s %v", o.mbit, o.roundTrip)
	ours, err := sealpost(dir)
	if err != nil {
		return r, err
	}
	yardstick := floorApp
	if o.against == ownCipher {
		yardstick = app{ownCipher, ours.command, noCipher}
	}
	r.yardstick = yardstick.name
	p := &plan{dir: dir, apps: [2]app{yardstick, ours}, runs: o.runs, memory: o.mem, rest: 3 * time.Second,
		speed: o.mbit * 1e6 / 8, delay: o.roundTrip, say: say}
	conditions, err := o.conditions(dir)
	if err != nil {
		return r, err
	}
	if r.trips, err = p.measure(conditions); err != nil {
		return r, err
	}
	if o.engine {
		r.engine, err = p.throughputs(o.engines)
	}
	return r, err
}

// conditions lists what is asked for, and writes the files.
func (o options) conditions(dir string) (all []condition, err error) {
	inputs := map[string]*input{}
	add := func(engine string, sizes []int64, slow bool) error {
		for _, size := range sizes {
			for _, kind := range o.kinds {
				name := fmt.Sprint(kind, size)
				if inputs[name] == nil {
					if inputs[name], err = newInput(dir, kind, size); err != nil {
						return err
					}
				}
				all = append(all, condition{engine, inputs[name], slow})
			}
		}
		return nil
	}
	for _, engine := range o.engines {
		if err := errors.Join(add(engine, o.sizes, false), add(engine, o.lineSizes, true)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func version() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}
