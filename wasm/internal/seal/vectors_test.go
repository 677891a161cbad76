package seal

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"filippo.io/age"
)

// update makes the vectors anew. Sealing is random, so all of them change.
var update = flag.Bool("update", false, "make testdata/vectors.json anew")

//go:embed testdata/vectors.json
var vectorsJSON []byte

// A vector is a share that every implementation opens, and what it holds.
type vector struct {
	Comment  string
	Identity string
	Manifest []byte          // sealed
	Content  []byte          // sealed
	Opened   json.RawMessage // the manifest
	Size     int             // of the plain stream
	SHA256   string          // of the plain stream
}

// TestVectors runs natively and as WebAssembly.
func TestVectors(t *testing.T) {
	if *update {
		makeVectors(t)
	}
	var vectors []vector
	must(t, json.Unmarshal(vectorsJSON, &vectors))
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		id, err := age.ParseX25519Identity(v.Identity)
		must(t, err)
		m, err := OpenManifest(v.Manifest, id)
		must(t, err)
		text, err := json.Marshal(m)
		must(t, err)
		var want bytes.Buffer
		must(t, json.Compact(&want, v.Opened))
		if !bytes.Equal(text, want.Bytes()) {
			t.Errorf("%s: %s", v.Comment, text)
		}
		got, err := open(id, v.Manifest, v.Content, 0, 1000)
		if sum := sha256.Sum256(got); err != nil || hex.EncodeToString(sum[:]) != v.SHA256 || len(got) != v.Size {
			t.Errorf("%s: %v, %d bytes", v.Comment, err, len(got))
		}
		if again := resealed(t, id, m, v.Manifest, v.Content, got); !bytes.Equal(again, v.Content) {
			t.Errorf("%s: sealing it again makes other bytes", v.Comment)
		}
		if len(got) > 2 {
			from, to := int64(len(got)/3), int64(len(got)-1)
			p, err := random(id, v.Manifest, v.Content, from, to)
			if err != nil || !bytes.Equal(p, got[from:to]) {
				t.Errorf("%s at random: %v", v.Comment, err)
			}
		}
	}
}

// resealed seals the plain stream of a content again.
func resealed(t *testing.T, id *age.X25519Identity, m *Manifest, manifest, content, plain []byte) []byte {
	t.Helper()
	data := make([][]byte, len(m.Entries))
	for i, e := range m.Entries {
		data[i] = plain[e.Offset : e.Offset+e.Size]
	}
	return sealContent(t, again(t, id, m, manifest, content), data, 1000).content
}

// again is a Sealer with the key of a content. Only the very same bytes may be sealed with it.
func again(t *testing.T, id *age.X25519Identity, m *Manifest, manifest, content []byte) *Sealer {
	t.Helper()
	s, err := ResumeSealer(id.String(), m.Kind, m.Note, m.Entries, content[:PrefixSize], manifest)
	must(t, err)
	return s
}

func makeVectors(t *testing.T) {
	var vectors []vector
	add := func(comment string, kind Kind, list []Entry, data [][]byte) {
		sh := sealShare(t, newIdentity(t), kind, list, data, 1<<20)
		text, err := json.Marshal(sh.m)
		must(t, err)
		plain, err := open(sh.id, sh.manifest, sh.content, 0, 1<<20)
		must(t, err)
		sum := sha256.Sum256(plain)
		vectors = append(vectors, vector{comment, sh.id.String(), sh.manifest, sh.content, text, len(plain), hex.EncodeToString(sum[:])})
	}
	file := func(comment string, b []byte) {
		add(comment, KindFile, []Entry{{Name: "файл.txt", Size: int64(len(b)), Type: "text/plain", Modified: 1_700_000_000}}, [][]byte{b})
	}
	file("empty file", nil)
	file("one byte", []byte{'x'})
	file("a frame and a byte", bytes.Repeat([]byte("w"), FrameSize+1))
	file("two frames", bytes.Repeat([]byte("wax "), FrameSize/2))
	file("incompressible, two chunks", noise(ChunkSize-100))
	text := []byte("Grüße!\n\tif (a < b) { return; }\n")
	add("note", KindNote, []Entry{{Name: "note.txt", Size: int64(len(text)), Type: "text/plain"}}, [][]byte{text})
	list, data := tree()
	for i := range list {
		list[i].Size = min(list[i].Size, int64(10*i))
		data[i] = data[i][:list[i].Size]
	}
	add("tar", KindTar, list, data)
	var err error
	vectorsJSON, err = json.MarshalIndent(vectors, "", "\t")
	must(t, err)
	must(t, os.WriteFile("testdata/vectors.json", append(vectorsJSON, '\n'), 0o644))
}
