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
		c, err := newCompressor()
		must(b, err)
		var buf []byte
		in, out := 0, 0
		for i := 0; b.Loop(); i++ {
			plain := set[i%len(set)]
			buf, err = c.frame(buf[:0], plain)
			must(b, err)
			in += len(plain)
			out += len(buf)
		}
		b.ReportMetric(float64(in)/float64(out), "ratio")
	})
}

func BenchmarkDecompress(b *testing.B) {
	eachKind(b, func(b *testing.B, set [][]byte) {
		c, err := newCompressor()
		must(b, err)
		for i, plain := range set {
			set[i], err = c.frame(nil, plain)
			must(b, err)
		}
		d, err := newDecompressor(FrameSize)
		must(b, err)
		defer d.close()
		for i := 0; b.Loop(); i++ {
			_, err := d.frame(set[i%len(set)], FrameSize)
			must(b, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s, err := newStream(newIdentity(b))
	must(b, err)
	plain, buf := noise(FrameSize), []byte(nil)
	b.SetBytes(FrameSize)
	for next := int64(0); b.Loop(); {
		buf = buf[:0]
		for at := 0; at < FrameSize; at += ChunkSize {
			buf = s.seal(buf, plain[at:at+ChunkSize], next, false)
			next++
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s, err := newStream(newIdentity(b))
	must(b, err)
	sealed, buf := s.sealAll(noise(FrameSize))[PrefixSize:], []byte(nil)
	b.SetBytes(FrameSize)
	for b.Loop() {
		buf = buf[:0]
		for i, rest := int64(0), sealed; len(rest) > 0; i++ {
			n := min(sealedChunk, len(rest))
			buf, err = s.open(buf, rest[:n], i, n == len(rest))
			must(b, err)
			rest = rest[n:]
		}
	}
}
