package main_test

import (
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/server/conformance"
)

// TestConformance: the real binary is what package api says a server is.
func TestConformance(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "data"), "-report-recipient", conformance.Recipient)
	tight := start(t, filepath.Join(t.TempDir(), "data"), "-lifetimes", "2s,1h", "-max-downloads", "6", "-max-share-size", "300KiB",
		"-abandon-after", "5s", "-create-rate", "60", "-miss-rate", "120", "-trusted-proxies", "127.0.0.0/8")
	conformance.Run(t, conformance.Target{
		BaseURL: d.url,
		Tight:   &conformance.Tight{BaseURL: tight.url, Address: "X-Forwarded-For", Creates: 60, Misses: 120},
	})
}
