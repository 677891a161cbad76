package seal

import (
	"os"
	"testing"
)

// What the benchmarks count is plain bytes, however many sealed or compressed ones these are. The benchmark of the
// browsers, package wasm/e2e/bench, runs them there.

// frameSet is 16 frames of each kind of input: noise, and text from the file that SEALPOST_CORPUS names, or something like
// it.
func frameSet(b *testing.B, kind string) (set [][]byte) {
	b.Helper()
	const size = 16 * FrameSize
	data := noise(size)
	if kind == "text" {
		data = mixed(size)
		if name := os.Getenv("SEALPOST_CORPUS"); name != "" {
			var err error
			data, err = os.ReadFile(name)
			must(b, err)
		}
	}
	for len(data) >= FrameSize {
		set = append(set, data[:FrameSize])
		data = data[FrameSize:]
	}
	if len(set) == 0 {
		b.Fatal("the corpus has less than a frame")
	}
	return set
}

func eachKind(b *testing.B, f func(b *testing.B, set [][]byte)) {
	for _, kind := range []string{"random", "text"} {
		b.Run(kind, func(b *testing.B) {
			b.SetBytes(FrameSize)
			f(b, frameSet(b, kind))
		})
	}
}

func BenchmarkCompress(b *testing.B) {
	eachKind(b, func(b *testing.B, set [][]byte) {
		c, err := NewCompressor()
		must(b, err)
		var buf []byte
		in, out := 0, 0
		for i := 0; b.Loop(); i++ {
			plain := set[i%len(set)]
			buf, err = c.Frame(buf[:0], plain)
			must(b, err)
			in += len(plain)
			out += len(buf)
		}
		b.ReportMetric(float64(in)/float64(out), "ratio")
	})
}

func BenchmarkDecompress(b *testing.B) {
	eachKind(b, func(b *testing.B, set [][]byte) {
		c, err := NewCompressor()
		must(b, err)
		for i, plain := range set {
			set[i], err = c.Frame(nil, plain)
			must(b, err)
		}
		d, err := NewDecompressor()
		must(b, err)
		defer d.Close()
		buf := make([]byte, FrameSize)
		for i := 0; b.Loop(); i++ {
			_, err := d.Frame(buf, set[i%len(set)], FrameSize)
			must(b, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s, err := newStream(newIdentity(b))
	must(b, err)
	plain, buf := noise(FrameSize), []byte(nil)
	b.SetBytes(FrameSize)
	for next := int64(0); b.Loop(); next += FrameSize / ChunkSize {
		buf = s.Seal(buf[:0], plain, next, false)
	}
}

func BenchmarkOpen(b *testing.B) {
	s, err := newStream(newIdentity(b))
	must(b, err)
	sealed, buf := s.sealAll(noise(FrameSize))[PrefixSize:], []byte(nil)
	b.SetBytes(FrameSize)
	for b.Loop() {
		buf, err = s.Open(buf[:0], sealed, 0, true)
		must(b, err)
	}
}
