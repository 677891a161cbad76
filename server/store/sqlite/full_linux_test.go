package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/sqlite"
	"github.com/sealpost/sealpost/server/store/storetest"
)

func TestFullDisk(t *testing.T) {
	mount := storetest.SmallDisk(t, 4<<20)
	path := filepath.Join(mount, "meta.db")
	s := open(t, path)
	want, err := s.Create(t.Context(), share(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeDownload(t.Context(), want.ID, store.Hash{1}, now); err != nil {
		t.Fatal(err)
	}
	want.Taken = 1
	intact := func() {
		t.Helper()
		if got, err := s.Share(t.Context(), want.ID, now); err != nil || got != want {
			t.Errorf("got %v, want %v, error %v", got, want, err)
		}
		if _, err := s.Ticket(t.Context(), want.ID, store.Hash{1}, now+500); err != nil { // its use cannot be noted
			t.Errorf("a download does not go on: %v", err)
		}
		if _, _, err := s.Try(t.Context(), want.ID, true, store.Budget{Burst: 1, Refill: 1}, now); err != nil {
			t.Errorf("the right password is refused: %v", err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	ballast := storetest.Fill(t, mount)
	acknowledged, n := 0, 1
	for ; n < 10_000; n++ { // the log has some room left, which the acknowledged ones are in
		if _, err = s.Create(t.Context(), share(n)); err != nil {
			break
		}
		acknowledged++
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("create: got error %v, want %v", err, store.ErrFull)
	}
	intact()
	for range 3 {
		if _, err := s.Create(t.Context(), share(n)); !errors.Is(err, store.ErrFull) {
			t.Errorf("create: got error %v, want %v", err, store.ErrFull)
		}
	}
	if _, err := s.Share(t.Context(), share(n).ID, now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a share that was refused is there, error %v", err)
	}
	if _, err := sqlite.Open(path + "2"); !errors.Is(err, store.ErrFull) {
		t.Errorf("a new database on the full disk: got error %v, want %v", err, store.ErrFull)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), share(n)); err != nil {
		t.Errorf("create after there was room again: %v", err)
	}
	intact()
	s = s.Reopen(t).(reopening)
	intact()
	for i := 1; i <= acknowledged+1; i++ {
		if _, err := s.Share(t.Context(), share(i).ID, now); err != nil {
			t.Errorf("share %d, which was acknowledged: %v", i, err)
		}
	}
	if acknowledged+1 != n {
		t.Errorf("acknowledged %d, asked for %d", acknowledged, n)
	}
}
