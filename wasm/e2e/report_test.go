package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
	reports "github.com/sealpost/sealpost/wasm/internal/report"
)

// fillReport opens the dialog and writes a report.
func fillReport(t *testing.T, b *webdriver.Browser, reason, words string, key bool) {
	t.Helper()
	openWindow(t, b, "report")
	must(t, b.Click("[data-hook=report-"+reason+"]"))
	must(t, b.SetValue("[data-hook=report-words]", words))
	if key {
		must(t, b.Click("[data-hook=report-key]"))
	}
}

// sendReport sends it, and closes the dialog.
func sendReport(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	pressSend(t, b)
	must(t, b.WaitForElement("[data-hook=report-close]", patience))
	must(t, b.Click("[data-hook=report-close]"))
	must(t, b.WaitFor("return !document.querySelector('dialog[open]')", patience))
}

func pressSend(t *testing.T, b *webdriver.Browser) {
	t.Helper()
	_, err := b.Eval("document.querySelector('[data-hook=report-send]').scrollIntoView()") // WebKit's driver does not scroll a dialog
	must(t, err)
	must(t, b.Click("[data-hook=report-send]"))
}

// wantOneWindow presses a button, and the other one, before its dialog can have come, and wants one dialog, which Escape closes.
func wantOneWindow(t *testing.T, b *webdriver.Browser, hook string) {
	t.Helper()
	must(t, b.WaitFor("return ['report','by-hand'].every(h=>!document.querySelector('[data-hook='+h+']').hidden)", patience))
	_, err := b.Eval("for(const h of [a[0],a[0],'report','by-hand'])document.querySelector('[data-hook='+h+']').click()", hook)
	must(t, err)
	must(t, b.WaitForElement("dialog[open]", patience))
	must(t, b.WaitFor("return !document.querySelector('[aria-busy]')", patience))
	if n, err := b.Eval("return document.querySelectorAll('dialog.window').length"); n != 1.0 || err != nil {
		t.Errorf("%v dialogs, %v", n, err)
	}
	must(t, b.Press(webdriver.Escape))
	must(t, b.WaitFor("return !document.querySelector('dialog[open]')", patience))
}

// sealedReports are what the server has kept of a share, in order.
func (s *site) sealedReports(t *testing.T, share string) (all [][]byte) {
	t.Helper()
	rows, err := s.database().Query(`SELECT sealed FROM reports WHERE share = ? ORDER BY received, rowid`, share)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		must(t, rows.Scan(&sealed))
		all = append(all, sealed)
	}
	must(t, rows.Err())
	return all
}

// TestReport: a recipient reports a share, and only the operator can read what they wrote. Its key is in the report if that was
// ticked, and opens the share then; else there is none. Whether it is or not, neither words nor key nor link are in anything that the
// server was sent, keeps or logs.
func TestReport(t *testing.T) {
	t.Parallel()
	operator, err := age.GenerateHybridIdentity()
	must(t, err)
	s := newSite(t, "-report-recipient", operator.Recipient().String())
	s.tap.record()
	s.tap.observe()
	const password, words = "canary-password-Kleiber", "canary-words-Zaunkönig: it wants “my password” </script>"
	file := writeFile(t, filepath.Join(t.TempDir(), "prize.txt"), noise(random(t), 1000))
	links := make(chan string, len(webdriver.Engines))
	t.Run("use", func(t *testing.T) {
		someEngine(t, func(t *testing.T, engine string) {
			b := launch(t, engine, webdriver.Options{})
			share := s.send(t, b, parcel{files: []string{file}, password: password})
			links <- share
			id := s.reader(t, share, password).id
			open(t, b, share, "locked")
			openWindow(t, b, "report")
			if visible(t, b, "[data-hook=report-key]") {
				t.Error("a key is offered that nobody has")
			}
			must(t, b.Press(webdriver.Escape))
			must(t, b.WaitFor("return !document.querySelector('dialog[open]')", patience))
			unlock(t, b, password)
			wantState(t, b, patience, "ready")
			wantOneWindow(t, b, "report")
			wantOneWindow(t, b, "by-hand")
			fillReport(t, b, "malware", words+" (without)", false)
			sendReport(t, b)
			wantFocus(t, b, "[data-hook=report]")
			save(t, b, "[data-hook=download]", 0)
			fillReport(t, b, "deception", words+" (with)", true)
			sendReport(t, b)
			wantQuiet(t, b)

			all := s.sealedReports(t, id)
			if len(all) != 2 {
				t.Fatalf("the server keeps %d reports", len(all))
			}
			for i, want := range []reports.Report{
				{Version: 1, Share: id, Reason: "malware", Words: words + " (without)"},
				{Version: 1, Share: id, Reason: "deception", Words: words + " (with)", Link: share, Identity: s.reader(t, share, password).keys.Identity},
			} {
				if got, err := reports.Open(all[i], operator); err != nil || *got != want {
					t.Errorf("the operator reads %+v, want %+v, %v", got, want, err)
				}
			}
			if len(all[0]) != len(all[1]) {
				t.Errorf("the sizes %d and %d tell which has the key", len(all[0]), len(all[1]))
			}
		})
	})
	close(links)
	if t.Failed() {
		return
	}
	s.stop(syscall.SIGKILL)
	needles := map[string][]byte{"words": []byte("canary-words-Zaunkönig"), "password": []byte(password)}
	for share := range links {
		r := s.reader(t, share, password)
		secret, err := base64.RawURLEncoding.DecodeString(r.fragment)
		must(t, err)
		needles["secret of "+r.id], needles["fragment of "+r.id] = secret[1:], []byte(r.fragment)
		needles["identity of "+r.id] = []byte(r.keys.Identity)
	}
	haystacks := s.everything()
	haystacks["the log"], haystacks["what the server was sent"] = []byte(s.text()), s.tap.rec.bytes()
	if !bytes.Contains(haystacks["what the server was sent"], []byte("/reports HTTP/1.1")) {
		t.Fatal("no report was recorded, so this test means nothing")
	}
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

// TestReportByAge: an operator whose recipient is X25519 reads reports with the age of the distribution.
func TestReportByAge(t *testing.T) {
	sometimes(t)
	operator, err := age.GenerateX25519Identity()
	must(t, err)
	key := writeFile(t, filepath.Join(t.TempDir(), "operator.txt"), []byte(operator.String()+"\n"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-report-recipient", operator.Recipient().String())
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{note: "You have won"})
		open(t, b, share, "ready")
		fillReport(t, b, "something-else", "Have I?", true)
		sendReport(t, b)
		id := s.reader(t, share, "").id
		all := s.sealedReports(t, id)
		if len(all) != 1 {
			t.Fatalf("the server keeps %d reports", len(all))
		}
		sealed := writeFile(t, filepath.Join(t.TempDir(), "report.age"), all[0])
		var got map[string]any
		must(t, json.Unmarshal(command(t, nil, "age", "--decrypt", "--identity", key, sealed), &got))
		if got["words"] != "Have I?" || got["share"] != id || got["link"] != share || got["reason"] != "something-else" {
			t.Errorf("age reads %v", got)
		}
	})
}

// TestReportTroubles: what is in the way of a report is said, nothing that was written gets lost, and the same report is one.
func TestReportTroubles(t *testing.T) {
	sometimes(t)
	operator, err := age.GenerateHybridIdentity()
	must(t, err)
	file := writeFile(t, filepath.Join(t.TempDir(), "a.txt"), []byte("a"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-report-recipient", operator.Recipient().String())
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}})
		id := s.reader(t, share, "").id
		open(t, b, share, "ready")
		openWindow(t, b, "report")
		pressSend(t, b)
		wantComplaint(t, b, "Choose what is wrong")
		wantFocus(t, b, "[data-hook=report-malware]")
		must(t, b.Click("[data-hook=report-unlawful]"))
		must(t, b.SetValue("[data-hook=report-words]", strings.Repeat("a long story ", 150)))
		for code, want := range map[api.Code]string{
			api.CodeEnoughReports: "reported several times", api.CodeReportsOff: "takes no reports", api.CodeStorageFull: "no room for more reports",
			api.CodeNotFound: "is gone by now", api.CodeBadRequest: "Something unexpected",
		} {
			s.tap.answer("POST", "/reports", api.NewProblem(code))
			pressSend(t, b)
			wantComplaint(t, b, want)
		}
		s.tap.answer("", "", nil)
		lost := s.tap.loseOnce(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/reports") })
		pressSend(t, b)
		must(t, b.WaitForElement("[data-hook=report-close]", patience))
		if len(lost()) != 1 {
			t.Error("no answer was lost, so this test means little")
		}
		all := s.sealedReports(t, id)
		if len(all) != 1 {
			t.Fatalf("the server keeps %d reports", len(all))
		}
		got, err := reports.Open(all[0], operator)
		if err != nil || got.Reason != "unlawful" || len(got.Words) < 1900 || got.Link != "" {
			t.Errorf("the operator reads %+v, %v", got, err)
		}

		// A server without a recipient is not asked to take reports.
		other := newSite(t)
		open(t, b, other.send(t, b, parcel{files: []string{file}}), "ready")
		must(t, b.WaitFor("return !document.querySelector('[data-hook=by-hand]').hidden", patience))
		must(t, b.WaitFor("return performance.getEntriesByType('resource').some(e=>e.name.endsWith('/api/v1/config'))", patience))
		settle(t, b)
		if visible(t, b, "[data-hook=report]") {
			t.Error("reports are offered where none are taken")
		}
	})
}

// wantComplaint wants the dialog to say what is in the way, and to take another try.
func wantComplaint(t *testing.T, b *webdriver.Browser, want string) {
	t.Helper()
	if err := b.WaitFor(`const e=document.querySelector('[data-hook=report-error]');
		return !e.hidden&&e.textContent.includes(a[0])&&document.querySelector('[data-hook=report-send]').getAttribute('aria-disabled')!=='true'`, patience, want); err != nil {
		text, _ := b.Text("[data-hook=report-error]")
		t.Errorf("%s: the dialog says %q, want %q", b.Engine, text, want)
	}
}

// TestReportsAfterUpgrade: a data folder of the version before reports is taken over, with its shares.
func TestReportsAfterUpgrade(t *testing.T) {
	sometimes(t)
	operator, err := age.GenerateHybridIdentity()
	must(t, err)
	file := writeFile(t, filepath.Join(t.TempDir(), "old.txt"), []byte("sent before the upgrade"))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSite(t, "-report-recipient", operator.Recipient().String())
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{files: []string{file}})
		s.stop(syscall.SIGTERM)
		db := s.database()
		_, err := db.Exec(`DROP TABLE marks; DROP TABLE reservations; DROP TABLE usage; DROP TABLE salts; DROP TABLE charges; DROP TABLE reports;
			ALTER TABLE shares DROP COLUMN puts_end; ALTER TABLE shares DROP COLUMN purge_at;
			UPDATE schema_version SET version = 1`) // which is what version 1 made
		must(t, err)
		must(t, db.Close())
		s.start()
		got := receive(t, b, share, "", 0)
		if text, err := os.ReadFile(got); err != nil || string(text) != "sent before the upgrade" {
			t.Errorf("saved %q, %v", text, err)
		}
		fillReport(t, b, "something-else", "", false)
		sendReport(t, b)
		if n := len(s.sealedReports(t, s.reader(t, share, "").id)); n != 1 {
			t.Errorf("the server keeps %d reports", n)
		}
	})
}
