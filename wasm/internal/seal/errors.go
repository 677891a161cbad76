package seal

import "errors"

// What callers branch on. Opening fails with one of the first four, whatever the ciphertext.
var (
	ErrWrongKey = errors.New("not sealed to this key")
	ErrDamaged  = errors.New("damaged: changed, cut or mixed up")      // not what was sealed
	ErrHostile  = errors.New("hostile: sealed, but against the rules") // just what was sealed
	ErrVersion  = errors.New("made by an unknown version")

	ErrMismatch = errors.New("not what was begun to be sealed")
	ErrName     = errors.New("name not allowed")
	ErrTooLarge = errors.New("over the limits of a share")
	ErrMisuse   = errors.New("engine used out of order")
)
