//go:build !js

package main_test

import (
	"testing"

	"github.com/sealpost/sealpost/server/conformance"
	"github.com/sealpost/sealpost/server/conformance/workerd"
)

// TestConformance runs what sealpostd passes.
func TestConformance(t *testing.T) {
	t.Parallel()
	d := deploy(t, "worker.mjs", "SEALPOST_LIFETIMES:1s,1h,30d", "SEALPOST_PART_SIZE:64KiB", "SEALPOST_SUBREQUESTS:18",
		"SEALPOST_CREATE_RATE:0", "SEALPOST_TAKE_RATE:0", "SEALPOST_MISS_RATE:0", "SEALPOST_REPORT_RATE:0", "SEALPOST_REPORT_RECIPIENT:"+conformance.Recipient)
	tight := deploy(t, "worker.mjs", "SEALPOST_LIFETIMES:2s,1h", "SEALPOST_PART_SIZE:64KiB", "SEALPOST_MAX_DOWNLOADS:6",
		"SEALPOST_MAX_SHARE_SIZE:300KiB", "SEALPOST_ABANDON_AFTER:5s", "SEALPOST_CREATE_RATE:60", "SEALPOST_MISS_RATE:120")
	conformance.Run(t, conformance.Target{
		BaseURL:         d.URL,
		Tight:           &conformance.Tight{BaseURL: tight.URL, Address: "CF-Connecting-IP", Creates: 60, Misses: 120},
		MaxContentParts: 8,
		Lost:            workerd.Lost,
		Lacks: map[conformance.Capability]string{
			conformance.LongPolls: "a request that waits would be a Go instance that waits",
			conformance.Room:      "instances are few, and who finds none for a while is sent away",
			conformance.HalfClose: "the runtime takes the end of a client's side for the end of the client",
			conformance.Expect:    "the edge gives permission itself",
		},
	})
}
