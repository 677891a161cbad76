package webdriver

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which Linux tells processor time.
const tick = 10 * time.Millisecond

// CPU returns the processor time that the browser has taken since it was started, drivers included. Linux only.
func (b *Browser) CPU() time.Duration { return cpu(b.family.survivors()) }

// CPU returns the processor time that a process and all that come from it have taken. Linux only.
func CPU(pid int) time.Duration { return cpu([]int{pid}) }

func cpu(pids []int) (sum time.Duration) {
	for _, pid := range descendants(pids) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may hold anything
		if len(fields) < 15 {
			continue
		}
		for _, f := range fields[11:15] { // its own in user and kernel mode, and that of children that have ended
			n, _ := strconv.ParseInt(f, 10, 64)
			sum += time.Duration(n) * tick
		}
	}
	return sum
}
