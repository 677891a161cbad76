package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// refused checks that neither way of reading yields the plain stream.
func refused(t *testing.T, what string, sh *share, manifest, content []byte, wants ...error) {
	t.Helper()
	check := func(how string, err error) {
		t.Helper()
		for _, want := range wants {
			if errors.Is(err, want) {
				return
			}
		}
		t.Errorf("%s, %s: %v", what, how, err)
	}
	for _, size := range []int64{0, int64(len(content))} {
		_, err := open(sh.id, manifest, content, size, 1<<20)
		check(fmt.Sprint("size ", size), err)
	}
	if len(sh.plain) > 0 && len(content) > 0 {
		got, err := random(sh.id, manifest, content, 0, int64(len(sh.plain)))
		if err == nil && bytes.Equal(got, sh.plain) {
			return // the damage is in padding, which reading at random does not fetch
		}
		check("at random", err)
	}
}

func TestDamage(t *testing.T) {
	sh := sealFile(t, noise(FrameSize+3*ChunkSize), 100_000)
	other := sealFile(t, noise(FrameSize+3*ChunkSize), 100_000)
	all := []error{ErrDamaged, ErrWrongKey}
	for at := 0; at <= len(sh.content); at += sealedChunk {
		for _, n := range []int{at - 1, at, at + 1, PrefixSize + at - 1, PrefixSize + at, PrefixSize + at + 1} {
			if n >= 0 && n < len(sh.content) {
				refused(t, fmt.Sprint("cut at ", n), sh, sh.manifest, sh.content[:n:n], append(all, ErrHostile)...)
			}
		}
	}
	refused(t, "a byte more", sh, sh.manifest, append(bytes.Clone(sh.content), 0), all...)
	refused(t, "a chunk more", sh, sh.manifest, append(bytes.Clone(sh.content), make([]byte, sealedChunk)...), all...)
	for i := range sh.parts[1 : len(sh.parts)-1] {
		swapped := append([][]byte{}, sh.parts...)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		refused(t, fmt.Sprint("swapped part ", i), sh, sh.manifest, bytes.Join(swapped, nil), all...)
	}
	refused(t, "another content", sh, sh.manifest, other.content, ErrDamaged)
	refused(t, "another manifest", sh, other.manifest, sh.content, ErrWrongKey)
	again := sealShare(t, sh.id, KindFile, []Entry{{Name: "file", Size: int64(len(sh.plain))}}, [][]byte{sh.plain}, 1<<20)
	refused(t, "another manifest of the same key", sh, again.manifest, sh.content, ErrDamaged)

	// It is the server that tells the size, so a wrong one is no fault of the sender.
	for _, n := range []int{-1, 1, 5000, sealedChunk} {
		if _, err := open(sh.id, sh.manifest, sh.content, int64(len(sh.content)+n), 1<<20); !errors.Is(err, ErrDamaged) {
			t.Errorf("size off by %d: %v", n, err)
		}
	}

	r := rand.New(rand.NewPCG(seed, 2))
	flips := 60
	if long {
		flips = 3000
	}
	for i := range flips {
		content, manifest := bytes.Clone(sh.content), bytes.Clone(sh.manifest)
		what := "content"
		b := content
		switch i % 3 {
		case 1:
			what, b = "manifest", manifest
		case 2:
			what, b = "prefix", content[:PrefixSize]
		}
		bit := r.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		refused(t, fmt.Sprintf("bit %d of %s", bit, what), sh, manifest, content, append(all, ErrHostile)...)
	}
}

// forge seals whatever it is given as the content of a file of the given size.
func forge(t *testing.T, size int64, content []byte) *share {
	t.Helper()
	id := newIdentity(t)
	s, err := newStream(id)
	must(t, err)
	m, err := NewManifest(KindFile, "", []Entry{{Name: "f", Size: size}})
	must(t, err)
	m.Content = s.binding()
	sealed, err := sealManifest(m, id)
	must(t, err)
	return &share{id: id, m: m, manifest: sealed, content: s.sealAll(content)}
}

// honest is the compressed stream of plain, and the sizes of its frames.
func honest(t *testing.T, plain []byte) (out []byte, sizes []uint32) {
	t.Helper()
	c, err := NewCompressor()
	must(t, err)
	for len(plain) > 0 {
		n := min(len(plain), FrameSize)
		from := len(out)
		out, err = c.Frame(out, plain[:n])
		must(t, err)
		sizes = append(sizes, uint32(len(out)-from))
		plain = plain[n:]
	}
	return out, sizes
}

// withTail appends padding and table.
func withTail(b []byte, sizes []uint32, plain int64) []byte {
	tl := contentTail(sizes, plain)
	end := len(b)
	b = append(b, make([]byte, tl.size())...)
	tl.read(b[end:], 0)
	return b
}

// rle is a frame whose header says plain and whose blocks decode to blocks × 128 KiB.
func rle(plain int64, blocks int) []byte {
	b := frameHeader(plain)
	for i := range blocks {
		h := uint32(blockMax<<3 | 1<<1)
		if i == blocks-1 {
			h |= 1
		}
		b = append(b, byte(h), byte(h>>8), byte(h>>16), 'x')
	}
	return b
}

func TestHostileFrames(t *testing.T) {
	const size = FrameSize + 1000
	good, sizes := honest(t, mixed(size))
	sane := forge(t, size, withTail(bytes.Clone(good), sizes, size))
	if got, err := open(sane.id, sane.manifest, sane.content, 0, 1<<20); err != nil || !bytes.Equal(got, mixed(size)) {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true), zstd.WithSingleSegment(true))
	must(t, err)
	checked := enc.EncodeAll(mixed(size)[:FrameSize], nil)
	second := good[sizes[0]:]
	frame := func(first []byte) []byte { // an honest content but for its first frame
		return withTail(append(bytes.Clone(first), second...), []uint32{uint32(len(first)), sizes[1]}, size)
	}
	edit := func(b []byte, at int, with ...byte) []byte {
		b = bytes.Clone(b)
		if at < 0 {
			at += len(b)
		}
		copy(b[at:], with)
		return b
	}
	whole := withTail(bytes.Clone(good), sizes, size)
	gap := padded(int64(len(good))+tableSize(2)) - int64(len(good)) - tableSize(2)
	long := bytes.Repeat([]byte{0, 0, 0}, FrameSize/2) // empty raw blocks without end
	for name, content := range map[string][]byte{
		"bomb of 16 GiB":        frame(rle(FrameSize, 131072)),
		"a block too many":      frame(rle(FrameSize, 9)),
		"a block too few":       frame(rle(FrameSize, 7)),
		"claims 4 GiB":          frame(rle(1<<32-1, 8)),
		"claims less":           frame(rle(FrameSize-1, 8)),
		"checksum":              frame(checked),
		"window":                frame([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x80, 0xff, 0, 0, 0x10, 0, 1, 0, 0}),
		"dictionary":            frame(append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa1, 7}, frameHeader(FrameSize)[5:]...)),
		"reserved block":        frame(append(frameHeader(FrameSize), 7, 0, 0)),
		"huge block":            frame(append(frameHeader(FrameSize), 0xff, 0xff, 0xff)),
		"endless":               frame(append(frameHeader(FrameSize), long...)),
		"skippable frame first": frame(append([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, good[:sizes[0]]...)),
		"a frame missing":       withTail(bytes.Clone(good[:sizes[0]]), sizes[:1], size),
		"a frame more":          withTail(append(bytes.Clone(good), second...), append(sizes[:2:2], sizes[1]), size+1000),
		"nothing":               nil,
		"no tail":               good,
		"padding not zero":      edit(whole, len(good)+8, 1),
		"padding magic":         edit(whole, len(good), 0x51),
		"padding length":        edit(whole, len(good)+4, 0),
		"more padding":          append(append(append(bytes.Clone(good), make([]byte, gap)...), make([]byte, 4096)...), whole[int64(len(good))+gap:]...),
		"less padding":          append(bytes.Clone(good), whole[int64(len(good))+gap-8:]...),
		"table: frame size":     edit(whole, -17-8, 1, 2, 3, 4),
		"table: plain size":     edit(whole, -9-4, 1, 2, 3, 4),
		"table: count":          edit(whole, -9, 3),
		"table: huge count":     edit(whole, -9, 0xff, 0xff, 0xff, 0xff),
		"table: checksums":      edit(whole, -5, 0x80),
		"table: magic":          edit(whole, -1, 0),
		"table: sizes swapped":  withTail(bytes.Clone(good), []uint32{sizes[0] - 50, sizes[1] + 50}, size),
		"bytes after the end":   append(bytes.Clone(whole), whole[:4096]...),
	} {
		sh := forge(t, size, content)
		sh.plain = mixed(size)
		before := allocated()
		refused(t, name, sh, sh.manifest, sh.content, ErrHostile, ErrDamaged)
		if n := allocated() - before; n > 64<<20 {
			t.Errorf("%s: %d MiB allocated", name, n>>20)
		}
	}
}

// allocated is how much was ever allocated, an upper bound of what is in use.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// A tar that is not what the manifest says.
func TestHostileTar(t *testing.T) {
	list, data := tree()
	m, err := NewManifest(KindTar, "", list)
	must(t, err)
	l, err := layOut(m)
	must(t, err)
	stream := make([]byte, 0, l.size)
	var fixed []int64 // positions that the manifest determines
	for seg := range l.segments(0, l.size) {
		switch {
		case seg.entry >= 0:
			stream = append(stream, data[seg.entry]...)
			continue
		case seg.fixed != nil:
			stream = append(stream, seg.fixed...)
		default:
			stream = append(stream, make([]byte, seg.to-seg.from)...)
		}
		fixed = append(fixed, seg.from, (seg.from+seg.to)/2, seg.to-1)
	}
	try := func(stream []byte) error {
		id := newIdentity(t)
		s, err := newStream(id)
		must(t, err)
		m.Content = s.binding()
		manifest, err := sealManifest(m, id)
		must(t, err)
		b, sizes := honest(t, stream)
		_, err = open(id, manifest, s.sealAll(withTail(b, sizes, l.size)), 0, 1<<20)
		return err
	}
	must(t, try(stream))
	for _, at := range fixed {
		bad := bytes.Clone(stream)
		bad[at] ^= 1
		if err := try(bad); !errors.Is(err, ErrHostile) {
			t.Errorf("byte %d of the tar changed: %v", at, err)
		}
	}
}

func TestHostileManifest(t *testing.T) {
	one := func(entry string) string {
		return `{"version":1,"kind":"tar","entries":[` + entry + `],"size":1536,"content":"` + strings.Repeat("A", 43) + `"}`
	}
	named := func(name string) string { return one(`{"name":"` + name + `","size":0,"mode":420,"offset":512}`) }
	if _, err := parseManifest([]byte(named("a"))); err != nil {
		t.Fatal(err)
	}
	for _, later := range []string{`{"x":[1]}`, `{"name":"b","name":"c","NAME":{"Size":1}}`, `[[{"size":"\\\"{"}]]`} {
		if _, err := parseManifest([]byte(one(`{"later":` + later + `,"name":"a","size":0,"offset":512}`))); err != nil {
			t.Errorf("unknown member %s: %v", later, err)
		}
	}
	bad := []string{"", "[]", "1", `{"version":1}`, named("a") + "x", one(""), one("null"), one(`[]`), one(strings.Repeat("[", 9000)),
		named("a\xff"), one(`{"name":"a","size":-1,"offset":512}`), one(`{"name":"a","size":1e99,"offset":512}`),
		one(`{"name":"a","size":9223372036854775807,"offset":512}`), one(`{"name":"a","size":0,"offset":0}`),
		one(`{"name":"a","size":0,"offset":512,"mode":2541}`), one(`{"name":"a","size":0,"offset":512,"modified":8589934592}`),
		one(`{"name":"a","size":0,"offset":512,"type":"a\nb"}`), one(`{"name":"a/","size":1,"offset":512}`),
		strings.Replace(named("a"), "1536", "1537", 1), strings.Replace(named("a"), "tar", "zip", 1),
		strings.Replace(named("a"), "tar", "note", 1), strings.Replace(named("a"), "AAA", "A=A", 1),
		// What one reader ignores and another takes, or of which one takes the first and another the last.
		one(`{"Name":"a","size":0,"offset":512}`), one(`{"name":"b","name":"a","size":0,"offset":512}`),
		one(`{"name":"b","n\u0061me":"a","size":0,"offset":512}`), one(`{"name":"a","\u017fize":0,"offset":512}`),
		one(`{"name":"a","size":0,"offset":512,"x":{"y":[]},"Type":"text/html"}`),
		strings.Replace(named("a"), `"kind":`, `"Kind":`, 1), strings.Replace(named("a"), `"kind":`, `"kind":"file","kind":`, 1),
		strings.Replace(named("a"), `"entries":`, `"entries":[],"ENTRIES":`, 1)}
	for _, name := range []string{"", "/", "/a", "a//b", ".", "..", "a/..", "../a", "a/./b", `a\\b`, `a\u0000b`, "a//", "./",
		strings.Repeat("x", 256), strings.Repeat("x/", 2049)} {
		bad = append(bad, named(name))
	}
	for _, text := range bad {
		if _, err := parseManifest([]byte(text)); !errors.Is(err, ErrHostile) {
			t.Errorf("%.100s: %v", text, err)
		}
	}
	for _, v := range []string{"0", "2", "-1"} {
		if _, err := parseManifest([]byte(`{"version":` + v + `,"kind":7}`)); !errors.Is(err, ErrVersion) {
			t.Errorf("version %s: %v", v, err)
		}
	}
	for _, names := range [][]string{{"a", "a"}, {"a", "a/"}, {"a", "a/b"}, {"a/b", "a"}, {"a/", "a/b"}, {"a.b", "a/c", "a", "a b"}, {"x/y/z", "q", "x/y"}} {
		var list []Entry
		for _, name := range names {
			list = append(list, Entry{Name: name})
		}
		if _, err := NewManifest(KindTar, "", list); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", names, err)
		}
	}
}

// Manifests that would fill the memory: many entries, much text, a zstd bomb.
func TestManifestBombs(t *testing.T) {
	id := newIdentity(t)
	s, err := newStream(id)
	must(t, err)
	c, err := NewCompressor()
	must(t, err)
	pack := func(frame []byte) []byte {
		tl := manifestTail(int64(len(frame)))
		p := append(frame, make([]byte, tl.size())...)
		tl.read(p[len(frame):], 0)
		return s.sealAll(p)
	}
	text := func(n int, item, end string) []byte {
		b := []byte(`{"version":1,"kind":"tar","entries":[`)
		for len(b) < n {
			b = append(b, item...)
		}
		f, err := c.Frame(nil, append(b[:len(b)-1], end...))
		must(t, err)
		return pack(f)
	}
	huge := binary.LittleEndian.AppendUint32([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0}, 1<<32-1)
	for name, sealed := range map[string][]byte{
		"20 million entries": text(maxManifestJSON-20, `{},`, `]}`),
		"16 million nulls":   text(maxManifestJSON-20, `[],`, `]}`),
		"claims 4 GiB":       pack(append(huge, rle(FrameSize, 100_000)[9:]...)),
		"decodes to 12 GiB":  pack(rle(maxManifestJSON, 100_000)),
		"a frame too short":  pack(rle(maxManifestJSON, 3)),
		"17 MiB sealed":      make([]byte, maxManifest+1),
	} {
		before := allocated()
		if _, err := OpenManifest(sealed, id); !errors.Is(err, ErrHostile) {
			t.Errorf("%s: %v", name, err)
		}
		if n := allocated() - before; n > 700<<20 {
			t.Errorf("%s: %d MiB allocated", name, n>>20)
		}
	}
}

func TestSaveName(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "a.txt", "CON": "_CON", "con.txt": "_con.txt", "COM1.x": "_COM1.x", "COMMA": "COMMA", ".bashrc": "_.bashrc",
		"a\u202egpj.exe": "agpj.exe", "a\nb": "ab", " . ": "file", "...": "file", "q?": "q_", "📯": "📯", "👩\u200d🚀": "👩\u200d🚀",
		strings.Repeat("é", 120) + ".tar.gz": strings.Repeat("é", 98) + ".gz", "עברית.txt": "עברית.txt", "\u200e": "file",
	} {
		if got := safeName(name, "file"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
