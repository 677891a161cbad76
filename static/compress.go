package static

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/andybalholm/brotli"
)

// brotliQuality makes texts of some kilobytes nearly as small as the best does, in a tenth of the time: servers wait for it
// when they start. The engine is compressed when it is built, by internal/precompress.
const brotliQuality = 5

// Compress puts file.br and file.gz beside each text, for servers that send them as they are.
func (s *Site) Compress() error {
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		switch path.Ext(name) {
		case ".html", ".css", ".js", ".json", ".svg", ".txt":
		default:
			continue
		}
		var br, gz bytes.Buffer
		zip, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
		if err != nil {
			return fmt.Errorf("failed to set up gzip: %w", err)
		}
		for _, w := range []io.WriteCloser{brotli.NewWriterLevel(&br, brotliQuality), zip} {
			if _, err := w.Write(s.Files[name]); err != nil {
				return fmt.Errorf("failed to compress %s: %w", name, err)
			}
			if err := w.Close(); err != nil {
				return fmt.Errorf("failed to compress %s: %w", name, err)
			}
		}
		s.Files[name+".br"] = br.Bytes()
		s.Files[name+".gz"] = gz.Bytes()
	}
	return nil
}
