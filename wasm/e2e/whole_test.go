package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
)

const (
	chunk    = 64<<10 + 16 // of age, sealed
	ageNonce = 16
)

// sealed is a share as the server has it, to be changed by a hand that knows everything but the key.
type sealed struct {
	manifest []byte
	content  []byte // all parts
}

func (s sealed) clone() sealed { return sealed{bytes.Clone(s.manifest), bytes.Clone(s.content)} }

// payload is where the chunks of an age file begin.
func payload(file []byte) int {
	mac := bytes.Index(file, []byte("\n--- "))
	return mac + 1 + bytes.IndexByte(file[mac+1:], '\n') + 1 + ageNonce
}

// TestWhole: ciphertext that was changed, cut, swapped or mixed up where the server keeps it, with records that agree with it, is
// an error on the page, and no file that looks complete.
func TestWhole(t *testing.T) {
	sometimes(t)
	const partSize = 256 << 10
	s := newSite(t, "-part-size", "256KiB")
	r := random(t)
	dir := t.TempDir()
	one := writeFile(t, filepath.Join(dir, "one.bin"), noise(r, 6*partSize+12_345))
	two := writeFile(t, filepath.Join(dir, "two.bin"), noise(r, 6*partSize+12_345))
	var linkOne, linkTwo string
	t.Run("send", func(t *testing.T) {
		b := launch(t, "chromium", webdriver.Options{})
		linkOne, linkTwo = s.send(t, b, parcel{files: []string{one}}), s.send(t, b, parcel{files: []string{two}})
	})
	if t.Failed() {
		return
	}

	a, other := s.reader(t, linkOne, "").sealed(t), s.reader(t, linkTwo, "").sealed(t)
	variants := map[string]sealed{"unchanged": a}
	vary := func(name string, change func(*sealed)) {
		v := a.clone()
		change(&v)
		if bytes.Equal(v.content, a.content) && bytes.Equal(v.manifest, a.manifest) {
			t.Fatalf("variant %q is the original", name)
		}
		variants[name] = v
	}
	flip := func(b []byte, from, to int) {
		bit := r.IntN(8 * (to - from))
		b[from+bit/8] ^= 1 << (bit % 8)
	}
	begin, last := payload(a.content), len(a.content)
	parts := (last + partSize - 1) / partSize
	vary("a bit in the manifest", func(v *sealed) { flip(v.manifest, payload(v.manifest), len(v.manifest)) })
	vary("a bit in the manifest's header", func(v *sealed) { flip(v.manifest, len("age-encryption.org/v1\n"), payload(v.manifest)) })
	vary("a bit in the header", func(v *sealed) { flip(v.content, len("age-encryption.org/v1\n"), begin-ageNonce) })
	vary("a bit in the nonce", func(v *sealed) { flip(v.content, begin-ageNonce, begin) })
	vary("a bit in the first chunk", func(v *sealed) { flip(v.content, begin, begin+chunk) })
	vary("a bit in the middle", func(v *sealed) { flip(v.content, 2*partSize, (parts-2)*partSize) })
	vary("a bit in the last part", func(v *sealed) { flip(v.content, (parts-1)*partSize, last) })
	vary("the last bit", func(v *sealed) { v.content[last-1] ^= 1 })
	chunks := (last - begin) / chunk
	for name, k := range map[string]int{"the last chunk": chunks, "one chunk less": chunks - 1, "the middle": chunks / 2, "the first chunk": 1, "no chunk": 0} {
		for _, off := range []int{-1, 0, 1} {
			if at := begin + k*chunk + off; at < last {
				vary(fmt.Sprintf("cut at %s %+d", name, off), func(v *sealed) { v.content = v.content[:at] })
			}
		}
	}
	vary("a byte less", func(v *sealed) { v.content = v.content[:last-1] })
	vary("a byte more", func(v *sealed) { v.content = append(v.content, 0) })
	vary("two parts swapped", func(v *sealed) {
		copy(v.content[partSize:], a.content[2*partSize:3*partSize])
		copy(v.content[2*partSize:], a.content[partSize:2*partSize])
	})
	vary("two chunks swapped", func(v *sealed) {
		copy(v.content[begin+chunk:], a.content[begin+2*chunk:begin+3*chunk])
		copy(v.content[begin+2*chunk:], a.content[begin+chunk:begin+2*chunk])
	})
	vary("a part repeated", func(v *sealed) { copy(v.content[2*partSize:], a.content[partSize:2*partSize]) })
	vary("another share's part", func(v *sealed) { copy(v.content[2*partSize:], other.content[2*partSize:3*partSize]) })
	vary("another share's content", func(v *sealed) { v.content = other.content })
	vary("another share's manifest", func(v *sealed) { v.manifest = other.manifest })

	links := map[string]string{}
	for name, v := range variants {
		links[name] = s.plant(t, linkOne, v, partSize)
	}
	t.Logf("%d variants", len(variants))
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		got := receive(t, b, links["unchanged"], "", 0) // else all of this would mean nothing
		if g, w := fileHash(t, got), fileHash(t, one); g != w {
			t.Fatalf("unchanged: got %s, want %s", g, w)
		}
		must(t, os.Remove(got))
		for name, link := range links {
			if name == "unchanged" {
				continue
			}
			if said := wantError(t, b, link); testing.Verbose() && engine == "chromium" {
				t.Logf("%s: %s", name, said)
			}
		}
	})
}

// wantError opens a link, tries to save what is in it, and wants an error that is told and no file. It returns the message.
func wantError(t *testing.T, b *webdriver.Browser, link string) string {
	t.Helper()
	if open(t, b, link, "ready", "error") == "ready" {
		must(t, b.Click("[data-hook=download]"))
		wantState(t, b, patience, "error")
	}
	if message(b) == "" {
		t.Error("no message")
	}
	wantNoFile(t, b)
	return message(b)
}

// wantNoFile wants nothing in the downloads folder that looks complete, once the browser had a moment to do what it still does
// with a failed download.
func wantNoFile(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	time.Sleep(400 * time.Millisecond)
	if found := saved(b); len(found) > 0 {
		t.Errorf("%s: there is a file that looks complete: %v", b.Engine, listing(b))
		for _, path := range found {
			os.Remove(path)
		}
	}
}

// plant has the server keep v as another share with the keys of the given one, and returns its link. To the server it is as good
// as any: it looks no further than age's first line.
func (s *site) plant(t *testing.T, from string, v sealed, partSize int) string {
	t.Helper()
	parts := (len(v.content) + partSize - 1) / partSize
	link, id, owner := s.plantParts(t, from, v, partSize, parts)
	whole, err := json.Marshal(api.CompleteShare{Size: int64(len(v.content)), Parts: int64(parts)})
	must(t, err)
	s.do(t, "POST", "/"+id+"/complete", owner, whole)
	return link
}

// plantParts does not complete that, and sends no more than some parts.
func (s *site) plantParts(t *testing.T, from string, v sealed, partSize, most int) (planted, id, owner string) {
	t.Helper()
	r := s.reader(t, from, "")
	token := link.NewToken()
	terms, err := json.Marshal(map[string]any{"access": r.link.Access().Hash(), "reader": r.keys.Reader.Hash(), "owner": token.Hash(),
		"password": false, "size": len(v.content), "lifetime": 24 * 3600})
	must(t, err)
	var share api.Share
	must(t, json.Unmarshal(s.do(t, "POST", "", "", terms), &share))
	if share.PartSize != int64(partSize) {
		t.Fatalf("parts have %d bytes", share.PartSize)
	}
	s.do(t, "PUT", "/"+share.ID+"/manifest", token.String(), v.manifest)
	for n, part := range slices.Collect(slices.Chunk(v.content, partSize))[:most] {
		s.do(t, "PUT", fmt.Sprintf("/%s/parts/%d", share.ID, n+1), token.String(), part)
	}
	return strings.Replace(from, r.id, share.ID, 1), share.ID, token.String()
}

// do makes a request of a sender, of the server itself, and returns the answer.
func (s *site) do(t *testing.T, method, below, token string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+s.addr+"/api/v1/shares"+below, bytes.NewReader(body))
	must(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/json")
	} else {
		digest := sha256.Sum256(body)
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s", method, below, resp.Status, answer)
	}
	return answer
}

// sealed takes a download and returns the share as the server has it.
func (r reader) sealed(t *testing.T) (v sealed) {
	t.Helper()
	for below, part := range map[string]struct {
		token string
		bytes *[]byte
	}{"/manifest": {r.keys.Bearer(), &v.manifest}, "/content": {r.take(t), &v.content}} {
		status, body := r.call(t, "GET", below, part.token, nil)
		if status != http.StatusOK || len(body) == 0 {
			t.Fatalf("%s: %d, %d bytes", below, status, len(body))
		}
		*part.bytes = body
	}
	return v
}
