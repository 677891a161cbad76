package e2e

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// picture is a PNG that is none of the simplest: a gradient with a hole.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.NRGBA{uint8(255 * x / width), uint8(255 * y / height), 90, uint8(255 - 200*(x/32+y/32)%2)})
		}
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, m))
	return b.Bytes()
}

// claimedPNG says that it has so many pixels, all black, of one bit each, and has them if it is told to.
func claimedPNG(t *testing.T, width, height int, has bool, more ...[]byte) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint32(nil, uint32(width))
	head = append(binary.BigEndian.AppendUint32(head, uint32(height)), 1, 0, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", head)...)
	for _, chunk := range more {
		b = append(b, chunk...)
	}
	pixels := 1
	if has {
		pixels = height * (1 + (width+7)/8)
	}
	b = append(b, pngChunk("IDAT", deflated(t, pixels))...)
	return append(b, pngChunk("IEND", nil)...)
}

func pngChunk(kind string, data []byte) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind...)
	b = append(b, data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// deflated is n zeros in few bytes.
func deflated(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for zeros := make([]byte, 1<<20); n > 0; n -= len(zeros) {
		_, err := w.Write(zeros[:min(n, len(zeros))])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// pdf is a document of one page that says hello, with more in its catalog and in objects of their own, which are counted from 6.
func pdf(catalog string, objects ...string) []byte {
	words := "BT /F1 48 Tf 72 700 Td (Hello from a PDF) Tj ET"
	all := append([]string{
		"<< /Type /Catalog /Pages 2 0 R " + catalog + " >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [" + annotations(objects) + "] >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(words), words),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}, objects...)
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, object := range all {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(all)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(all)+1, xref)
	return b.Bytes()
}

// annotations are those of the objects that are to be on the page.
func annotations(objects []string) string {
	var list []string
	for i, object := range objects {
		if strings.Contains(object, "/Annot") {
			list = append(list, fmt.Sprintf("%d 0 R", i+6))
		}
	}
	return strings.Join(list, " ")
}
