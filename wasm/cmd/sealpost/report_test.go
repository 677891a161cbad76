package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/wasm/internal/report"
)

// operator returns the file of an operator's key, and the recipient that they publish.
func operator(t *testing.T, hybrid bool) (file, recipient string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "reports.txt")
	var identity string
	if hybrid {
		i, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		identity, recipient = i.String(), i.Recipient().String()
	} else {
		i, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		identity, recipient = i.String(), i.Recipient().String()
	}
	if err := os.WriteFile(file, []byte("# created: today\n# public key: "+recipient+"\n"+identity+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, recipient
}

func sealReport(t *testing.T, recipient string, r report.Report) []byte {
	t.Helper()
	sealed, err := report.Seal(recipient, r)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func lines(t *testing.T, all ...api.SealedReport) string {
	t.Helper()
	var b strings.Builder
	for _, r := range all {
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

const share = "AAAAAAAAAAAAAAAA"

func TestReport(t *testing.T) {
	for _, hybrid := range []bool{false, true} {
		file, recipient := operator(t, hybrid)
		whole := report.Report{Share: share, Reason: "malware", Words: "first line\r\nsecond \x1b[2J\u202edrow", Link: "https://h/d/A#KEY",
			Identity: "AGE-SECRET-KEY-1CANARY"}
		short := report.Report{Share: share, Reason: "something-else"}
		text := lines(t, api.SealedReport{ID: "a", Share: share, Received: 1_800_000_000, Sealed: sealReport(t, recipient, whole)},
			api.SealedReport{ID: "b", Share: "BBBBBBBBBBBBBBBB", Received: 1_800_000_001, Sealed: sealReport(t, recipient, short)})
		want := "2027-01-15T08:00:00Z  share AAAAAAAAAAAAAAAA: malware\n" +
			"  link: there is one, -keys shows it\n" +
			"  identity: there is one, -keys shows it\n" +
			"  > first line\n" +
			"  > second \\u{1B}[2J\\u{202E}drow\n\n" +
			"2027-01-15T08:00:01Z  share BBBBBBBBBBBBBBBB: something-else\n" +
			"  the report itself names another share, AAAAAAAAAAAAAAAA\n\n"
		if status, out, stderr := call(text, nil, "report", "-i", file); status != 0 || out != want || stderr != "" {
			t.Errorf("hybrid %t: %d, %q, %q, want %q", hybrid, status, out, stderr, want)
		}
		status, out, _ := call(text, nil, "report", "-i", file, "-keys")
		if status != 0 || !strings.Contains(out, "  identity: AGE-SECRET-KEY-1CANARY\n") || !strings.Contains(out, "#KEY\n") {
			t.Errorf("keys: %d, %q", status, out)
		}

		// A file for each, as sealpostd admin reports -out makes them; and as JSON.
		one := filepath.Join(t.TempDir(), "one.age")
		if err := os.WriteFile(one, sealReport(t, recipient, whole), 0o600); err != nil {
			t.Fatal(err)
		}
		status, out, stderr := call("", nil, "report", "-json", "-i", file, one, one)
		var got openedReport
		if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &got); err != nil || status != 0 || strings.Count(out, "\n") != 2 {
			t.Fatalf("%d, %q, %q, %v", status, out, stderr, err)
		}
		if whole.Version = 1; got.Report == nil || *got.Report != whole || got.ID != "" {
			t.Errorf("opened %+v", got)
		}

		// The key may come in by standard input, and be sealed itself: age -d key.age | sealpost report -i - FILE
		key, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if status, out, stderr := call(string(key), nil, "report", "-i", "-", one); status != 0 || !strings.Contains(out, ": malware\n") {
			t.Errorf("key on standard input: %d, %q, %q", status, out, stderr)
		}
	}
}

// What is no report, or one to somebody else, does not hide those that are.
func TestReportUnopened(t *testing.T) {
	file, recipient := operator(t, true)
	_, other := operator(t, true)
	text := lines(t, api.SealedReport{Share: share, Sealed: []byte(api.AgeMagic + "\x1b[2J nonsense")},
		api.SealedReport{Share: share, Sealed: sealReport(t, other, report.Report{Share: share, Reason: "malware"})},
		api.SealedReport{Share: share, Sealed: sealReport(t, recipient, report.Report{Share: share, Reason: "unlawful"})})
	status, out, stderr := call(text, nil, "report", "-i", file)
	if status != 1 || strings.Count(out, "failed to open report") != 2 || !strings.Contains(out, ": unlawful\n") || strings.Contains(out, "\x1b") {
		t.Errorf("%d, %q", status, out)
	}
	if stderr != "sealpost: failed to open 2 of 3 reports\n" {
		t.Errorf("said %q", stderr)
	}
	if status, out, _ := call(text, nil, "report", "-json", "-i", file); status != 1 || strings.Count(out, `"error":`) != 2 {
		t.Errorf("%d, %q", status, out)
	}
	sealedKey := filepath.Join(t.TempDir(), "key.age")
	if err := os.WriteFile(sealedKey, []byte(api.AgeMagic), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no such key":  {"report", "-i", file + "x"},
		"no such file": {"report", "-i", file, file + "x"},
		"no reports":   {"report", "-i", file, file},
		"no key":       {"report", "-i", os.DevNull},
		"sealed key":   {"report", "-i", sealedKey},
	} {
		status, out, stderr := call("", nil, args...)
		if status != 1 || out != "" || !strings.HasPrefix(stderr, "sealpost: failed to") {
			t.Errorf("%s: %d, %q, %q", name, status, out, stderr)
		}
	}
	for _, args := range [][]string{{"report"}, {"report", file}, {"report", "-x"}} {
		if status, _, stderr := call("", nil, args...); status != 2 || !strings.Contains(stderr, "sealpost report -i") {
			t.Errorf("%q: %d, %q", args, status, stderr)
		}
	}
	if status, out, _ := call("", nil, "report", "-i", file); status != 0 || out != "" {
		t.Errorf("none: %d, %q", status, out)
	}
}
