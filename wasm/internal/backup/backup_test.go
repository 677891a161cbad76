package backup_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/sealpost/sealpost/wasm/internal/backup"
)

const passphrase = "Grüße, 🔑 und ein langes Wort"

// TestStock: what is sealed is an age file like any other, of the work that is promised.
func TestStock(t *testing.T) {
	plain := bytes.Repeat([]byte("list "), 40_000)
	file, err := backup.Seal(passphrase, plain)
	if err != nil {
		t.Fatal(err)
	}
	if stanza := strings.Split(string(file), "\n")[1]; !strings.HasSuffix(stanza, " "+strconv.Itoa(backup.WorkFactor)) {
		t.Errorf("the header has %q", stanza)
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(file), id)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes come out as %d, %v", len(plain), len(got), err)
	}
	if got, err := backup.Open(passphrase, file); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes are opened as %d, %v", len(plain), len(got), err)
	}
	if _, err := backup.Seal("", nil); err == nil {
		t.Error("an empty passphrase is taken")
	}
	if _, err := backup.Seal(passphrase, make([]byte, backup.MaxSize)); !errors.Is(err, backup.ErrTooLarge) {
		t.Errorf("too much: %v", err)
	}
}

// cheap is an age file of so little work that tests can open it often.
func cheap(t *testing.T, plain []byte, logN int) []byte {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(logN)
	return sealed(t, plain, r)
}

func sealed(t *testing.T, plain []byte, to ...age.Recipient) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := age.Encrypt(&file, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestRefused: each file that cannot be opened is refused for what is wrong with it.
func TestRefused(t *testing.T) {
	good := cheap(t, []byte("the list"), 4)
	if got, err := backup.Open(passphrase, good); err != nil || string(got) != "the list" {
		t.Fatalf("%q, %v", got, err)
	}
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	costly := func(n string) []byte { return bytes.Replace(good, []byte(" 4\n"), []byte(" "+n+"\n"), 1) }
	flipped := func(at int) []byte {
		file := slices.Clone(good)
		file[at] ^= 1
		return file
	}
	other := func(at int) []byte { // another letter of base64
		file := slices.Clone(good)
		file[at] = 'A'
		if good[at] == 'A' {
			file[at] = 'B'
		}
		return file
	}
	body := bytes.Index(good, []byte("\n---")) - 5
	for what, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":             {nil, backup.ErrFormat},
		"text":                {[]byte("age-encryption.org/v1 is nice\n"), backup.ErrFormat},
		"JSON":                {[]byte(`{"format":"sealpost-links"}`), backup.ErrFormat},
		"another version":     {bytes.Replace(good, []byte("/v1"), []byte("/v2"), 1), backup.ErrFormat},
		"for a key":           {sealed(t, nil, x.Recipient()), backup.ErrFormat},
		"one step more":       {costly("19"), backup.ErrCostly},
		"hours":               {costly("30"), backup.ErrCostly},
		"an absurd number":    {costly("99999999999999999999"), backup.ErrCostly},
		"no number":           {costly("0x4"), backup.ErrCostly},
		"a negative one":      {costly("-4"), backup.ErrDamaged},
		"another work":        {costly("5"), backup.ErrPassphrase}, // which gives another key
		"wrapped key changed": {other(body), backup.ErrPassphrase},
		"MAC changed":         {other(bytes.Index(good, []byte("--- ")) + 10), backup.ErrDamaged},
		"payload changed":     {flipped(len(good) - 1), backup.ErrDamaged},
		"cut":                 {good[:len(good)-1], backup.ErrDamaged},
		"cut in the header":   {good[:40], backup.ErrFormat},
		"longer":              {append(slices.Clone(good), 0), backup.ErrDamaged},
		"too large":           {make([]byte, backup.MaxSize+1), backup.ErrTooLarge},
	} {
		if got, err := backup.Open(passphrase, c.file); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %d bytes, %v, want %v", what, len(got), err, c.want)
		}
	}
	if _, err := backup.Open(passphrase+" ", good); !errors.Is(err, backup.ErrPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
}
