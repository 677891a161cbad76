package seal

import (
	"fmt"

	"filippo.io/age"
)

// tailStep is how much of the padding is sealed at once. Padding can be an eighth of a share, too much to hold.
const tailStep = 16 << 20

// A Sealer makes the sealed manifest and the sealed content of one share, the content front to back:
//
//	plain stream → frames, each compressed by itself → in order, with padding and seek table → chunks → parts
//
// It holds one frame and one part. It is not safe for concurrent use.
type Sealer struct {
	manifest []byte
	layout   *layout
	stream   *stream

	comp  *compressor
	asm   *assembler
	pos   int64  // in the plain stream
	frame []byte // plain bytes of the frame that is being filled
	buf   []byte // a compressed frame
	sizes []uint32
	total int64 // of sizes
	tail  *tail // once all frames are made
	gone  int64 // how much of it is sealed
	err   error
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
	s := new(Sealer)
	if s.stream, err = newStream(id); err != nil {
		return nil, err
	}
	m.Content = s.stream.binding()
	if s.manifest, err = sealManifest(m, id); err != nil {
		return nil, err
	}
	if s.layout, err = layOut(m); err != nil {
		return nil, err
	}
	s.comp, err = newCompressor()
	return s, err
}

// Manifest is the sealed manifest.
func (s *Sealer) Manifest() []byte { return s.manifest }

// Size is the size of the plain stream.
func (s *Sealer) Size() int64 { return s.layout.size }

// Bound is an upper bound of the size of the sealed content.
func (s *Sealer) Bound() int64 {
	n := frames(s.layout.size)
	most := s.layout.size + s.layout.size>>8 + 64*n
	return SealedSize(padded(most + tableSize(n)))
}

// Sealed is the size of the parts that were returned so far.
func (s *Sealer) Sealed() int64 {
	if s.asm == nil {
		return 0
	}
	return s.asm.total
}

// Compressed tells how many plain bytes are in the frames that are made, and how many bytes these frames have.
func (s *Sealer) Compressed() (plain, frames int64) { return s.pos - int64(len(s.frame)), s.total }

// Start says how large the parts are.
func (s *Sealer) Start(part int64) error {
	if s.asm != nil || part < 1 || part > 1<<30 {
		return fmt.Errorf("%w: start with parts of %d bytes", ErrMisuse, part)
	}
	s.asm = newAssembler(s.stream, int(part))
	s.frame = make([]byte, 0, min(FrameSize, s.layout.size))
	return nil
}

// Write takes the next bytes of an entry and returns the parts that became ready. Entries come in the order of the manifest, each
// with all its bytes. An error is for good.
func (s *Sealer) Write(entry int, p []byte) ([][]byte, error) {
	if s.asm == nil || s.tail != nil {
		return nil, fmt.Errorf("%w: write before start or after finish", ErrMisuse)
	}
	if s.err != nil {
		return nil, s.err
	}
	parts, err := s.write(entry, p)
	s.err = err
	return parts, err
}

func (s *Sealer) write(entry int, p []byte) (parts [][]byte, err error) {
	if entry < 0 || entry >= len(s.layout.m.Entries) {
		return nil, fmt.Errorf("%w: no entry %d", ErrMisuse, entry)
	}
	if len(p) == 0 {
		return nil, nil
	}
	at := s.layout.offset(entry)
	if s.pos < at {
		if parts, err = s.fixed(parts, at); err != nil {
			return nil, err
		}
	}
	if s.pos+int64(len(p)) > at+s.layout.m.Entries[entry].Size {
		return nil, fmt.Errorf("%w: entry %d is larger", ErrChanged, entry)
	}
	return s.plain(parts, p)
}

// fixed takes what is determined by the manifest up to a position. It fails if bytes of an entry are missing before that.
func (s *Sealer) fixed(parts [][]byte, to int64) (_ [][]byte, err error) {
	for seg := range s.layout.segments(s.pos, to) {
		if seg.entry >= 0 {
			return nil, fmt.Errorf("%w: entry %d is smaller", ErrChanged, seg.entry)
		}
		if seg.fixed == nil {
			seg.fixed = make([]byte, seg.to-seg.from)
		}
		if parts, err = s.plain(parts, seg.fixed); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// plain takes the next bytes of the plain stream.
func (s *Sealer) plain(parts [][]byte, p []byte) ([][]byte, error) {
	for len(p) > 0 {
		n := min(len(p), FrameSize-len(s.frame))
		s.frame = append(s.frame, p[:n]...)
		s.pos += int64(n)
		p = p[n:]
		if len(s.frame) == FrameSize || s.pos == s.layout.size {
			more, err := s.compress()
			if err != nil {
				return nil, err
			}
			parts = append(parts, more...)
		}
	}
	return parts, nil
}

// compress makes a frame. Frames depend on nothing but their own bytes, so they could as well be made elsewhere and handed
// over in order; the assembler cares for order alone.
func (s *Sealer) compress() (_ [][]byte, err error) {
	if s.buf, err = s.comp.frame(s.buf[:0], s.frame); err != nil {
		return nil, err
	}
	s.sizes = append(s.sizes, uint32(len(s.buf)))
	s.total += int64(len(s.buf))
	s.frame = s.frame[:0]
	return s.asm.write(s.buf)
}

// Finish returns the remaining parts, some at a time: it is to be called until it returns none.
func (s *Sealer) Finish() ([][]byte, error) {
	if s.asm == nil {
		return nil, fmt.Errorf("%w: finish before start", ErrMisuse)
	}
	if s.err != nil {
		return nil, s.err
	}
	parts, err := s.finish()
	s.err = err
	return parts, err
}

func (s *Sealer) finish() (parts [][]byte, err error) {
	if s.asm.done {
		return nil, nil
	}
	if s.tail == nil {
		if parts, err = s.fixed(nil, s.layout.size); err != nil {
			return nil, err
		}
		s.tail = contentTail(s.sizes, s.layout.size)
	}
	for s.gone < s.tail.size() {
		if len(parts) > 0 {
			return parts, nil
		}
		p := make([]byte, min(tailStep, s.tail.size()-s.gone))
		s.tail.read(p, s.gone)
		s.gone += int64(len(p))
		if parts, err = s.asm.write(p); err != nil {
			return nil, err
		}
	}
	last, err := s.asm.finish()
	return append(parts, last...), err
}
