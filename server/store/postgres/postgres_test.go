package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/conformance/services"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/postgres"
	"github.com/sealpost/sealpost/server/store/storetest"
)

func TestMain(m *testing.M) { services.Main(m) }

// reopening is a store that the suite can open anew.
type reopening struct {
	*postgres.Store
	address string
}

func (r reopening) Reopen(t *testing.T) store.Meta { return open(t, r.address) }

func open(t testing.TB, address string) reopening {
	t.Helper()
	s, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return reopening{s, address}
}

func TestMeta(t *testing.T) {
	p := services.Postgres(t)
	storetest.Meta(t, func(t *testing.T) store.Meta { return open(t, p.Schema(t)) })
}

const now = 1_800_000_000

func share(n int) store.Share {
	s := store.Share{ID: fmt.Sprintf("share-%010d", n), State: store.Open, PartSize: 100, Size: 1000, Created: now,
		Expires: now + 1000, Lifetime: 1000, MaxDownloads: 5}
	copy(s.Access[:], "access-of-"+s.ID)
	copy(s.Reader[:], "reader-of-"+s.ID)
	copy(s.Owner[:], "owner-of-"+s.ID)
	return s
}

// ready makes a share that is complete.
func ready(t testing.TB, s store.Meta, n int) store.Share {
	t.Helper()
	sh, err := s.Create(t.Context(), share(n))
	if err != nil {
		t.Fatal(err)
	}
	for part := range int64(2) {
		if _, err := s.AddPart(t.Context(), sh.ID, store.Part{N: part, Size: 10}, now, now+1000, 0); err != nil {
			t.Fatal(err)
		}
	}
	if sh, err = s.Complete(t.Context(), sh.ID, 10, 1, now); err != nil {
		t.Fatal(err)
	}
	return sh
}

func TestTooNew(t *testing.T) {
	p := services.Postgres(t)
	address := p.Schema(t)
	s := open(t, address)
	if _, err := s.Pool().Exec(t.Context(), `UPDATE schema_version SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), address); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("got error %v, want %v", err, store.ErrTooNew)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("a server that was running: got error %v, want %v", err, store.ErrTooNew)
	}
}

// TestOpenAtOnce: of servers that start together on an empty database, one makes the schema.
func TestOpenAtOnce(t *testing.T) {
	address := services.Postgres(t).Schema(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := postgres.Open(context.Background(), address)
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	wg.Wait()
	var versions int
	if err := open(t, address).Pool().QueryRow(t.Context(), `SELECT COUNT(*) FROM schema_version`).Scan(&versions); err != nil || versions != 1 {
		t.Errorf("%d versions, %v", versions, err)
	}
}

// TestUpgrade: a database of version 1 keeps what it has, and is then as a new one.
func TestUpgrade(t *testing.T) {
	p := services.Postgres(t)
	old, fresh := p.Schema(t), p.Schema(t)
	s := open(t, old)
	sh := ready(t, s, 1)
	if _, err := s.Pool().Exec(t.Context(), `DROP TABLE reports, usage, salts, charges, reservations, marks;
		ALTER TABLE shares DROP COLUMN puts_end, DROP COLUMN purge_at; UPDATE schema_version SET version = 1`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := postgres.Attach(t.Context(), old); err == nil || !strings.Contains(err.Error(), "version 1") { // an older server may use it
		t.Errorf("attached: %v", err)
	}
	s = open(t, old)
	if got, err := s.Share(t.Context(), sh.ID, now); err != nil || got != sh {
		t.Errorf("got %+v, want %+v, error %v", got, sh, err)
	}
	if got, want := columns(t, s), columns(t, open(t, fresh)); got != want || !strings.Contains(got, "reports") {
		t.Errorf("the upgraded database has\n%s\na new one\n%s", got, want)
	}
}

// columns are what the tables consist of.
func columns(t *testing.T, s reopening) (text string) {
	t.Helper()
	const query = `SELECT string_agg(table_name || '.' || column_name || ' ' || data_type || ' ' || COALESCE(collation_name, ''), E'\n'
		ORDER BY table_name, column_name) FROM information_schema.columns WHERE table_schema = current_schema()`
	if err := s.Pool().QueryRow(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOpenRefuses(t *testing.T) {
	address := services.Postgres(t).Schema(t)
	for _, c := range []struct{ address, want string }{
		{"postgres://test:hush@localhost/?sslmode=perhaps", "sslmode"},
		{"postgres://test:hush@127.0.0.1:1/postgres", "connect"},
		{address + "&synchronous_commit=off", "synchronous_commit"},
	} {
		_, err := postgres.Open(t.Context(), c.address)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}

// TestSilenceSettings: each session has them, but for those that the address has.
func TestSilenceSettings(t *testing.T) {
	address := services.Postgres(t).Schema(t)
	for more, want := range map[string]string{
		"": "10 3 3 15000",
		"&tcp_keepalives_idle=60&options=-c%20tcp_user_timeout%3D70000": "60 3 3 70000",
	} {
		var got string
		const query = `SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'),
			current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout'))`
		if err := open(t, address+more).Pool().QueryRow(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%q: got %s, want %s, %v", more, got, want, err)
		}
	}
}

// TestManyServers: two stores on one database, as two servers have them, race for the last downloads, the end and the sweep of shares.
// Nobody is given what the other has given away or removed.
func TestManyServers(t *testing.T) {
	address := services.Postgres(t).Schema(t)
	stores := []reopening{open(t, address), open(t, address)}
	var wg sync.WaitGroup
	for n := range 10 {
		sh := ready(t, stores[0], n)
		var mu sync.Mutex
		var leased []store.Hash
		for i := range 20 {
			wg.Go(func() {
				ticket := store.Hash{byte(i)}
				_, err := stores[i%2].TakeDownload(context.Background(), sh.ID, ticket, now)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					leased = append(leased, ticket)
				} else if !errors.Is(err, store.ErrSpent) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(leased) != 5 {
			t.Errorf("%d leases, want 5", len(leased))
		}
		spent := 0
		for i, ticket := range leased {
			wg.Go(func() {
				last, err := stores[i%2].FinishDownload(context.Background(), sh.ID, ticket, now, now)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if last {
					spent++
				}
			})
		}
		wg.Wait()
		if spent != 1 {
			t.Errorf("%d of those who finished were the last", spent)
		}
	}
}

// TestSweepAgainstResume: who is told that a finished download goes on has it; no sweep that began before takes the share away.
func TestSweepAgainstResume(t *testing.T) {
	address := services.Postgres(t).Schema(t)
	one, two := open(t, address), open(t, address)
	rounds, resumed := 60, 0
	for n := range rounds {
		sh := ready(t, one, n)
		if _, err := one.Update(t.Context(), sh.ID, store.Change{MaxDownloads: new(int64)}, now); err != nil {
			t.Fatal(err)
		}
		ticket := store.Hash{1}
		if _, err := one.TakeDownload(t.Context(), sh.ID, ticket, now); err != nil {
			t.Fatal(err)
		}
		if _, err := one.FinishDownload(t.Context(), sh.ID, ticket, now, now); err != nil {
			t.Fatal(err)
		}
		last := int64(1) // from here on it is spent, and nobody has said so
		if _, err := one.Update(t.Context(), sh.ID, store.Change{MaxDownloads: &last}, now); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var doomed []string
		var err, swept error
		wg.Go(func() { doomed, swept = two.Doomed(context.Background(), now, now, 100) })
		wg.Go(func() { _, err = one.TakeDownload(context.Background(), sh.ID, ticket, now+1) })
		wg.Wait()
		if swept != nil || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(swept, err)
		}
		if err == nil {
			resumed++
			if len(doomed) > 0 {
				t.Errorf("round %d: the download goes on, and the share was removed", n)
			}
		} else if len(doomed) != 1 {
			t.Errorf("round %d: the share is gone, and %d shares were removed", n, len(doomed))
		}
		one.Remove(t.Context(), sh.ID, now)
		if err := one.Forget(t.Context(), sh.ID, now); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d were resumed in time", resumed, rounds)
}

// TestRestart: without its database a store says so, soon, and works again when the database does. Nothing acknowledged is lost.
func TestRestart(t *testing.T) {
	p := services.StartPostgres(t)
	s := open(t, p.Schema(t))
	taken := 0
	sh := ready(t, s, 1)
	if _, err := s.Update(t.Context(), sh.ID, store.Change{MaxDownloads: new(int64)}, now); err != nil {
		t.Fatal(err)
	}
	for i, stop := range []func(){p.Stop, p.Kill} {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for w := range 8 { // which have connections open when it goes
			wg.Go(func() {
				for n := range 1000 {
					ticket := store.Hash{byte(i), byte(w), byte(n), byte(n >> 8)}
					_, err := s.TakeDownload(context.Background(), sh.ID, ticket, now)
					if errors.Is(err, store.ErrUnavailable) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					taken++
					mu.Unlock()
				}
				t.Error("it was not stopped")
			})
		}
		time.Sleep(100 * time.Millisecond)
		stop()
		wg.Wait()
		began := time.Now()
		for name, err := range map[string]error{"ping": s.Ping(t.Context()), "remove": s.Remove(t.Context(), sh.ID, now)} {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s without a database: %v", name, err)
			}
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("it took %v to say so", d)
		}
		p.Start(t)
		got, err := s.Share(t.Context(), sh.ID, now)
		if err != nil {
			t.Fatalf("after the database is back: %v", err)
		}
		if unknown := got.Taken - int64(taken); unknown < 0 || unknown > 8*int64(i+1) { // whose answers were lost
			t.Errorf("%d downloads were acknowledged, %d are counted", taken, got.Taken)
		}
	}
}

// TestFull: a disk without room is told apart.
func TestFull(t *testing.T) {
	s := open(t, services.Postgres(t).Schema(t))
	const refuse = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON shares EXECUTE FUNCTION refuse()`
	if _, err := s.Pool().Exec(t.Context(), refuse); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), share(1)); !errors.Is(err, store.ErrFull) {
		t.Errorf("got error %v, want %v", err, store.ErrFull)
	}
}

func BenchmarkTakeDownload(b *testing.B) {
	s := open(b, services.Postgres(b).Schema(b))
	sh := ready(b, s, 1)
	if _, err := s.Update(b.Context(), sh.ID, store.Change{MaxDownloads: new(int64)}, now); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		var ticket store.Hash
		copy(ticket[:], fmt.Sprint(i))
		if _, err := s.TakeDownload(b.Context(), sh.ID, ticket, now); err != nil {
			b.Fatal(err)
		}
	}
}
