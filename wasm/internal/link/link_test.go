package link_test

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sealpost/sealpost/wasm/internal/link"
)

//go:embed testdata/vectors.json
var vectorsJSON []byte

type vector struct {
	Comment, Fragment, Password, Access, Reader, Identity, AccessHash, ReaderHash, Bearer string
}

func TestVectors(t *testing.T) {
	var vectors []vector
	if err := json.Unmarshal(vectorsJSON, &vectors); err != nil || len(vectors) < 4 {
		t.Fatal(err, len(vectors))
	}
	for _, v := range vectors {
		l, err := link.Parse(v.Fragment)
		if err != nil {
			t.Fatal(v.Comment, err)
		}
		k, err := l.Unlock(v.Password)
		if err != nil {
			t.Fatal(v.Comment, err)
		}
		got := vector{v.Comment, l.String(), v.Password, hex.EncodeToString(k.Access[:]), hex.EncodeToString(k.Reader[:]), k.Identity,
			k.Access.Hash(), k.Reader.Hash(), k.Bearer()}
		if got != v {
			t.Errorf("got  %+v\nwant %+v", got, v)
		}
		if id, err := age.ParseX25519Identity(k.Identity); err != nil || id.String() != k.Identity {
			t.Error(v.Comment, err)
		}
		if l.Access() != k.Access || l.NeedsPassword() != (v.Password != "" && !strings.Contains(v.Comment, "ignored")) {
			t.Error(v.Comment)
		}
	}
}

func TestParse(t *testing.T) {
	good := link.New(false).String()
	for _, s := range []string{"", good[:43], good + "A", good[:43] + "=", good[:42] + "\n" + good[42:], good[:42] + "\n" + good[42:43],
		"\n" + good[1:], strings.Replace(good, good[:1], "+", 1), "#" + good[1:]} {
		if _, err := link.Parse(s); !errors.Is(err, link.ErrSyntax) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, head := range []string{"AA", "IA", "8A", "Eg", "FA", "GA", "H_"} { // heads 00 20 f0 12 14 18 1f
		if _, err := link.Parse(head + strings.Repeat("A", 42)); !errors.Is(err, link.ErrVersion) {
			t.Errorf("%q: %v", head, err)
		}
	}
}

func TestNew(t *testing.T) {
	a, b := link.New(true), link.New(true)
	first, second := link.NewToken(), link.NewToken()
	if a == b || first == second {
		t.Error("not random")
	}
	if _, err := a.Unlock(""); !errors.Is(err, link.ErrPassword) {
		t.Error(err)
	}
	if _, err := a.Unlock("\xff"); err == nil {
		t.Error("took a password that is not UTF-8")
	}
	if len(link.NewToken().String()) != 43 || len(link.NewToken().Hash()) != 43 {
		t.Error("token")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(link.New(false).String())
	f.Add(link.New(true).String())
	f.Add(strings.Repeat("\n", 44))
	f.Fuzz(func(t *testing.T, s string) {
		if l, err := link.Parse(s); err == nil && l.String() != s {
			t.Errorf("%q is also spelt %q", s, l)
		}
	})
}
