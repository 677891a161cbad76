package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

const spell = "Kiesel Ärmel Gewürz" // a passphrase

// export saves the list as a file and returns its path.
func export(t *testing.T, b *webdriver.Browser) string {
	t.Helper()
	before := saved(b)
	must(t, b.Click("[data-hook=export]"))
	must(t, b.WaitFor("return document.activeElement===document.querySelector('[data-hook=passphrase]')", patience))
	for _, try := range []struct{ passphrase, repeat, said string }{{"short", "short", "at least 10"}, {spell, spell + "!", "not the same"}} {
		must(t, b.SetValue("[data-hook=passphrase]", try.passphrase))
		must(t, b.SetValue("[data-hook=repeat]", try.repeat))
		must(t, b.Click("[data-hook=export-save]"))
		must(t, b.WaitFor("return document.querySelector('[data-hook=backup-error]').textContent.includes(a[0])", patience, try.said))
	}
	must(t, b.SetValue("[data-hook=repeat]", spell))
	must(t, b.Click("[data-hook=export-save]"))
	must(t, b.WaitFor("return /^Saved as sealpost-links.age/.test(document.querySelector('[data-hook=backup-status]').textContent)", patience))
	if v, err := b.Eval("return document.querySelector('[data-hook=passphrase]').value+document.querySelector('[data-hook=repeat]').value"); err != nil || v != "" {
		t.Errorf("the passphrase is left in the page: %v, %v", v, err)
	}
	return newFile(t, b, before)
}

// add gives a file to the page, and returns what that says.
func add(t *testing.T, b *webdriver.Browser, file, passphrase string) string {
	t.Helper()
	must(t, b.SendKeys("[data-hook=import]", file))
	must(t, b.WaitFor(`return !document.querySelector('[data-hook=import-form]').hidden||!document.querySelector('[data-hook=backup-error]').hidden`, patience))
	if message, _ := b.Text("[data-hook=backup-error]"); message != "" {
		return message
	}
	must(t, b.SetValue("[data-hook=import-passphrase]", passphrase))
	must(t, b.Click("[data-hook=import-add]"))
	must(t, b.WaitFor(`const e=document.querySelector('[data-hook=backup-error]'),s=document.querySelector('[data-hook=backup-status]').textContent;
		return !e.hidden||s!==''&&!/seconds/.test(s)`, patience))
	v, err := b.Eval("return document.querySelector('[data-hook=backup-error]').textContent+document.querySelector('[data-hook=backup-status]').textContent")
	must(t, err)
	return v.(string)
}

// TestListMoves: the list of one browser is saved as a file that the stock age opens, and added in another, where what was sent can be
// taken back. A wrong passphrase is told, and nothing is added twice.
func TestListMoves(t *testing.T) {
	sometimes(t)
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t)
		s.tap.record()
		from, to := followers(engine)
		browsers := launchAll(t, webdriver.Options{}, from, to)
		sender, other := browsers[0], browsers[1]
		const name = "canary-name-Wiedehopf.txt"
		file := writeFile(t, filepath.Join(t.TempDir(), name), []byte("a letter"))
		r := s.reader(t, s.send(t, sender, parcel{files: []string{file}, password: "secret", downloads: "5"}), "secret")
		note := s.reader(t, s.send(t, sender, parcel{note: "a note"}), "")
		gone := s.reader(t, s.send(t, sender, parcel{note: "gone"}), "")
		s.mine(t, sender)
		twice(t, sender, gone.of("revoke"))
		gone.wantRow(t, sender, "e.dataset.state==='gone'")
		backup := export(t, sender)

		var found struct {
			Format, Origin string
			Links          []struct {
				Link, Owner string
				Names       []string
			}
		}
		must(t, json.Unmarshal(stockPassphrase(t, backup, spell), &found))
		if found.Format != "sealpost-links" || found.Origin != s.url || len(found.Links) != 2 || found.Links[0].Link != s.url+"/d/"+note.id+"#"+note.fragment ||
			found.Links[1].Names[0] != name || found.Links[1].Owner == "" {
			t.Errorf("age opens %+v", found)
		}

		if rows := s.mine(t, other); len(rows) != 0 {
			t.Fatalf("the list is %+v", rows)
		}
		if said := add(t, other, backup, spell+"?"); said != "That is not the passphrase of this file." {
			t.Errorf("with a wrong passphrase: %q", said)
		}
		wantFocus(t, other, "[data-hook=import-passphrase]")
		must(t, other.SetValue("[data-hook=import-passphrase]", spell))
		must(t, other.Click("[data-hook=import-add]"))
		must(t, other.WaitFor("return document.querySelector('[data-hook=backup-status]').textContent==='2 links were added.'", patience))
		r.wantRow(t, other, "e.dataset.state==='ready'&&/with a password/.test(e.textContent)&&e.querySelector('.name').textContent==='"+name+"'")
		if said := add(t, other, backup, spell); said != "0 links were added. 2 were here already." {
			t.Errorf("the second time: %q", said)
		}
		twice(t, other, r.of("revoke"))
		r.wantRow(t, other, "e.dataset.state==='gone'")
		s.mine(t, sender)
		r.wantRow(t, sender, "e.dataset.state==='gone'&&/taken back on another device/.test(text('until'))")
		for what, needle := range map[string][]byte{"name": []byte(name), "passphrase": []byte(spell), "fragment": []byte(r.fragment)} {
			for form, spelled := range spellings(needle) {
				if bytes.Contains(s.tap.rec.bytes(), spelled) {
					t.Errorf("the %s was sent, as %s", what, form)
				}
			}
		}
	})
}

// stockPassphrase opens a file with the distribution's age, which asks for the passphrase on a terminal.
func stockPassphrase(t *testing.T, file, passphrase string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "links.json")
	c := exec.Command("script", "--quiet", "--return", "--command", "age --decrypt --output '"+out+"' '"+file+"'", "/dev/null")
	c.Stdin = strings.NewReader(passphrase + "\n")
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("age: %v\n%s", err, said)
	}
	plain, err := os.ReadFile(out)
	must(t, err)
	return plain
}

// TestHostileLists: whoever made a file may know its passphrase; it can do no more than name links of this page.
func TestHostileLists(t *testing.T) {
	sometimes(t)
	s := newSite(t)
	good := func(id string) map[string]any {
		return map[string]any{"link": s.url + "/d/" + id + "#" + "EAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "owner": strings.Repeat("o", 43), "kind": "file",
			"names": []string{"<img src=x onerror=alert(1)>\u202egnp.exe"}, "more": 0, "files": 1, "size": 5, "created": 1, "expires": time.Now().Add(time.Hour).UnixMilli(),
			"lifetime": 3600, "maxDownloads": 0, "taken": 0, "state": "ready", "seen": 1, "password": true}
	}
	with := func(o map[string]any, member string, value any) map[string]any {
		o[member] = value
		return o
	}
	listOf := func(origin string, links ...map[string]any) []byte {
		text, err := json.Marshal(map[string]any{"format": "sealpost-links", "version": 1, "origin": origin, "links": links})
		must(t, err)
		return text
	}
	recipient, err := age.NewScryptRecipient(spell)
	must(t, err)
	dir := t.TempDir()
	file := func(name string, logN int, plain []byte) string {
		recipient.SetWorkFactor(logN)
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, recipient)
		must(t, err)
		_, err = w.Write(plain)
		must(t, err)
		must(t, w.Close())
		return writeFile(t, filepath.Join(dir, name), sealed.Bytes())
	}
	whole := listOf(s.url, good("AAAAAAAAAAAAAAAA"))
	someEngine(t, func(t *testing.T, engine string) {
		s.tap.observe()
		b := launch(t, engine, webdriver.Options{})
		s.mine(t, b)
		for _, c := range []struct{ file, said string }{
			{writeFile(t, filepath.Join(dir, "plain.age"), whole), "This is not a list that was saved here"},
			{writeFile(t, filepath.Join(dir, "huge.age"), make([]byte, 17<<20)), "larger than a list"},
			{file("letter.age", 4, []byte("Dear Sir")), "no list of links in it"},
			{file("elsewhere.age", 4, listOf("https://other.example", good("AAAAAAAAAAAAAAAA"))), "links of another site, https://other.example."},
			{file("costly.age", 19, whole), "more work than this page does"},
			{file("mixed.age", 4, listOf(s.url, good("AAAAAAAAAAAAAAAA"), good("AAAAAAAAAAAAAAAA"),
				with(good("BBBBBBBBBBBBBBBB"), "link", "javascript:alert(1)"), with(good("CCCCCCCCCCCCCCCC"), "expires", 1), with(good("DDDDDDDDDDDDDDDD"), "owner", "x"),
				with(good("EEEEEEEEEEEEEEEE"), "link", s.url+"/d/EEEEEEEEEEEEEEEE#"+strings.Repeat("A", 44)))), "1 link was added. 1 has expired. 4 are no links of this page"},
		} {
			if said := add(t, b, c.file, spell); !strings.Contains(said, c.said) {
				t.Errorf("%s: the page says %q", filepath.Base(c.file), said)
			}
			must(t, b.Go(s.url+"/mine"))
			must(t, b.WaitFor("return document.querySelector('main').dataset.state!=='loading'", patience))
		}
		s.mine(t, b)
		if rows := list(t, b); len(rows) != 1 || rows[0].Name != "<img src=x onerror=alert(1)>\ufffdgnp.exe" || rows[0].State != "gone" {
			t.Errorf("the list is %+v", rows)
		}
		wantQuiet(t, b)
	})
}
