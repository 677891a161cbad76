// Package backup seals what a person carries from one browser to another, such as the list of their shares, under a passphrase.
//
// It is a binary age file with a single scrypt stanza, and what is in it is in there as it is, so the stock tool opens it:
//
//	age -d sealpost-links.age
//
// The work factor is age's own, 2^18: about a second on a computer and some more in a browser, and 256 MiB of memory, each time that
// somebody tries a passphrase. That is also the most that is done to open a file. A file says by itself how much work it takes, so
// without a limit it could keep a device busy for hours; and what age -p makes takes no more.
//
// Memory that WebAssembly has once taken is never given back, so whoever calls this in a browser had better do it in an instance that
// is thrown away after (static/worker/backup.js).
//
// A passphrase protects as far as it cannot be guessed. There is nothing that slows down those who have the file, but the work.
package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"filippo.io/age"
)

// What callers branch on.
var (
	ErrFormat     = errors.New("not an age file that is sealed with a passphrase")
	ErrPassphrase = errors.New("sealed with another passphrase")
	ErrCostly     = errors.New("opening it would take more work than allowed")
	ErrDamaged    = errors.New("changed or cut")
	ErrTooLarge   = errors.New("too large")
)

const (
	// WorkFactor is the binary logarithm of scrypt's N, of what is sealed and at most of what is opened.
	WorkFactor = 18
	// MaxSize is how many bytes a sealed file may have: tens of thousands of links.
	MaxSize = 16 << 20

	overhead = 64 << 10 // more than age adds to MaxSize bytes
)

// Seal seals bytes under a passphrase, which must not be empty.
func Seal(passphrase string, plain []byte) ([]byte, error) {
	if len(plain) > MaxSize-overhead {
		return nil, ErrTooLarge
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("failed to take passphrase: %w", err)
	}
	recipient.SetWorkFactor(WorkFactor)
	var file bytes.Buffer
	w, err := age.Encrypt(&file, recipient)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("failed to seal: %w", err)
	}
	return file.Bytes(), nil
}

// Open opens what Seal or age -p made. Whoever made the file is not trusted: it takes no more memory and time than Seal does.
func Open(passphrase string, file []byte) ([]byte, error) {
	if len(file) > MaxSize {
		return nil, ErrTooLarge
	}
	scrypt, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("failed to take passphrase: %w", err)
	}
	scrypt.SetMaxWorkFactor(WorkFactor)
	id := &identity{scrypt: scrypt}
	r, err := age.Decrypt(bytes.NewReader(file), id)
	switch {
	case err == nil:
	case id.err != nil:
		return nil, id.err
	case !id.asked:
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	default:
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return plain, nil
}

// identity is a passphrase that tells what is wrong with a header.
type identity struct {
	scrypt *age.ScryptIdentity
	asked  bool
	err    error
}

// Unwrap implements [age.Identity].
func (id *identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	id.asked = true
	key, err := id.unwrap(stanzas)
	id.err = err
	return key, err
}

func (id *identity) unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" || len(stanzas[0].Args) != 2 {
		return nil, ErrFormat
	}
	if n, err := strconv.Atoi(stanzas[0].Args[1]); err != nil || n > WorkFactor {
		return nil, ErrCostly // also where the number is too large to be read
	}
	key, err := id.scrypt.Unwrap(stanzas)
	switch {
	case errors.Is(err, age.ErrIncorrectIdentity):
		return nil, ErrPassphrase
	case err != nil:
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return key, nil
}
