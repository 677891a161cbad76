package server_test

import (
	"slices"
	"testing"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

// The OpenAPI document describes every route, and none that there is not. Its answers are checked in package conformance.
func TestRoutesAreDescribed(t *testing.T) {
	d, err := description.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	routes := server.Routes()
	slices.Sort(routes)
	if described := d.Routes(); len(routes) == 0 || !slices.Equal(described, routes) {
		t.Errorf("described are\n%q\nand there are\n%q", described, routes)
	}
}
