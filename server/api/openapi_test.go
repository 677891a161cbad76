package api_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

// The golden files are the examples of the OpenAPI document, or problems, of which it describes every code and no other.
func TestGoldenIsDescribed(t *testing.T) {
	d, err := description.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, code := range api.Codes() {
		codes = append(codes, string(code))
	}
	slices.Sort(codes)
	if !slices.Equal(d.Codes(), codes) {
		t.Errorf("described are the problems\n%q\nand there are\n%q", d.Codes(), codes)
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if code, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(file), ".json"), "problem-"); ok {
			err = d.CheckNamed(code, text)
		} else {
			examples++
			err = d.CheckExample(filepath.ToSlash(file), text)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if examples != len(d.Examples()) {
		t.Errorf("%d golden files are examples, and these are named: %q", examples, d.Examples())
	}
}
