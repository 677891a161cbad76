package webdriver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MappedFiles is what Memory calls the part that is not any process's own.
const MappedFiles = "mapped files"

// Memory returns the bytes of memory that each kind of process of the browser has, drivers included: the sum of their
// proportional set sizes, in which a page that several share counts once. What they map of files, programs and libraries for
// the most, is told apart: it shrinks by as much as any other program on the machine maps the same. Linux only.
func (b *Browser) Memory() map[string]int64 {
	all := map[string]int64{}
	for _, pid := range descendants(b.family.survivors()) {
		dir := fmt.Sprintf("/proc/%d/", pid)
		rollup, _ := os.ReadFile(dir + "smaps_rollup")
		for line := range strings.Lines(string(rollup)) {
			f := strings.Fields(line)
			if len(f) != 3 {
				continue
			}
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			switch f[0] {
			case "Pss_Anon:", "Pss_Shmem:":
				all[kind(dir)] += kib << 10
			case "Pss_File:":
				all[MappedFiles] += kib << 10
			}
		}
	}
	return all
}

// kind is the name that the kernel gives a process, with Chromium's own word for what it does.
func kind(dir string) string {
	name, _ := os.ReadFile(dir + "comm")
	line, _ := os.ReadFile(dir + "cmdline")
	if m := chromiumType.FindSubmatch(line); m != nil {
		return string(m[1])
	}
	return strings.TrimSpace(string(name))
}

// A service says which it is, besides that it is one.
var chromiumType = regexp.MustCompile(`--(?:utility-sub-)?type=([^\x00 ]+)`)

// descendants returns the processes and all that come from them: Chromium writes its renderers' names over their environment,
// where survivors looks.
func descendants(pids []int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may hold anything
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	all := slices.Clone(pids)
	for i := 0; i < len(all); i++ {
		for _, child := range children[all[i]] {
			if !slices.Contains(all, child) {
				all = append(all, child)
			}
		}
	}
	return all
}
