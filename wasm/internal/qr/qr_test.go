package qr_test

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/sealpost/sealpost/wasm/internal/qr"
)

const quiet = 4

// draw makes a picture of a code, each module of some pixels.
func draw(size int, modules []byte, scale int) image.Image {
	side := (size + 2*quiet) * scale
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for i, dark := range modules {
		for n := range scale * scale {
			if dark == 1 {
				picture.SetGray((quiet+i%size)*scale+n%scale, (quiet+i/size)*scale+n/scale, color.Gray{})
			}
		}
	}
	return picture
}

// Another implementation reads what was written, at the lengths where something changes.
func TestEncode(t *testing.T) {
	const link = "https://post.example/d/9fK2mQ7xLr0aVb3T#EAZ8abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-_01"
	for _, text := range []string{"", "7", "A", link, "https://grüße.example/d/x#y", "SEALPOST 1", "0123456789",
		link + strings.Repeat("x", 199-len(link)), link + strings.Repeat("x", 200-len(link)), link + strings.Repeat("x", 1000)} {
		size, modules, err := qr.Encode(text)
		if err != nil {
			t.Errorf("%d bytes: %v", len(text), err)
			continue
		}
		if len(modules) != size*size || size < 21 || size%4 != 1 {
			t.Errorf("%d bytes: %d modules of %d squared", len(text), len(modules), size)
			continue
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(draw(size, modules, 4))
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if text == "" && err != nil {
			continue // there is nothing to be read
		}
		if err != nil || read.GetText() != text {
			t.Errorf("%d bytes: %v, %v", len(text), read, err)
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, _, err := qr.Encode(strings.Repeat("x", 2953)); err != nil {
		t.Error(err)
	}
	if _, _, err := qr.Encode(strings.Repeat("x", 2954)); !errors.Is(err, qr.ErrTooLong) {
		t.Error(err)
	}
}
