//go:build js && wasm

package main

import "github.com/sealpost/sealpost/wasm/internal/seal"

// What the members of a crew do: the same work for any frame and any run of chunks. Each of them keeps its buffers, and writes into
// those that it is given, so that work makes no garbage.

type compressor struct {
	*seal.Compressor
	in, out []byte
}

func newCompressor(arguments) (any, error) {
	g, err := seal.NewCompressor()
	if err != nil {
		return nil, err
	}
	c := &compressor{Compressor: g}
	return newObject(c.exports(), func() { *c = compressor{} }), nil
}

func (c *compressor) frame(args arguments) (_ any, err error) {
	c.in = args.bytes(0, c.in)
	if c.out, err = c.Frame(c.out[:0], c.in); err != nil {
		return nil, err
	}
	return args.fill(1, c.out), nil
}

type decompressor struct {
	*seal.Decompressor
	in, out []byte
}

func newDecompressor(arguments) (any, error) {
	g, err := seal.NewDecompressor()
	if err != nil {
		return nil, err
	}
	d := &decompressor{Decompressor: g, out: make([]byte, seal.FrameSize)}
	return newObject(d.exports(), func() {
		g.Close()
		*d = decompressor{}
	}), nil
}

func (d *decompressor) frame(args arguments) (any, error) {
	d.in = args.bytes(0, d.in)
	out, err := d.Frame(d.out, d.in, args.int(1))
	if err != nil {
		return nil, err
	}
	return args.fill(2, out), nil
}

type cipher struct {
	*seal.Cipher
	in, out []byte
}

func newCipher(args arguments) (any, error) {
	g, err := seal.NewCipher(args.bytes(0, nil))
	if err != nil {
		return nil, err
	}
	c := &cipher{Cipher: g}
	return newObject(c.exports(), func() { *c = cipher{} }), nil
}

func (c *cipher) seal(args arguments) (any, error) {
	c.in = args.bytes(0, c.in)
	c.out = c.Seal(c.out[:0], c.in, args.int(1), args.bool(2))
	args.put(3, args.int(4), c.out)
	return nil, nil
}

func (c *cipher) open(args arguments) (_ any, err error) {
	c.in = args.bytes(0, c.in)
	out, err := c.Open(c.out[:0], c.in, args.int(1), args.bool(2))
	if err != nil {
		return nil, err
	}
	c.out = out
	return args.fill(3, out), nil
}
