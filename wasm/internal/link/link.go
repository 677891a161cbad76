// Package link is the key of a share: the fragment of its link, and everything that is derived from it.
//
//	https://HOST/d/{id}#{fragment}
//
// The fragment is 44 characters of unpadded base64url: 33 bytes, a head and a secret. The high nibble of the head is the
// version (1), the low nibble holds flags: 0x1 means that a password is needed, the others are reserved and refused. The
// secret is 32 random bytes. A fragment has one spelling; whatever else decodes to the same bytes is refused.
//
// All derivations are HKDF with SHA-256. Expand(prk, name, n) is HKDF-Expand with the info "sealpost/v1 " ‖ name ‖ head, so that
// a link whose head was changed opens nothing.
//
//	link     = HKDF-Extract(salt "sealpost/v1", secret)
//	root     = link                                                                without a password
//	root     = HKDF-Extract(salt Argon2id(password, Expand(link, "argon2id salt", 16)), secret)   with one
//	access   = Expand(link, "access", 32)      token: proves the link
//	reader   = Expand(root, "reader", 32)      token: proves link and password
//	identity = Expand(root, "identity", 32)    an age X25519 identity, in Bech32 "AGE-SECRET-KEY-1…"
//
// Argon2id takes the password in Unicode normalisation form C as UTF-8, 64 MiB, three passes, one lane, and gives 32 bytes. The
// password is part of the key and not a gate before it: without it there is no identity, whoever holds the ciphertext.
//
// A server is given the SHA-256 of access and of reader when a share is made, and access ‖ reader by those who read it. It
// sees neither secret nor identity, nor can it derive them from what it sees. With a password, somebody who holds the
// link *and* the server's records can try passwords, each at the price of one Argon2id.
package link

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

var (
	// ErrSyntax says that a string is not the fragment of a link.
	ErrSyntax = errors.New("not the key of a link")
	// ErrVersion says that a link was made by a version of Sealpost that this one does not know.
	ErrVersion = errors.New("link of an unknown version")
	// ErrPassword says that a password is needed.
	ErrPassword = errors.New("the link needs a password")
)

// FragmentSize is the number of characters of a fragment.
const FragmentSize = 44

const (
	context      = "sealpost/v1"
	version      = 0x10
	versionMask  = 0xf0
	flagPassword = 0x01

	argonPasses = 3
	argonMemory = 64 << 10 // KiB
	argonLanes  = 1
)

// encoding refuses line breaks, padding and non-zero trailing bits.
var encoding = base64.RawURLEncoding.Strict()

// A Link is what a fragment spells.
type Link struct {
	head   byte
	secret [32]byte
}

// New makes a random link. password says whether one is needed to open it.
func New(password bool) Link {
	l := Link{head: version}
	if password {
		l.head |= flagPassword
	}
	rand.Read(l.secret[:])
	return l
}

// Parse reads a fragment, without the "#".
func Parse(fragment string) (Link, error) {
	var l Link
	if len(fragment) != FragmentSize {
		return l, ErrSyntax
	}
	b, err := encoding.DecodeString(fragment)
	if err != nil || len(b) != 1+len(l.secret) || encoding.EncodeToString(b) != fragment {
		return l, ErrSyntax
	}
	l.head = b[0]
	copy(l.secret[:], b[1:])
	if l.head&versionMask != version || l.head&^versionMask&^flagPassword != 0 {
		return Link{}, ErrVersion
	}
	return l, nil
}

// String returns the fragment.
func (l Link) String() string {
	return encoding.EncodeToString(append([]byte{l.head}, l.secret[:]...))
}

// NeedsPassword says whether a password is part of the key.
func (l Link) NeedsPassword() bool { return l.head&flagPassword != 0 }

// Access is the token that proves the link.
func (l Link) Access() Token { return Token(l.expand(l.extract(context), "access", len(Token{}))) }

// Keys is what a link gives together with its password, if it needs one.
type Keys struct {
	Access   Token
	Reader   Token
	Identity string // AGE-SECRET-KEY-1…
}

// Unlock derives the keys. The password is ignored where none is needed. A wrong password gives other keys: neither
// this function nor anyone without the server or the ciphertext can tell.
func (l Link) Unlock(password string) (*Keys, error) {
	root := l.extract(context)
	if l.NeedsPassword() {
		if password == "" {
			return nil, ErrPassword
		}
		if !utf8.ValidString(password) {
			return nil, fmt.Errorf("failed to read password: %w", errors.New("not UTF-8"))
		}
		salt := l.expand(root, "argon2id salt", 16)
		stretched := argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, argonPasses, argonMemory, argonLanes, 32)
		root = l.extract(string(stretched))
	}
	return &Keys{
		Access:   l.Access(),
		Reader:   Token(l.expand(root, "reader", len(Token{}))),
		Identity: encodeIdentity(l.expand(root, "identity", 32)),
	}, nil
}

// Bearer is what a reader presents to the server: access ‖ reader in base64url.
func (k *Keys) Bearer() string {
	return encoding.EncodeToString(append(k.Access[:len(k.Access):len(k.Access)], k.Reader[:]...))
}

func (l Link) extract(salt string) []byte {
	prk, err := hkdf.Extract(sha256.New, l.secret[:], []byte(salt))
	if err != nil {
		panic("link: " + err.Error()) // only FIPS 140 mode refuses keys, and these are long enough for it
	}
	return prk
}

func (l Link) expand(prk []byte, name string, size int) []byte {
	key, err := hkdf.Expand(sha256.New, prk, context+" "+name+string([]byte{l.head}), size)
	if err != nil {
		panic("link: " + err.Error()) // as above; size is far below HKDF's limit
	}
	return key
}

// A Token is a bearer token: access, reader, or 32 random bytes of an owner or of one download.
type Token [32]byte

// NewToken makes a random token.
func NewToken() Token {
	var t Token
	rand.Read(t[:])
	return t
}

// String is the token in base64url, 43 characters.
func (t Token) String() string { return encoding.EncodeToString(t[:]) }

// Hash is what a server stores of the token: its SHA-256 in base64url, 43 characters.
func (t Token) Hash() string {
	h := sha256.Sum256(t[:])
	return encoding.EncodeToString(h[:])
}
