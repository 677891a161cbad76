package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/sealpost/sealpost/server/store"
)

func wantUsage(t *testing.T, m store.Meta, want int64) {
	t.Helper()
	got, err := m.Usage(t.Context())
	must(t, err)
	wantEqual(t, "usage", got, want)
}

// metaUsage: every part that is there is counted once, and until its share is forgotten.
func metaUsage(t *testing.T, m store.Meta) {
	wantUsage(t, m, 0)
	s, other := create(t, m), create(t, m)
	parts := add(t, m, s.ID, 7, 100, 100)
	wantUsage(t, m, 207)
	for _, p := range []store.Part{parts[1], {N: 1, Size: 99, Digest: newHash()}} { // the same again, and one that loses
		_, err := m.AddPart(t.Context(), s.ID, p, now, now+abandon, 0)
		must(t, err)
	}
	_, err := m.AddPart(t.Context(), newID(), parts[0], now, now+abandon, 0)
	wantErr(t, "part of an unknown share", err, store.ErrNotFound)
	wantUsage(t, m, 207)
	add(t, m, other.ID, 11)
	must(t, m.Remove(t.Context(), s.ID, now))
	must(t, m.Forget(t.Context(), other.ID, now)) // is not removed, so stays
	wantUsage(t, m, 218)
	race(5, func(int) {
		if err := m.Forget(context.Background(), s.ID, now); err != nil {
			t.Errorf("forget: %v", err)
		}
	})
	wantUsage(t, m, 11)
}

// metaTotal: parts are added up to the very byte, and what is there already needs no room.
func metaTotal(t *testing.T, m store.Meta) {
	s := create(t, m)
	put := func(n, size, most int64) error {
		_, err := m.AddPart(t.Context(), s.ID, store.Part{N: n, Size: size, Digest: store.Hash{byte(n)}}, now, now+abandon, most)
		return err
	}
	must(t, put(0, 10, 100))
	wantErr(t, "a byte too many", put(1, 91, 100), store.ErrOverTotal)
	_, err := m.Part(t.Context(), s.ID, 1)
	wantErr(t, "part that was refused", err, store.ErrNotFound)
	must(t, put(1, 90, 100))
	must(t, put(1, 90, 100))
	must(t, put(0, 10, 1))
	wantErr(t, "another one", put(2, 1, 100), store.ErrOverTotal)
	must(t, put(2, 1, 101))
	wantUsage(t, m, 101)
	must(t, m.Remove(t.Context(), s.ID, now))
	must(t, m.Forget(t.Context(), s.ID, now))
	s = create(t, m)
	must(t, put(1, 100, 100))
}

// metaTotalRacing: as many parts as fit, of however many shares, and not one more.
func metaTotalRacing(t *testing.T, m store.Meta) {
	shares := []store.Share{create(t, m), create(t, m), create(t, m)}
	var added atomic.Int64
	race(30, func(i int) {
		p := store.Part{N: int64(i / len(shares)), Size: 10, Digest: newHash()}
		switch _, err := m.AddPart(context.Background(), shares[i%len(shares)].ID, p, now, now+abandon, 175); {
		case err == nil:
			added.Add(1)
		case !errors.Is(err, store.ErrOverTotal):
			t.Errorf("add: %v", err)
		}
	})
	wantEqual(t, "parts added", added.Load(), 17)
	wantUsage(t, m, 170)
	same := create(t, m)
	race(10, func(int) { // of one part, one is counted
		if _, err := m.AddPart(context.Background(), same.ID, store.Part{N: 1, Size: 3, Digest: newHash()}, now, now+abandon, 0); err != nil {
			t.Errorf("add one part: %v", err)
		}
	})
	wantUsage(t, m, 173)
}

const today = now / 86400

func metaCharge(t *testing.T, m store.Meta) {
	charge := func(client string, shares, bytes int64, limit store.Daily) error {
		return m.Charge(t.Context(), store.Charge{Client: client, Day: today, Shares: shares, Bytes: bytes}, limit)
	}
	few, small := store.Daily{Shares: 2}, store.Daily{Bytes: 100}
	must(t, charge("a", 1, 60, few))
	wantErr(t, "too many bytes", charge("a", 1, 41, small), store.ErrOverBytes)
	must(t, charge("a", 1, 40, small))
	wantErr(t, "too many shares", charge("a", 1, 0, few), store.ErrOverShares)
	wantErr(t, "too many of both", charge("a", 1, 1, store.Daily{Shares: 2, Bytes: 100}), store.ErrOverShares)
	wantErr(t, "too many bytes at first", charge("b", 1, 101, small), store.ErrOverBytes)
	wantErr(t, "too many shares at first", charge("b", 3, 1, few), store.ErrOverShares)
	must(t, charge("b", 1, 100, small)) // of which nothing was counted
	wantErr(t, "too many bytes of no share", charge("b", 0, 1, small), store.ErrOverBytes)
	must(t, charge("c", 0, 99, few))
	must(t, charge("c", 0, 1, small))
	must(t, charge("c", 2, 0, store.Daily{Shares: 2, Bytes: 100}))
	must(t, charge("c", 0, 1, few)) // no share too many
	must(t, charge("a", -1, -40, few))
	must(t, charge("a", 1, 40, store.Daily{Shares: 2, Bytes: 100}))
	must(t, charge("a", 1000, 1<<50, store.Daily{})) // no limit
	tomorrow := store.Charge{Client: "a", Day: today + 1, Shares: 1, Bytes: 100}
	must(t, m.Charge(t.Context(), tomorrow, store.Daily{Shares: 1, Bytes: 100}))
	for _, client := range []string{"", "\x00", "'; DROP TABLE shares; --", string(make([]byte, 10000))} {
		must(t, charge(client, 1, 1, store.Daily{Shares: 1, Bytes: 1}))
		wantErr(t, "second of a strange client", charge(client, 1, 0, store.Daily{Shares: 1, Bytes: 1}), store.ErrOverShares)
	}
}

func metaChargeRacing(t *testing.T, m store.Meta) {
	var charged, other atomic.Int64
	race(30, func(i int) {
		c, n := store.Charge{Client: "one", Day: today, Shares: 1, Bytes: 10}, &charged
		if i%3 == 0 {
			c.Client, n = strconv.Itoa(i), &other
		}
		switch err := m.Charge(context.Background(), c, store.Daily{Shares: 100, Bytes: 75}); {
		case err == nil:
			n.Add(1)
		case !errors.Is(err, store.ErrOverBytes):
			t.Errorf("charge: %v", err)
		}
	})
	wantEqual(t, "charges of one client", charged.Load(), 7)
	wantEqual(t, "charges of others", other.Load(), 10)
}

func metaDropCharges(t *testing.T, m store.Meta) {
	full := store.Daily{Shares: 1}
	for day := range int64(3) {
		must(t, m.Charge(t.Context(), store.Charge{Client: "a", Day: today + day, Shares: 1}, full))
	}
	for _, c := range []struct{ before, want int64 }{{today, 0}, {today + 2, 2}, {today + 2, 0}} {
		n, err := m.DropCharges(t.Context(), c.before)
		must(t, err)
		wantEqual(t, "days dropped", n, c.want)
	}
	wantErr(t, "charge on a day that is kept", m.Charge(t.Context(), store.Charge{Client: "a", Day: today + 2, Shares: 1}, full), store.ErrOverShares)
	must(t, m.Charge(t.Context(), store.Charge{Client: "a", Day: today, Shares: 1}, full))
}
