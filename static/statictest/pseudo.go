// Package statictest makes a language that nobody speaks, for tests of pages in another language: English in full-width
// letters. Whatever ASCII letters a page then still has did not come from the messages.
package statictest

import (
	"encoding/json"
	"regexp"
)

var pieces = regexp.MustCompile(`\{\w+\}|[A-Za-z]`)

// Pseudo returns a message file for language, written in direction, of the English one.
func Pseudo(english []byte, language, direction string) ([]byte, error) {
	var tree map[string]any
	if err := json.Unmarshal(english, &tree); err != nil {
		return nil, err
	}
	widen(tree)
	tree["lang"], tree["dir"] = language, direction
	return json.Marshal(tree)
}

func widen(tree map[string]any) {
	for key, node := range tree {
		switch node := node.(type) {
		case map[string]any:
			widen(node)
		case string:
			tree[key] = pieces.ReplaceAllStringFunc(node, func(s string) string {
				if len(s) > 1 {
					return s // a placeholder
				}
				return string(rune(s[0]) - '!' + '！')
			})
		}
	}
}
