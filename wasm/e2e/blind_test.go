package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestBlind: nothing of names, content, note, password, link or keys is in the data folder, in SQLite's file or its log, in
// the server's log at its most talkative, or in any byte that the server was sent.
func TestBlind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tap.record()
	r := random(t)
	const (
		name     = "canary-name-Zilpzalp.txt"
		word     = "canary-content-Goldammer"
		note     = "canary-note-Wendehals"
		password = "canary-password-Pirol"
		wrong    = "canary-wrong-Dompfaff"
		folder   = "canary-folder-Neuntöter"
	)
	raw := noise(r, 64) // a piece of what no compression can hide
	incompressible := noise(r, 300_000)
	copy(incompressible[123_456:], raw)
	compressible := prose(r, 300_000)
	copy(compressible[100_000:], word)
	dir := filepath.Join(t.TempDir(), folder)
	writeFile(t, filepath.Join(dir, name), compressible)
	writeFile(t, filepath.Join(dir, "incompressible.bin"), incompressible)
	needles := map[string][]byte{"name": []byte(name), "word": []byte(word), "note": []byte(note), "password": []byte(password),
		"wrong password": []byte(wrong), "folder": []byte(folder), "incompressible content": raw,
		"compressible content": []byte("of a long letter\n")}
	links := make(chan [2]string, 2*len(webdriver.Engines))
	t.Run("use", func(t *testing.T) {
		eachEngine(t, func(t *testing.T, engine string) {
			b := launch(t, engine, webdriver.Options{})
			sealed := s.send(t, b, parcel{folder: dir, note: note, password: password})
			open(t, b, sealed, "locked")
			unlock(t, b, wrong)
			must(t, b.WaitFor("return !document.querySelector('[data-hook=error]').hidden", patience))
			unlock(t, b, password)
			wantState(t, b, patience, "ready")
			save(t, b, "[data-hook=download]", 0)
			save(t, b, "[data-hook=entry-download]", 0)
			_, err := b.Eval("location.reload()")
			must(t, err)
			must(t, b.WaitFor("return ['locked','ready'].includes(document.querySelector('main').dataset.state)", patience))
			links <- [2]string{engine, sealed}
			links <- [2]string{engine, s.send(t, b, parcel{files: []string{filepath.Join(dir, name)}})}
		})
	})
	close(links)
	ids := 0
	for l := range links {
		for who, pass := range map[string]string{l[0]: password, l[0] + " with a wrong password": wrong} {
			r := s.reader(t, l[1], pass)
			secret, err := base64.RawURLEncoding.DecodeString(r.fragment)
			must(t, err)
			needles["secret of "+who+" "+r.id] = secret[1:]
			needles["fragment of "+who+" "+r.id] = []byte(r.fragment)
			needles["identity of "+who+" "+r.id] = []byte(r.keys.Identity)
			needles["lower case identity of "+who+" "+r.id] = []byte(strings.ToLower(r.keys.Identity))
		}
		if bytes.Contains(s.tap.rec.bytes(), []byte(s.reader(t, l[1], password).id)) {
			ids++
		}
	}
	if all := 2 * len(groundOf(t).engines); ids != all || t.Failed() {
		t.Fatalf("the recording has %d of %d shares, so this test means nothing", ids, all)
	}
	s.stop(syscall.SIGKILL) // so that SQLite's log stays
	haystacks := s.everything()
	for _, file := range []string{s.records(), s.records() + "-wal"} {
		if len(haystacks[file]) == 0 {
			t.Errorf("%s is not there to be looked at", file)
		}
	}
	haystacks["the server's log"] = []byte(s.text())
	haystacks["what the server was sent"] = s.tap.rec.bytes()
	if n := len(haystacks["what the server was sent"]); n < len(groundOf(t).engines)*300_000 {
		t.Errorf("only %d bytes were recorded", n)
	}
	t.Logf("%d needles, %d haystacks, %d bytes recorded", len(needles), len(haystacks), len(haystacks["what the server was sent"]))
	for where, hay := range haystacks {
		for what, needle := range needles {
			for form, spelled := range spellings(needle) {
				if bytes.Contains(hay, spelled) {
					t.Errorf("%s is in %s, as %s", what, where, form)
				}
			}
		}
	}
}

// TestSpellings proves that the search would find something.
func TestSpellings(t *testing.T) {
	t.Parallel()
	secret := []byte("canary: Grüße")
	for i := range 6 {
		padded := append([]byte("abcdef"[:i]), append(bytes.Clone(secret), "xyz"[:i%4]...)...)
		for _, hay := range [][]byte{padded, []byte(hex.EncodeToString(padded)), []byte(base64.StdEncoding.EncodeToString(padded)),
			[]byte(base64.RawURLEncoding.EncodeToString(padded)), []byte(url.QueryEscape(string(padded))), []byte(url.PathEscape(string(padded)))} {
			found := false
			for _, spelled := range spellings(secret) {
				found = found || bytes.Contains(hay, spelled)
			}
			if !found {
				t.Errorf("not found in %q", hay)
			}
		}
	}
}

// spellings are the forms that bytes may take on their way: as they are, in hex, in base64 at each alignment, in UTF-16, in
// a URL, in JSON.
func spellings(b []byte) map[string][]byte {
	all := map[string][]byte{"bytes": b, "hex": []byte(hex.EncodeToString(b)), "capital hex": []byte(strings.ToUpper(hex.EncodeToString(b)))}
	for shift := range 3 {
		for form, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, shift), b...))
			// The characters at the ends also depend on the neighbours.
			all[form+string(rune('0'+shift))] = []byte(text[(shift*8+5)/6 : (shift+len(b))*8/6])
		}
	}
	if text := string(b); strings.ToValidUTF8(text, "") == text {
		var wide []byte
		for _, u := range utf16.Encode([]rune(text)) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		all["UTF-16"] = wide
		all["query"], all["path"] = []byte(url.QueryEscape(text)), []byte(url.PathEscape(text))
	}
	return all
}
