package main_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../../"

// image is what the last stage of the Dockerfile says about a container.
type image struct {
	base, user, workdir, volume, expose string
	env                                 map[string]string
	copies                              [][]string // what COPY says
	entrypoint, healthcheck             []string
}

// readImage understands as much of Dockerfiles as ours has, and fails on what it does not.
func readImage(t *testing.T) (img image) {
	t.Helper()
	words := func(list string) (out []string) {
		if err := json.Unmarshal([]byte(list), &out); err != nil {
			t.Fatalf("%s: %v", list, err)
		}
		return out
	}
	for _, line := range strings.Split(read(t, "Dockerfile"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		instruction, rest, _ := strings.Cut(line, " ")
		switch instruction {
		case "FROM":
			img = image{base: rest, env: map[string]string{}}
		case "ENV":
			for _, pair := range strings.Fields(rest) {
				name, value, _ := strings.Cut(pair, "=")
				img.env[name] = value
			}
		case "COPY":
			img.copies = append(img.copies, strings.Fields(rest))
		case "USER":
			img.user = rest
		case "WORKDIR":
			img.workdir = rest
		case "VOLUME":
			img.volume = rest
		case "EXPOSE":
			img.expose = rest
		case "ENTRYPOINT":
			img.entrypoint = words(rest)
		case "HEALTHCHECK":
			_, list, _ := strings.Cut(rest, " CMD ")
			img.healthcheck = words(list)
		case "RUN", "ARG": // of the first stage; whether it builds, the image job of CI tells
		default:
			t.Fatalf("the test does not know %s", instruction)
		}
	}
	return img
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The image's settings fit each other, and the program.
func TestDockerfile(t *testing.T) {
	img := readImage(t)
	if img.base != "scratch" || len(img.copies) != 3 {
		t.Errorf("the image has more than a program, a folder and certificates: FROM %s, COPY %v", img.base, img.copies)
	}
	if !has(img.copies, "--from=build", "/etc/ssl/certs/ca-certificates.crt") { // where crypto/x509 looks first
		t.Errorf("no certificates: COPY %v", img.copies)
	}
	if !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(img.user) {
		t.Errorf("USER %s: not a number, or root", img.user)
	}
	if data := img.env["SEALPOST_DATA"]; data != img.volume || data != img.workdir || !has(img.copies, "--chown="+img.user, data) {
		t.Errorf("data is in %s, VOLUME %s, WORKDIR %s, COPY %v", data, img.volume, img.workdir, img.copies)
	}
	if _, port, err := net.SplitHostPort(img.env["SEALPOST_LISTEN"]); err != nil || port != img.expose {
		t.Errorf("listens on %s, EXPOSE %s", img.env["SEALPOST_LISTEN"], img.expose)
	}
	if len(img.entrypoint) != 1 || !has(img.copies, "--from=build", img.entrypoint[0]) {
		t.Errorf("ENTRYPOINT %v, COPY %v", img.entrypoint, img.copies)
	}
	if want := img.entrypoint[0] + " -healthcheck"; strings.Join(img.healthcheck, " ") != want {
		t.Errorf("HEALTHCHECK %v, want %s", img.healthcheck, want)
	}
	usage, _ := exec.Command(binary, "-help").CombinedOutput()
	for name := range img.env {
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "SEALPOST_")), "_", "-")
		if !strings.Contains(string(usage), "  -"+flag+" ") {
			t.Errorf("ENV %s is no setting", name)
		}
	}
}

// has tells whether a COPY has this option and this target.
func has(copies [][]string, option, target string) bool {
	for _, c := range copies {
		if c[len(c)-1] == target && strings.Contains(strings.Join(c, " "), option) {
			return true
		}
	}
	return false
}

// Container and release are built by one version of Go, so that the same sources are the same bytes.
func TestOneGoVersion(t *testing.T) {
	versions := map[string][]string{}
	for _, name := range []string{"Dockerfile", ".github/workflows/test.yml", ".github/workflows/release.yml"} {
		found := regexp.MustCompile(`golang:(\S+)`).FindAllStringSubmatch(read(t, name), -1)
		if len(found) == 0 {
			t.Errorf("%s names no golang image", name)
		}
		for _, m := range found {
			versions[m[1]] = append(versions[m[1]], name)
		}
	}
	if len(versions) != 1 {
		t.Errorf("more than one: %v", versions)
	}
}
