package storetest

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/store"
)

// blobsList: what can be listed is all that was put and not deleted, once, with its size.
func blobsList(t *testing.T, b store.Blobs) {
	lister, ok := b.(store.Lister)
	if !ok {
		t.Skip("this driver cannot list")
	}
	wantList := func(want map[store.Key]int64) {
		t.Helper()
		got := map[store.Key]int64{}
		must(t, lister.List(t.Context(), func(o store.Object) error {
			if _, twice := got[o.Key]; twice || o.Stray != "" {
				t.Errorf("listed %+v", o)
			}
			if age := time.Since(o.Modified); age < -time.Minute || age > time.Hour {
				t.Errorf("modified %v ago", age)
			}
			got[o.Key] = o.Size
			return nil
		}))
		if !maps.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
	}
	wantList(map[store.Key]int64{})
	want := map[store.Key]int64{}
	var shares []string
	for range 3 {
		share := newID()
		shares = append(shares, share)
		for n, size := range []int{100, 1, 70_000} {
			data := sealed(size)
			key := keyOf(share, int64(n), data)
			must(t, put(b, key, data))
			want[key] = int64(size)
		}
		rival := sealed(50) // the same part with other bytes
		must(t, put(b, keyOf(share, 1, rival), rival))
		want[keyOf(share, 1, rival)] = 50
	}
	wantList(want)
	must(t, b.DeleteShare(t.Context(), shares[0]))
	maps.DeleteFunc(want, func(k store.Key, _ int64) bool { return k.Share == shares[0] })
	wantList(want)

	enough, n := errors.New("enough"), 0
	err := lister.List(t.Context(), func(store.Object) error {
		n++
		return enough
	})
	wantErr(t, "list that is ended", err, enough)
	wantEqual(t, "objects before the end", n, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lister.List(ctx, func(store.Object) error { return nil }); err == nil {
		t.Error("List worked with a cancelled context")
	}
}
