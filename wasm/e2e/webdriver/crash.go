package webdriver

import (
	"bytes"
	"context"
	"errors"
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
		if err := b.CloseTab(); err != nil {
			return err
		}
		return b.Switch(next)
	}
	// Firefox tells what a process is for by its name. Not all may go: the new tab is in one that runs no page of a site yet.
	killed := 0
	for _, pid := range b.family.survivors() {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if bytes.HasPrefix(name, []byte("Isolated Web Co")) || bytes.HasPrefix(name, []byte("WebCOOP+COEP Co")) {
			syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
	}
	if killed == 0 {
		return errors.New("failed to crash tab: no process runs a page of a site")
	}
	if err := b.CloseTab(); err != nil {
		return err
	}
	return b.Switch(next)
}
