package seal

import (
	"bytes"
	"fmt"

	"filippo.io/age"
)

// An Opener opens a share's manifest and plans how its content is opened, front to back or at random (random.go). It has the key
// and knows what comes where; of the content it sees no more than it has to check.
//
//	sealed bytes → runs of chunks, each opened by itself → frames, each decompressed by itself → in order, the plain stream
//
// Front to back: Bind takes what precedes the chunks; Arrived and End tell what is there; Run tells what to open next (Cipher). Walk
// takes what was opened, in order; Frames tells what frames that are, to be decompressed (Decompressor). Check takes what came of
// them. Nothing is complete before Finish says so.
//
// This needs neither the size nor the seek table: the manifest tells how many frames there are and how large each is, frames
// tell their own end, and all that follows is then known and only compared. So it can follow an upload that is still running.
//
// An Opener is not safe for concurrent use.
type Opener struct {
	id       *age.X25519Identity
	manifest *Manifest
	layout   *layout
	size     int64 // of the sealed content as the server tells it, 0 if not known
	stream   *stream

	total  int64 // sealed bytes that have arrived
	given  int64 // of them, those that Bind has taken or Run has told
	ended  bool
	last   bool   // Run has told of the last chunk
	due    int64  // opened bytes that Walk has still to see
	opened []byte // opened bytes that are not found to be frames or tail yet
	pos    int64  // in the plain stream, of the frames found
	passed int64  // plain bytes that Check has let pass
	sizes  []uint32
	tail   *tail
	seen   int64 // how much of it was compared
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
	return &Opener{id: id, manifest: m, layout: l}, nil
}

// Manifest is the opened manifest.
func (o *Opener) Manifest() *Manifest { return o.manifest }

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

// Bind accepts the header and the nonce of the content that the manifest names: the first PrefixSize bytes.
func (o *Opener) Bind(prefix []byte) error {
	if o.err == nil {
		o.err = o.bind(prefix)
		o.given = PrefixSize
	}
	return o.err
}

func (o *Opener) bind(prefix []byte) error {
	s := &stream{prefix: prefix}
	if s.binding() != o.manifest.Content {
		return fmt.Errorf("%w: another content than the manifest says", ErrDamaged)
	}
	s, err := openStream(prefix, o.id)
	o.stream = s
	return err
}

// Key is the payload key, for Ciphers. Bind or ReadTable comes before.
func (o *Opener) Key() []byte { return o.stream.key }

// Arrived tells how many sealed bytes are there, from the first on.
func (o *Opener) Arrived(total int64) { o.total = total }

// End tells that nothing will follow what has arrived.
func (o *Opener) End() error {
	switch {
	case o.err != nil:
	case o.stream == nil:
		o.err = fmt.Errorf("%w: cut within the header", ErrDamaged)
	case o.size != 0 && o.size != o.total:
		o.err = fmt.Errorf("%w: %d bytes instead of %d", ErrDamaged, o.total, o.size)
	}
	o.ended = true
	return o.err
}

// A Run is sealed chunks that follow each other.
type Run struct {
	From, To int64 // in the sealed content
	Chunk    int64 // index of the first
	Last     bool  // they end with the last of all
}

// opens is how many bytes the run holds.
func (r Run) opens() int64 {
	n := r.To - r.From
	return max(0, n-(n+sealedChunk-1)/sealedChunk*(sealedChunk-ChunkSize))
}

// Run tells which chunks to open next: as many as have arrived, but at most about most bytes. None if there is nothing more to
// open as yet.
func (o *Opener) Run(most int64) (Run, bool) {
	if o.err != nil || o.stream == nil || o.last {
		return Run{}, false
	}
	n := o.total - o.given
	if most = max(1, most/sealedChunk) * sealedChunk; !o.ended || n > most {
		n = min(n-1, most) / sealedChunk * sealedChunk // a chunk that may be the last is kept back
		if n <= 0 {
			return Run{}, false
		}
	} else {
		o.last = true
	}
	r := Run{From: o.given, To: o.given + n, Chunk: (o.given - PrefixSize) / sealedChunk, Last: o.last}
	o.given = r.To
	o.due += r.opens()
	return r, true
}

// Walk takes the next opened bytes, in the order of the runs.
func (o *Opener) Walk(opened []byte) error {
	if o.err == nil && int64(len(opened)) > o.due {
		o.err = fmt.Errorf("%w: walked over more than was opened", ErrMisuse)
	}
	if o.err == nil {
		o.due -= int64(len(opened))
		o.opened = append(o.opened, opened...)
	}
	return o.err
}

// A Frame is a data frame of the content.
type Frame struct{ Size, Plain int64 }

// Frames tells which frames come next in what was walked over, at most most of them: none if more has to come. Behind the
// last frame it checks what follows.
func (o *Opener) Frames(most int) (found []Frame, err error) {
	if o.err == nil {
		found, o.err = o.frames(most)
	}
	return found, o.err
}

func (o *Opener) frames(most int) (found []Frame, err error) {
	used := int64(0)
	for o.pos < o.layout.size && len(found) < most {
		plain := min(FrameSize, o.layout.size-o.pos)
		n, err := frameLen(o.opened[used:], plain)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		found = append(found, Frame{n, plain})
		o.sizes = append(o.sizes, uint32(n))
		o.pos += plain
		used += n
	}
	o.opened = o.opened[:copy(o.opened, o.opened[used:])]
	if o.pos == o.layout.size {
		err = o.checkTail()
	}
	return found, err
}

// checkTail compares what has been opened after the frames.
func (o *Opener) checkTail() error {
	if o.tail == nil {
		o.tail = contentTail(o.sizes, o.layout.size)
	}
	got := o.opened
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
	o.opened = o.opened[:0]
	return nil
}

// Check compares what the manifest determines of the plain stream with n bytes of it, from at on, which bytes returns if it
// is asked to: bytes of entries may be anything.
func (o *Opener) Check(at, n int64, bytes func() []byte) error {
	if o.err == nil {
		o.err = o.check(at, n, bytes)
		o.passed += n
	}
	return o.err
}

func (o *Opener) check(at, n int64, read func() []byte) error {
	var p []byte
	for seg := range o.layout.segments(at, at+n) {
		if seg.entry >= 0 {
			continue
		}
		if p == nil {
			p = read()
		}
		got := p[seg.from-at : seg.to-at]
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

// Finish returns nil if the whole content was there, in order, and found to be as it has to be.
func (o *Opener) Finish() error {
	switch {
	case o.err != nil:
	case !o.last || o.due > 0:
		o.err = fmt.Errorf("%w: finished before all was opened", ErrMisuse)
	case o.tail == nil || o.seen < o.tail.size():
		o.err = fmt.Errorf("%w: content ends too early", ErrHostile)
	case o.passed != o.layout.size:
		o.err = fmt.Errorf("%w: finished before all was checked", ErrMisuse)
	}
	return o.err
}
