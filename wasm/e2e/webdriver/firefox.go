package webdriver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// portFile is where Firefox tells the port of Marionette.
const portFile = "MarionetteActivePort"

// narrow lets Firefox's window be as narrow as a phone.
const narrow = ":root { min-width: 0 !important; }\n"

// launchFirefox lets Firefox choose its Marionette port, which it writes into the profile.
func (b *Browser) launchFirefox(ctx context.Context, o Options) error {
	prefs := map[string]any{
		"marionette.port":                                       0,
		"remote.prefs.recommended":                              true, // no telemetry, no updates, no first-run pages
		"browser.download.folderList":                           2,
		"browser.download.dir":                                  b.Downloads,
		"browser.download.always_ask_before_handling_new_types": false,
		"browser.download.alwaysOpenPanel":                      false,
		"browser.download.panel.shown":                          true, // it opens once in any case, and takes the focus
		"toolkit.legacyUserProfileCustomizations.stylesheets":   true,
		"toolkit.startup.max_resumed_crashes":                   -1, // no questions after a crash
	}
	if o.Dark {
		prefs["layout.css.prefers-color-scheme.content-override"] = 0
	}
	if o.ForcedColors {
		prefs["browser.display.document_color_use"] = 2
	}
	if o.ReducedMotion {
		prefs["ui.prefersReducedMotion"] = 1
	}
	if o.Scale > 1 {
		prefs["layout.css.devPixelsPerPx"] = fmt.Sprint(o.Scale)
	}
	for k, v := range o.Prefs {
		prefs[k] = v
	}
	var user bytes.Buffer
	for k, v := range prefs {
		fmt.Fprintf(&user, "user_pref(%s, %s);\n", mustJSON(k), mustJSON(v))
	}
	if err := os.WriteFile(filepath.Join(b.profile, "user.js"), user.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(b.profile, "chrome"), 0o755); err != nil {
		return err
	}
	os.Remove(filepath.Join(b.profile, portFile)) // of a Firefox that crashed
	if err := os.WriteFile(filepath.Join(b.profile, "chrome", "userChrome.css"), []byte(narrow), 0o644); err != nil {
		return err
	}
	args := append([]string{"--marionette", "--headless", "--no-remote", "--profile", b.profile}, o.Args...)
	if err := b.family.start(nil, nil, []string{"HOME=" + b.profile}, "firefox-esr", args...); err != nil {
		return err
	}
	port, err := awaitFile(ctx, filepath.Join(b.profile, portFile))
	if err != nil {
		return err
	}
	c, err := dial(ctx, "127.0.0.1:"+port)
	if err != nil {
		return fmt.Errorf("failed to reach Marionette: %w", err)
	}
	m := &marionette{c: c, r: bufio.NewReader(c)}
	b.t = m
	deadline, _ := ctx.Deadline()
	c.SetDeadline(deadline)
	if _, err := m.read(); err != nil { // greeting
		return fmt.Errorf("failed to read Marionette's greeting: %w", err)
	}
	if _, err := m.send(ctx, "WebDriver:NewSession", map[string]any{"acceptInsecureCerts": o.AnyCertificate}); err != nil {
		return fmt.Errorf("failed to open session: %w", err)
	}
	_, err = m.send(ctx, "WebDriver:SetTimeouts", map[string]any{"script": b.timeout.Milliseconds(), "pageLoad": b.timeout.Milliseconds()})
	return err
}

// awaitFile waits until the file holds a number, and returns it.
func awaitFile(ctx context.Context, path string) (string, error) {
	for {
		text, err := os.ReadFile(path)
		s := strings.TrimSpace(string(text))
		if _, bad := strconv.ParseUint(s, 10, 16); err == nil && bad == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return "", errors.New("failed to learn the port of Marionette")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// marionette speaks Firefox's own protocol: frames "length:[type, id, command, parameters]".
type marionette struct {
	c  net.Conn
	r  *bufio.Reader
	id int
}

func (m *marionette) read() (json.RawMessage, error) {
	s, err := m.r.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, ":"))
	if err != nil || n < 0 || n > 256<<20 {
		return nil, fmt.Errorf("failed to parse frame length %q", s)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(m.r, b)
	return b, err
}

func (m *marionette) send(ctx context.Context, name string, p map[string]any) (any, error) {
	deadline, _ := ctx.Deadline()
	m.c.SetDeadline(deadline)
	m.id++
	j, err := json.Marshal([]any{0, m.id, name, p})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.c, "%d:%s", len(j), j); err != nil {
		return nil, err
	}
	var answer [4]any // type, id, error, result
	for {
		raw, err := m.read()
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			return nil, fmt.Errorf("failed to decode frame: %w", err)
		}
		if id, ok := number(answer[1]); ok && id == m.id { // else a late answer to a command that ran out of time
			break
		}
	}
	if e, ok := answer[2].(map[string]any); ok {
		return nil, fmt.Errorf("%v: %v", e["error"], e["message"])
	}
	if r, ok := answer[3].(map[string]any); ok && len(r) == 1 && r["value"] != nil {
		return r["value"], nil
	}
	return answer[3], nil
}

func (m *marionette) do(ctx context.Context, cmd string, p map[string]any) (any, error) {
	switch cmd {
	case "go":
		return m.send(ctx, "WebDriver:Navigate", p)
	case "find":
		return m.send(ctx, "WebDriver:FindElement", p)
	case "keys":
		return m.send(ctx, "WebDriver:ElementSendKeys", p)
	case "click":
		return m.send(ctx, "WebDriver:ElementClick", p)
	case "actions":
		return m.send(ctx, "WebDriver:PerformActions", p)
	case "role":
		return m.send(ctx, "WebDriver:GetComputedRole", p)
	case "label":
		return m.send(ctx, "WebDriver:GetComputedLabel", p)
	case "exec":
		p["sandbox"] = nil // run in the page's own realm
		return m.send(ctx, "WebDriver:ExecuteAsyncScript", p)
	case "shot":
		return m.send(ctx, "WebDriver:TakeScreenshot", map[string]any{"full": false})
	case "rect":
		return m.send(ctx, "WebDriver:SetWindowRect", p)
	case "tab":
		return m.send(ctx, "WebDriver:NewWindow", p)
	case "current":
		return m.send(ctx, "WebDriver:GetWindowHandle", p)
	case "switch":
		return m.send(ctx, "WebDriver:SwitchToWindow", p)
	case "close":
		return m.send(ctx, "WebDriver:CloseWindow", p)
	case "quit":
		v, err := m.send(ctx, "Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}})
		m.c.Close()
		return v, err
	}
	return nil, fmt.Errorf("unknown command %q", cmd)
}
