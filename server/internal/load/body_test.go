package load

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sealpost/sealpost/server/api"
)

func TestBodies(t *testing.T) {
	const most = 100 << 10
	b := newBodies(1, most)
	seen := map[[32]byte]bool{}
	for _, n := range []int64{0, 1, 2, 3} {
		for _, size := range []int64{int64(minPart), 1000, most} {
			for _, share := range []int64{1, 2} {
				body := b.part(share, n, size)
				all, err := io.ReadAll(body.reader())
				if err != nil || int64(len(all)) != size || body.size() != size {
					t.Fatalf("part %d of %d bytes has %d, %v", n, size, len(all), err)
				}
				if strings.HasPrefix(string(all), api.AgeMagic) != (n <= 1) {
					t.Errorf("part %d begins with %q", n, all[:30])
				}
				if seen[body.digest()] {
					t.Errorf("part %d of share %d is like another", n, share)
				}
				seen[body.digest()] = true
				if newBodies(1, most).part(share, n, size).digest() != body.digest() || newBodies(2, most).part(share, n, size).digest() == body.digest() {
					t.Error("the seed does not decide")
				}
			}
		}
	}
	for size := range int64(minPart) { // last parts
		if got := b.part(1, 2, size).size(); got != size {
			t.Errorf("%d bytes, want %d", got, size)
		}
	}
}

func TestCheck(t *testing.T) {
	b := newBodies(1, 1000).part(1, 1, 1000)
	all, _ := io.ReadAll(b.reader())
	buf := make([]byte, 64)
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(all), "bytewise": iotest.OneByteReader(bytes.NewReader(all)),
		"with the end": iotest.DataErrReader(bytes.NewReader(all))} {
		if n, err := b.check(r, buf); n != 1000 || err != nil {
			t.Errorf("%s: %d right, %v", name, n, err)
		}
	}
	for i := range all {
		bad := bytes.Clone(all)
		bad[i] ^= 1
		if _, err := b.check(bytes.NewReader(bad), buf); !errors.Is(err, errWrongBytes) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	if _, err := b.check(bytes.NewReader(append(all, 0)), buf); !errors.Is(err, errWrongBytes) {
		t.Errorf("one more: %v", err)
	}
	if _, err := b.check(bytes.NewReader(all[:999]), buf); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("one less: %v", err)
	}
}
