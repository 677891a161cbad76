package seal

import "fmt"

// A cut divides an age file into parts of equal size but the last.
type cut struct {
	part int64 // size of a part
	size int64 // of the bytes that the age file holds
}

// count is the number of parts.
func (c cut) count() int64 { return (SealedSize(c.size) + c.part - 1) / c.part }

// sealed is the range of the age file that part n has, counted from 1 as the server does.
func (c cut) sealed(n int64) (from, to int64) {
	return (n - 1) * c.part, min(n*c.part, SealedSize(c.size))
}

// plain is the range of the age file's plaintext from which part n is sealed. Ranges of neighbours may share a chunk.
func (c cut) plain(n int64) (from, to int64) {
	from, to = c.sealed(n)
	from = max(0, from-PrefixSize) / sealedChunk * ChunkSize
	to = (max(0, to-PrefixSize) + sealedChunk - 1) / sealedChunk * ChunkSize
	return min(from, c.size), min(to, c.size)
}

// sealPart seals part n alone, from the plaintext that c.plain(n) names. Parts can so be sealed in any order and again; a chunk
// that lies on a border is sealed for both parts, and the bytes have to be the same both times.
func (s *stream) sealPart(c cut, n int64, plain []byte) ([]byte, error) {
	from, to := c.sealed(n)
	a, b := c.plain(n)
	if n < 1 || n > c.count() || b-a != int64(len(plain)) {
		return nil, fmt.Errorf("%w: part %d from %d bytes", ErrMisuse, n, len(plain))
	}
	out := make([]byte, 0, to-from+2*sealedChunk)
	start := from // of what out begins with, in the age file
	if from < PrefixSize {
		out = append(out, s.prefix...)
		start = 0
	} else {
		start = PrefixSize + a/ChunkSize*sealedChunk
	}
	last := chunks(c.size) - 1
	for i := a / ChunkSize; i <= last && start+int64(len(out)) < to; i++ {
		k := min((i+1)*ChunkSize, c.size)
		out = s.seal(out, plain[i*ChunkSize-a:k-a], i, i == last)
	}
	return out[from-start : to-start : to-start], nil
}

// An assembler seals a plaintext that comes in order and cuts the age file into parts. The index of the next chunk only ever
// grows, and a chunk leaves the buffer when it is sealed: so none can be sealed twice, whatever its caller does.
type assembler struct {
	s     *stream
	part  int
	plain []byte // of the chunk that comes next; kept back while it might be the last
	next  int64  // its index
	out   []byte // sealed, less than a part between calls
	total int64  // bytes of parts given out
	done  bool
}

func newAssembler(s *stream, part int) *assembler {
	return &assembler{s: s, part: part, plain: make([]byte, 0, ChunkSize), out: append(make([]byte, 0, part), s.prefix...)}
}

// write takes the next bytes and returns the parts that became whole.
func (a *assembler) write(p []byte) (parts [][]byte, err error) {
	if a.done {
		return nil, fmt.Errorf("%w: write after the end", ErrMisuse)
	}
	for len(p) > 0 {
		if len(a.plain) == ChunkSize {
			parts = a.chunk(parts, false)
		}
		n := min(len(p), ChunkSize-len(a.plain))
		a.plain = append(a.plain, p[:n]...)
		p = p[n:]
	}
	return parts, nil
}

// finish seals the last chunk and returns the remaining parts.
func (a *assembler) finish() ([][]byte, error) {
	if a.done {
		return nil, fmt.Errorf("%w: finished twice", ErrMisuse)
	}
	a.done = true
	parts := a.chunk(nil, true)
	if len(a.out) > 0 {
		parts = append(parts, a.out)
		a.total += int64(len(a.out))
		a.out = nil
	}
	return parts, nil
}

func (a *assembler) chunk(parts [][]byte, last bool) [][]byte {
	a.out = a.s.seal(a.out, a.plain, a.next, last)
	a.next++
	a.plain = a.plain[:0]
	for len(a.out) >= a.part {
		rest := append(make([]byte, 0, a.part+sealedChunk), a.out[a.part:]...)
		parts = append(parts, a.out[:a.part:a.part])
		a.total += int64(a.part)
		a.out = rest
	}
	return parts
}
