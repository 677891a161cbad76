package static_test

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/static"
)

// physical is what means another side in a language that is written from right to left.
var physical = regexp.MustCompile(`(?m)(?:^|[\s;{(])(` +
	`(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[\w-]*\s*:|` +
	`(?:left|right|top|bottom|width|height|min-width|max-width|min-height|max-height|overflow-[xy])\s*:|` +
	`border-(?:top|bottom)-(?:left|right)-radius\s*:|` +
	`(?:text-align|float|clear|justify-content|justify-self|justify-items)\s*:[^;]*\b(?:left|right)\b|` +
	`[\d.]+(?:vw|vh)\b)`)

// Styles know no left and right, so that another direction is only a file away, and no size of text that a person cannot change.
func TestStyleIsLogical(t *testing.T) {
	for name, css := range styles(t) {
		for _, found := range physical.FindAllString(css, -1) {
			t.Errorf("%s has %q: use the logical property", name, strings.TrimSpace(found))
		}
		for _, found := range regexp.MustCompile(`(?:font|font-size|line-height|--step-[\w-]*)\s*:[^;]*\dpx`).FindAllString(css, -1) {
			t.Errorf("%s has %q: sizes of text are relative", name, found)
		}
	}
}

// Every rule is for something that there is, and every class and token is there for a rule.
func TestStyleIsUsed(t *testing.T) {
	files := contents(t, static.FS)
	var rules string
	for _, css := range styles(t) {
		rules += css
	}
	styled, used := map[string]bool{}, map[string]bool{"slotted": true} // by Render
	for _, selector := range regexp.MustCompile(`[^{};]*\{`).FindAllString(rules, -1) {
		for _, class := range regexp.MustCompile(`\.([a-z][\w-]*)`).FindAllStringSubmatch(selector, -1) {
			styled[class[1]] = true
		}
	}
	for name, source := range files {
		if !strings.HasPrefix(name, "pages/") && !strings.HasPrefix(name, "js/") {
			continue
		}
		for _, value := range regexp.MustCompile(`\bclass="[^"]*"|\bclass: [^,}]*`).FindAllString(string(source), -1) {
			for _, classes := range regexp.MustCompile(`"([a-z][\w -]*)"`).FindAllStringSubmatch(value, -1) {
				for class := range strings.FieldsSeq(classes[1]) {
					used[class] = true
				}
			}
		}
	}
	for class := range styled {
		if !used[class] {
			t.Errorf("nothing is of class %s, which has a style", class)
		}
	}
	for class := range used {
		if !styled[class] {
			t.Errorf("class %s has no style", class)
		}
	}
	for _, token := range regexp.MustCompile(`(--[\w-]+)\s*:`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(rules, "var("+token[1]+")") {
			t.Errorf("nothing uses %s", token[1])
		}
	}
}

// styles are the style sheets by name, without their comments.
func styles(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, data := range contents(t, static.FS) {
		if path.Ext(name) == ".css" {
			all[name] = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(data), "")
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no styles")
	}
	return all
}
