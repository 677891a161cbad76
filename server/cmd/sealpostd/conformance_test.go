package main_test

import (
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/server/conformance"
	"github.com/sealpost/sealpost/server/conformance/services"
)

// TestConformance: the real binary is what package api says a server is, whatever stands behind it.
func TestConformance(t *testing.T) {
	for _, b := range []struct {
		name   string
		open   func(t *testing.T) []string // a new place to keep things, as flags
		direct bool                        // parts may go past the server
		sample bool
	}{
		{"disk+SQLite", func(t *testing.T) []string { return nil }, false, false},
		{"S3+PostgreSQL", func(t *testing.T) []string { return append(onS3(t), onPostgres(t)...) }, true, true},
		{"disk+PostgreSQL", onPostgres, false, true},
		{"S3+SQLite", onS3, false, true},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			flags, direct := append(b.open(t), "-report-recipient", conformance.Recipient), ""
			if b.direct {
				direct = services.S3(t).Endpoint()
				flags = append(flags, "-s3-direct", direct)
			}
			d := start(t, filepath.Join(t.TempDir(), "data"), flags...)
			tight := start(t, filepath.Join(t.TempDir(), "data"), append(b.open(t), "-lifetimes", "2s,1h", "-max-downloads", "6",
				"-max-share-size", "300KiB", "-abandon-after", "5s", "-create-rate", "60", "-miss-rate", "120",
				"-trusted-proxies", "127.0.0.0/8")...)
			conformance.Run(t, conformance.Target{
				BaseURL: d.url,
				Direct:  direct,
				Tight:   &conformance.Tight{BaseURL: tight.url, Address: "X-Forwarded-For", Creates: 60, Misses: 120},
				Sample:  b.sample,
			})
		})
	}
}
