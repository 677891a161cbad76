package seal

import (
	"fmt"

	"filippo.io/age"
)

// A Sealer plans how one share is sealed. It has the keys, makes the manifest and knows what comes where; the bytes pass it by:
//
//	pieces of the plain stream → frames, each compressed by itself → in order, with padding and seek table → parts
//
// For frame i, Pieces tells what it is made of. Whoever compresses it (Compressor) says with Add how large it became, in order. By
// that the places of all frames so far are known, and so it is known, too, from which bytes of the compressed stream the next part
// is sealed (Known, Part). What follows the frames is to be had from Tail.
//
// The one who puts frames in order has to keep each as it was made until all parts that share it are sealed: a chunk on the
// border of two parts is sealed for both of them, and it must be from the same bytes.
type Sealer struct {
	manifest []byte
	layout   *layout
	stream   *stream

	cut   cut
	sizes []uint32 // of the frames so far
	total int64    // their sum
	tail  *tail    // once all frames are made
	known int64
}

// NewSealer makes the keys of a content and seals the manifest for it. identity is an age X25519 identity.
func NewSealer(identity string, kind Kind, note string, list []Entry) (*Sealer, error) {
	id, err := age.ParseX25519Identity(identity)
	if err != nil {
		return nil, fmt.Errorf("%w: failed to parse identity", ErrMisuse)
	}
	m, err := NewManifest(kind, note, list)
	if err != nil {
		return nil, err
	}
	stream, err := newStream(id)
	if err != nil {
		return nil, err
	}
	m.Content = stream.binding()
	manifest, err := sealManifest(m, id)
	if err != nil {
		return nil, err
	}
	return newSealer(m, manifest, stream)
}

func newSealer(m *Manifest, manifest []byte, stream *stream) (*Sealer, error) {
	s := &Sealer{manifest: manifest, stream: stream}
	var err error
	s.layout, err = layOut(m)
	return s, err
}

// Manifest is the sealed manifest.
func (s *Sealer) Manifest() []byte { return s.manifest }

// Key is the payload key, for Ciphers.
func (s *Sealer) Key() []byte { return s.stream.key }

// Prefix is what the sealed content begins with: its age header and payload nonce. With it and the manifest a sealer resumes.
func (s *Sealer) Prefix() []byte { return s.stream.prefix }

// Size is the size of the plain stream.
func (s *Sealer) Size() int64 { return s.layout.size }

// Frames is the number of frames that the plain stream has.
func (s *Sealer) Frames() int64 { return frames(s.layout.size) }

// Bound is an upper bound of the size of the sealed content.
func (s *Sealer) Bound() int64 {
	n := s.Frames()
	most := s.layout.size + s.layout.size>>8 + 64*n
	return SealedSize(padded(most + tableSize(n)))
}

// A Piece is a stretch of the plain stream: bytes of an entry, or fixed ones.
type Piece struct {
	Entry    int   // -1 if the bytes are fixed
	From, To int64 // within the entry
	Fixed    []byte
}

// Pieces are what frame i is made of, in order.
func (s *Sealer) Pieces(i int64) ([]Piece, error) {
	if i < 0 || i >= s.Frames() {
		return nil, fmt.Errorf("%w: no frame %d", ErrMisuse, i)
	}
	var list []Piece
	for seg := range s.layout.segments(i*FrameSize, min((i+1)*FrameSize, s.layout.size)) {
		switch {
		case seg.entry >= 0:
			at := s.layout.offset(seg.entry)
			list = append(list, Piece{Entry: seg.entry, From: seg.from - at, To: seg.to - at})
		case seg.fixed != nil:
			list = append(list, Piece{Entry: -1, Fixed: seg.fixed})
		default:
			list = append(list, Piece{Entry: -1, Fixed: make([]byte, seg.to-seg.from)})
		}
	}
	return list, nil
}

// Start says how large the parts are.
func (s *Sealer) Start(part int64) error {
	if s.cut.part != 0 || part < 1 || part > 1<<30 {
		return fmt.Errorf("%w: start with parts of %d bytes", ErrMisuse, part)
	}
	s.cut = cut{part: part, size: unlimited}
	s.advance()
	return nil
}

// Add says how large the next frame became.
func (s *Sealer) Add(size int64) error {
	i := int64(len(s.sizes))
	if s.cut.part == 0 || i == s.Frames() {
		return fmt.Errorf("%w: no frame to add", ErrMisuse)
	}
	plain := min(s.layout.size-i*FrameSize, FrameSize)
	if size < leastFrame(plain) || size > maxFrame(plain) {
		return fmt.Errorf("%w: frame %d of %d bytes", ErrMisuse, i, size)
	}
	s.sizes = append(s.sizes, uint32(size))
	s.total += size
	s.advance()
	return nil
}

// advance finds out which parts are known now. Until the last frame is there more is to come, so that no chunk is the last.
func (s *Sealer) advance() {
	if s.tail == nil && int64(len(s.sizes)) == s.Frames() {
		s.tail = contentTail(s.sizes, s.layout.size)
		s.cut.size = s.total + s.tail.size()
		s.known = s.cut.count()
		return
	}
	for {
		if _, to := s.cut.plain(s.known + 1); to > s.total {
			return
		}
		s.known++
	}
}

// Known is how many parts can be sealed by now.
func (s *Sealer) Known() int64 { return s.known }

// Parts is the number of parts and Sealed the size of them all: 0 before every frame is added.
func (s *Sealer) Parts() int64 {
	if s.tail == nil {
		return 0
	}
	return s.cut.count()
}

// Sealed is the size of the sealed content.
func (s *Sealer) Sealed() int64 {
	if s.tail == nil {
		return 0
	}
	return SealedSize(s.cut.size)
}

// Part tells how part n is sealed, counted from 1. Of what is known nothing changes any more.
func (s *Sealer) Part(n int64) (Part, error) {
	if n < 1 || n > s.known {
		return Part{}, fmt.Errorf("%w: part %d of %d that are known", ErrMisuse, n, s.known)
	}
	return s.cut.of(n, s.stream.prefix), nil
}

// Tail is what the compressed stream has from one place to another, both after the frames.
func (s *Sealer) Tail(from, to int64) ([]byte, error) {
	if s.tail == nil || from < s.total || from > to || to > s.cut.size {
		return nil, fmt.Errorf("%w: tail from %d to %d", ErrMisuse, from, to)
	}
	p := make([]byte, to-from)
	s.tail.read(p, from-s.total)
	return p, nil
}
