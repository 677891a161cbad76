package seal

import "fmt"

// Seal does all of the work of sealing in order, for programs that have no crew for it. read fills p with bytes of an entry, from
// some place on; put takes part n, the first of which is 1.
func (s *Sealer) Seal(part int64, read func(entry int, p []byte, from int64) error, put func(n int64, part []byte) error) error {
	if err := s.Start(part); err != nil {
		return err
	}
	comp, err := NewCompressor()
	if err != nil {
		return err
	}
	var stream []byte // from the place at on
	at, n := int64(0), int64(0)
	known := func() error {
		for ; n < s.Known(); n++ {
			p := s.cut.of(n+1, s.stream.prefix)
			if end := at + int64(len(stream)); p.To > end {
				tail, err := s.Tail(end, p.To)
				if err != nil {
					return err
				}
				stream = append(stream, tail...)
			}
			stream = stream[p.From-at:]
			at = p.From
			if err := put(n+1, p.seal(s.stream.Cipher, stream[:p.To-at])); err != nil {
				return err
			}
		}
		return nil
	}
	plain := make([]byte, 0, FrameSize)
	for i := range s.Frames() {
		if plain, err = s.readFrame(plain[:0], i, read); err != nil {
			return err
		}
		end := len(stream)
		if stream, err = comp.Frame(stream, plain); err != nil {
			return err
		}
		if err := s.Add(int64(len(stream) - end)); err != nil {
			return err
		}
		if err := known(); err != nil {
			return err
		}
	}
	return known()
}

// readFrame appends the plain frame i to dst.
func (s *Sealer) readFrame(dst []byte, i int64, read func(entry int, p []byte, from int64) error) ([]byte, error) {
	pieces, err := s.Pieces(i)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		end := len(dst)
		dst = append(dst, p.Fixed...)
		if p.Entry < 0 {
			continue
		}
		dst = append(dst, make([]byte, p.To-p.From)...)
		if err := read(p.Entry, dst[end:], p.From); err != nil {
			return nil, fmt.Errorf("failed to read entry %d: %w", p.Entry, err)
		}
	}
	return dst, nil
}

// seal makes the part from the bytes that it names.
func (p Part) seal(c *Cipher, plain []byte) []byte {
	out := make([]byte, p.Size)
	copy(out, p.Head)
	if sealed := c.Seal(nil, plain, p.Chunk, p.Last); p.At < 0 {
		copy(out, sealed[-p.At:])
	} else if p.At < p.Size {
		copy(out[p.At:], sealed)
	}
	return out
}
