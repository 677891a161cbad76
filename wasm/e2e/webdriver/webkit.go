package webdriver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// SafariFeatures turns on what Safari has and a stock WebKitGTK build hides.
const SafariFeatures = "--features=+FileSystem,+AccessHandle,+StorageAPI,+StorageAPIEstimate,+FileSystemWritableStream,+ReadableByteStreamAPI"

// launchWebKit starts MiniBrowser, an X11 program, on a display of its own.
func (b *Browser) launchWebKit(ctx context.Context, o Options) error {
	binaries, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")
	if len(binaries) == 0 {
		return fmt.Errorf("%w: MiniBrowser", ErrNotInstalled)
	}
	display, err := b.startXvfb()
	if err != nil {
		return err
	}
	config := filepath.Join(b.profile, ".config")
	if err := os.MkdirAll(config, 0o755); err != nil {
		return err
	}
	// This file is how MiniBrowser finds its download folder.
	dirs := "XDG_DOWNLOAD_DIR=\"" + b.Downloads + "\"\n"
	if err := os.WriteFile(filepath.Join(config, "user-dirs.dirs"), []byte(dirs), 0o644); err != nil {
		return err
	}
	if err := gtkSettings(config, o); err != nil {
		return err
	}
	env := []string{"DISPLAY=" + display, "GDK_SCALE=" + strconv.Itoa(o.Scale), "HOME=" + b.profile, "XDG_CONFIG_HOME=" + config,
		"XDG_DATA_HOME=" + b.profile + "/data", "XDG_CACHE_HOME=" + b.profile + "/cache",
		"NO_AT_BRIDGE=1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1",
		// Mesa's llvmpipe crashes now and then, and the page with it.
		"WEBKIT_SKIA_ENABLE_CPU_RENDERING=1", "GALLIUM_DRIVER=softpipe"}
	args := []string{"--automation"}
	if !o.Plain {
		env = append(env, "JSC_useSharedArrayBuffer=1")
		args = append(args, SafariFeatures)
	}
	if o.Dark {
		args = append(args, "--dark-mode")
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(addr)
	if err := b.family.start(nil, nil, env, "WebKitWebDriver", "--port="+port, "--host="+host); err != nil {
		return err
	}
	_, err = b.session(ctx, addr, map[string]any{
		"browserName":              "MiniBrowser",
		"acceptInsecureCerts":      o.AnyCertificate,
		"webkitgtk:browserOptions": map[string]any{"binary": binaries[0], "args": append(args, o.Args...)},
	})
	return err
}

// gtkSettings are the choices of the desktop's user: the toolbar is made small, so that the window can be as narrow as a phone.
func gtkSettings(config string, o Options) error {
	dir := filepath.Join(config, "gtk-3.0")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	style := "* { min-width: 0; padding: 0; margin: 0; font-size: 1px; }\n"
	if err := os.WriteFile(filepath.Join(dir, "gtk.css"), []byte(style), 0o644); err != nil {
		return err
	}
	settings := fmt.Sprintf("[Settings]\ngtk-enable-animations=%t\n", !o.ReducedMotion)
	return os.WriteFile(filepath.Join(dir, "settings.ini"), []byte(settings), 0o644)
}

// startXvfb lets Xvfb pick a free display, which it writes to descriptor 3.
func (b *Browser) startXvfb() (string, error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer pr.Close()
	err = b.family.start(nil, []*os.File{pw}, nil, "Xvfb", "-displayfd", "3", "-screen", "0", "1600x1200x24", "-nolisten", "tcp")
	pw.Close()
	if err != nil {
		return "", err
	}
	pr.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := bufio.NewReader(pr).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("failed to learn the display of Xvfb: %w", err)
	}
	return ":" + strings.TrimSpace(n), nil
}

// freeAddr returns an address that was free a moment ago. WebKitWebDriver does not say which port it got, so it has to be
// told one; Start tries again if another process took it meanwhile.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
