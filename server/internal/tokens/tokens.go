// Package tokens is the file of upload tokens: a line for each, with its name, the SHA-256 of the token and the day it was made on.
//
//	# what begins like this is a comment
//	alice 9f0aQ4… 2026-11-30
//
// A token is 32 random bytes, written as unpadded base64url. Nobody can make one of its hash, so who reads the file can upload nothing.
// What can be learnt from it is the names, which are the operator's choice and are never told to anybody.
package tokens

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Size of a token, in bytes.
const Size = 32

// MaxTokens bounds a file, and with it what it takes to look for one.
const MaxTokens = 10_000

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

var encoding = base64.RawURLEncoding.Strict()

// Token is a line.
type Token struct {
	Name string
	Hash [sha256.Size]byte
	Made string // day, as 2006-01-02
}

// List is a file. The zero value has no tokens.
type List []Token

// Parse reads a file. Its errors name lines, and nothing of what is in them.
func Parse(file []byte) (List, error) {
	var l List
	n := 0
	for line := range bytes.Lines(file) {
		n++
		fields := strings.Fields(string(line))
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		t, err := parse(fields)
		if err == nil && l.Find(t.Name) >= 0 {
			err = errors.New("the name is there already")
		}
		if err == nil && len(l) == MaxTokens {
			err = fmt.Errorf("more than %d tokens", MaxTokens)
		}
		if err != nil {
			return nil, fmt.Errorf("failed to parse upload tokens: line %d: %w", n, err)
		}
		l = append(l, t)
	}
	return l, nil
}

func parse(fields []string) (Token, error) {
	if len(fields) != 3 {
		return Token{}, errors.New("want name, hash and day")
	}
	hash, err := encoding.DecodeString(fields[1])
	if err != nil || len(hash) != sha256.Size {
		return Token{}, errors.New("the hash is none")
	}
	if _, err := time.Parse(time.DateOnly, fields[2]); err != nil {
		return Token{}, errors.New("the day is none")
	}
	t := Token{Name: fields[0], Hash: [sha256.Size]byte(hash), Made: fields[2]}
	return t, CheckName(t.Name)
}

// CheckName returns what is wrong with a name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return errors.New("a name has 1 to 64 letters, digits, and . _ @ - after the first of them")
	}
	return nil
}

// Format is the inverse of Parse.
func (l List) Format() []byte {
	var b bytes.Buffer
	b.WriteString("# Upload tokens of sealpostd, hashed: name, SHA-256, day. To revoke one, delete its line.\n")
	for _, t := range l {
		fmt.Fprintf(&b, "%s %s %s\n", t.Name, encoding.EncodeToString(t.Hash[:]), t.Made)
	}
	return b.Bytes()
}

// Find returns where a name is, or -1.
func (l List) Find(name string) int {
	for i, t := range l {
		if t.Name == name {
			return i
		}
	}
	return -1
}

// Has tells whether a token of that hash is in the list. It takes the same time for each that is, and for those that are not.
func (l List) Has(hash [sha256.Size]byte) bool {
	found := 0
	for i := range l {
		found |= subtle.ConstantTimeCompare(l[i].Hash[:], hash[:])
	}
	return found == 1
}

// New returns a token with a name, as its line and as the text that its holder is given.
func New(name string, now time.Time) (Token, string, error) {
	if err := CheckName(name); err != nil {
		return Token{}, "", err
	}
	raw := make([]byte, Size)
	rand.Read(raw) // never fails
	return Token{Name: name, Hash: sha256.Sum256(raw), Made: now.UTC().Format(time.DateOnly)}, encoding.EncodeToString(raw), nil
}
