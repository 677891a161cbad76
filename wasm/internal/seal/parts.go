package seal

import "math"

// unlimited stands for a size that is not known yet.
const unlimited = math.MaxInt64 >> 2

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

// A Part tells how a part is sealed: from which bytes, and what of it goes where.
type Part struct {
	Size     int64  // of the part
	From, To int64  // the bytes, in the compressed stream: the frames and what follows them
	Chunk    int64  // index of the first chunk that these bytes are
	Last     bool   // they end with the last chunk of all
	At       int64  // where in the part that chunk begins; less than 0 if it began in the part before
	Head     []byte // what the part begins with of that which precedes all chunks
}

// of is part n of the age file that begins with prefix.
func (c cut) of(n int64, prefix []byte) Part {
	from, to := c.sealed(n)
	p := Part{Size: to - from}
	p.From, p.To = c.plain(n)
	p.Chunk = p.From / ChunkSize
	p.Last = p.To == c.size
	p.At = PrefixSize + p.Chunk*sealedChunk - from
	if from < PrefixSize {
		p.Head = prefix[from:min(to, PrefixSize)]
	}
	return p
}
