package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sealpost/sealpost/wasm/internal/report"
)

type pair struct {
	recipient string
	identity  age.Identity
}

// pairs are an operator's keys, of both kinds.
func pairs(t *testing.T) map[string]pair {
	t.Helper()
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]pair{
		"X25519": {classic.Recipient().String(), classic},
		"hybrid": {hybrid.Recipient().String(), hybrid},
	}
}

var whole = report.Report{Version: 1, Share: "AAAAAAAAAAAAAAAA", Reason: "deception", Words: "It says it is my bank. “Grüße” 📮\n\u2028 </script>",
	Link: "https://post.example/d/AAAAAAAAAAAAAAAA#EAZ8", Identity: "AGE-SECRET-KEY-1QQQ"}

func TestSeal(t *testing.T) {
	for name, p := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			for _, want := range []report.Report{whole, {Version: 1, Share: "A", Reason: "something-else"}} {
				sealed, err := report.Seal(p.recipient, want)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(sealed, []byte("age-encryption.org/v1\n")) || bytes.Contains(sealed, []byte("bank")) {
					t.Errorf("sealed to %.300q", sealed)
				}
				got, err := report.Open(sealed, p.identity)
				if err != nil || *got != want {
					t.Errorf("got %+v, want %+v, %v", got, want, err)
				}
				other := pairs(t)[name]
				if _, err := report.Open(sealed, other.identity); err == nil {
					t.Error("opened with another key")
				}
				sealed[len(sealed)/2] ^= 1
				if _, err := report.Open(sealed, p.identity); err == nil {
					t.Error("opened though it was changed")
				}
			}
		})
	}
}

// Any reader of JSON reads what is sealed, and its size tells little: the key is in it or not.
func TestForm(t *testing.T) {
	for name, p := range pairs(t) {
		var sizes []int
		without := whole
		without.Link, without.Identity, without.Words = "", "", ""
		for _, r := range []report.Report{whole, without} {
			sealed, err := report.Seal(p.recipient, r)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(sealed))
			plain, err := age.Decrypt(bytes.NewReader(sealed), p.identity)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(plain)
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]any
			if err := json.Unmarshal(text, &members); err != nil || len(text) != 4096 {
				t.Errorf("%d bytes, %v", len(text), err)
			}
			_, link := members["link"]
			_, identity := members["identity"]
			if link != (r.Link != "") || identity != (r.Identity != "") || members["version"] != 1.0 || members["words"] != r.Words {
				t.Errorf("sealed %v", members)
			}
		}
		if sizes[0] != sizes[1] {
			t.Errorf("%s: sizes %v", name, sizes)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	p := pairs(t)["X25519"]
	change := func(f func(*report.Report)) report.Report {
		r := whole
		f(&r)
		return r
	}
	for what, c := range map[string]struct {
		recipient string
		report    report.Report
		want      error
	}{
		"no recipient":      {"", whole, report.ErrRecipient},
		"short recipient":   {p.recipient[:61], whole, report.ErrRecipient},
		"mistyped":          {p.recipient[:61] + "b", whole, report.ErrRecipient},
		"two recipients":    {p.recipient + "\n" + p.recipient, whole, report.ErrRecipient},
		"an identity":       {"AGE-SECRET-KEY-1QQQ", whole, report.ErrRecipient},
		"another's":         {"age1yubikey1" + p.recipient[4:], whole, report.ErrRecipient},
		"no share":          {p.recipient, change(func(r *report.Report) { r.Share = "" }), report.ErrFormat},
		"unknown reason":    {p.recipient, change(func(r *report.Report) { r.Reason = "boring" }), report.ErrFormat},
		"not UTF-8":         {p.recipient, change(func(r *report.Report) { r.Words = "\xff" }), report.ErrFormat},
		"too many words":    {p.recipient, change(func(r *report.Report) { r.Words = strings.Repeat("x", 60<<10) }), report.ErrTooLarge},
		"just enough words": {p.recipient, change(func(r *report.Report) { r.Words = strings.Repeat("\x01", 2000*5) }), nil},
	} {
		sealed, err := report.Seal(c.recipient, c.report)
		if !errors.Is(err, c.want) || (err == nil) != (len(sealed) > 0) {
			t.Errorf("%s: %v", what, err)
		}
		if len(sealed) > 64<<10 {
			t.Errorf("%s: %d bytes", what, len(sealed))
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	p := pairs(t)["hybrid"]
	to, err := age.ParseHybridRecipient(p.recipient)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{
		"":   report.ErrFormat,
		"{}": report.ErrFormat,
		`{"version":2,"share":"A","reason":"something-else","words":""}`:              report.ErrFormat,
		`{"version":1,"share":"A","reason":"something-else","words":""} x`:            report.ErrFormat,
		`{"version":1,"share":"A","reason":"something-else","words":"","later":true}`: nil,
		strings.Repeat(" ", 70<<10): report.ErrTooLarge,
	} {
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, to)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := report.Open(sealed.Bytes(), p.identity); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", text, err, want)
		}
	}
	if _, err := report.Open([]byte("age"), p.identity); err == nil {
		t.Error("opened what is no age file")
	}
}
