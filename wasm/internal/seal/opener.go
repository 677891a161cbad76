package seal

import (
	"bytes"
	"fmt"
	"io"

	"filippo.io/age"
)

// An Opener opens one share: its manifest at once, its content front to back (Push, Next, End) or at random (random.go). It is
// not safe for concurrent use.
//
// Opening front to back needs neither the size nor the seek table: the manifest tells how many frames there are and how large
// each is, frames tell their own end, and all that follows is then known and only compared. So it can follow an upload that is
// still running. Nothing is complete before Next returns io.EOF.
type Opener struct {
	id       *age.X25519Identity
	manifest *Manifest
	layout   *layout
	dec      *decompressor
	size     int64 // of the sealed content as the server tells it, 0 if not known
	stream   *stream

	total  int64  // sealed bytes pushed
	in     []byte // those that are not opened yet
	next   int64  // index of the chunk that comes next
	ended  bool
	opened []byte // opened bytes, of which used are consumed
	used   int
	pos    int64 // in the plain stream
	sizes  []uint32
	tail   *tail
	seen   int64 // how much of it was compared
	done   bool
	err    error

	sums []int64 // offsets of the frames, once the table is read; one more than there are frames
}

// NewOpener opens the manifest. identity is an age X25519 identity.
func NewOpener(identity string, manifest []byte) (*Opener, error) {
	id, err := age.ParseX25519Identity(identity)
	if err != nil {
		return nil, fmt.Errorf("%w: failed to parse identity", ErrMisuse)
	}
	m, err := OpenManifest(manifest, id)
	if err != nil {
		return nil, err
	}
	l, err := layOut(m)
	if err != nil {
		return nil, err
	}
	d, err := newDecompressor(FrameSize)
	if err != nil {
		return nil, err
	}
	return &Opener{id: id, manifest: m, layout: l, dec: d}, nil
}

// Manifest is the opened manifest.
func (o *Opener) Manifest() *Manifest { return o.manifest }

// Close frees memory.
func (o *Opener) Close() {
	o.dec.close()
	o.stream, o.in, o.opened, o.sizes, o.sums = nil, nil, nil, nil, nil
	o.err = fmt.Errorf("%w: closed", ErrMisuse)
}

// Start says how large the sealed content is; 0 if that is not known yet.
func (o *Opener) Start(size int64) error {
	if o.err != nil {
		return o.err
	}
	if size != 0 {
		least := padded(tableSize(frames(o.layout.size)))
		if n, ok := openedSize(size); !ok || n < least {
			return fmt.Errorf("%w: no content has %d bytes", ErrDamaged, size)
		}
	}
	o.size = size
	return nil
}

// Push takes the next sealed bytes. What they open is then to be had from Next.
func (o *Opener) Push(p []byte) error {
	if o.err == nil && o.ended {
		o.err = fmt.Errorf("%w: push after the end", ErrMisuse)
	}
	if o.err == nil {
		o.err = o.push(p)
	}
	return o.err
}

func (o *Opener) push(p []byte) error {
	o.in = append(o.in, p...)
	o.total += int64(len(p))
	if o.stream == nil {
		if len(o.in) < PrefixSize {
			return nil
		}
		if err := o.bind(o.in[:PrefixSize]); err != nil {
			return err
		}
		o.in = o.in[PrefixSize:]
	}
	rest := o.in
	for len(rest) > sealedChunk { // one that may be the last is kept back
		if err := o.chunk(rest[:sealedChunk], false); err != nil {
			return err
		}
		rest = rest[sealedChunk:]
	}
	o.in = append(o.in[:0:0], rest...)
	return nil
}

// bind accepts the header and the nonce of the content that the manifest names.
func (o *Opener) bind(prefix []byte) error {
	s := &stream{prefix: prefix}
	if s.binding() != o.manifest.Content {
		return fmt.Errorf("%w: another content than the manifest says", ErrDamaged)
	}
	s, err := openStream(prefix, o.id)
	o.stream = s
	return err
}

func (o *Opener) chunk(sealed []byte, last bool) (err error) {
	if o.used > 0 && len(o.opened)+ChunkSize > cap(o.opened) {
		o.opened = o.opened[:copy(o.opened, o.opened[o.used:])]
		o.used = 0
	}
	o.opened, err = o.stream.open(o.opened, sealed, o.next, last)
	o.next++
	return err
}

// End says that all sealed bytes were pushed.
func (o *Opener) End() error {
	if o.err == nil && !o.ended {
		o.ended = true
		o.err = o.end()
	}
	return o.err
}

func (o *Opener) end() error {
	if o.stream == nil {
		return fmt.Errorf("%w: cut within the header", ErrDamaged)
	}
	if err := o.chunk(o.in, true); err != nil {
		return err
	}
	o.in = nil
	return nil
}

// Next returns the next bytes of the plain stream, a frame at most: none if more has to be pushed for it, and io.EOF when the
// whole content was found to be as it has to be.
func (o *Opener) Next() ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	p, err := o.step()
	if err != nil && err != io.EOF {
		o.err = err
	}
	return p, err
}

func (o *Opener) step() ([]byte, error) {
	if o.pos < o.layout.size {
		if p, err := o.frame(); p != nil || err != nil {
			return p, err
		}
	} else if err := o.checkTail(); err != nil {
		return nil, err
	}
	switch {
	case o.done && o.ended && o.size != 0 && o.size != o.total:
		return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrDamaged, o.total, o.size)
	case o.done && o.ended:
		return nil, io.EOF
	case o.ended:
		return nil, fmt.Errorf("%w: content ends too early", ErrHostile)
	}
	return nil, nil
}

// frame opens the next frame, if it is there.
func (o *Opener) frame() ([]byte, error) {
	plain := min(FrameSize, o.layout.size-o.pos)
	n, err := frameLen(o.opened[o.used:], plain)
	if n == 0 || err != nil {
		return nil, err
	}
	p, err := o.dec.frame(o.opened[o.used:o.used+int(n)], plain)
	if err != nil {
		return nil, err
	}
	if err := o.check(p, o.pos); err != nil {
		return nil, err
	}
	o.used += int(n)
	o.pos += plain
	o.sizes = append(o.sizes, uint32(n))
	return p, nil
}

// check compares what the manifest determines of the plain stream with p, which is its bytes from pos on.
func (o *Opener) check(p []byte, pos int64) error {
	for seg := range o.layout.segments(pos, pos+int64(len(p))) {
		if seg.entry >= 0 {
			continue
		}
		got := p[seg.from-pos : seg.to-pos]
		if seg.fixed != nil && !bytes.Equal(got, seg.fixed) || seg.fixed == nil && !allZero(got) {
			return fmt.Errorf("%w: tar differs from the manifest at %d", ErrHostile, seg.from)
		}
	}
	return nil
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// checkTail compares what has been opened after the frames.
func (o *Opener) checkTail() error {
	if o.tail == nil {
		o.tail = contentTail(o.sizes, o.layout.size)
	}
	got := o.opened[o.used:]
	if int64(len(got)) > o.tail.size()-o.seen {
		return fmt.Errorf("%w: bytes after the seek table", ErrHostile)
	}
	want := make([]byte, min(FrameSize, len(got)))
	for len(got) > 0 {
		n := min(len(want), len(got))
		o.tail.read(want[:n], o.seen)
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("%w: padding or seek table", ErrHostile)
		}
		got = got[n:]
		o.seen += int64(n)
	}
	o.opened, o.used = o.opened[:0], 0
	o.done = o.seen == o.tail.size()
	return nil
}
