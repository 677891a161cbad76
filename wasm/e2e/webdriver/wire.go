package webdriver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// wire is W3C WebDriver over HTTP.
type wire struct {
	base   string
	client *http.Client
	cdp    bool // resizes through the DevTools protocol
	scale  int  // then
}

// session opens a WebDriver session with the driver on addr and makes it the browser's transport.
func (b *Browser) session(ctx context.Context, addr string, caps map[string]any) (*wire, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	c.Close()
	w := &wire{base: "http://" + addr, client: &http.Client{Transport: &http.Transport{}}}
	v, err := w.call(ctx, "POST", "/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": caps}})
	if err != nil {
		return nil, fmt.Errorf("failed to open session: %w", err)
	}
	m, _ := v.(map[string]any)
	id, ok := m["sessionId"].(string)
	if !ok {
		return nil, errors.New("failed to open session: driver gave no session id")
	}
	w.base += "/session/" + id
	b.t = w
	_, err = w.call(ctx, "POST", "/timeouts", map[string]any{"script": b.timeout.Milliseconds(), "pageLoad": b.timeout.Milliseconds()})
	return w, err
}

func (w *wire) call(ctx context.Context, method, path string, body any) (any, error) {
	var r io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.base+path, r)
	if err != nil {
		return nil, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var out struct{ Value any }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, fmt.Errorf("failed to decode the driver's answer: %w", err)
	}
	if m, ok := out.Value.(map[string]any); ok && m["error"] != nil {
		return nil, fmt.Errorf("%v: %v", m["error"], m["message"])
	}
	return out.Value, nil
}

func (w *wire) do(ctx context.Context, cmd string, p map[string]any) (any, error) {
	element := func() string { return fmt.Sprint("/element/", p["id"]) }
	switch cmd {
	case "go":
		return w.call(ctx, "POST", "/url", p)
	case "find":
		return w.call(ctx, "POST", "/element", p)
	case "keys":
		return w.call(ctx, "POST", element()+"/value", map[string]any{"text": p["text"]})
	case "click":
		return w.call(ctx, "POST", element()+"/click", map[string]any{})
	case "actions":
		return w.call(ctx, "POST", "/actions", p)
	case "role":
		return w.call(ctx, "GET", element()+"/computedrole", nil)
	case "label":
		return w.call(ctx, "GET", element()+"/computedlabel", nil)
	case "exec":
		return w.call(ctx, "POST", "/execute/async", p)
	case "shot":
		return w.call(ctx, "GET", "/screenshot", nil)
	case "rect":
		if w.cdp {
			return w.devtools(ctx, "Emulation.setDeviceMetricsOverride", map[string]any{"width": p["width"], "height": p["height"],
				"deviceScaleFactor": w.scale, "mobile": false})
		}
		return w.call(ctx, "POST", "/window/rect", p)
	case "console":
		return w.call(ctx, "POST", "/se/log", p)
	case "tab":
		return w.call(ctx, "POST", "/window/new", p)
	case "current":
		return w.call(ctx, "GET", "/window", nil)
	case "switch":
		return w.call(ctx, "POST", "/window", p)
	case "close":
		return w.call(ctx, "DELETE", "/window", nil)
	case "quit":
		v, err := w.call(ctx, "DELETE", "", nil)
		w.client.CloseIdleConnections()
		return v, err
	}
	return nil, fmt.Errorf("unknown command %q", cmd)
}

// devtools runs a command of Chromium's own protocol.
func (w *wire) devtools(ctx context.Context, cmd string, params map[string]any) (any, error) {
	return w.call(ctx, "POST", "/goog/cdp/execute", map[string]any{"cmd": cmd, "params": params})
}

// dial waits for a listener.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
