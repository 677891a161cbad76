package seal

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxName     = 4096
	maxNamePart = 255
)

// validate checks every rule that the format has for a manifest, but for what it binds to.
func (m *Manifest) validate() error {
	if len(m.Note) > maxNote || !utf8.ValidString(m.Note) {
		return fmt.Errorf("%w: note of %d bytes", ErrTooLarge, len(m.Note))
	}
	for i := range m.Entries {
		if err := m.Entries[i].validate(); err != nil {
			return err
		}
	}
	if err := validateTree(m.Entries); err != nil {
		return err
	}
	l, err := layOut(m)
	if err != nil {
		return err
	}
	if m.Size != l.size {
		return fmt.Errorf("the plain stream has %d bytes, not %d", l.size, m.Size)
	}
	for i := range m.Entries {
		if m.Entries[i].Offset != l.offset(i) {
			return fmt.Errorf("entry %d begins at %d, not %d", i, l.offset(i), m.Entries[i].Offset)
		}
	}
	return nil
}

func (e *Entry) validate() error {
	if err := validateName(e.Name); err != nil {
		return err
	}
	switch {
	case e.Size < 0 || e.Directory() && e.Size != 0:
		return fmt.Errorf("size %d", e.Size)
	case e.Size > maxPlain:
		return fmt.Errorf("%w: entry of %d bytes", ErrTooLarge, e.Size)
	case !validType(e.Type):
		return fmt.Errorf("media type %q", e.Type)
	case e.Modified < 0 || e.Modified > maxModified:
		return fmt.Errorf("modified at %d", e.Modified)
	case e.Mode < 0 || e.Mode > 0o777:
		return fmt.Errorf("mode %o", e.Mode)
	case len(e.Thumbnail) > maxThumbnail:
		return fmt.Errorf("%w: thumbnail of %d bytes", ErrTooLarge, len(e.Thumbnail))
	}
	return nil
}

// validateName accepts relative paths that mean the same on every system that can hold them.
func validateName(name string) error {
	if len(name) > maxName || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\\") {
		return fmt.Errorf("%w: %q", ErrName, shorten(name))
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxNamePart {
			return fmt.Errorf("%w: %q", ErrName, shorten(name))
		}
	}
	return nil
}

func shorten(name string) string { return name[:min(len(name), 100)] }

// validateTree refuses a name that is there twice, and a name that is a file or an empty directory and the parent of another.
func validateTree(list []Entry) error {
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return comparePaths(list[a].Name, list[b].Name) })
	for i := 1; i < len(order); i++ {
		a := strings.TrimSuffix(list[order[i-1]].Name, "/")
		b := strings.TrimSuffix(list[order[i]].Name, "/")
		if strings.HasPrefix(b, a) && (len(a) == len(b) || b[len(a)] == '/') {
			return fmt.Errorf("%w: %q is there twice", ErrName, shorten(a))
		}
	}
	return nil
}

// comparePaths orders "/" before everything else, so that what a directory holds follows it at once.
func comparePaths(a, b string) int {
	a, b = strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	for i := range min(len(a), len(b)) {
		if x, y := a[i], b[i]; x != y {
			switch {
			case x == '/':
				return -1
			case y == '/':
				return 1
			}
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// validType accepts what can be a media type: short printable ASCII.
func validType(t string) bool {
	if len(t) > maxType {
		return false
	}
	for _, c := range []byte(t) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
