package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// PrefixSize is the size of what precedes the first chunk: age's header with one X25519 stanza, and the payload nonce.
	PrefixSize = headerSize + nonceSize

	// ChunkSize is the plaintext in each chunk but the last, sealedChunk the same with its tag.
	ChunkSize   = 64 << 10
	sealedChunk = ChunkSize + chacha20poly1305.Overhead

	headerSize = 168
	nonceSize  = 16
)

// SealedSize is the size of an age file that holds n bytes.
func SealedSize(n int64) int64 { return PrefixSize + n + chunks(n)*chacha20poly1305.Overhead }

// openedSize is the inverse of SealedSize; false if there is no such file.
func openedSize(sealed int64) (int64, bool) {
	body := sealed - PrefixSize
	if body < chacha20poly1305.Overhead {
		return 0, false
	}
	n := body - (body+sealedChunk-1)/sealedChunk*chacha20poly1305.Overhead
	return n, n >= 0 && SealedSize(n) == sealed
}

// chunks is the number of chunks for n bytes: at least one.
func chunks(n int64) int64 { return max(1, (n+ChunkSize-1)/ChunkSize) }

// A Cipher seals and opens the chunks of one age file, in any order. It is safe for concurrent use.
//
// Sealing an index twice with other bytes breaks ChaCha20-Poly1305 for both: it reuses the keystream and the key of the
// authenticator. So whoever seals does it from bytes that cannot have changed in between, or with a new key.
type Cipher struct{ aead cipher.AEAD }

// NewCipher takes the payload key of the file.
func NewCipher(key []byte) (*Cipher, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, fmt.Errorf("failed to use payload key: %w", err)
	}
	return &Cipher{aead}, nil
}

// Seal appends the sealed chunks of plain, of which the first has index i, to dst. last says that they end with the last of the
// file; else they have to be whole.
func (c *Cipher) Seal(dst, plain []byte, i int64, last bool) []byte {
	for ; len(plain) > ChunkSize; i++ {
		dst = c.seal(dst, plain[:ChunkSize], i, false)
		plain = plain[ChunkSize:]
	}
	if len(plain) == 0 && !last {
		return dst
	}
	return c.seal(dst, plain, i, last)
}

// Open is the inverse of Seal.
func (c *Cipher) Open(dst, sealed []byte, i int64, last bool) (_ []byte, err error) {
	for ; len(sealed) > sealedChunk; i++ {
		if dst, err = c.open(dst, sealed[:sealedChunk], i, false); err != nil {
			return nil, err
		}
		sealed = sealed[sealedChunk:]
	}
	return c.open(dst, sealed, i, last)
}

// A stream is an age file: what precedes the chunks, and their key.
type stream struct {
	*Cipher
	prefix []byte
	key    []byte
}

// newStream makes the stream of a new age file for the recipient that belongs to id.
func newStream(id *age.X25519Identity) (*stream, error) {
	var b bytes.Buffer
	// Encrypt writes header and nonce at once. The writer is dropped without Write or Close, so that age itself seals no chunk.
	if _, err := age.Encrypt(&b, id.Recipient()); err != nil {
		return nil, fmt.Errorf("failed to make age header: %w", err)
	}
	return openStream(b.Bytes(), id)
}

// openStream makes the stream of the age file that begins with prefix.
func openStream(prefix []byte, id age.Identity) (*stream, error) {
	if len(prefix) != PrefixSize {
		return nil, fmt.Errorf("%w: no room for an age header", ErrDamaged)
	}
	prefix = bytes.Clone(prefix)
	header, err := age.ExtractHeader(bytes.NewReader(prefix))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	if len(header) != headerSize {
		return nil, fmt.Errorf("%w: age header of %d bytes", ErrHostile, len(header))
	}
	fileKey, err := age.DecryptHeader(header, id)
	if err != nil {
		if _, ok := err.(*age.NoIdentityMatchError); ok {
			return nil, ErrWrongKey
		}
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	key, err := hkdf.Key(sha256.New, fileKey, prefix[headerSize:], "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("failed to derive payload key: %w", err)
	}
	c, err := NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &stream{Cipher: c, prefix: prefix, key: key}, nil
}

// binding is what a manifest says of its content: the SHA-256 of header and nonce.
func (s *stream) binding() [sha256.Size]byte { return sha256.Sum256(s.prefix) }

// seal appends the sealed chunk i to dst.
func (c *Cipher) seal(dst, plain []byte, i int64, last bool) []byte {
	if i < 0 || len(plain) > ChunkSize || !last && len(plain) < ChunkSize || i > 0 && len(plain) == 0 {
		panic(fmt.Sprintf("seal: chunk %d of %d bytes, last: %v", i, len(plain), last))
	}
	nonce := chunkNonce(i, last)
	return c.aead.Seal(dst, nonce[:], plain, nil)
}

// open appends the opened chunk i to dst.
func (c *Cipher) open(dst, sealed []byte, i int64, last bool) ([]byte, error) {
	n := len(sealed) - chacha20poly1305.Overhead
	if n < 0 || n > ChunkSize || !last && n < ChunkSize || i > 0 && n == 0 {
		return dst, fmt.Errorf("%w: chunk %d of %d bytes", ErrDamaged, i, n)
	}
	nonce := chunkNonce(i, last)
	out, err := c.aead.Open(dst, nonce[:], sealed, nil)
	if err != nil {
		return dst, fmt.Errorf("%w: chunk %d", ErrDamaged, i)
	}
	return out, nil
}

// chunkNonce is age's: the index as 11 bytes, big endian, and whether the chunk is the last.
func chunkNonce(i int64, last bool) (nonce [chacha20poly1305.NonceSize]byte) {
	binary.BigEndian.PutUint64(nonce[3:11], uint64(i))
	if last {
		nonce[11] = 1
	}
	return nonce
}

// sealAll is the whole age file of plain.
func (s *stream) sealAll(plain []byte) []byte {
	return s.Seal(append(make([]byte, 0, SealedSize(int64(len(plain)))), s.prefix...), plain, 0, true)
}

// openAll is the inverse of sealAll.
func (s *stream) openAll(sealed []byte) ([]byte, error) {
	size, ok := openedSize(int64(len(sealed)))
	if !ok {
		return nil, fmt.Errorf("%w: no age file has %d bytes", ErrDamaged, len(sealed))
	}
	return s.Open(make([]byte, 0, size), sealed[PrefixSize:], 0, true)
}
