package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const tick = 10 * time.Millisecond // of /proc/*/stat

// family returns pid and all that it and its children started.
func family(pid int) []int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		if fields := statFields(file); len(fields) > 1 {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			parents[child], _ = strconv.Atoi(fields[1])
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for child, parent := range parents {
			if parent == all[i] {
				all = append(all, child)
			}
		}
	}
	return all
}

// statFields are those after the name, which may have spaces in it: the state comes first.
func statFields(file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// cpuOf is the processor time that processes have taken, in user and system mode.
func cpuOf(pids []int) (sum time.Duration) {
	for _, pid := range pids {
		if fields := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(fields) > 12 {
			for _, f := range fields[11:13] {
				n, _ := strconv.ParseInt(f, 10, 64)
				sum += time.Duration(n) * tick
			}
		}
	}
	return sum
}

// memoryOf is the resident set of processes in bytes, and the sum of their peaks.
func memoryOf(pids []int) (now, peak int64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 2 {
				continue
			}
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			switch fields[0] {
			case "VmRSS:":
				now += kib << 10
			case "VmHWM:":
				peak += kib << 10
			}
		}
	}
	return now, peak
}

// ownCPU is the processor time of this process.
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
		sum += time.Duration(n) * tick
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
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	var u syscall.Sysinfo_t
	if err := syscall.Sysinfo(&u); err != nil {
		return about["model name"]
	}
	return fmt.Sprintf("%s (family %s, model %s), %.0f GiB, Linux %s", about["model name"], about["cpu family"], about["model"],
		float64(u.Totalram)*float64(u.Unit)/(1<<30), strings.TrimSpace(string(kernel)))
}

// fileSystem names the kind of file system that dir is on.
func fileSystem(dir string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "unknown"
	}
	if name := map[int64]string{0xef53: "ext4", 0x01021994: "tmpfs", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x794c7630: "overlay"}[int64(st.Type)]; name != "" {
		return name
	}
	return fmt.Sprintf("file system %#x", st.Type)
}
