package tokens_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/internal/tokens"
)

var now = time.Date(2026, 11, 30, 23, 59, 0, 0, time.FixedZone("", -3600))

func TestTokens(t *testing.T) {
	var l tokens.List
	if l.Has([32]byte{}) {
		t.Error("an empty list has something")
	}
	texts := map[string]bool{}
	for i := range 3 {
		token, text, err := tokens.New("name."+strconv.Itoa(i), now)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != tokens.Size || token.Hash != sha256.Sum256(raw) || texts[text] || token.Made != "2026-12-01" {
			t.Errorf("%+v of %q, %v", token, text, err)
		}
		texts[text] = true
		l = append(l, token)
	}
	file := l.Format()
	for text := range texts {
		if bytes.Contains(file, []byte(text)) {
			t.Error("the file has a token in it")
		}
	}
	back, err := tokens.Parse(append([]byte("\n  # comment\r\n\t\n"), file...))
	if err != nil || !bytes.Equal(back.Format(), file) {
		t.Errorf("%v:\n%s", err, back.Format())
	}
	for _, token := range l {
		if !back.Has(token.Hash) {
			t.Errorf("%s is missing", token.Name)
		}
		token.Hash[31] ^= 1
		if back.Has(token.Hash) {
			t.Error("has another")
		}
	}
	for _, name := range []string{"", "#x", "two words", "-x", "a/b", "ä", "x\n", strings.Repeat("x", 65)} {
		if _, _, err := tokens.New(name, now); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	hash := strings.Repeat("A", 43)
	for _, text := range []string{"alice", "alice " + hash, "alice " + hash + " today", "alice " + hash + "A 2026-11-30",
		"alice " + hash[:42] + "B 2026-11-30", "al!ce " + hash + " 2026-11-30", "a " + hash + " 2026-11-30 x",
		"a " + hash + " 2026-11-30\na " + hash + " 2026-11-30"} {
		if _, err := tokens.Parse([]byte(text)); err == nil || strings.Contains(err.Error(), hash[:20]) {
			t.Errorf("%q: %v", text, err)
		}
	}
	var many bytes.Buffer
	for i := range tokens.MaxTokens + 1 {
		many.WriteString("t" + strconv.Itoa(i) + " " + hash + " 2026-11-30\n")
	}
	if _, err := tokens.Parse(many.Bytes()); err == nil {
		t.Error("takes any number")
	}
}

// FuzzParse: what is read is written to what reads the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte("alice " + strings.Repeat("A", 43) + " 2026-11-30\n# x\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := tokens.Parse(file)
		if err != nil {
			return
		}
		back, err := tokens.Parse(l.Format())
		if err != nil || !bytes.Equal(back.Format(), l.Format()) {
			t.Errorf("%v: %q", err, l.Format())
		}
	})
}
