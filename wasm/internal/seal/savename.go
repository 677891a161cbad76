package seal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxSaveName = 200 // bytes; leaves room for what browsers append

// SaveName suggests a name under which the whole may be saved: one part of a path that is harmless on every system.
func (m *Manifest) SaveName() string {
	switch m.Kind {
	case KindFile:
		return safeName(m.Entries[0].Name, "file")
	case KindNote:
		return "note.txt"
	}
	top, _, nested := strings.Cut(m.Entries[0].Name, "/")
	for i := range m.Entries {
		if nested = nested && strings.HasPrefix(m.Entries[i].Name, top+"/"); !nested {
			return "sealpost.tar"
		}
	}
	return safeName(top+".tar", "sealpost.tar")
}

// safeName makes a file name of name, or takes other if nothing is left of it.
func safeName(name, other string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case Misleading(r):
			return -1
		case strings.ContainsRune(`/\<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, " "), " .") // Windows drops what trails
	if strings.HasPrefix(name, ".") || reserved(name) {
		name = "_" + name // neither hidden nor a device
	}
	if len(name) > maxSaveName {
		dot := strings.LastIndexByte(name, '.')
		if dot < len(name)-20 {
			dot = len(name)
		}
		name = cutRunes(name[:dot], maxSaveName-(len(name)-dot)) + name[dot:]
	}
	if name == "" {
		return other
	}
	return name
}

// Misleading says whether r changes how the text around it looks, or does not show at all: controls, bidirectional controls,
// line separators and other invisible formatting. Where a name is displayed, such a character has to be neutralised.
// The joiners are spared: scripts and emoji need them.
func Misleading(r rune) bool {
	const zwnj, zwj = '\u200c', '\u200d'
	return r != zwnj && r != zwj && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !isTag(r)
}

// isTag: tag characters spell the flags of Wales and others.
func isTag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

// reserved says whether Windows takes name for a device.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	port, ok := strings.CutPrefix(stem, "COM")
	if !ok {
		port, ok = strings.CutPrefix(stem, "LPT")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// cutRunes shortens s to n bytes at most, between runes.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
