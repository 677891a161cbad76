package main

import (
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README's table has one row for each flag, with its default, and none for a flag that is gone. Orders are no settings.
func TestREADMEListsTheFlags(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `-([a-z0-9-]+)` \\| `?([^|`]*?)`? \\|").FindAllStringSubmatch(string(readme), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("-%s has two rows", m[1])
		}
		rows[m[1]] = m[2]
	}
	o, orders := new(options), flag.NewFlagSet("", flag.ContinueOnError)
	o.orders(orders)
	orders.VisitAll(func(f *flag.Flag) {
		if _, ok := rows[f.Name]; ok || !strings.Contains(string(readme), "`-"+f.Name+"`") {
			t.Errorf("-%s is an order: it has a row, or is not mentioned", f.Name)
		}
	})
	o.flags(io.Discard).VisitAll(func(f *flag.Flag) {
		row, ok := rows[f.Name]
		delete(rows, f.Name)
		_, usage := flag.UnquoteUsage(f)
		switch {
		case !ok:
			t.Errorf("-%s has no row", f.Name)
		case strings.Contains(usage, "(default: "): // of which the flag itself has none
			if row == "none" || row == "" {
				t.Errorf("-%s has a default, and no row that says which", f.Name)
			}
		case !strings.EqualFold(row, f.DefValue) && !(row == "none" && f.DefValue == ""):
			t.Errorf("-%s is %q by default, and its row says %q", f.Name, f.DefValue, row)
		}
	})
	for name := range rows {
		t.Errorf("there is no flag -%s", name)
	}
}
