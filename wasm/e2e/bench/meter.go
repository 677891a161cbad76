package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// sampling is how often memory is looked at. It costs speed, so figures of speed come from other runs.
const sampling = 200 * time.Millisecond

// A measurement is what one transfer took.
type measurement struct {
	took            time.Duration
	browser, server time.Duration // processor time
	others          float64       // processors that other programs kept busy meanwhile
	peak            int64         // memory of the browser over what it had before, in bytes; 0 unless it was sampled
	way             string        // of saving, as the page calls it
}

// meter measures what transfer takes of browser and server, once they have had a rest.
func meter(b *webdriver.Browser, s *server, rest time.Duration, sample bool, transfer func() error) (measurement, error) {
	var m measurement
	time.Sleep(rest)
	syscall.Sync() // what earlier transfers have left
	base := memory(b)
	browser, server, self, all := b.CPU(), webdriver.CPU(s.cmd.Process.Pid), ownCPU(), allCPU()
	begun := time.Now()
	stop, sampled := make(chan struct{}), make(chan int64)
	go func() {
		peak := base
		for {
			var tick <-chan time.Time
			if sample {
				tick = time.After(sampling)
				peak = max(peak, memory(b))
			}
			select {
			case <-tick:
			case <-stop:
				sampled <- peak - base
				return
			}
		}
	}()
	err := transfer()
	close(stop)
	m.peak = <-sampled
	elapsed := time.Since(begun)
	m.browser, m.server = b.CPU()-browser, webdriver.CPU(s.cmd.Process.Pid)-server
	others := allCPU() - all - m.browser - m.server - (ownCPU() - self)
	m.others = max(0, others.Seconds()/elapsed.Seconds())
	return m, err
}

// memory is the proportional set size of all processes of the browser, without the programs and libraries that they map.
func memory(b *webdriver.Browser) (sum int64) {
	for kind, n := range b.Memory() {
		if kind != webdriver.MappedFiles {
			sum += n
		}
	}
	return sum
}

// ownCPU is the processor time of this process, which may be a line.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allCPU is the processor time that all programs of the machine have taken.
func allCPU() (sum time.Duration) {
	stat, _ := os.ReadFile("/proc/stat")
	first, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := strings.Fields(string(first))
	if len(fields) < 9 {
		return 0
	}
	for i, f := range fields[1:9] {
		if i == 3 || i == 4 || i == 7 { // idle, waiting for disks, or stolen
			continue
		}
		n, _ := strconv.ParseInt(f, 10, 64)
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// machine describes the machine's class.
func machine() string {
	about := map[string]string{}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			about[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), " ")
		}
	}
	var u syscall.Sysinfo_t
	if err := syscall.Sysinfo(&u); err != nil {
		return about["model name"]
	}
	return fmt.Sprintf("%s (family %s, model %s), %.0f GiB", about["model name"], about["cpu family"], about["model"],
		float64(u.Totalram)*float64(u.Unit)/(1<<30))
}
