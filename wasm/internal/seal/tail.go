package seal

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

const (
	skippableHeader = 8
	paddingMagic    = 0x184d2a50
	tableMagic      = 0x184d2a5e
	seekableMagic   = 0x8f92eab1
	tableFooter     = 9

	minPadded    = 4096
	paddingFrame = 1 << 30 // bytes in each padding frame but the last
)

// padme rounds n up so that its size class leaks O(log log n) bits, at a cost of at most 12 %.
// See Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs".
func padme(n int64) int64 {
	if n < 2 {
		return n
	}
	e := bits.Len64(uint64(n)) - 1
	s := bits.Len64(uint64(e))
	mask := int64(1)<<(e-s) - 1
	return (n + mask) &^ mask
}

// padded is the size to which n bytes, seek table included, are padded. There is always room for one empty padding frame.
func padded(n int64) int64 { return max(minPadded, padme(n+skippableHeader)) }

// tableSize is the size of the seek table of n frames.
func tableSize(n int64) int64 { return skippableHeader + 8*n + tableFooter }

// A tail is what follows the frames: padding and, for a content, the seek table. It is a function of the frames' sizes, so a reader
// makes it as well and compares.
type tail struct {
	gap   int64  // size of the padding
	table []byte // nil for a manifest
}

func (t *tail) size() int64 { return t.gap + int64(len(t.table)) }

// manifestTail pads a frame of the given compressed size.
func manifestTail(size int64) *tail { return &tail{gap: padded(size) - size} }

// contentTail follows frames of the given compressed sizes, for a plain stream of the given size.
func contentTail(sizes []uint32, plain int64) *tail {
	table := binary.LittleEndian.AppendUint32(make([]byte, 0, tableSize(int64(len(sizes)))), tableMagic)
	table = binary.LittleEndian.AppendUint32(table, uint32(8*len(sizes)+tableFooter))
	sum := int64(0)
	for _, n := range sizes {
		table = binary.LittleEndian.AppendUint32(table, n)
		table = binary.LittleEndian.AppendUint32(table, uint32(min(plain, FrameSize)))
		plain -= min(plain, FrameSize)
		sum += int64(n)
	}
	table = binary.LittleEndian.AppendUint32(table, uint32(len(sizes)))
	table = append(table, 0) // no checksums
	table = binary.LittleEndian.AppendUint32(table, seekableMagic)
	used := sum + int64(len(table))
	return &tail{gap: padded(used) - used, table: table}
}

// read fills p with the bytes of the tail from off on, which must be there.
func (t *tail) read(p []byte, off int64) {
	clear(p)
	for at := off; at < t.gap && at < off+int64(len(p)); {
		frame := at / paddingFrame * paddingFrame
		if t.gap-frame < skippableHeader { // too short for a frame of its own: the one before is longer
			frame -= paddingFrame
		}
		size := t.gap - frame
		if size >= paddingFrame+skippableHeader {
			size = paddingFrame
		}
		if at < frame+skippableHeader {
			var header [skippableHeader]byte
			binary.LittleEndian.PutUint32(header[:], paddingMagic)
			binary.LittleEndian.PutUint32(header[4:], uint32(size-skippableHeader))
			copy(p[at-off:], header[at-frame:])
		}
		at = frame + size
	}
	if to := off + int64(len(p)); to > t.gap {
		at := max(off, t.gap)
		copy(p[at-off:], t.table[at-t.gap:])
	}
}

// parseTable reads the seek table of a content with a plain stream of the given size and returns the frames' compressed sizes.
func parseTable(b []byte, plain int64) ([]uint32, error) {
	n := frames(plain)
	if int64(len(b)) != tableSize(n) {
		return nil, fmt.Errorf("%w: seek table of %d bytes", ErrHostile, len(b))
	}
	sizes := make([]uint32, n)
	for i := range sizes {
		sizes[i] = binary.LittleEndian.Uint32(b[skippableHeader+8*i:])
		size := min(plain-int64(i)*FrameSize, FrameSize)
		if int64(sizes[i]) < leastFrame(size) || int64(sizes[i]) > maxFrame(size) {
			return nil, fmt.Errorf("%w: frame %d of %d bytes", ErrHostile, i, sizes[i])
		}
	}
	if t := contentTail(sizes, plain); string(t.table) != string(b) {
		return nil, fmt.Errorf("%w: seek table", ErrHostile)
	}
	return sizes, nil
}
