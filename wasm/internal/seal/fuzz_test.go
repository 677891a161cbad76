package seal

import (
	"bytes"
	"encoding/json"
	"testing"
)

func FuzzManifest(f *testing.F) {
	list, _ := tree()
	for _, kind := range []Kind{KindTar, KindFile, KindNote} {
		n := map[Kind]int{KindTar: len(list), KindFile: 1, KindNote: 1}[kind]
		m, err := NewManifest(kind, map[Kind]string{KindTar: "a note", KindFile: "a note"}[kind], list[:n])
		must(f, err)
		text, err := json.Marshal(m)
		must(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"version":1,"kind":"file","entries":[{"name":"a","size":3,"offset":0,"thumbnail":"AAAA"}],"size":3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		must(t, err)
		n, err := parseManifest(again)
		must(t, err)
		if third, _ := json.Marshal(n); !bytes.Equal(again, third) {
			t.Errorf("%s\n%s", again, third)
		}
		l, err := layOut(m)
		must(t, err)
		pos := int64(0)
		for s := range l.segments(0, l.size) {
			if s.from != pos || s.to <= s.from || s.fixed != nil && int64(len(s.fixed)) != s.to-s.from {
				t.Fatalf("segment %d to %d at %d", s.from, s.to, pos)
			}
			pos = s.to
		}
		if pos != l.size {
			t.Errorf("segments end at %d of %d", pos, l.size)
		}
		if name := safeName(m.SaveName(), ""); name != m.SaveName() {
			t.Errorf("save name %q is not safe", m.SaveName())
		}
	})
}

func FuzzTable(f *testing.F) {
	for _, size := range []int64{0, 1, FrameSize, FrameSize + 1, 5 * FrameSize} {
		sizes := make([]uint32, frames(size))
		for i := range sizes {
			sizes[i] = uint32(1000 + i)
		}
		f.Add(contentTail(sizes, size).table, size)
	}
	f.Fuzz(func(t *testing.T, b []byte, plain int64) {
		if plain < 0 || plain > maxPlain || tableSize(frames(plain)) > 1<<20 {
			return
		}
		if sizes, err := parseTable(b, plain); err == nil && !bytes.Equal(contentTail(sizes, plain).table, b) {
			t.Error("read what it would not write")
		}
	})
}

func FuzzFrame(f *testing.F) {
	c, err := NewCompressor()
	must(f, err)
	d, err := NewDecompressor()
	must(f, err)
	for _, n := range []int{0, 1, 255, 256, 65_791, 65_792, 300_000} {
		b, err := c.Frame(nil, mixed(n))
		must(f, err)
		f.Add(b, int64(n))
	}
	f.Add(rle(FrameSize, 8), int64(FrameSize))
	f.Fuzz(func(t *testing.T, b []byte, plain int64) {
		if plain < 0 || plain > FrameSize {
			return
		}
		n, err := frameLen(b, plain)
		if n < 0 || n > int64(len(b)) || n > maxFrame(plain) {
			t.Fatalf("frame of %d bytes in %d", n, len(b))
		}
		if n == 0 || err != nil {
			return
		}
		for _, k := range []int64{n - 1, n / 2, 0} { // what is there of a frame never changes the verdict
			if short, err := frameLen(b[:k], plain); short != 0 || err != nil {
				t.Errorf("%d bytes of a frame: %d, %v", k, short, err)
			}
		}
		if p, err := d.Frame(make([]byte, plain), b[:n], plain); err == nil && int64(len(p)) != plain {
			t.Errorf("%d bytes instead of %d", len(p), plain)
		}
	})
}

// FuzzTar checks a tar against the manifest that it should have been made from.
func FuzzTar(f *testing.F) {
	list := []Entry{{Name: "a", Size: 3}, {Name: "ü/", Size: 0}, {Name: "b", Size: 700}}
	m, err := NewManifest(KindTar, "", list)
	must(f, err)
	l, err := layOut(m)
	must(f, err)
	var good []byte
	for s := range l.segments(0, l.size) {
		if s.fixed == nil {
			s.fixed = make([]byte, s.to-s.from)
		}
		good = append(good, s.fixed...)
	}
	f.Add(good, int64(0))
	f.Add(good[600:900], int64(600))
	f.Fuzz(func(t *testing.T, b []byte, pos int64) {
		if pos < 0 || pos > l.size || int64(len(b)) > l.size-pos {
			return
		}
		o := &Opener{layout: l}
		want := bytes.Clone(good[pos : pos+int64(len(b))])
		for s := range l.segments(pos, pos+int64(len(b))) {
			if s.entry >= 0 {
				copy(want[s.from-pos:s.to-pos], b[s.from-pos:])
			}
		}
		if err := o.Check(pos, int64(len(b)), func() []byte { return b }); (err == nil) != bytes.Equal(b, want) {
			t.Errorf("at %d: %v", pos, err)
		}
	})
}

// FuzzOpen opens whatever it is given as a properly sealed content.
func FuzzOpen(f *testing.F) {
	list, data := tree()
	id := newIdentity(f)
	s, err := newStream(id)
	must(f, err)
	m, err := NewManifest(KindFile, "", list[7:8])
	must(f, err)
	m.Content = s.binding()
	manifest, err := sealManifest(m, id)
	must(f, err)
	c, err := NewCompressor()
	must(f, err)
	b, err := c.Frame(nil, data[7])
	must(f, err)
	f.Add(withTail(b, []uint32{uint32(len(b))}, m.Size))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := open(id, manifest, s.sealAll(stream), 0, 10_000)
		if err == nil && int64(len(got)) != m.Size {
			t.Errorf("%d bytes, no error", len(got))
		}
		if again, e := random(id, manifest, s.sealAll(stream), 0, m.Size); err == nil && (e != nil || !bytes.Equal(got, again)) {
			t.Errorf("opened, but not at random: %v", e)
		}
	})
}
