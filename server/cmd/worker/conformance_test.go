//go:build !js

package main_test

import (
	"testing"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance"
)

// TestConformance runs what sealpostd passes.
func TestConformance(t *testing.T) {
	for _, main := range []string{"worker.mjs", "stock.mjs"} {
		t.Run(main, func(t *testing.T) {
			common := []string{"SEALPOST_LIFETIMES:1s,1h,30d", "SEALPOST_PART_SIZE:64KiB"}
			d := deploy(t, main, append(common, "SEALPOST_CREATE_RATE:0", "SEALPOST_MISS_RATE:0")...)
			conformance.Run(t, conformance.Target{
				BaseURL:         d.url,
				MaxContentParts: 40,
				ContentProblem:  api.CodeReadParts,
				Lacks: map[conformance.Capability]string{
					conformance.Narrow:    "not yet",
					conformance.LongPolls: "a request that waits would be a Go instance that waits",
					conformance.Room:      "instances are few, and who finds none for a while is sent away",
					conformance.Expect:    "the edge gives permission itself",
					conformance.HalfClose: "the runtime takes the end of a client's side for the end of the client",
				},
				Unseen: map[api.Code]string{
					api.CodeTooManyRequests: "not yet",
				},
			})
		})
	}
}
