package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/sealpost/sealpost/server/api"
)

// bodies are the bytes of all parts of a run. A part is a piece of one noise, so that making and checking it costs little, behind a
// head that no other part has.
type bodies struct {
	seed  uint64
	noise []byte
}

const (
	noiseStarts = 64 << 10 // pieces begin at that many places
	minPart     = len(api.AgeMagic) + 3*8
)

// newBodies makes parts of up to maxPart bytes, the same ones for the same seed.
func newBodies(seed uint64, maxPart int64) *bodies {
	b := &bodies{seed: seed, noise: make([]byte, maxPart+noiseStarts)}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	rand.NewChaCha8(key).Read(b.noise)
	return b
}

// part returns the bytes of part n, the manifest being 0, of a share.
func (b *bodies) part(share, n, size int64) body {
	var id []byte
	for _, v := range []uint64{b.seed, uint64(share), uint64(n)} {
		id = binary.BigEndian.AppendUint64(id, v)
	}
	mixed := sha256.Sum256(id)
	start := int64(binary.BigEndian.Uint64(mixed[:]) % noiseStarts)
	head := append([]byte(api.AgeMagic), id...)
	if n > 1 {
		head = id
	}
	head = head[:min(size, int64(len(head)))] // of a last part that is very short
	return body{head, b.noise[start : start+size-int64(len(head))]}
}

// A body is its two pieces.
type body [2][]byte

func (b body) size() int64 { return int64(len(b[0]) + len(b[1])) }

func (b body) reader() io.Reader { return io.MultiReader(bytes.NewReader(b[0]), bytes.NewReader(b[1])) }

func (b body) digest() [sha256.Size]byte {
	h := sha256.New()
	h.Write(b[0])
	h.Write(b[1])
	return [sha256.Size]byte(h.Sum(nil))
}

// errWrongBytes says that what arrived is not what was sent.
var errWrongBytes = errors.New("wrong bytes")

// check reads r through buf and compares it with b to the last byte. It returns how many bytes were right. An error that is
// not errWrongBytes is that of reading.
func (b body) check(r io.Reader, buf []byte) (right int64, err error) {
	want := pieces{b[0], b[1]}
	for {
		n, err := r.Read(buf)
		if !want.take(buf[:n]) {
			return right, fmt.Errorf("%w within %d bytes after %d", errWrongBytes, n, right)
		}
		right += int64(n)
		switch {
		case err == io.EOF && right < b.size():
			return right, fmt.Errorf("%w: %d of %d", io.ErrUnexpectedEOF, right, b.size())
		case err == io.EOF:
			return right, nil
		case err != nil:
			return right, err
		}
	}
}

// pieces are what is still expected to come.
type pieces [][]byte

// take tells whether got comes next.
func (w *pieces) take(got []byte) bool {
	for len(got) > 0 {
		if len(*w) == 0 {
			return false
		}
		next := (*w)[0]
		n := min(len(next), len(got))
		if !bytes.Equal(next[:n], got[:n]) {
			return false
		}
		got = got[n:]
		if (*w)[0] = next[n:]; n == len(next) {
			*w = (*w)[1:]
		}
	}
	return true
}
