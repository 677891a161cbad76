package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestAccessible: in every state of both pages, light and dark, wide and on 320 CSS pixels, axe finds nothing against WCAG 2.2 AA
// nor against what it calls best practice, and nothing needs sideways scrolling. Who asked for less motion sees none. A sample
// is one engine either light or dark.
func TestAccessible(t *testing.T) {
	sometimes(t)
	axe, err := os.ReadFile("../../static/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is not installed: run make deps")
	}
	files := walkFiles(t, random(t))
	type look struct {
		name    string
		options webdriver.Options
	}
	someEngine(t, func(t *testing.T, engine string) {
		looks := []look{{"light", webdriver.Options{}}, {"dark and still", webdriver.Options{Dark: true, ReducedMotion: true}}}
		for _, look := range sized([]look{looks[random(t).IntN(2)]}, looks) {
			t.Run(look.name, func(t *testing.T) {
				b := launch(t, engine, look.options)
				walk(t, b, files, func(state string) {
					for _, v := range []view{narrow, wide} {
						must(t, b.SetWindowSize(v.width, v.height))
						if look.options.ReducedMotion {
							wantStill(t, b, state)
						}
						settle(t, b)
						wantNoSidewaysScrolling(t, b, state)
						wantNoViolations(t, b, string(axe), state+", "+v.name)
					}
				})
			})
		}
	})
}

// wantNoViolations runs axe in the page. It comes with the driver, whose scripts the page's policy does not bind.
func wantNoViolations(t *testing.T, b *webdriver.Browser, axe, state string) {
	t.Helper()
	if v, err := b.Eval("return !!window.axe"); err != nil || v != true {
		_, err := b.Eval(axe + ";window.axe=axe")
		must(t, err)
	}
	v, err := b.Eval(`const r=await axe.run(document,{preload:false,resultTypes:['violations'],rules:{'target-size':{enabled:true}},
		runOnly:{type:'tag',values:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22a','wcag22aa','best-practice']}});
		return JSON.stringify(r.violations)`)
	must(t, err)
	var violations []struct {
		ID, Impact, Help string
		Nodes            []struct {
			HTML           string
			FailureSummary string
		}
	}
	must(t, json.Unmarshal([]byte(v.(string)), &violations))
	for _, violation := range violations {
		var said strings.Builder
		for _, n := range violation.Nodes {
			fmt.Fprintf(&said, "\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
		}
		t.Errorf("%s, %s: %s (%s): %s%s", b.Engine, state, violation.ID, violation.Impact, violation.Help, said.String())
	}
}

// wantNoSidewaysScrolling is WCAG 1.4.10, reflow.
func wantNoSidewaysScrolling(t *testing.T, b *webdriver.Browser, state string) {
	t.Helper()
	v, err := b.Eval(`const all=document.scrollingElement;if(all.scrollWidth<=all.clientWidth)return '';
		return all.scrollWidth+' of '+all.clientWidth+' pixels: '+[...document.querySelectorAll('body *')].filter(e=>
		e.getBoundingClientRect().right>all.clientWidth+1).map(e=>e.cloneNode().outerHTML).slice(0,5).join(' ')`)
	must(t, err)
	if v != "" {
		t.Errorf("%s, %s: the page is too wide: %v", b.Engine, state, v)
	}
}

// wantStill wants that nothing moves, turns or grows. Colours may change.
func wantStill(t *testing.T, b *webdriver.Browser, state string) {
	t.Helper()
	v, err := b.Eval(`return document.getAnimations().filter(m=>m.playState==='running').flatMap(m=>m.effect.getKeyframes()
		.flatMap(k=>Object.keys(k)).filter(k=>!/^(offset|computedOffset|easing|composite|opacity|.*[cC]olor|fill|stroke)$/.test(k))
		.map(k=>m.effect.target.cloneNode().outerHTML+' '+k)).join(' ')`)
	must(t, err)
	if v != "" {
		t.Errorf("%s, %s: moves: %v", b.Engine, state, v)
	}
}
