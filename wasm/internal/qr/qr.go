// Package qr makes the QR code of a link, so that a camera takes it over.
//
// It is made here, and not by a service, because whoever sees the code has the link: its key, too. The code itself is the work of
// github.com/boombuler/barcode, which needs nothing but the standard library.
package qr

import (
	"errors"
	"fmt"
	"image/color"

	"github.com/boombuler/barcode/qr"
)

// ErrTooLong says that no code holds so much.
var ErrTooLong = errors.New("too long for a QR code")

// long is the number of bytes from which on less is added for what a camera may not see: modules that are too small cost more.
const long = 200

// Encode returns the code of a text: size modules on each side, row by row, 1 for a dark one. The quiet zone of 4 around it is
// left to whoever draws it.
func Encode(text string) (size int, modules []byte, err error) {
	level := qr.M
	if len(text) >= long {
		level = qr.L
	}
	code, err := qr.Encode(text, level, qr.Unicode)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %d bytes", ErrTooLong, len(text))
	}
	size = code.Bounds().Dx()
	for y := range size {
		for x := range size {
			dark := byte(0)
			if code.At(x, y) == color.Black {
				dark = 1
			}
			modules = append(modules, dark)
		}
	}
	return size, modules, nil
}
