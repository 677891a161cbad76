package seal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// Sealed once more is the same, byte for byte, at every border there is and however it is cut into parts.
func TestResumeSame(t *testing.T) {
	for _, size := range []int{0, 1, ChunkSize - 1, ChunkSize, FrameSize - 1, FrameSize, FrameSize + 1, 5*FrameSize + 12345} {
		sh := sealFile(t, mixed(size), 300_007)
		if got := resealed(t, sh.id, sh.m, sh.manifest, sh.content, sh.plain); !bytes.Equal(got, sh.content) {
			t.Errorf("%d bytes were sealed to something else the second time", size)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	list := []Entry{{Name: "a", Size: 3, Type: "text/plain", Modified: 7}, {Name: "b/c", Size: 5}}
	data := [][]byte{[]byte("abc"), []byte("defgh")}
	sh := sealShare(t, newIdentity(t), KindTar, list, data, 1<<20)
	other := sealShare(t, sh.id, KindTar, list, data, 1<<20)
	stranger := sealShare(t, newIdentity(t), KindTar, list, data, 1<<20)
	changed := func(f func(*Entry)) []Entry {
		l := append([]Entry(nil), list...)
		f(&l[0])
		return l
	}
	for what, c := range map[string]struct {
		want             error
		note             string
		list             []Entry
		prefix, manifest []byte
	}{
		"nothing":              {nil, "", list, sh.content[:PrefixSize], sh.manifest},
		"another name":         {ErrMismatch, "", changed(func(e *Entry) { e.Name = "A" }), sh.content[:PrefixSize], sh.manifest},
		"another size":         {ErrMismatch, "", changed(func(e *Entry) { e.Size++ }), sh.content[:PrefixSize], sh.manifest},
		"another time":         {ErrMismatch, "", changed(func(e *Entry) { e.Modified++ }), sh.content[:PrefixSize], sh.manifest},
		"another type":         {ErrMismatch, "", changed(func(e *Entry) { e.Type = "text/html" }), sh.content[:PrefixSize], sh.manifest},
		"another order":        {ErrMismatch, "", []Entry{list[1], list[0]}, sh.content[:PrefixSize], sh.manifest},
		"one missing":          {ErrMismatch, "", list[:1], sh.content[:PrefixSize], sh.manifest},
		"a note":               {ErrMismatch, "note", list, sh.content[:PrefixSize], sh.manifest},
		"prefix of another":    {ErrMismatch, "", list, other.content[:PrefixSize], sh.manifest},
		"manifest of another":  {ErrMismatch, "", list, sh.content[:PrefixSize], other.manifest},
		"prefix to another":    {ErrWrongKey, "", list, stranger.content[:PrefixSize], sh.manifest},
		"manifest to another":  {ErrWrongKey, "", list, sh.content[:PrefixSize], stranger.manifest},
		"short prefix":         {ErrDamaged, "", list, sh.content[:PrefixSize-1], sh.manifest},
		"manifest with damage": {ErrDamaged, "", list, sh.content[:PrefixSize], sh.manifest[:len(sh.manifest)-1]},
	} {
		s, err := ResumeSealer(sh.id.String(), KindTar, c.note, c.list, c.prefix, c.manifest)
		if !errors.Is(err, c.want) || (s == nil) != (c.want != nil) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

// Thumbnails are in the manifest, and who resumes has none.
func TestResumeWithThumbnails(t *testing.T) {
	list := []Entry{{Name: "a.png", Size: 3, Thumbnail: []byte("a small picture")}, {Name: "b", Size: 5}, {Name: "c.png", Thumbnail: make([]byte, maxThumbnail+1)}}
	sh := sealShare(t, newIdentity(t), KindTar, list, [][]byte{[]byte("abc"), []byte("defgh"), nil}, 1<<20)
	m, err := OpenManifest(sh.manifest, sh.id)
	must(t, err)
	if string(m.Entries[0].Thumbnail) != "a small picture" || m.Entries[1].Thumbnail != nil || m.Entries[2].Thumbnail != nil {
		t.Errorf("opened: %+v", m.Entries)
	}
	bare := []Entry{{Name: "a.png", Size: 3}, {Name: "b", Size: 5}, {Name: "c.png"}}
	s, err := ResumeSealer(sh.id.String(), KindTar, "", bare, sh.content[:PrefixSize], sh.manifest)
	must(t, err)
	if !bytes.Equal(s.Manifest(), sh.manifest) {
		t.Error("resumed with another manifest")
	}
	if _, err := ResumeSealer(sh.id.String(), KindTar, "", bare[:2], sh.content[:PrefixSize], sh.manifest); !errors.Is(err, ErrMismatch) {
		t.Errorf("with an entry less: %v", err)
	}
}

// A compressor makes the same frame whatever it made before, so it does not matter which member of a crew makes it again.
func TestCompressorForgets(t *testing.T) {
	plain := append(mixed(5*FrameSize), noise(FrameSize)...)
	used, err := NewCompressor()
	must(t, err)
	for range 40 {
		from := rand.IntN(len(plain) - 1)
		frame := plain[from:min(len(plain), from+1+rand.IntN(FrameSize))]
		fresh, err := NewCompressor()
		must(t, err)
		want, err := fresh.Frame(nil, frame)
		must(t, err)
		got, err := used.Frame(nil, frame)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes from %d on were compressed to something else", len(frame), from)
		}
	}
}
