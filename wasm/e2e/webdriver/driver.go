// Package webdriver drives Chromium, Firefox and WebKitGTK, as Debian packages them, with the standard library only: W3C
// WebDriver over HTTP for chromedriver and WebKitWebDriver, Marionette over TCP for Firefox, which so needs no geckodriver.
//
//	b, err := webdriver.Start("firefox", webdriver.Options{})
//	defer b.Close()
//	err = b.Go("http://127.0.0.1:8080/")
//	err = b.SendKeys("[data-hook=files]", "/tmp/letter.txt")
//	err = b.Click("[data-hook=start]")
//	err = b.WaitFor("return document.querySelector('main').dataset.state === 'done'", time.Minute)
//
// Every browser has a throw-away profile, is started in a process group of its own and is gone, with all that it started,
// when Close returns. Every command has a deadline: a browser that hangs is an error and not a hanging test. Any number of
// browsers may run at once; commands of one browser are serialised.
package webdriver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Engines lists what Start accepts.
var Engines = []string{"chromium", "firefox", "webkit"}

// Errors that callers branch on.
var (
	ErrNotInstalled = errors.New("browser or driver is not installed")
	ErrTimeout      = errors.New("timed out")
)

// firstScript is how long the script after the first page may take, however busy the machine is.
const firstScript = 45 * time.Second

// elementKey is the W3C name of a web element reference.
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

// Options adjusts a start. The zero value is the usual configuration.
type Options struct {
	// Plain starts WebKit without the features that Safari has and a stock WebKitGTK build hides: OPFS, storage estimate,
	// byte streams, SharedArrayBuffer.
	Plain bool
	// Dark, ForcedColors and ReducedMotion are what the person prefers: the media features prefers-color-scheme, forced-colors
	// and prefers-reduced-motion. WebKit knows no forced colours.
	Dark, ForcedColors, ReducedMotion bool
	// Scale is how many device pixels a CSS pixel has; 0 means 1. Twice as many in the same window is a zoom of 200 %.
	Scale int
	// AnyCertificate takes those of servers, whoever has signed them.
	AnyCertificate bool
	// Prefs are extra Firefox preferences.
	Prefs map[string]any
	// Args are extra browser arguments, DriverArgs those of chromedriver.
	Args, DriverArgs []string
	// Timeout bounds each command; 0 means two minutes.
	Timeout time.Duration
}

// Browser is one running browser with a throw-away profile.
type Browser struct {
	Engine    string
	Downloads string // files that the browser saves land here

	used    bool       // some page was opened
	mu      sync.Mutex // serialises commands
	t       transport
	timeout time.Duration
	profile string
	family  *family
	options Options
}

// transport runs one command of: go, find, keys, click, actions, role, label, exec, shot, rect, tab, current, switch, close, quit. The
// context bounds it; after a command that ran out of time the transport need not be usable any more.
type transport interface {
	do(ctx context.Context, cmd string, p map[string]any) (any, error)
}

var launchers = map[string]func(*Browser, context.Context, Options) error{
	"chromium": (*Browser).launchChromium,
	"firefox":  (*Browser).launchFirefox,
	"webkit":   (*Browser).launchWebKit,
}

// Start starts the engine. On error nothing is left running. A start that fails for a reason that may pass (a port taken by
// someone else in the same moment) is tried again.
func Start(engine string, o Options) (*Browser, error) {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	o.Scale = max(o.Scale, 1)
	if launchers[engine] == nil {
		return nil, fmt.Errorf("failed to start browser: unknown engine %q", engine)
	}
	var errs []error
	for range 3 {
		b, err := try(engine, o)
		if err == nil {
			return b, nil
		}
		errs = append(errs, err)
		if errors.Is(err, ErrNotInstalled) {
			break
		}
	}
	return nil, fmt.Errorf("failed to start %s: %w", engine, errors.Join(errs...))
}

func try(engine string, o Options) (*Browser, error) {
	profile, err := os.MkdirTemp("", "sealpost-e2e-"+engine+"-")
	if err != nil {
		return nil, err
	}
	b := &Browser{Engine: engine, Downloads: filepath.Join(profile, "downloads"), profile: profile, timeout: o.Timeout, options: o}
	b.family = newFamily(profile)
	if err = os.Mkdir(b.Downloads, 0o755); err == nil {
		err = b.launch()
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("%w\n%s", err, b.family.log.String())
	}
	return b, nil
}

func (b *Browser) launch() error {
	ctx, cancel := context.WithTimeout(context.Background(), 45*time.Second)
	defer cancel()
	return launchers[b.Engine](b, ctx, b.options)
}

// Crash ends the browser and all it has started at once, as a loss of power would. The profile stays as it is.
func (b *Browser) Crash() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.family.crash()
	b.t = gone{"is closed"}
}

// Profile shows each file of the profile.
func (b *Browser) Profile(show func(path string, data []byte)) error {
	return filepath.WalkDir(b.profile, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			show(path, data)
		}
		return err
	})
}

// Restart starts a browser that crashed again, with the same profile. WebKit keeps nothing in it, since a session that is
// driven is a private one.
func (b *Browser) Restart() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.launch(); err != nil {
		return fmt.Errorf("failed to restart %s: %w\n%s", b.Engine, err, b.family.log.String())
	}
	return nil
}

// do runs one command under the browser's own deadline, or a longer one.
func (b *Browser) do(cmd string, p map[string]any, atLeast time.Duration) (any, error) {
	return b.within(max(b.timeout, atLeast), cmd, p)
}

func (b *Browser) within(timeout time.Duration, cmd string, p map[string]any) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err := b.t.do(ctx, cmd, p)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%s: command %q: %w, with %s", b.Engine, cmd, ErrTimeout, b.family.describe())
		b.t = gone{"hangs"}
		return nil, err
	}
	return v, err
}

// Go navigates and waits for the load event.
func (b *Browser) Go(url string) error {
	err := b.navigate(url)
	if err != nil && b.Engine == "webkit" && !b.used {
		fmt.Fprintf(os.Stderr, "webkit is started again: %v\n", err)
		b.Crash()
		if err = b.Restart(); err == nil {
			err = b.navigate(url)
		}
	}
	b.used = true
	if err != nil {
		return fmt.Errorf("failed to open %s: %w", url, err)
	}
	return nil
}

// navigate opens an address. On the first page it asks for a sign of life as well: in one of some thousand starts on a busy machine
// WebKitGTK 2.50 loads a page and then answers no script on it, for ever.
func (b *Browser) navigate(url string) error {
	_, err := b.do("go", map[string]any{"url": url}, 0)
	if err == nil && b.Engine == "webkit" && !b.used {
		_, err = b.within(firstScript, "exec", map[string]any{"script": "arguments[0](1)", "args": []any{}})
	}
	return err
}

// Eval runs body as an async function in the page, where a holds args, and returns what it returns, as JSON knows it. An
// exception in the page is an error here.
func (b *Browser) Eval(body string, args ...any) (any, error) {
	if args == nil {
		args = []any{}
	}
	script := "const done=arguments[arguments.length-1];const a=[].slice.call(arguments,0,-1);" +
		"(async()=>{" + body + "})().then(v=>done({v:v===undefined?null:v}),e=>done({e:String(e)}))"
	v, err := b.do("exec", map[string]any{"script": script, "args": args}, 0)
	if err != nil {
		return nil, fmt.Errorf("failed to run script: %w", err)
	}
	m, _ := v.(map[string]any)
	if m["e"] != nil {
		return nil, fmt.Errorf("failed to run script: page: %v", m["e"])
	}
	return m["v"], nil
}

// WaitFor runs body, as Eval does, until it returns something true. A failing script is asked again: pages come and go.
func (b *Browser) WaitFor(body string, timeout time.Duration, args ...any) error {
	deadline := time.Now().Add(timeout)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		v, err := b.Eval(body, args...)
		if v == true || err == nil && truthy(v) {
			return nil
		}
		if errors.Is(err, ErrTimeout) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("failed to see %q within %v (last: %v, %v): %w", body, timeout, v, err, ErrTimeout)
		}
		time.Sleep(pause)
	}
}

// WaitForElement waits until css matches something.
func (b *Browser) WaitForElement(css string, timeout time.Duration) error {
	return b.WaitFor("return !!document.querySelector(a[0])", timeout, css)
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	}
	return true
}

// Text returns the rendered text of the element.
func (b *Browser) Text(css string) (string, error) {
	return b.str(`const e=document.querySelector(a[0]);if(!e)throw new Error('no element '+a[0]);return e.innerText`, css)
}

// Attr returns an attribute of the element, or "" if it does not have it.
func (b *Browser) Attr(css, name string) (string, error) {
	return b.str(`const e=document.querySelector(a[0]);if(!e)throw new Error('no element '+a[0]);return e.getAttribute(a[1])??''`,
		css, name)
}

// Value returns the value of a form control.
func (b *Browser) Value(css string) (string, error) {
	return b.str(`const e=document.querySelector(a[0]);if(!e)throw new Error('no element '+a[0]);return e.value`, css)
}

func (b *Browser) str(body string, args ...any) (string, error) {
	v, err := b.Eval(body, args...)
	s, _ := v.(string)
	return s, err
}

// SetValue sets a form control as a user would: the value, then input and change events.
func (b *Browser) SetValue(css, value string) error {
	_, err := b.Eval(`const e=document.querySelector(a[0]);if(!e)throw new Error('no element '+a[0]);
		if(e.type==='checkbox'){if(e.checked!==(a[1]==='true'))e.click();return}
		e.value=a[1];if(e.value!==a[1])throw new Error(a[0]+' does not take '+a[1]);
		e.dispatchEvent(new Event('input',{bubbles:true}));e.dispatchEvent(new Event('change',{bubbles:true}))`, css, value)
	return err
}

// SendKeys types text into the element; for an <input type=file> text is a path, or several, one per line.
func (b *Browser) SendKeys(css, text string) error {
	id, err := b.find(css)
	if err != nil {
		return err
	}
	if _, err = b.do("keys", map[string]any{"id": id, "text": text}, 0); err != nil {
		return fmt.Errorf("failed to type into %q: %w", css, err)
	}
	return nil
}

// Click clicks the element as a user would; it is a user activation.
func (b *Browser) Click(css string) error {
	id, err := b.find(css)
	if err != nil {
		return err
	}
	if _, err = b.do("click", map[string]any{"id": id}, 0); err != nil {
		return fmt.Errorf("failed to click %q: %w", css, err)
	}
	return nil
}

// Keys that Press takes, besides characters.
const (
	Tab    = '\uE004'
	Enter  = '\uE006'
	Shift  = '\uE008'
	Escape = '\uE00C'
	End    = '\uE010'
	Home   = '\uE011'
	Left   = '\uE012'
	Up     = '\uE013'
	Right  = '\uE014'
	Down   = '\uE015'
	Space  = ' '
)

// Press presses keys together, on a keyboard as people have: what has the focus gets them.
func (b *Browser) Press(keys ...rune) error {
	var presses []any
	for _, k := range keys {
		presses = append(presses, map[string]any{"type": "keyDown", "value": string(k)})
	}
	for _, k := range slices.Backward(keys) {
		presses = append(presses, map[string]any{"type": "keyUp", "value": string(k)})
	}
	keyboard := map[string]any{"type": "key", "id": "keyboard", "actions": presses}
	if _, err := b.do("actions", map[string]any{"actions": []any{keyboard}}, 0); err != nil {
		return fmt.Errorf("failed to press %q: %w", string(keys), err)
	}
	return nil
}

// Type presses the keys of a text, one after the other.
func (b *Browser) Type(text string) error {
	for _, k := range text {
		if err := b.Press(k); err != nil {
			return err
		}
	}
	return nil
}

// Accessible returns the role and the name that the engine computes for an element, as assistive technology gets them. The
// element is one that Eval has returned.
func (b *Browser) Accessible(element any) (role, name string, err error) {
	m, _ := element.(map[string]any)
	p := map[string]any{"id": m[elementKey]}
	if v, err := b.do("role", p, 0); err != nil {
		return "", "", fmt.Errorf("failed to compute role: %w", err)
	} else {
		role, _ = v.(string)
	}
	v, err := b.do("label", p, 0)
	if err != nil {
		return "", "", fmt.Errorf("failed to compute name: %w", err)
	}
	name, _ = v.(string)
	return role, name, nil
}

func (b *Browser) find(css string) (string, error) {
	v, err := b.do("find", map[string]any{"using": "css selector", "value": css}, 0)
	if err != nil {
		return "", fmt.Errorf("failed to find %q: %w", css, err)
	}
	m, _ := v.(map[string]any)
	id, ok := m[elementKey].(string)
	if !ok {
		return "", fmt.Errorf("failed to find %q: no element", css)
	}
	return id, nil
}

// NewTab opens a tab, or a window where there are none, and returns a handle for Switch. Commands still go to the old one.
func (b *Browser) NewTab() (string, error) {
	v, err := b.do("tab", map[string]any{"type": "tab"}, 0)
	if err != nil {
		return "", fmt.Errorf("failed to open tab: %w", err)
	}
	m, _ := v.(map[string]any)
	handle, _ := m["handle"].(string)
	return handle, nil
}

// Tab returns the handle of the tab that commands go to.
func (b *Browser) Tab() (string, error) {
	v, err := b.do("current", map[string]any{}, 0)
	if err != nil {
		return "", fmt.Errorf("failed to tell the tab: %w", err)
	}
	handle, _ := v.(string)
	return handle, nil
}

// Switch makes commands go to another tab.
func (b *Browser) Switch(handle string) error {
	if _, err := b.do("switch", map[string]any{"handle": handle}, 0); err != nil {
		return fmt.Errorf("failed to switch to tab: %w", err)
	}
	return nil
}

// CloseTab closes the tab that commands go to, which must not be the last, without asking its page. Switch to another one then.
func (b *Browser) CloseTab() error {
	if _, err := b.do("close", map[string]any{}, 0); err != nil {
		return fmt.Errorf("failed to close tab: %w", err)
	}
	return nil
}

// SetWindowSize makes the view width × height CSS pixels, or as near to that as the engine's smallest window allows.
func (b *Browser) SetWindowSize(width, height int) error {
	rect := map[string]any{"width": width, "height": height}
	for range 3 { // the frame of a window is known once it is there
		if _, err := b.do("rect", rect, 0); err != nil {
			return fmt.Errorf("failed to resize window: %w", err)
		}
		v, err := b.Eval(`let last='';for(let calm=0,n=0;calm<3&&n<60;n++){await new Promise(r=>setTimeout(r,30));
			const now=[innerWidth,innerHeight].join();calm=now===last?calm+1:0;last=now}return [innerWidth,innerHeight]`)
		if err != nil {
			return err
		}
		is, _ := v.([]any)
		if len(is) != 2 || is[0] == float64(width) && is[1] == float64(height) {
			return nil
		}
		w, _ := number(is[0])
		h, _ := number(is[1])
		rect = map[string]any{"width": rect["width"].(int) + width - w, "height": rect["height"].(int) + height - h}
	}
	return nil
}

// Screenshot returns a PNG of the view.
func (b *Browser) Screenshot() ([]byte, error) {
	v, err := b.do("shot", map[string]any{}, 0)
	if err != nil {
		return nil, fmt.Errorf("failed to take screenshot: %w", err)
	}
	s, _ := v.(string)
	return base64.StdEncoding.DecodeString(s)
}

// Console returns the warnings and errors that Chromium logged since the last call, those of workers and of its security
// checks included. The others have no such log.
func (b *Browser) Console() (lines []string) {
	v, err := b.do("console", map[string]any{"type": "browser"}, 0)
	if err != nil {
		return nil
	}
	entries, _ := v.([]any)
	for _, e := range entries {
		if m, _ := e.(map[string]any); m["level"] == "SEVERE" || m["level"] == "WARNING" {
			lines = append(lines, fmt.Sprintf("%v: %v", m["level"], m["message"]))
		}
	}
	return lines
}

// Log returns what the browser and its driver printed.
func (b *Browser) Log() string { return b.family.log.String() }

// Close ends the browser, its driver and whatever they started, and removes the profile. Calling it again is fine.
func (b *Browser) Close() {
	if b.t != nil {
		b.mu.Lock()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		b.t.do(ctx, "quit", map[string]any{}) // best effort: what is still there is killed below
		cancel()
		b.t = gone{"is closed"}
		b.mu.Unlock()
	}
	b.family.kill()
	for range 40 { // a dying browser may still write into its profile
		if os.RemoveAll(b.profile) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// gone is the transport of a closed browser.
type gone struct{ how string }

func (g gone) do(context.Context, string, map[string]any) (any, error) {
	return nil, errors.New("browser " + g.how)
}

// number is how a JSON number arrives.
func number(v any) (int, bool) {
	f, ok := v.(float64)
	return int(f), ok
}

func mustJSON(v any) string {
	j, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(j)
}
