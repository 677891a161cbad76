//go:build !js

// Package main_test runs the Worker as it is deployed; package workerd tells how.
package main_test

import (
	"testing"

	"github.com/sealpost/sealpost/server/conformance/workerd"
)

// deployment is a Worker under test.
type deployment struct{ *workerd.Worker }

// deploy starts a Worker with empty stores. main is worker.mjs, or another module; vars are NAME:VALUE.
func deploy(t *testing.T, main string, vars ...string) *deployment {
	t.Helper()
	return &deployment{workerd.Start(t, main, vars...)}
}

// trigger is what Cloudflare's clock does.
func (d *deployment) trigger(t *testing.T, cron string) {
	t.Helper()
	if err := d.Trigger(cron); err != nil {
		t.Error(err)
	}
}
