package store

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Hash is a SHA-256.
type Hash = [32]byte

// Key names an object in Blobs: part N of a share, with this digest. Part 0 is the manifest.
type Key struct {
	Share  string
	N      int64
	Digest Hash
}

// Name is what object stores call it: SHARE/N-DIGEST, the digest in hexadecimal.
func (k Key) Name() string {
	return k.Share + "/" + strconv.FormatInt(k.N, 10) + "-" + hex.EncodeToString(k.Digest[:])
}

// ParseKey is the inverse of Name. Any other spelling is not one of our objects.
func ParseKey(name string) (k Key, ok bool) {
	share, rest, _ := strings.Cut(name, "/")
	n, digest, _ := strings.Cut(rest, "-")
	k.Share = share
	var err error
	if k.N, err = strconv.ParseInt(n, 10, 64); err != nil || k.N < 0 || !ValidID(share) {
		return k, false
	}
	b, err := hex.DecodeString(digest)
	if err != nil || len(b) != len(k.Digest) {
		return k, false
	}
	k.Digest = Hash(b)
	return k, k.Name() == name
}

// ValidID tells whether a share's id may be part of a name: 3 to 128 characters of base64url, which mean nothing else to any store.
func ValidID(id string) bool {
	if len(id) < 3 || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
