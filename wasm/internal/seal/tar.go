package seal

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

const (
	tarBlock   = 512
	tarTrailer = 2 * tarBlock

	maxUstarName = 100
	maxUstarSize = 1<<33 - 1
)

// tarHeader is what precedes the bytes of entry i in a tar: a pax extended header where ustar's fields cannot hold the name or
// the size, and a ustar header.
func tarHeader(e *Entry, i int) []byte {
	name, size := e.Name, e.Size
	var records string
	if !asciiName(name) {
		records += paxRecord("path", name)
		name = "entry." + strconv.Itoa(i)
	}
	if size > maxUstarSize {
		records += paxRecord("size", strconv.FormatInt(size, 10))
		size = 0
	}
	var out []byte
	if records != "" {
		out = ustar(out, "pax."+strconv.Itoa(i), 'x', 0o644, int64(len(records)), 0)
		out = append(out, records...)
		out = append(out, make([]byte, tarPadding(int64(len(records))))...)
	}
	kind := byte('0')
	if e.Directory() {
		kind = '5'
	}
	return ustar(out, name, kind, e.Mode, size, e.Modified)
}

// tarHeaderSize is len(tarHeader(e, i)), without making it.
func tarHeaderSize(e *Entry) int64 {
	n := int64(0)
	if !asciiName(e.Name) {
		n += int64(len(paxRecord("path", e.Name)))
	}
	if e.Size > maxUstarSize {
		n += int64(len(paxRecord("size", strconv.FormatInt(e.Size, 10))))
	}
	if n > 0 {
		n += tarPadding(n) + tarBlock
	}
	return n + tarBlock
}

// tarPadding is the number of zeros that fill n bytes up to whole blocks.
func tarPadding(n int64) int64 { return -n & (tarBlock - 1) }

// asciiName says whether ustar's name field can hold name.
func asciiName(name string) bool {
	if len(name) > maxUstarName {
		return false
	}
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// paxRecord is "length key=value\n", where length counts itself.
func paxRecord(key, value string) string {
	rest := " " + key + "=" + value + "\n"
	n := len(rest)
	for n != len(rest)+len(strconv.Itoa(n)) {
		n = len(rest) + len(strconv.Itoa(n))
	}
	return strconv.Itoa(n) + rest
}

// ustar appends a POSIX ustar header block.
func ustar(dst []byte, name string, kind byte, mode, size, modified int64) []byte {
	var b [tarBlock]byte
	octal := func(field []byte, n int64) { copy(field, fmt.Sprintf("%0*o", len(field)-1, n)) }
	copy(b[0:100], name)
	octal(b[100:108], mode)
	octal(b[108:116], 0) // owner
	octal(b[116:124], 0) // group
	octal(b[124:136], size)
	octal(b[136:148], modified)
	copy(b[148:156], "        ")
	b[156] = kind
	copy(b[257:265], "ustar\x0000")
	octal(b[329:337], 0) // device
	octal(b[337:345], 0)
	sum := int64(0)
	for _, c := range b {
		sum += int64(c)
	}
	octal(b[148:155], sum) // six digits and NUL; the space after it stays
	return append(dst, b[:]...)
}

// A layout maps a plain stream to what it is made of, with random access.
type layout struct {
	m      *Manifest
	starts []int64 // of each entry's header
	size   int64
}

// layOut places the entries of m, whose offsets it does not use.
func layOut(m *Manifest) (*layout, error) {
	l := &layout{m: m, starts: make([]int64, len(m.Entries))}
	switch {
	case (m.Kind == KindFile || m.Kind == KindNote) && len(m.Entries) == 1:
		e := &m.Entries[0]
		if strings.Contains(e.Name, "/") {
			return nil, fmt.Errorf("%w: %q as the name of a single file", ErrName, shorten(e.Name))
		}
		if m.Kind == KindNote && (e.Size > maxNote || m.Note != "") {
			return nil, fmt.Errorf("%w: note of %d bytes beside a note", ErrTooLarge, e.Size)
		}
		l.size = e.Size
	case m.Kind == KindTar && len(m.Entries) > 0 && len(m.Entries) <= maxEntries:
		for i := range m.Entries {
			e := &m.Entries[i]
			if e.Size < 0 || e.Size > maxPlain {
				return nil, fmt.Errorf("%w: entry of %d bytes", ErrTooLarge, e.Size)
			}
			l.starts[i] = l.size
			if l.size += tarHeaderSize(e) + e.Size + tarPadding(e.Size); l.size > maxPlain {
				break
			}
		}
		l.size += tarTrailer
	default:
		return nil, fmt.Errorf("%w: kind %q of %d entries", ErrTooLarge, m.Kind, len(m.Entries))
	}
	if l.size < 0 || l.size > maxPlain {
		return nil, fmt.Errorf("%w: plain stream of more than %d bytes", ErrTooLarge, int64(maxPlain))
	}
	return l, nil
}

// offset is where the bytes of entry i begin.
func (l *layout) offset(i int) int64 {
	if l.m.Kind != KindTar {
		return 0
	}
	return l.starts[i] + tarHeaderSize(&l.m.Entries[i])
}

// A segment is a piece [from, to) of the plain stream: bytes of an entry, or bytes that the manifest determines.
type segment struct {
	from, to int64
	entry    int    // whose bytes these are; -1 if they are fixed
	fixed    []byte // what they are; nil for zeros
}

// segments calls yield for the segments that make up [from, to), in order and cut to fit, until it returns false.
func (l *layout) segments(from, to int64) func(yield func(segment) bool) {
	return func(yield func(segment) bool) {
		if from >= to {
			return
		}
		if l.m.Kind != KindTar {
			yield(segment{from: from, to: to})
			return
		}
		emit := func(s segment) bool {
			a, b := max(s.from, from), min(s.to, to)
			if a >= b {
				return true
			}
			if s.fixed != nil {
				s.fixed = s.fixed[a-s.from : b-s.from]
			}
			s.from, s.to = a, b
			return yield(s)
		}
		i := sort.Search(len(l.starts), func(i int) bool { return l.starts[i] > from }) - 1
		for ; i < len(l.starts) && l.starts[i] < to; i++ {
			e := &l.m.Entries[i]
			start := l.starts[i]
			data := start + tarHeaderSize(e)
			end := data + e.Size
			if from < data && !emit(segment{start, data, -1, tarHeader(e, i)}) {
				return
			}
			if !emit(segment{data, end, i, nil}) || !emit(segment{end, end + tarPadding(e.Size), -1, nil}) {
				return
			}
		}
		if i == len(l.starts) {
			emit(segment{l.size - tarTrailer, l.size, -1, nil})
		}
	}
}
