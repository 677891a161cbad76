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
	b, err := o.stream.Open(make([]byte, 0, len(sealed)), sealed, first, true)
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

// A Window is what a stretch of the plain stream is read from.
type Window struct {
	Run            // the chunks to open
	Skip   int64   // of what that opens, the bytes before the first frame
	Frames []Frame // all of them are needed
	At     int64   // where the first of them is in the plain stream
}

// Locate is the window for the bytes [from, to) of the plain stream. What its frames hold has to pass Check.
func (o *Opener) Locate(from, to int64) (w Window, err error) {
	switch {
	case o.err != nil:
		return w, o.err
	case o.sums == nil:
		return w, fmt.Errorf("%w: locate before the table is read", ErrMisuse)
	case from < 0 || from >= to || to > o.layout.size:
		return w, fmt.Errorf("%w: plain bytes %d to %d of %d", ErrMisuse, from, to, o.layout.size)
	}
	a, b := from/FrameSize, frames(to)
	w.Chunk = o.sums[a] / ChunkSize
	w.Skip = o.sums[a] - w.Chunk*ChunkSize
	w.At = a * FrameSize
	w.From = PrefixSize + w.Chunk*sealedChunk
	w.To = min(PrefixSize+(o.sums[b]+ChunkSize-1)/ChunkSize*sealedChunk, o.size)
	w.Last = w.To == o.size
	for i := a; i < b; i++ {
		w.Frames = append(w.Frames, Frame{o.sums[i+1] - o.sums[i], min(FrameSize, o.layout.size-i*FrameSize)})
	}
	return w, nil
}
