package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/storetest"
)

// TestBadSectors: after some commits could not be written, and many more could, the power fails; those are there. What could not be written is
// not known to be, so it may be there or not.
func TestBadSectors(t *testing.T) {
	k := storetest.NewBadSectors(t)
	path := filepath.Join(k.Dir, "meta.db")
	s := open(t, path)
	n := 0
	var acknowledged []int
	create := func(times int) (err error) {
		t.Helper()
		for range times {
			n++
			if _, err = s.Create(t.Context(), share(n)); err == nil {
				acknowledged = append(acknowledged, n)
			} else if !errors.Is(err, store.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		return err
	}
	for range 5 {
		if err := create(5); err != nil {
			t.Fatal(err)
		}
		k.From(t, 0)
		if err := create(3); err == nil {
			t.Fatal("wrote to bad sectors")
		}
		k.Sound(t)
	}
	if err := create(50); err != nil {
		t.Fatal(err)
	}
	k.PowerFails(t)
	s.Close()
	k.Replace(t)
	s = open(t, path)
	for _, n := range acknowledged {
		if _, err := s.Share(t.Context(), share(n).ID, now); err != nil {
			t.Errorf("share %d of %d: %v", n, len(acknowledged), err)
		}
	}
	if damage, err := s.Check(t.Context()); err != nil || len(damage) > 0 {
		t.Errorf("%v %v", damage, err)
	}
}
