package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// TestLighthouse wants Lighthouse's full marks for accessibility and best practices, and 95 for performance on a desktop, for the
// page that sends and for one that receives. It runs when SEALPOST_LIGHTHOUSE is the command that starts Lighthouse.
func TestLighthouse(t *testing.T) {
	lighthouse := strings.Fields(os.Getenv("SEALPOST_LIGHTHOUSE"))
	if len(lighthouse) == 0 {
		t.Skip("SEALPOST_LIGHTHOUSE is not set")
	}
	s := newSite(t)
	s.url = "http://" + s.addr // nothing stands between
	file := writeFile(t, filepath.Join(t.TempDir(), "letter.txt"), prose(random(t), 100_000))
	pages := map[string]string{"send": s.url + "/"}
	t.Run("share", func(t *testing.T) {
		pages["receive"] = s.send(t, launch(t, "chromium", webdriver.Options{}), parcel{files: []string{file}})
	})
	for name, page := range pages {
		t.Run(name, func(t *testing.T) { wantMarks(t, lighthouse, page) })
	}
}

func wantMarks(t *testing.T, lighthouse []string, page string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	c := exec.Command(lighthouse[0], append(lighthouse[1:], page, "--preset=desktop", "--output=json", "--output-path="+file, "--quiet",
		"--no-enable-error-reporting", "--only-categories=performance,accessibility,best-practices",
		"--chrome-flags=--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage")...)
	chromium, err := exec.LookPath("chromium")
	must(t, err)
	c.Env = append(os.Environ(), "CHROME_PATH="+chromium, "HOME="+dir, "npm_config_cache="+npmCache(t))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	must(t, webdriver.StartCommand(c))
	hung := time.AfterFunc(3*time.Minute, func() { c.Process.Kill() })
	defer hung.Stop()
	if err := c.Wait(); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("lighthouse: %v\n%s", err, said)
	}
	readMarks(t, file)
}

// npmCache keeps npm's packages, though Lighthouse has a home of its own.
func npmCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("npm", "config", "get", "cache").Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

// readMarks tells the scores of a report, and what lowers them.
func readMarks(t *testing.T, file string) {
	t.Helper()
	var report struct {
		Categories map[string]struct {
			Score     float64
			AuditRefs []struct {
				ID     string
				Weight float64
			}
		}
		Audits map[string]struct {
			Title, DisplayValue, Explanation string
			Score                            *float64
			Details                          json.RawMessage
		}
		RuntimeError struct{ Message string }
	}
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, json.Unmarshal(text, &report))
	if report.RuntimeError.Message != "" {
		t.Fatalf("lighthouse: %s", report.RuntimeError.Message)
	}
	for category, want := range map[string]float64{"performance": 0.95, "accessibility": 1, "best-practices": 1} {
		got := report.Categories[category]
		var lowered []string
		for _, ref := range got.AuditRefs {
			if a := report.Audits[ref.ID]; ref.Weight > 0 && a.Score != nil && *a.Score < 1 {
				why := fmt.Sprintf("  %s %.2f: %s %s %s", ref.ID, *a.Score, a.Title, a.DisplayValue, a.Explanation)
				if *a.Score < 0.9 {
					why += "\n    " + string(a.Details[:min(len(a.Details), 1500)])
				}
				lowered = append(lowered, why)
			}
		}
		slices.Sort(lowered)
		t.Logf("%s: %.0f\n%s", category, 100*got.Score, strings.Join(lowered, "\n"))
		if got.Score < want {
			t.Errorf("%s is %.0f, want %.0f", category, 100*got.Score, 100*want)
		}
	}
}
