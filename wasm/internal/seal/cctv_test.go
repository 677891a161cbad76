package seal

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	agetest "c2sp.org/CCTV/age"
	"filippo.io/age"
)

// TestCCTV holds our way of reading age files against the community's test vectors for age. Ours takes fewer files than age
// does (one X25519 stanza, no more), but what it takes, it has to read as age.
func TestCCTV(t *testing.T) {
	files, err := fs.ReadDir(agetest.Vectors, ".")
	must(t, err)
	opened, refused := 0, 0
	for _, f := range files {
		raw, err := fs.ReadFile(agetest.Vectors, f.Name())
		must(t, err)
		head, body, _ := bytes.Cut(raw, []byte("\n\n"))
		v := map[string]string{}
		for line := range strings.SplitSeq(string(head), "\n") {
			k, val, _ := strings.Cut(line, ": ")
			v[k] = val
		}
		id, err := age.ParseX25519Identity(v["identity"])
		if err != nil || v["armored"] == "yes" {
			continue // scrypt, hybrid, armor: we have none of them
		}
		if v["compressed"] == "zlib" {
			z, err := zlib.NewReader(bytes.NewReader(body))
			must(t, err)
			body, err = io.ReadAll(z)
			must(t, err)
		}
		header, _ := age.ExtractHeader(bytes.NewReader(body))
		plain, err := read(body, id)
		sum := sha256.Sum256(plain)
		switch {
		case err == nil && (v["expect"] != "success" || hex.EncodeToString(sum[:]) != v["payload"]):
			t.Errorf("%s: opened, want %s", f.Name(), v["expect"])
		case err != nil && v["expect"] == "success" && len(header) == headerSize:
			t.Errorf("%s: %v", f.Name(), err)
		case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrHostile) && !errors.Is(err, ErrWrongKey):
			t.Errorf("%s: %v", f.Name(), err)
		case err == nil:
			opened++
		default:
			refused++
		}
	}
	if opened < 8 || refused < 30 {
		t.Errorf("%d opened, %d refused: are these the vectors?", opened, refused)
	}
	t.Logf("%d opened, %d refused", opened, refused)
}

func read(sealed []byte, id age.Identity) ([]byte, error) {
	s, err := openStream(sealed[:min(len(sealed), PrefixSize)], id)
	if err != nil {
		return nil, err
	}
	return s.openAll(sealed)
}
