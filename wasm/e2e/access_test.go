package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestSpoken is the walk of somebody who listens and has no mouse. In each state the page is read from top to bottom with the
// roles and names that the engine gives to assistive technology; Tab stops at everything that can be used, in the same order,
// with a ring around it; and nothing is cut or too small to hit for those who enlarge the page or set its letters wider.
func TestSpoken(t *testing.T) {
	sometimes(t)
	files := walkFiles(t, random(t))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		walk(t, b, files, func(state string) {
			t.Helper()
			if state == "upload-sending" {
				must(t, b.WaitFor("return /percent/.test(document.querySelector('[data-hook=status]').textContent)", patience))
			}
			wantSpoken(t, b, state)
			wantStops(t, b, state)
			for _, v := range []view{{"200 %", 640, 450, 0}, {"400 %", 320, 256, 0}, phone} { // WCAG 1.4.4, 1.4.10
				must(t, b.SetWindowSize(v.width, v.height))
				wantNoSidewaysScrolling(t, b, state+", "+v.name)
				wantNothingCut(t, b, state+", "+v.name)
			}
			_, err := b.Eval(spacing)
			must(t, err)
			wantNoSidewaysScrolling(t, b, state+", spaced")
			wantNothingCut(t, b, state+", spaced")
			_, err = b.Eval("document.adoptedStyleSheets=[]")
			must(t, err)
			must(t, b.SetWindowSize(wide.width, wide.height))
		})
	})
}

// spacing is WCAG 1.4.12, as somebody's own style sheet. WebKit does not lay generated text out anew when its letters change.
const spacing = `const s=new CSSStyleSheet();s.replaceSync('*{line-height:1.5!important;letter-spacing:.12em!important;'+
	'word-spacing:.16em!important}p{margin-block-end:2em!important}');document.adoptedStyleSheets=[s];
	for(const e of document.querySelectorAll('.terms')){e.style.display='none';e.offsetWidth;e.style.display=''}`

// wantSpoken compares what is read with the script of the state, in which * is any text, and on a line of its own any lines.
func wantSpoken(t *testing.T, b *webdriver.Browser, state string) {
	t.Helper()
	script, ok := spoken[state]
	if !ok {
		t.Errorf("there is no script of what is read in state %s", state)
		return
	}
	if page, _ := b.Attr("html", "lang"); page != "en" {
		t.Errorf("%s: the language is %q", state, page)
	}
	if !strings.HasPrefix(strings.TrimSpace(script), "dialog") { // which is all there is while it is open
		script = "\nbanner\nlink \"Sealpost\"\n" + aside(state) + "main" + script
	}
	var pattern strings.Builder
	for line := range strings.SplitSeq(script[1:], "\n") {
		line = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), `\*`, ".*")
		if line == ".*" {
			pattern.WriteString("(?:.*\n)*?")
		} else {
			pattern.WriteString(line + "\n")
		}
	}
	lines, err := reading(b)
	must(t, err)
	if !regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(strings.Join(lines, "\n") + "\n") {
		t.Errorf("%s, %s reads\n\t%s\nwant%s", b.Engine, state, strings.Join(lines, "\n\t"), script)
	}
}

// aside is the link in the banner to the other page of whoever sends.
func aside(state string) string {
	switch page, _, _ := strings.Cut(state, "-"); page {
	case "download":
		return ""
	case "mine":
		return "link \"Send files\"\n"
	}
	return "*\n" // some troubles are those of any page
}

// reading is the page as a screen reader reads it from top to bottom, one thing on a line.
func reading(b *webdriver.Browser) (lines []string, err error) {
	v, err := b.Eval(`const seen=e=>e.checkVisibility({visibilityProperty:true});
		const text=e=>[...e.childNodes].map(n=>n.nodeType===3?n.data:n.nodeType===1&&seen(n)&&!n.matches('button')?n.matches('select,input')?'_':
			text(n):'').join(' ').replace(/\s+/g,' ').trim();
		const value=e=>e.matches('select')?e.selectedOptions[0].text:e.type==='password'?'•'.repeat(e.value.length):e.value;
		const open=document.querySelector('dialog[open]');
		return [...open?[open]:[],...(open??document).querySelectorAll('header.masthead,main,h1,h2,h3,a,button,input,select,textarea,progress,ul,li,p,[role],.stage img')].filter(seen).map(e=>{
			const more=[];
			if(/^H\d$/.test(e.tagName))more.push('level '+e.tagName[1]);
			if(e.checked)more.push('checked');
			if(e.matches('select,textarea,input:not([type=file],[type=radio],[type=checkbox])')&&value(e))more.push('= '+value(e));
			if(e.ariaExpanded)more.push(e.ariaExpanded==='true'?'expanded':'collapsed');
			if(e===document.activeElement)more.push('focused');
			if(e.disabled)more.push('disabled');
			if(e.getAttribute('aria-invalid')==='true')more.push('invalid');
			const by=(e.getAttribute('aria-describedby')??'').split(' ').map(id=>document.getElementById(id)).filter(by=>by&&!by.hidden).map(text).join(' ').trim();
			if(by)more.push('(= '+by+')');
			return [e,e.matches('p,li')?text(e):null,more.join(' ').replace(/\s+/g,' ')]})`)
	if err != nil {
		return nil, err
	}
	for _, one := range v.([]any) {
		thing := one.([]any)
		role, name, err := b.Accessible(thing[0])
		if err != nil {
			return nil, fmt.Errorf("%w, after\n%s", err, strings.Join(lines, "\n"))
		}
		switch text, isText := thing[1].(string); {
		case isText && text == "":
			continue
		case isText:
			name = text
			if role != "listitem" && role != "alert" && role != "status" {
				role = "text"
			}
		case role == "img" || role == "graphic":
			role = "image"
		case role == "": // Firefox: ARIA has no role for passwords
			role = "textbox"
		case role == "button" && strings.Contains(fmt.Sprint(thing[2]), "= "): // WebKit: one that opens a menu
			role = "combobox"
		}
		line := role
		if name = regexp.MustCompile(` Browse….*`).ReplaceAllString(name, ""); name != "" { // Firefox adds its own button's words
			line += ` "` + name + `"`
		}
		lines = append(lines, strings.TrimSpace(strings.ReplaceAll(fmt.Sprint(line, " ", thing[2]), "\u00a0", " ")))
	}
	return lines, nil
}

// wantStops presses Tab through the page: everything that can be used is a stop, in reading order and nothing twice, and each is
// in sight with a ring around it.
func wantStops(t *testing.T, b *webdriver.Browser, state string) {
	t.Helper()
	// Words are suggested from when the field for a password has the focus for the first time.
	must(t, b.WaitFor(`window.before??=document.activeElement;const field=document.querySelector('.terms [data-hook=password]');
		if(!field?.checkVisibility()||document.querySelector('[data-hook=suggest]'))return true;
		field.focus();return false`, patience))
	v, err := b.Eval(`
		window.stops=[...(document.querySelector('dialog[open]')??document).querySelectorAll('a[href],button,input,select,textarea,[tabindex="0"]')].filter(e=>
			!e.disabled&&e.checkVisibility({visibilityProperty:true})&&(e.type!=='radio'||e.checked)); // a group of radio buttons is one
		stops[0].focus();return stops.length`)
	must(t, err)
	n := int(v.(float64))
	for i := 1; i < n; i++ {
		must(t, b.Press(webdriver.Tab))
		v, err := b.Eval(`const at=document.activeElement,inView=()=>{const r=at.getBoundingClientRect();return r.top>=0&&r.bottom<=innerHeight};
			for(let n=0;n<10&&!inView();n++)await new Promise(requestAnimationFrame); // some scroll a moment later
			const e=document.activeElement,want=stops[a[0]],shown=e.closest('label')??e,s=getComputedStyle(shown),r=shown.getBoundingClientRect();
			const tag=e=>e.cloneNode().outerHTML;
			if(e!==want)return 'the stop is '+tag(e)+', want '+tag(want);
			if(s.outlineStyle==='none'||parseFloat(s.outlineWidth)<2||!e.matches(':focus-visible'))return 'no ring around '+tag(e);
			const there=document.elementFromPoint(r.left+r.width/2,r.top+r.height/2);
			if(!there||!shown.contains(there)&&!there.closest('label')?.contains(e))return tag(e)+' is hidden by '+(there?tag(there):'the edge');
			const last=stops[a[0]-1].closest('label')??stops[a[0]-1],l=last.getBoundingClientRect();
			if(r.bottom<=l.top||(r.top<l.bottom&&r.bottom>l.top&&r.right<=l.left))return tag(e)+' stands before '+tag(last);
			return ''`, i)
		must(t, err)
		if v != "" {
			t.Errorf("%s, %s: %v", b.Engine, state, v)
		}
	}
	_, err = b.Eval("before===document.body?document.activeElement.blur():before.focus();delete window.before")
	must(t, err)
}

// wantNothingCut wants all words to be seen whole, and what is pressed to be large enough (WCAG 2.5.8).
func wantNothingCut(t *testing.T, b *webdriver.Browser, state string) {
	t.Helper()
	// After a change of fonts or of the window WebKit keeps the width of what is generated until something makes it look again.
	v, err := b.Eval(`for(const e of document.querySelectorAll('.slot')){e.style.display='none';e.offsetWidth;e.style.display=''}
		const bad=[],tag=e=>e.cloneNode().outerHTML;
		const measure=(e,text,width)=>{const d=document.createElement('div'),s=getComputedStyle(e);
			for(const p of ['font','letterSpacing','wordSpacing','lineHeight'])d.style[p]=s[p];
			Object.assign(d.style,{position:'absolute',visibility:'hidden',width,whiteSpace:width==='max-content'?'pre':'pre-wrap',overflowWrap:'anywhere'});
			d.textContent=text;document.body.append(d);const r=d.getBoundingClientRect();d.remove();
			return [r.width,r.height,e.offsetWidth-2*parseFloat(s.borderInlineEndWidth)-parseFloat(s.paddingInlineStart)-parseFloat(s.paddingInlineEnd),e.clientHeight-parseFloat(s.paddingBlockStart)-parseFloat(s.paddingBlockEnd)]};
		for(const e of document.querySelectorAll('body *')){
			if(!(e instanceof HTMLElement)||!e.checkVisibility({visibilityProperty:true})||e.closest('.unseen,.choose input'))continue;
			const s=getComputedStyle(e),r=e.getBoundingClientRect();
			if(r.left<-1)bad.push(tag(e)+' begins outside');
			if(/hidden|clip/.test(s.overflowX+s.overflowY)&&!e.matches('input,.envelope,[data-hook=thumbnail]')&&(e.scrollWidth>e.clientWidth+1||e.scrollHeight>e.clientHeight+1))bad.push(tag(e)+' is cut');
			if(/auto|scroll/.test(s.overflowX)&&e.scrollWidth>e.clientWidth+1)bad.push(tag(e)+' scrolls sideways');
			if(e.matches('select')||e.matches('input[type=password]:placeholder-shown')&&e.placeholder){
				const [w,,room]=measure(e,e.matches('select')?e.selectedOptions[0].text:e.placeholder,'max-content');
				if(w>room+1||w<room-16&&e.closest('.slot'))bad.push(tag(e)+' has '+room+' pixels for '+w+' of text')}
			if(e.matches('textarea:placeholder-shown')){
				const width=e.offsetWidth-2*parseFloat(s.paddingInlineStart)-2,[,h,,room]=measure(e,e.placeholder,width+'px');
				if(h>room+2)bad.push(tag(e)+': '+h+' of '+room+' pixels of its lines')}
			if(e.matches('a,button,input,select,textarea,label.choose')&&(r.width<24||r.height<24))bad.push(tag(e)+' is '+r.width+' × '+r.height)}
		return bad.join('\n')`)
	must(t, err)
	if v != "" {
		t.Errorf("%s, %s:\n%v", b.Engine, state, v)
	}
}

// TestKeyboard sends and receives with a keyboard alone. The focus is never lost: it goes to the heading of what is new, to the
// field that is wrong, to the row after the one that is gone.
func TestKeyboard(t *testing.T) {
	sometimes(t)
	files := walkFiles(t, random(t))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-part-size", "256KiB")
		b := launch(t, engine, webdriver.Options{})
		must(t, b.Go(s.url+"/"))
		must(t, b.WaitFor("return document.querySelectorAll('[data-hook=expiry] option').length>1", patience))
		tabTo(t, b, "[data-hook=files]")
		must(t, b.SendKeys("[data-hook=files]", strings.Join(files, "\n"))) // stands for the browser's own dialog
		must(t, b.WaitFor("return document.querySelectorAll('[data-hook=file]').length===3", patience))
		tabTo(t, b, "[data-name$='.zip'] button")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "li:nth-child(2) button")
		must(t, b.Press(webdriver.Shift, webdriver.Tab))
		wantFocus(t, b, "li:nth-child(1) button")
		must(t, b.Press(webdriver.Space))
		wantFocus(t, b, "li:nth-child(1) button")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-hook=files]")
		must(t, b.SendKeys("[data-hook=files]", files[0]))
		tabTo(t, b, "[data-hook=note]")
		must(t, b.Type("By hand"))
		tabTo(t, b, "[data-hook=downloads]")
		must(t, b.Press('1')) // the first choice that begins so
		must(t, b.WaitFor("return document.querySelector('[data-hook=downloads]').value==='1'", patience/6))
		tabTo(t, b, "[data-hook=password]")
		must(t, b.Type("  "))
		tabTo(t, b, "[data-hook=start]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-hook=password][aria-invalid=true][aria-describedby=error]")
		must(t, b.Type("tulips"))
		wantFocus(t, b, "[data-hook=password][aria-invalid=false]:not([aria-describedby])")
		tabTo(t, b, "[data-hook=reveal]")
		must(t, b.Press(webdriver.Space))
		if v, err := b.Eval("const p=document.querySelector('[data-hook=password]');return p.type+p.value"); err != nil || v != "text  tulips" {
			t.Errorf("the password that is shown is %q, %v", v, err)
		}

		s.tap.set(func(tp *tap) { tp.slowUp = 8 << 10 })
		tabTo(t, b, "[data-hook=start]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-state=sending] h1")
		tabTo(t, b, "[data-hook=cancel]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-state=ready] h1")
		s.tap.set(func(tp *tap) { tp.slowUp = 0 })
		tabTo(t, b, "[data-hook=start]")
		must(t, b.Press(webdriver.Space))
		wantFocus(t, b, "[data-state=done] h1")
		share, err := b.Value("[data-hook=link]")
		must(t, err)
		tabTo(t, b, "[data-hook=copy]")
		must(t, b.Press(webdriver.Enter))
		must(t, b.WaitFor("return /^(Copied|Press)/.test(document.querySelector('[data-hook=status]').textContent)", patience))
		wantFocus(t, b, "[data-hook=copy],[data-hook=link]")
		tabTo(t, b, "[data-hook=again]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-state=idle] h1")
		if visible(t, b, "[data-hook=reveal]") {
			t.Error("there is still a password to be hidden")
		}

		open(t, b, share, "locked")
		wantFocus(t, b, "[data-hook=password]")
		must(t, b.Type("roses"))
		tabTo(t, b, "[data-hook=unlock]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-hook=password][aria-invalid=true]")
		must(t, b.Type("  tulips")) // what was wrong is selected
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-state=ready] h1")
		tabTo(t, b, "[data-hook=download]")
		must(t, b.Press(webdriver.Enter))
		wantFocus(t, b, "[data-state=done] h1")
		eventually(t, "the browser has written the file", patience, func() bool {
			all := saved(b)
			return len(all) == 1 && unchanging(b, all[0]) && fileHash(t, all[0]) == fileHash(t, files[0])
		})
	})
}

// tabTo presses Tab, or Shift and Tab to what stands before, until the element has the focus. It never goes round: at its end a
// page hands the focus to the browser's own controls, from where Firefox's driver does not bring it back.
func tabTo(t *testing.T, b *webdriver.Browser, css string) {
	t.Helper()
	for range 30 {
		v, err := b.Eval(`const e=document.querySelector(a[0]),now=document.activeElement;
			return now===e?'there':e.compareDocumentPosition(now)&Node.DOCUMENT_POSITION_FOLLOWING?'before':'after'`, css)
		must(t, err)
		switch v {
		case "there":
			return
		case "before":
			must(t, b.Press(webdriver.Shift, webdriver.Tab))
		default:
			must(t, b.Press(webdriver.Tab))
		}
	}
	t.Fatalf("%s: Tab does not lead to %s", b.Engine, css)
}

func wantFocus(t *testing.T, b *webdriver.Browser, css string) {
	t.Helper()
	if err := b.WaitFor("return document.activeElement.matches(a[0])", patience/2, css); err != nil {
		v, _ := b.Eval("return document.activeElement.cloneNode().outerHTML")
		t.Fatalf("%s: the focus is not on %s but on %v", b.Engine, css, v)
	}
}
