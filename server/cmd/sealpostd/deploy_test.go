package main

import (
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const deployFolder = "../../deploy"

// Each setting that files of server/deploy name is a flag, but for those which are Caddy's own.
func TestDeployNamesSettings(t *testing.T) {
	known := map[string]bool{"SEALPOST_SITE": true, "SEALPOST_SERVERS": true, "SEALPOST_SIGN_IN": true}
	new(options).flags(io.Discard).VisitAll(func(f *flag.Flag) {
		name := "SEALPOST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		known[name], known[name+"_FILE"] = true, true
	})
	found := 0
	err := filepath.WalkDir(deployFolder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`SEALPOST_[A-Z0-9_]+`).FindAllString(string(text), -1) {
			found++
			if !known[name] {
				t.Errorf("%s names %s, which is no setting", path, name)
			}
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d settings, %v", found, err)
	}
}

// Whatever starts servers, or says how they are set for it, has them listen in private, so that they can be drained, and names single proxies.
func TestDeployDrains(t *testing.T) {
	for _, name := range []string{"caddy/Caddyfile", "caddy/Caddyfile.sign-in", "compose/compose.yaml", "compose/compose.scaled.yaml",
		"nginx/sealpost.conf", "systemd/sealpostd.service"} {
		text, err := os.ReadFile(filepath.Join(deployFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, setting := range []string{"SEALPOST_PRIVATE_LISTEN", "SEALPOST_TRUSTED_PROXIES"} {
			if !strings.Contains(string(text), setting) {
				t.Errorf("%s does not set %s", name, setting)
			}
		}
		for _, m := range regexp.MustCompile(`SEALPOST_PRIVATE_LISTEN[=:] ?([^\s.]+)`).FindAllStringSubmatch(string(text), -1) {
			if m[1] != "localhost:9090" && m[1] != "unix:/run/sealpost/private" {
				t.Errorf("%s listens in private on %s", name, m[1])
			}
		}
		if m := regexp.MustCompile(`SEALPOST_TRUSTED_PROXIES[=:] ?[0-9a-f.:]+/\d+`).FindString(string(text)); m != "" {
			t.Errorf("%s trusts a network: %s", name, m)
		}
	}
}

// systemd understands the units, and finds that the service is exposed to little.
func TestSystemdUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"sealpostd.service", "sealpostd.socket"} {
		text, err := os.ReadFile(filepath.Join(deployFolder, "systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		const program = "ExecStart=/usr/local/bin/sealpostd"
		unit := strings.ReplaceAll(string(text), program, "ExecStart=/bin/true") // which is there
		if strings.HasSuffix(name, ".service") == (unit == string(text)) {
			t.Errorf("%s: %q is missing or too much", name, program)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	service := filepath.Join(dir, "sealpostd.service")
	for _, args := range [][]string{
		{"verify", service, filepath.Join(dir, "sealpostd.socket")},
		{"security", "--offline=true", "--threshold=15", service}, // 1.5 of 10
	} {
		out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
