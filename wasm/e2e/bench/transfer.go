package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

const (
	patience = time.Minute      // for what takes a second
	longest  = 30 * time.Minute // for a transfer
)

// watch makes the page note when its button is clicked and when it comes to an end. Nothing is asked of the browser in
// between.
const watch = `const main=document.querySelector('main');
	window.measured=new Promise(resolve=>{let begun=0;
		document.querySelector(a[0]).addEventListener('click',()=>begun=Date.now(),{capture:true,once:true});
		new MutationObserver(()=>{const {state,way}=main.dataset;
			if(['done','error','gone'].includes(state))resolve({begun,ended:Date.now(),state,way:way??'',text:main.innerText})
		}).observe(main,{attributes:true,attributeFilter:['data-state']})})`

// An outcome is what the page noted.
type outcome struct {
	begun, ended time.Time
	way          string
}

// click clicks the button and waits until the page has come to a good end.
func click(b *webdriver.Browser, button string) (o outcome, err error) {
	if _, err := b.Eval(watch, button); err != nil {
		return o, err
	}
	if err := b.Click(button); err != nil {
		return o, err
	}
	v, err := b.Eval("return await window.measured")
	if err != nil {
		return o, err
	}
	m, _ := v.(map[string]any)
	if m["state"] != "done" {
		return o, fmt.Errorf("the page is in state %v and says: %v", m["state"], m["text"])
	}
	at := func(name string) time.Time {
		ms, _ := m[name].(float64)
		return time.UnixMilli(int64(ms))
	}
	o.way, _ = m["way"].(string)
	o.begun, o.ended = at("begun"), at("ended")
	return o, nil
}

// A measure calls a transfer, and measures it meanwhile.
type measure func(transfer func() error) error

// upload sends the file through the page at url. It returns how long that took, and the link.
func upload(b *webdriver.Browser, url string, in *input, m measure) (took time.Duration, link string, err error) {
	if err := b.Go(url + "/"); err != nil {
		return 0, "", err
	}
	ready := "return ['idle','ready'].includes(document.querySelector('main')?.dataset.state)"
	if err := b.WaitFor(ready, patience); err != nil {
		return 0, "", err
	}
	if err := b.SendKeys("[data-hook=files]", in.path); err != nil {
		return 0, "", err
	}
	ready = "return document.querySelector('main').dataset.state==='ready'&&!document.querySelector('[data-hook=start]').disabled"
	if err := b.WaitFor(ready, patience); err != nil {
		return 0, "", err
	}
	var o outcome
	if err := m(func() error { o, err = click(b, "[data-hook=start]"); return err }); err != nil {
		return 0, "", err
	}
	link, err = b.Value("[data-hook=link]")
	return o.ended.Sub(o.begun), link, err
}

// download saves what the link leads to, and compares it. It returns how long it took until the file lay whole among the
// downloads, and the way that the page says it took.
func download(b *webdriver.Browser, link string, in *input, m measure) (took time.Duration, way string, err error) {
	if err := b.Go(link); err != nil {
		return 0, "", err
	}
	if err := b.WaitFor("return document.querySelector('main')?.dataset.state==='ready'", patience); err != nil {
		return 0, "", err
	}
	var o outcome
	var f saved
	err = m(func() (err error) {
		found, stop := make(chan saved, 1), make(chan struct{})
		go func() { found <- awaitFile(b.Downloads, in.size, stop) }()
		if o, err = click(b, "[data-hook=download]"); err == nil {
			late := time.AfterFunc(patience, func() { close(stop) })
			defer late.Stop()
		} else {
			close(stop)
		}
		f = <-found
		return errors.Join(err, f.err)
	})
	if err != nil {
		return 0, "", err
	}
	got, err := hashFile(f.path)
	if err == nil && got != in.hash {
		err = fmt.Errorf("%s has the SHA-256 %x, want %x", f.path, got, in.hash)
	}
	return f.whole.Sub(o.begun), o.way, err
}

// A saved file, and when it was first seen to be whole.
type saved struct {
	path  string
	whole time.Time
	err   error
}

// awaitFile waits for a file of the size in dir under a final name.
func awaitFile(dir string, size int64, stop <-chan struct{}) saved {
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return saved{err: err}
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || info.Size() != size || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			switch filepath.Ext(e.Name()) {
			case ".part", ".crdownload", ".wkdownload":
			default:
				return saved{path: filepath.Join(dir, e.Name()), whole: time.Now()}
			}
		}
		select {
		case <-stop:
			return saved{err: errors.New("no whole file among the downloads")}
		case <-time.After(5 * time.Millisecond):
		}
	}
}
