package webdriver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// CrashTab ends the process that runs the page of the tab that commands go to, as when memory runs out, and has them go to a new tab.
// WebKit's driver ends its session then.
func (b *Browser) CrashTab() error {
	next, err := b.NewTab() // a crashed one takes no such command
	if err != nil {
		return err
	}
	if w, is := b.t.(*wire); is {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.devtools(ctx, "Page.crash", map[string]any{}) // never answers well
	} else {
		for _, pid := range b.family.survivors() {
			if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); bytes.Contains(line, []byte("-isForBrowser")) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if err := b.CloseTab(); err != nil {
		return err
	}
	return b.Switch(next)
}
