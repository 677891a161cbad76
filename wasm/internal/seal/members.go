package seal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// What the objects of a manifest may hold; other members are ignored.
var (
	manifestMembers = []string{"version", "kind", "note", "entries", "size", "content"}
	entryMembers    = []string{"name", "size", "type", "modified", "mode", "offset", "thumbnail"}
)

// checkMembers refuses a valid JSON text that readers could understand in different ways, because a member is there twice or in
// another case: encoding/json takes the last of all that are alike but for case.
func checkMembers(text []byte) error {
	var open []byte // the brackets around the place
	var top string  // member of the outermost object
	var seen [2]int // members of the manifest and of the entry, as bits
	key := false    // whether a string here is the name of a member
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			open, key = append(open, '{'), true
			if string(open) == "{[{" {
				seen[1] = 0
			}
		case '[':
			open, key = append(open, '['), false
		case '}', ']':
			open, key = open[:len(open)-1], false
		case ',':
			key = open[len(open)-1] == '{'
		case '"':
			end := stringEnd(text, i)
			if key {
				name := unquote(text[i:end])
				var err error
				switch {
				case len(open) == 1:
					top = name
					err = checkMember(name, manifestMembers, &seen[0])
				case top == "entries" && string(open) == "{[{":
					err = checkMember(name, entryMembers, &seen[1])
				}
				if err != nil {
					return err
				}
				key = false
			}
			i = end - 1
		}
	}
	return nil
}

func checkMember(name string, members []string, seen *int) error {
	for i, m := range members {
		if !strings.EqualFold(name, m) {
			continue
		}
		if name != m || *seen&(1<<i) != 0 {
			return fmt.Errorf("%w: manifest with an ambiguous member %q", ErrHostile, name)
		}
		*seen |= 1 << i
	}
	return nil
}

// stringEnd is where the JSON string ends that begins at i.
func stringEnd(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func unquote(quoted []byte) string {
	if !bytes.ContainsRune(quoted, '\\') {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic("BUG: a string of valid JSON is none: " + err.Error())
	}
	return s
}
