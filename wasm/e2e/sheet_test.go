package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"
)

// sheet is a contact sheet: small pictures in rows, each below its caption.
type sheet struct {
	tile     int // width of a picture on it
	captions []image.Image
	pictures []image.Image
}

const (
	sheetWidth = 2000
	sheetGap   = 20
)

func (s *sheet) add(caption, picture image.Image) {
	s.captions = append(s.captions, caption)
	s.pictures = append(s.pictures, shrink(picture, s.tile))
}

// png lays the sheet out.
func (s *sheet) png(t *testing.T) []byte {
	t.Helper()
	columns := max(1, (sheetWidth-sheetGap)/(s.tile+sheetGap))
	head := s.captions[0].Bounds().Dy()
	whole := image.NewRGBA(image.Rect(0, 0, columns*(s.tile+sheetGap)+sheetGap, s.height(columns, head)))
	draw.Draw(whole, whole.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	for y, i := sheetGap, 0; i < len(s.pictures); i += columns {
		row := s.pictures[i:min(i+columns, len(s.pictures))]
		for k, p := range row {
			x := sheetGap + k*(s.tile+sheetGap)
			draw.Draw(whole, image.Rect(x, y, x+s.tile, y+head), s.captions[i+k], image.Point{}, draw.Src)
			frame := image.Rect(x-1, y+head-1, x+s.tile+1, y+head+p.Bounds().Dy()+1)
			draw.Draw(whole, frame, image.NewUniform(color.Gray{0xaa}), image.Point{}, draw.Src)
			draw.Draw(whole, frame.Inset(1), p, image.Point{}, draw.Src)
		}
		y += head + tallest(row) + sheetGap
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, whole))
	return b.Bytes()
}

func (s *sheet) height(columns, head int) int {
	h := sheetGap
	for i := 0; i < len(s.pictures); i += columns {
		h += head + tallest(s.pictures[i:min(i+columns, len(s.pictures))]) + sheetGap
	}
	return h
}

func tallest(row []image.Image) (h int) {
	for _, p := range row {
		h = max(h, p.Bounds().Dy())
	}
	return h
}

// shrink scales a picture down to a width: each pixel is the mean of those it stands for.
func shrink(from image.Image, width int) image.Image {
	src := image.NewRGBA(from.Bounds())
	draw.Draw(src, src.Bounds(), from, from.Bounds().Min, draw.Src)
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	to := image.NewRGBA(image.Rect(0, 0, width, max(1, h*width/w)))
	for y := range to.Bounds().Dy() {
		for x := range width {
			var sum [4]int
			y0, y1, x0, x1 := y*w/width, max((y+1)*w/width, y*w/width+1), x*w/width, max((x+1)*w/width, x*w/width+1)
			y1 = min(y1, h)
			n := max(1, (y1-y0)*(x1-x0))
			for sy := y0; sy < y1; sy++ {
				for i := src.PixOffset(x0, sy); i < src.PixOffset(x0, sy)+4*(x1-x0); i++ {
					sum[i%4] += int(src.Pix[i])
				}
			}
			for i, v := range sum {
				to.Pix[to.PixOffset(x, y)+i] = byte(v / n)
			}
		}
	}
	return to
}
