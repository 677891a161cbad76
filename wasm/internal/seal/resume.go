package seal

import (
	"fmt"
	"reflect"

	"filippo.io/age"
)

// ResumeSealer makes a Sealer with the keys of an earlier one: prefix and manifest are what its Prefix and Manifest were. It fails with
// ErrMismatch if they do not belong to each other or if the share is to hold anything else than was said then. Thumbnails are those
// of then, and not made again: they are in the manifest, which is not.
//
// From the same plain stream and with the same build the resumed sealer makes the same parts, byte for byte. From any other it would
// seal other bytes under the same keys, which breaks both. It cannot tell, since it never sees what was sealed: so nothing that it
// returns may leave the device, not a byte, before it was compared with what was recorded of the first time, frame by frame and
// part by part.
func ResumeSealer(identity string, kind Kind, note string, list []Entry, prefix, manifest []byte) (*Sealer, error) {
	id, err := age.ParseX25519Identity(identity)
	if err != nil {
		return nil, fmt.Errorf("%w: failed to parse identity", ErrMisuse)
	}
	stream, err := openStream(prefix, id)
	if err != nil {
		return nil, err
	}
	m, err := NewManifest(kind, note, list)
	if err != nil {
		return nil, err
	}
	m.Content = stream.binding()
	was, err := OpenManifest(manifest, id)
	if err != nil {
		return nil, err
	}
	for i := range min(len(m.Entries), len(was.Entries)) {
		m.Entries[i].Thumbnail = was.Entries[i].Thumbnail
	}
	if !reflect.DeepEqual(was, m) {
		return nil, fmt.Errorf("%w: manifest", ErrMismatch)
	}
	return newSealer(m, manifest, stream)
}
