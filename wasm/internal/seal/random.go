package seal

import "fmt"

// wholeBelow is the sealed size up to which a content is fetched whole for its table.
const wholeBelow = 256 << 10

// TableRange is the range of sealed bytes that ReadTable needs first. Start must have told the size.
func (o *Opener) TableRange() (from, to int64, err error) {
	switch {
	case o.err != nil:
		return 0, 0, o.err
	case o.size == 0:
		return 0, 0, fmt.Errorf("%w: table of a content of unknown size", ErrMisuse)
	case o.size <= wholeBelow:
		return 0, o.size, nil
	case o.stream == nil:
		return 0, PrefixSize, nil
	}
	from, to = o.tailRange()
	return from, to, nil
}

// tailRange is the sealed range of the chunks that hold the seek table. The manifest tells how long it is.
func (o *Opener) tailRange() (from, to int64) {
	n, _ := openedSize(o.size)
	return PrefixSize + (n-tableSize(frames(o.layout.size)))/ChunkSize*sealedChunk, o.size
}

// ReadTable takes the sealed bytes that TableRange asked for. If it returns a range, it wants to be called again with that one.
func (o *Opener) ReadTable(p []byte) (from, to int64, err error) {
	from, to, err = o.TableRange()
	if err != nil {
		return 0, 0, err
	}
	if int64(len(p)) != to-from {
		return 0, 0, fmt.Errorf("%w: table from %d bytes", ErrDamaged, len(p))
	}
	if o.stream == nil {
		if err := o.bind(p[:PrefixSize]); err != nil {
			return 0, 0, err
		}
		if to == PrefixSize {
			from, to = o.tailRange()
			return from, to, nil
		}
	}
	a, _ := o.tailRange()
	return 0, 0, o.readTable(p[a-from:], (a-PrefixSize)/sealedChunk)
}

// readTable opens the chunks from first to the last and reads the table that is at their end.
func (o *Opener) readTable(sealed []byte, first int64) error {
	n, _ := openedSize(o.size)
	b, err := o.openChunks(sealed, first)
	if err != nil {
		return err
	}
	plain := o.layout.size
	sizes, err := parseTable(b[int64(len(b))-tableSize(frames(plain)):], plain)
	if err != nil {
		return err
	}
	sums := make([]int64, 1, len(sizes)+1)
	for _, size := range sizes {
		sums = append(sums, sums[len(sums)-1]+int64(size))
	}
	if sums[len(sizes)]+contentTail(sizes, plain).size() != n {
		return fmt.Errorf("%w: padding", ErrHostile)
	}
	o.sums = sums
	return nil
}

// openChunks opens whole sealed chunks, of which the first has the given index.
func (o *Opener) openChunks(sealed []byte, first int64) (b []byte, err error) {
	n, _ := openedSize(o.size)
	b = make([]byte, 0, len(sealed))
	for i := first; len(sealed) > 0; i++ {
		cut := min(sealedChunk, len(sealed))
		if b, err = o.stream.open(b, sealed[:cut], i, i == chunks(n)-1); err != nil {
			return nil, err
		}
		sealed = sealed[cut:]
	}
	return b, nil
}

// Locate is the range of sealed bytes that Read needs for the bytes [from, to) of the plain stream.
func (o *Opener) Locate(from, to int64) (a, b int64, err error) {
	switch {
	case o.err != nil:
		return 0, 0, o.err
	case o.sums == nil:
		return 0, 0, fmt.Errorf("%w: locate before the table is read", ErrMisuse)
	case from < 0 || from > to || to > o.layout.size:
		return 0, 0, fmt.Errorf("%w: plain bytes %d to %d of %d", ErrMisuse, from, to, o.layout.size)
	case from == to:
		return 0, 0, nil
	}
	a = PrefixSize + o.sums[from/FrameSize]/ChunkSize*sealedChunk
	b = PrefixSize + (o.sums[frames(to)]+ChunkSize-1)/ChunkSize*sealedChunk
	return a, min(b, o.size), nil
}

// Read opens the sealed bytes that Locate asked for and returns the bytes [from, to) of the plain stream.
func (o *Opener) Read(sealed []byte, from, to int64) ([]byte, error) {
	a, b, err := o.Locate(from, to)
	if err != nil || from == to {
		return nil, err
	}
	if int64(len(sealed)) != b-a {
		return nil, fmt.Errorf("%w: %d sealed bytes instead of %d", ErrDamaged, len(sealed), b-a)
	}
	chunk := (a - PrefixSize) / sealedChunk
	opened, err := o.openChunks(sealed, chunk)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, to-from)
	for i := from / FrameSize; i < frames(to); i++ {
		p, err := o.readFrame(opened[o.sums[i]-chunk*ChunkSize:o.sums[i+1]-chunk*ChunkSize], i)
		if err != nil {
			return nil, err
		}
		start := i * FrameSize
		out = append(out, p[max(from-start, 0):min(to-start, int64(len(p)))]...)
	}
	return out, nil
}

// readFrame opens frame i, which has to fill b.
func (o *Opener) readFrame(b []byte, i int64) ([]byte, error) {
	plain := min(FrameSize, o.layout.size-i*FrameSize)
	n, err := frameLen(b, plain)
	if err != nil {
		return nil, err
	}
	if n != int64(len(b)) {
		return nil, fmt.Errorf("%w: frame %d is not where the seek table says", ErrHostile, i)
	}
	p, err := o.dec.frame(b, plain)
	if err != nil {
		return nil, err
	}
	return p, o.check(p, i*FrameSize)
}
