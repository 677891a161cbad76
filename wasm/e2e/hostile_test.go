package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	"github.com/sealpost/sealpost/wasm/internal/link"
	"github.com/sealpost/sealpost/wasm/internal/seal"
)

// TestHostileShare: a sender who holds the keys can name things as they like. The recipient's page shows names and note as they
// are written, so that they neither run nor deceive, and saves under names that are harmless.
func TestHostileShare(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tap.observe()
	names := []string{
		"a <img src=x onerror=ran=1>.txt",
		"b \" onfocus=ran=1 autofocus x=\".txt",
		"c invoice\u202excod.bin",
		"d invoice.pdf\u2028\u2029\n\r\t\u0085.bin",
		"e in\u200bvo\u00adice\ufeff\u2066.txt",
		"f <script>ran=1</script>/{{constructor}} ${ran=1}.html",
		"g javascript:ran=1",
		"h " + strings.Repeat("\u0489", 100) + ".txt",
		"i " + strings.Repeat(" ", 200) + ".bin",
		"j " + strings.Repeat("W", 253),
	}
	const note = "<b onclick=ran=1>bold</b><script>ran=1</script>\u202ereversed\u0007"
	entries := make([]seal.Entry, len(names))
	for i, name := range names {
		entries[i] = seal.Entry{Name: name, Type: "text/html\"><script>ran=1</script>"}
	}
	many, one := s.seal(t, seal.KindTar, note, entries), s.seal(t, seal.KindFile, note, []seal.Entry{{Name: "<script>ran=1<!--{{x}} \u202efdp.exe"}})
	someEngine(t, func(t *testing.T, engine string) {
		b := launch(t, engine, webdriver.Options{})
		for share, shown := range map[string][]string{many: {"a <img src=x onerror=ran=1>.txt", "c invoice\ufffdxcod.bin", "{{constructor}} ${ran=1}.html"},
			one: {"<script>ran=1<!--{{x}} \ufffdfdp.exe"}} {
			open(t, b, share, "ready")
			v, err := b.Eval(`const main=document.querySelector('main'),texts=[main.textContent,document.title];
				for(const e of main.querySelectorAll('*'))for(const n of e.getAttributeNames())if(n!=='data-name')texts.push(e.getAttribute(n));
				return [String(window.ran),main.querySelectorAll('img,script,b,[autofocus],[onfocus]').length,
					texts.filter(s=>/(?![\u200c\u200d\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(s)),main.textContent]`)
			must(t, err)
			got := v.([]any)
			if got[0] != "undefined" || got[1] != 0.0 || len(got[2].([]any)) > 0 {
				t.Errorf("%s: ran %v, made %v elements, shows %q", engine, got[0], got[1], got[2])
			}
			for _, text := range append(shown, "<b onclick=ran=1>bold</b>", "\ufffdreversed") {
				if !strings.Contains(got[3].(string), text) {
					t.Errorf("%s: %q is not shown in %q", engine, text, got[3])
				}
			}
			for _, v := range []view{wide, phone, narrow} {
				must(t, b.SetWindowSize(v.width, v.height))
				wantNoSidewaysScrolling(t, b, v.name)
			}
			must(t, b.SetWindowSize(wide.width, wide.height))
			wantQuiet(t, b)
		}
		open(t, b, many, "ready")
		for n, want := range map[int]string{3: "c invoicexcod.bin", 4: "d invoice.pdf.bin"} {
			got := save(t, b, fmt.Sprintf("[data-hook=entry]:nth-child(%d) [data-hook=entry-download]", n), 0)
			if filepath.Base(got) != want {
				t.Errorf("%s: saved as %q, want %q", engine, filepath.Base(got), want)
			}
		}
		wantQuiet(t, b)
	})
}

// seal makes a share of empty entries without a browser, as a sender with a program of their own, and returns its link.
func (s *site) seal(t *testing.T, kind seal.Kind, note string, entries []seal.Entry) string {
	t.Helper()
	return s.sealFrom(t, kind, note, entries, 0, nil)
}

// A thing is a file that is sealed without a browser.
type thing struct {
	name, kind string
	data       []byte
}

// sealThings makes a share of things, one of them a file, several a tar, with as many downloads; 0 for any number.
func (s *site) sealThings(t *testing.T, downloads int, things ...thing) string {
	t.Helper()
	var entries []seal.Entry
	for _, thing := range things {
		entries = append(entries, seal.Entry{Name: thing.name, Type: thing.kind, Size: int64(len(thing.data))})
	}
	kind := seal.KindTar
	if len(things) == 1 {
		kind = seal.KindFile
	}
	return s.sealFrom(t, kind, "", entries, downloads, func(entry int, p []byte, from int64) error {
		copy(p, things[entry].data[from:])
		return nil
	})
}

// sealFrom makes a share of entries whose bytes it reads.
func (s *site) sealFrom(t *testing.T, kind seal.Kind, note string, entries []seal.Entry, downloads int, read func(entry int, p []byte, from int64) error) string {
	t.Helper()
	l, owner := link.New(false), link.NewToken()
	keys, err := l.Unlock("")
	must(t, err)
	sealer, err := seal.NewSealer(keys.Identity, kind, note, entries)
	must(t, err)
	call := func(method, path string, body []byte, kind string) (share api.Share) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+s.addr+"/api/v1/shares"+path, bytes.NewReader(body))
		must(t, err)
		digest := sha256.Sum256(body)
		req.Header.Set("Authorization", "Bearer "+owner.String())
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %s", method, path, answer)
		}
		json.Unmarshal(answer, &share) // some answers are empty
		return share
	}
	terms, err := json.Marshal(map[string]any{"access": l.Access().Hash(), "reader": keys.Reader.Hash(), "owner": owner.Hash(),
		"size": sealer.Bound(), "lifetime": 24 * 3600, "maxDownloads": downloads})
	must(t, err)
	share := call("POST", "", terms, "application/json")
	call("PUT", "/"+share.ID+"/manifest", sealer.Manifest(), "application/octet-stream")
	var whole api.CompleteShare
	must(t, sealer.Seal(share.PartSize, read, func(n int64, part []byte) error {
		whole.Parts++
		whole.Size += int64(len(part))
		call("PUT", fmt.Sprintf("/%s/parts/%d", share.ID, n), part, "application/octet-stream")
		return nil
	}))
	body, err := json.Marshal(whole)
	must(t, err)
	call("POST", "/"+share.ID+"/complete", body, "application/json")
	return s.url + "/d/" + share.ID + "#" + l.String()
}
