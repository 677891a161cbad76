// Command bench measures sealpostd against nginx on the same machine and files, and prints one table.
//
//	make bench-server                                       all of it, some ten minutes
//	make bench-server BENCH='-only "GET HTTP/1.1,"'         some of it
//	make bench-server BENCH='-dir /dev/shm -o results.md'   in memory, with the table in a file, too
//
// The first column is the ratio of throughput, Sealpost's to nginx's: the median of those of the single rounds, which are
// measured in turns. The second is how far they spread. Ratios hold better than absolute figures.
//
// # What is measured
//
// Both servers run on the same processors, and the clients on others. A client is a connection that makes one request after
// the other and does as little as it can. GET fetches one part, PUT sends one after the other; a part has 8 MiB, or 1 MiB with
// more than 64 connections. Handshakes are over before the clock starts, and each connection's last request is finished before it
// stops. CPU is the user and system time of all processes of a server, by /proc.
//
// The work is not the same. sealpostd looks each request up in its database, hashes what is put, and answers when it is on
// the disk; nginx (Debian's) sends a file by its name and leaves what is put to the system. Its configuration is that of the
// package, with enough connections and without a log; "tuned" is with client_body_buffer_size 256k. After each round all that
// is dirty is synced, so that nobody pays for others.
//
// Memory is the peak of the resident set of a fresh sealpostd. Operations on records go through the API and are counted on
// both sides.
//
// # Traps
//
// On a busy machine the ratios move, because the servers wait for their processor; the last column tells how many processors others
// kept busy. With fewer than three processors client and kernel compete with the other tasks of the machine for one.
//
// It needs Linux and nginx, and some ten gigabytes below -dir. Reports that are worth keeping are in the folder results.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench-server:", err)
		os.Exit(1)
	}
}

type options struct {
	binary                 string
	dir, output            string
	only                   *regexp.Regexp
	rounds                 int
	duration               time.Duration
	serverCPUs, clientCPUs string // as taskset has them
	serverCount            int
	postgres               string

	standIn, cert, key string // what the stand-in is told
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("bench-server", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.binary, "sealpostd", "bin/sealpostd", "`program` to measure")
	fs.StringVar(&o.dir, "dir", os.TempDir(), "`folder` for a folder with all data; its file system matters")
	fs.StringVar(&o.output, "o", "", "`file` to write the table to, besides")
	only := fs.String("only", "", "`pattern` of the lines to measure, among them memory and records")
	fs.IntVar(&o.rounds, "rounds", 5, "how often each transfer is measured")
	fs.DurationVar(&o.duration, "duration", 2*time.Second, "how long a round takes")
	fs.StringVar(&o.serverCPUs, "server-cpus", "0", "`list` of the processors that servers run on")
	fs.StringVar(&o.clientCPUs, "client-cpus", "1-"+strconv.Itoa(max(1, runtime.NumCPU()-1)), "`list` of those that clients run on")
	fs.StringVar(&o.postgres, "postgres", "", "`flags` with which sealpostd keeps its records in a PostgreSQL that is empty")
	fs.StringVar(&o.standIn, "stand-in", "", "serve this `folder` (not for people)")
	fs.StringVar(&o.cert, "cert", "", "certificate of the stand-in")
	fs.StringVar(&o.key, "key", "", "key of the stand-in")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	if o.rounds < 1 || o.duration <= 0 {
		return o, errors.New("no rounds, or none of any length")
	}
	o.serverCount, err = countCPUs(o.serverCPUs)
	return o, err
}

// countCPUs counts a list like 0,2-3.
func countCPUs(list string) (n int, err error) {
	for item := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err := errors.Join(err1, err2); err != nil || to < from {
			return 0, fmt.Errorf("not a list of processors: %q", list)
		}
		n += to - from + 1
	}
	return n, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.standIn != "" {
		return standIn("localhost:0", o.standIn, o.cert, o.key)
	}
	if err := pinSelf(o.clientCPUs); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "bench-server")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := newBench(o, dir)
	if err != nil {
		return err
	}
	defer b.stop()
	if o.output != "" {
		file, err := os.Create(o.output)
		if err != nil {
			return err
		}
		defer file.Close()
		stdout = io.MultiWriter(stdout, file)
	}
	return b.report(ctx, stdout)
}

// report measures and writes what comes of it, line by line.
func (b *bench) report(ctx context.Context, w io.Writer) error {
	io.WriteString(w, b.head(time.Now(), version(b.binary))+transferHead)
	_, failed := b.transfers(plan(), b.only, func(row string) { io.WriteString(w, row) })
	io.WriteString(w, "\n"+otherHead)
	steps := []struct {
		name    string
		measure func() ([]figure, error)
	}{
		{"memory", func() ([]figure, error) { return b.memory(ctx) }},
		{"records", func() ([]figure, error) { return b.records("SQLite") }},
		{"records", func() ([]figure, error) {
			if b.postgres == "" {
				return nil, nil
			}
			return b.records("PostgreSQL", strings.Fields(b.postgres)...)
		}},
	}
	for _, s := range steps {
		if !b.only.MatchString(s.name) {
			continue
		}
		figures, err := s.measure()
		for _, f := range figures {
			io.WriteString(w, f.row())
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("failed to measure %s: %w", s.name, err))
		}
	}
	return failed
}

// pinSelf keeps this process, which is the clients, on a list of processors.
func pinSelf(list string) error {
	n, err := countCPUs(list)
	if err != nil {
		return err
	}
	if out, err := exec.Command("taskset", "-acp", list, strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
		return fmt.Errorf("failed to pin clients: %w\n%s", err, out)
	}
	runtime.GOMAXPROCS(n)
	return nil
}

func version(binary string) string {
	out, err := exec.Command(binary, "-version").CombinedOutput()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}
