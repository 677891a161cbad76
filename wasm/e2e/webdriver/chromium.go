package webdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
)

// launchChromium lets chromedriver choose its port, which it prints, and talks to the browser over a pipe: when the driver is
// gone, the browser goes too.
func (b *Browser) launchChromium(ctx context.Context, o Options) error {
	binary, err := exec.LookPath("chromium")
	if err != nil {
		return fmt.Errorf("%w: chromium", ErrNotInstalled)
	}
	announced := &watcher{re: regexp.MustCompile(`started successfully on port (\d+)`), found: make(chan string, 1)}
	driver := append([]string{"--port=0", "--allowed-ips=127.0.0.1"}, o.DriverArgs...)
	if err := b.family.start(announced, nil, []string{"HOME=" + b.profile}, "chromedriver", driver...); err != nil {
		return err
	}
	var port string
	select {
	case port = <-announced.found:
	case <-ctx.Done():
		return errors.New("failed to learn the port of chromedriver")
	}
	// Nobody answers the dialog of showSaveFilePicker here, so there is none, as in some builds of Chromium.
	args := append([]string{"--disable-blink-features=FileSystemAccessLocal", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-pipe", "--window-size=1280,900", "--user-data-dir=" + b.profile + "/profile"}, o.Args...)
	var shm syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &shm); err != nil || shm.Bavail*uint64(shm.Bsize) < 1<<30 {
		args = append(args, "--disable-dev-shm-usage") // as in containers
	}
	w, err := b.session(ctx, "127.0.0.1:"+port, map[string]any{
		"browserName":         "chrome",
		"acceptInsecureCerts": o.AnyCertificate,
		"goog:loggingPrefs":   map[string]any{"browser": "ALL"},
		"goog:chromeOptions": map[string]any{
			"binary": binary,
			"args":   args,
			"prefs": map[string]any{
				"download.default_directory":   b.Downloads,
				"download.prompt_for_download": false,
			},
		},
	})
	if err != nil {
		return err
	}
	w.cdp, w.scale = true, o.Scale
	var features []any
	for _, f := range []struct {
		on          bool
		name, value string
	}{
		{o.Dark, "prefers-color-scheme", "dark"},
		{o.ForcedColors, "forced-colors", "active"},
		{o.ReducedMotion, "prefers-reduced-motion", "reduce"},
	} {
		if f.on {
			features = append(features, map[string]any{"name": f.name, "value": f.value})
		}
	}
	if len(features) > 0 {
		_, err = w.devtools(ctx, "Emulation.setEmulatedMedia", map[string]any{"features": features})
	}
	return err
}

// watcher looks for a pattern in what is written to it and sends the first submatch, once.
type watcher struct {
	re    *regexp.Regexp
	found chan string

	mu   sync.Mutex
	seen bytes.Buffer
	done bool
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.seen.Write(p)
		if m := w.re.FindSubmatch(w.seen.Bytes()); m != nil {
			w.done = true
			w.found <- string(m[1])
		}
	}
	return len(p), nil
}
