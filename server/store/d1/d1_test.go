//go:build js && wasm

package d1_test

import (
	"syscall/js"
	"testing"

	"github.com/syumai/workers/cloudflare"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/d1"
	"github.com/sealpost/sealpost/server/store/internal/promise"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// The Worker's tests run this in workerd.

func batches() js.Value { return cloudflare.GetBinding("BATCHES") }

func TestMeta(t *testing.T) {
	storetest.Meta(t, func(t *testing.T) store.Meta {
		if _, err := promise.Await(cloudflare.GetBinding("DB").Call("exec", "DELETE FROM shares\nDELETE FROM reports\nDELETE FROM charges\nDELETE FROM salts\nUPDATE usage SET bytes = 0")); err != nil {
			t.Fatal(err)
		}
		return &reopening{d1.New(batches)}
	})
}

type reopening struct{ *d1.Store }

func (*reopening) Reopen(*testing.T) store.Meta { return &reopening{d1.New(batches)} }
