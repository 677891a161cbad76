package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"filippo.io/age"
)

const (
	formatVersion = 1

	maxManifest     = 16 << 20 // sealed
	maxManifestJSON = 64 << 20
	maxEntries      = 1 << 19
	maxNote         = 1 << 20
	maxThumbnail    = 32 << 10
	maxType         = 255
	maxPlain        = 1 << 42
	maxModified     = 1<<33 - 1 // what tar's eleven octal digits hold
)

// Kind says what the plain stream of a share is.
type Kind string

const (
	KindFile Kind = "file" // the bytes of the only entry
	KindTar  Kind = "tar"  // a tar of the entries
	KindNote Kind = "note" // the bytes of the only entry, which are text: to be read is what it is for
)

// An Entry is a file, or an empty directory, whose name ends in "/".
type Entry struct {
	Name      string `json:"name"`
	Size      int64  `json:"size"`
	Type      string `json:"type,omitempty"`      // media type as the sender's system gave it
	Modified  int64  `json:"modified,omitempty"`  // Unix seconds
	Mode      int64  `json:"mode"`                // permission bits
	Offset    int64  `json:"offset"`              // of its bytes in the plain stream
	Thumbnail []byte `json:"thumbnail,omitempty"` // small raster image, base64
}

// Directory says whether e is an empty directory.
func (e *Entry) Directory() bool { return len(e.Name) > 0 && e.Name[len(e.Name)-1] == '/' }

// A Manifest tells what a content is.
type Manifest struct {
	Version int     `json:"version"`
	Kind    Kind    `json:"kind"`
	Note    string  `json:"note,omitempty"`
	Entries entries `json:"entries"`
	Size    int64   `json:"size"`    // of the plain stream
	Content binding `json:"content"` // which content it belongs to
}

// binding is the SHA-256 of the content's age header and payload nonce, in base64url.
type binding [sha256.Size]byte

func (b binding) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b[:]), nil
}

func (b *binding) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != len(b) {
		return errors.New("content is not a SHA-256")
	}
	copy(b[:], raw)
	return nil
}

// entries are decoded one by one, so that a hostile list is refused before it fills the memory.
type entries []Entry

func (es *entries) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("entries are not a list")
	}
	*es = entries{}
	for d.More() {
		if len(*es) == maxEntries {
			return fmt.Errorf("%w: more than %d entries", ErrTooLarge, maxEntries)
		}
		var e Entry
		if err := d.Decode(&e); err != nil {
			return err
		}
		*es = append(*es, e)
	}
	return nil
}

// NewManifest describes a share of these entries, of which name, size, type, time and thumbnail are used. What a browser may report of
// a file, but the format does not allow, is left out; names and sizes are never changed.
func NewManifest(kind Kind, note string, list []Entry) (*Manifest, error) {
	m := &Manifest{Version: formatVersion, Kind: kind, Note: note, Entries: make(entries, len(list))}
	for i, e := range list {
		n := Entry{Name: e.Name, Size: e.Size, Mode: 0o644, Modified: min(max(e.Modified, 0), maxModified)}
		if n.Directory() {
			n.Mode = 0o755
		}
		if validType(e.Type) {
			n.Type = e.Type
		}
		if len(e.Thumbnail) > 0 && len(e.Thumbnail) <= maxThumbnail {
			n.Thumbnail = e.Thumbnail
		}
		m.Entries[i] = n
	}
	l, err := layOut(m)
	if err != nil {
		return nil, err
	}
	m.Size = l.size
	for i := range m.Entries {
		m.Entries[i].Offset = l.offset(i)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// sealManifest is the manifest as an age file.
func sealManifest(m *Manifest, id *age.X25519Identity) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("failed to encode manifest: %w", err)
	}
	if text.Len() > maxManifestJSON {
		return nil, fmt.Errorf("%w: manifest of %d bytes", ErrTooLarge, text.Len())
	}
	c, err := NewCompressor()
	if err != nil {
		return nil, err
	}
	plain, err := c.Frame(nil, text.Bytes())
	if err != nil {
		return nil, err
	}
	t := manifestTail(int64(len(plain)))
	size := int64(len(plain)) + t.size()
	if SealedSize(size) > maxManifest {
		return nil, fmt.Errorf("%w: sealed manifest of %d bytes", ErrTooLarge, SealedSize(size))
	}
	end := len(plain)
	plain = append(plain, make([]byte, t.size())...)
	t.read(plain[end:], 0)
	s, err := newStream(id)
	if err != nil {
		return nil, err
	}
	return s.sealAll(plain), nil
}

// OpenManifest opens a sealed manifest. What it returns keeps all the rules of the format.
func OpenManifest(sealed []byte, id *age.X25519Identity) (*Manifest, error) {
	if len(sealed) > maxManifest {
		return nil, fmt.Errorf("%w: sealed manifest of %d bytes", ErrHostile, len(sealed))
	}
	s, err := openStream(sealed[:min(len(sealed), PrefixSize)], id)
	if err != nil {
		return nil, err
	}
	plain, err := s.openAll(sealed)
	if err != nil {
		return nil, err
	}
	text, err := unpackManifest(plain)
	if err != nil {
		return nil, err
	}
	return parseManifest(text)
}

// unpackManifest undoes compression and padding.
func unpackManifest(plain []byte) ([]byte, error) {
	size, err := frameSize(plain)
	if err != nil {
		return nil, err
	}
	if size > maxManifestJSON {
		return nil, fmt.Errorf("%w: manifest of %d bytes", ErrHostile, size)
	}
	n, err := frameLen(plain, size)
	if err != nil {
		return nil, err
	}
	t := manifestTail(n)
	if n == 0 || n+t.size() != int64(len(plain)) {
		return nil, fmt.Errorf("%w: padding of manifest", ErrHostile)
	}
	want := make([]byte, t.size())
	t.read(want, 0)
	if !bytes.Equal(plain[n:], want) {
		return nil, fmt.Errorf("%w: padding of manifest", ErrHostile)
	}
	d, err := newDecompressor(maxManifestJSON)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Frame(make([]byte, size), plain[:n], size)
}

// parseManifest reads and validates the JSON.
func parseManifest(text []byte) (*Manifest, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w: manifest is not UTF-8", ErrHostile)
	}
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("%w: manifest: %v", ErrHostile, err)
	}
	if v.Version != formatVersion {
		return nil, fmt.Errorf("%w: %d", ErrVersion, v.Version)
	}
	if err := checkMembers(text); err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%w: manifest: %v", ErrHostile, err)
	}
	if m.Entries == nil {
		return nil, fmt.Errorf("%w: manifest without entries", ErrHostile)
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("%w: manifest: %v", ErrHostile, err)
	}
	return m, nil
}
