//go:build !js

package main_test

import (
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance"
)

// TestConformance runs what sealpostd passes.
func TestConformance(t *testing.T) {
	common := []string{"SEALPOST_LIFETIMES:1s,1h,30d", "SEALPOST_PART_SIZE:64KiB", "SEALPOST_SUBREQUESTS:18"}
	d := deploy(t, "worker.mjs", append(common, "SEALPOST_CREATE_RATE:0", "SEALPOST_MISS_RATE:0")...)
	tight := deploy(t, "worker.mjs", append(common, "SEALPOST_CREATE_RATE:20", "SEALPOST_MISS_RATE:30", "SEALPOST_ABANDON_AFTER:4s")...)
	conformance.Run(t, conformance.Target{
		BaseURL:         d.url,
		Tight:           &conformance.Tight{BaseURL: tight.url, Address: "CF-Connecting-IP", Creates: 20, Misses: 30},
		MaxContentParts: 8,
		ContentProblem:  api.CodeReadParts,
		Lacks: map[conformance.Capability]string{
			conformance.LongPolls: "a request that waits would be a Go instance that waits",
			conformance.Room:      "instances are few, and who finds none for a while is sent away",
			conformance.HalfClose: "the runtime takes the end of a client's side for the end of the client",
			conformance.Expect:    "the edge gives permission itself",
		},
	})
}
