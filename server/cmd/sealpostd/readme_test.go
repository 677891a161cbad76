package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The README has one row for each flag, and none for a flag that is gone.
func TestREADMEListsTheFlags(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var usage bytes.Buffer
	run(context.Background(), []string{"-help"}, func(string) string { return "" }, &usage)
	names := func(pattern string, text []byte) (out []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			out = append(out, string(m[1]))
		}
		slices.Sort(out)
		return out
	}
	flags := slices.DeleteFunc(names(`(?m)^  -([a-z0-9-]+)`, usage.Bytes()), func(s string) bool { return s == "version" || s == "healthcheck" })
	rows := names("(?m)^\\| `-([a-z0-9-]+)` ", readme)
	if len(flags) == 0 || !slices.Equal(flags, rows) {
		t.Errorf("the README lists\n%v\nand sealpostd has\n%v", rows, flags)
	}
}
