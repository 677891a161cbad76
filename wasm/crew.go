//go:build js && wasm

package main

import (
	"fmt"
	"syscall/js"
	"unsafe"

	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// What the members of a crew do: the same work for any frame and any run of chunks.
//
// No bytes cross the border here as values of JavaScript. Go holds on to every value that it was ever handed until it collects its
// garbage, and work makes none, so that whole files would pile up. JavaScript writes to the buffer in, calls, and reads from the buffer
// out, both in the engine's memory at the addresses that it is told.

const (
	chunksAtOnce = 8
	sealedAtOnce = chunksAtOnce * (seal.ChunkSize + 16)
	frameRoom    = seal.FrameSize + seal.FrameSize>>8 + 64
)

type buffers struct{ in, out []byte }

// tell tells where the buffers are. Go does not move them.
func (b *buffers) tell(object js.Value) js.Value {
	for name, p := range map[string][]byte{"in": b.in, "out": b.out} {
		object.Set(name, uintptr(unsafe.Pointer(unsafe.SliceData(p))))
	}
	return object
}

// taken is the first n bytes of in.
func (b *buffers) taken(n int64) []byte {
	if n < 0 || n > int64(len(b.in)) {
		panic(fmt.Sprintf("no room for %d bytes", n))
	}
	return b.in[:n]
}

// given is how much of out was written to.
func (b *buffers) given(out []byte) int {
	if unsafe.SliceData(out) != unsafe.SliceData(b.out) {
		panic("BUG: out is too small")
	}
	return len(out)
}

type compressor struct {
	buffers
	*seal.Compressor
}

func makeCompressor() (*compressor, error) {
	g, err := seal.NewCompressor()
	return &compressor{buffers{make([]byte, seal.FrameSize), make([]byte, frameRoom)}, g}, err
}

func newCompressor(arguments) (any, error) {
	c, err := makeCompressor()
	if err != nil {
		return nil, err
	}
	return c.tell(newObject(c.exports(), func() { *c = compressor{} })), nil
}

func (c *compressor) frame(args arguments) (any, error) {
	out, err := c.Frame(c.out[:0], c.taken(args.int(0)))
	if err != nil {
		return nil, err
	}
	return c.given(out), nil
}

type decompressor struct {
	buffers
	*seal.Decompressor
}

func makeDecompressor() (*decompressor, error) {
	g, err := seal.NewDecompressor()
	return &decompressor{buffers{make([]byte, frameRoom), make([]byte, seal.FrameSize)}, g}, err
}

func newDecompressor(arguments) (any, error) {
	d, err := makeDecompressor()
	if err != nil {
		return nil, err
	}
	return d.tell(newObject(d.exports(), func() {
		d.Close()
		*d = decompressor{}
	})), nil
}

func (d *decompressor) frame(args arguments) (any, error) {
	out, err := d.Frame(d.out, d.taken(args.int(0)), args.int(1))
	if err != nil {
		return nil, err
	}
	return d.given(out), nil
}

type cipher struct {
	buffers
	*seal.Cipher
}

func makeCipher(key []byte) (*cipher, error) {
	g, err := seal.NewCipher(key)
	return &cipher{buffers{make([]byte, sealedAtOnce), make([]byte, sealedAtOnce)}, g}, err
}

func newCipher(args arguments) (any, error) {
	c, err := makeCipher(args.bytes(0, nil))
	if err != nil {
		return nil, err
	}
	return c.tell(newObject(c.exports(), func() { *c = cipher{} })), nil
}

func (c *cipher) seal(args arguments) (any, error) {
	n := args.int(0)
	if n > chunksAtOnce*seal.ChunkSize {
		return nil, fmt.Errorf("%w: %d bytes at once", errMisuse, n)
	}
	return c.given(c.Seal(c.out[:0], c.taken(n), args.int(1), args.bool(2))), nil
}

func (c *cipher) open(args arguments) (any, error) {
	out, err := c.Open(c.out[:0], c.taken(args.int(0)), args.int(1), args.bool(2))
	if err != nil {
		return nil, err
	}
	return c.given(out), nil
}
