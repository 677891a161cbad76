package webdriver

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the bytes of memory that each kind of process of the browser has, drivers included, by the names that the
// kernel gives them: the sum of their proportional set sizes, in which a page that several share counts once. Linux only.
func (b *Browser) Memory() map[string]int64 {
	all := map[string]int64{}
	for _, pid := range b.family.survivors() {
		dir := fmt.Sprintf("/proc/%d/", pid)
		name, err := os.ReadFile(dir + "comm")
		if err != nil {
			continue // it ended meanwhile
		}
		rollup, _ := os.ReadFile(dir + "smaps_rollup")
		for line := range strings.Lines(string(rollup)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
				kib, _ := strconv.ParseInt(f[1], 10, 64)
				all[strings.TrimSpace(string(name))] += kib << 10
			}
		}
	}
	return all
}
