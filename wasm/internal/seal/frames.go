package seal

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

const (
	// FrameSize is the plain size of every frame of a content but the last.
	FrameSize = 1 << 20

	blockMax = 128 << 10
)

// frames is the number of frames for a plain stream of n bytes: none if it is empty.
func frames(n int64) int64 { return (n + FrameSize - 1) / FrameSize }

// maxFrame bounds the compressed size of a frame. It is roomy enough for any encoder that stores what it cannot compress.
func maxFrame(plain int64) int64 { return plain + plain>>8 + 64 }

// leastFrame is the smallest size that a frame can have: a header and one block of nothing, or of one byte repeated.
func leastFrame(plain int64) int64 { return int64(len(frameHeader(plain)) + 3) }

// frameHeader is how a frame of the given plain size begins. It is the only spelling that is allowed: one segment, so that no
// window is larger than the frame, the content size in the shortest form, no checksum, no dictionary.
func frameHeader(plain int64) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0}
	switch {
	case plain < 256:
		b[4] = 0x20
		return append(b, byte(plain))
	case plain < 256+1<<16:
		b[4] = 0x60
		return binary.LittleEndian.AppendUint16(b, uint16(plain-256))
	default:
		b[4] = 0xa0
		return binary.LittleEndian.AppendUint32(b, uint32(plain))
	}
}

// frameLen finds the end of the frame of the given plain size that b begins with, without decoding it. It returns 0 if b is too
// short to tell.
func frameLen(b []byte, plain int64) (int64, error) {
	header := frameHeader(plain)
	n := min(len(b), len(header))
	if !bytes.Equal(b[:n], header[:n]) {
		return 0, fmt.Errorf("%w: frame header", ErrHostile)
	}
	if n < len(header) {
		return 0, nil
	}
	limit := maxFrame(plain)
	for at := int64(n); ; {
		if at > limit {
			return 0, fmt.Errorf("%w: frame of more than %d bytes", ErrHostile, limit)
		}
		if int64(len(b)) < at+3 {
			return 0, nil
		}
		block := uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16
		last, kind, size := block&1 == 1, block>>1&3, int64(block>>3)
		if size > blockMax || kind == 3 {
			return 0, fmt.Errorf("%w: block header", ErrHostile)
		}
		if kind == 1 { // one byte, repeated size times
			size = 1
		}
		at += 3 + size
		if last {
			if at > limit {
				return 0, fmt.Errorf("%w: frame of more than %d bytes", ErrHostile, limit)
			}
			if int64(len(b)) < at {
				return 0, nil
			}
			return at, nil
		}
	}
}

// A Compressor makes frames. What it makes depends on nothing but its input and its build, so a frame can be made again. It is
// not safe for concurrent use.
type Compressor struct{ enc *zstd.Encoder }

// NewCompressor makes one that holds some MiB.
func NewCompressor() (*Compressor, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(FrameSize), zstd.WithSingleSegment(true),
		zstd.WithZeroFrames(true))
	if err != nil {
		return nil, fmt.Errorf("failed to make zstd encoder: %w", err)
	}
	return &Compressor{enc}, nil
}

// Frame appends the frame of plain to dst.
func (c *Compressor) Frame(dst, plain []byte) ([]byte, error) {
	from := len(dst)
	dst = c.enc.EncodeAll(plain, dst)
	if n, err := frameLen(dst[from:], int64(len(plain))); err != nil || n != int64(len(dst)-from) {
		return nil, fmt.Errorf("failed to compress frame: the encoder broke the format's rules (%v)", err)
	}
	return dst, nil
}

// A Decompressor opens frames, and needs little more memory than the plain size of one. It is not safe for concurrent use.
type Decompressor struct{ dec *zstd.Decoder }

// NewDecompressor makes one for the frames of a content.
func NewDecompressor() (*Decompressor, error) { return newDecompressor(FrameSize) }

// newDecompressor makes one for frames of at most limit plain bytes.
func newDecompressor(limit uint64) (*Decompressor, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(limit),
		zstd.WithDecoderMaxMemory(limit), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("failed to make zstd decoder: %w", err)
	}
	return &Decompressor{dec}, nil
}

// Frame opens b, which has to be one frame of exactly the plain size, into a buffer of at least that size.
func (d *Decompressor) Frame(buf, b []byte, plain int64) ([]byte, error) {
	if n, err := frameLen(b, plain); err != nil {
		return nil, err
	} else if n != int64(len(b)) {
		return nil, fmt.Errorf("%w: frame ends elsewhere", ErrHostile)
	}
	out, err := d.dec.DecodeAll(b, buf[:0:plain])
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrHostile, err)
	}
	if int64(len(out)) != plain {
		return nil, fmt.Errorf("%w: frame of %d bytes instead of %d", ErrHostile, len(out), plain)
	}
	return out, nil
}

// Close frees memory.
func (d *Decompressor) Close() { d.dec.Close() }

// frameSize reads the plain size from the header of a frame, which frameLen still has to check.
func frameSize(b []byte) (int64, error) {
	if len(b) >= 9 {
		switch b[4] {
		case 0x20:
			return int64(b[5]), nil
		case 0x60:
			return int64(binary.LittleEndian.Uint16(b[5:])) + 256, nil
		case 0xa0:
			return int64(binary.LittleEndian.Uint32(b[5:])), nil
		}
	}
	return 0, fmt.Errorf("%w: frame header", ErrHostile)
}
