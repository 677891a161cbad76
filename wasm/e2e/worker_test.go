package e2e

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/workerd"
	"github.com/sealpost/sealpost/wasm/e2e/webdriver"
)

// onWorker has sites stand on the Worker, in the runtime that Cloudflare has. Any engine will do, as they have all been to
// sealpostd: it is the server that is another.
func onWorker(engines ...string) ground { return ground{engines: engines, start: startWorker} }

// worker is a Worker with its buckets and database, and a clock that goes faster than Cloudflare's.
type worker struct {
	*workerd.Worker
	t       *testing.T
	stopped chan struct{} // the clock, when closed
	rests   chan struct{} // closed when the clock has stopped
}

// startWorker starts a Worker that sweeps every second.
func startWorker(t *testing.T, args []string) (server, string) {
	t.Helper()
	var vars []string
	for i := 0; i+1 < len(args); i += 2 {
		name := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(args[i], "-"), "-", "_"))
		vars = append(vars, "SEALPOST_"+name+":"+args[i+1])
	}
	w := &worker{Worker: workerd.Start(t, "worker.mjs", vars...), t: t}
	w.wind()
	t.Cleanup(w.halt)
	u, err := url.Parse(w.URL)
	must(t, err)
	return w, u.Host
}

// wind starts the clock.
func (w *worker) wind() {
	stopped, rests := make(chan struct{}), make(chan struct{})
	w.stopped, w.rests = stopped, rests
	go func() {
		defer close(rests)
		for {
			select {
			case <-stopped:
				return
			case <-time.After(time.Second):
				if err := w.Trigger("* * * * *"); err != nil {
					w.t.Error(err)
				}
			}
		}
	}()
}

func (w *worker) halt() {
	if w.stopped != nil {
		close(w.stopped)
		<-w.rests
		w.stopped = nil
	}
}

func (w *worker) start() {
	w.t.Helper()
	w.Start()
	w.wind()
}

func (w *worker) stop(sig syscall.Signal) {
	w.halt()
	w.Stop(sig)
}

func (w *worker) text() string { return w.Log.Own() }

func (w *worker) data() string { return w.State }

func (w *worker) records() string { return w.file("v3/d1/*/*.sqlite") }

// file is the one that matches, but for what the runtime keeps about itself, or "".
func (w *worker) file(pattern string) string {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.State, pattern))
	must(w.t, err)
	for _, name := range names {
		if filepath.Base(name) != "metadata.sqlite" {
			return name
		}
	}
	return ""
}

func (w *worker) parts() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	file := w.file("v3/r2/*/*.sqlite")
	if file == "" {
		return all // nothing has been put yet
	}
	db, err := sql.Open("sqlite", file+"?mode=ro&_pragma=busy_timeout(10000)")
	must(w.t, err)
	defer db.Close()
	rows, err := db.Query("SELECT key, blob_id FROM _mf_objects WHERE key <> '.mark'")
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return all // nor just now
	}
	must(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var key, blob string
		must(w.t, rows.Scan(&key, &blob))
		all[key] = w.file("v3/r2/*/blobs/" + blob)
	}
	must(w.t, rows.Err())
	return all
}

// A story is a test that tells of a server by what it does and not by what it is.
type story struct {
	name string
	test func(*testing.T)
}

// stories are told side by side if they have something in common, else one after the other: each has a Worker.
var stories = map[string][]story{
	"Things":   {{"SmallThings", TestSmallThings}, {"LargeThings", TestLargeThings}, {"StockTools", TestStockTools}, {"README", TestREADME}},
	"Doors":    {{"Password", TestPassword}, {"Tries", TestTries}, {"NothingThere", TestNothingThere}, {"OverTheLimits", TestOverTheLimits}},
	"Ends":     {{"DownloadsLimit", TestDownloadsLimit}, {"Expiry", TestExpiry}, {"GivenUp", TestGivenUp}, {"Cancel", TestCancel}},
	"Breaks":   {{"LostAnswers", TestLostAnswers}, {"ServerRestarts", TestServerRestarts}, {"SlowDownload", TestSlowDownload}},
	"Waits":    {{"Follow", TestFollow}, {"FollowRests", TestFollowRests}, {"SenderCancels", TestSenderCancels}, {"Progress", TestProgress}, {"PageLeft", TestPageLeft}},
	"Troubles": {{"Unreachable", TestUnreachable}, {"Refused", TestRefused}, {"DamagedShare", TestDamagedShare}, {"Whole", TestWhole}},
	"Ways":     {{"EveryWay", TestEveryWay}},
	"Secrets":  {{"Blind", TestBlind}, {"Quiet", TestQuiet}, {"Policy", TestPolicy}},
}

// TestWorker: on Cloudflare Workers people meet with the same. All engines send and receive there; the stories are told in one
// of them, a sample of two unless -run asks for TestWorker/some.
func TestWorker(t *testing.T) {
	t.Parallel()
	workerd.Need(t)
	t.Run("AllPairs", func(t *testing.T) {
		stand(t, onWorker(webdriver.Engines...))
		TestAllPairs(t)
	})
	r := random(t)
	one := onWorker(webdriver.Engines[r.IntN(len(webdriver.Engines))])
	themes := slices.Sorted(maps.Keys(stories))
	chosen := map[string]bool{}
	if !long && !strings.Contains(flag.Lookup("test.run").Value.String(), t.Name()+"/") {
		for _, i := range r.Perm(len(themes))[:2] {
			of := stories[themes[i]]
			chosen[of[r.IntN(len(of))].name] = true
		}
	}
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			for _, s := range stories[theme] {
				if len(chosen) > 0 && !chosen[s.name] {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					stand(t, one)
					s.test(t)
				})
			}
		})
	}
}

// TestReadParts: a share of more parts than one answer can be made of on Workers is received by the page like any other, as one
// download, and so is one file of it; and part by part by the distribution's tools.
func TestReadParts(t *testing.T) {
	sometimes(t)
	workerd.Need(t)
	dir := filepath.Join(t.TempDir(), "large")
	large := writeFile(t, filepath.Join(dir, "large.bin"), noise(random(t), 5<<20))
	writeFile(t, filepath.Join(dir, "small.txt"), []byte("small"))
	want := inventory(t, filepath.Dir(dir))
	someEngine(t, func(t *testing.T, engine string) {
		s := newSiteOn(t, onWorker(), "-part-size", "256KiB", "-subrequests", "18") // and ten of them are for records
		b := launch(t, engine, webdriver.Options{})
		share := s.send(t, b, parcel{folder: dir, downloads: "3"})
		r := s.reader(t, share, "")
		ticket := r.take(t)
		var problem api.Problem
		status, answer := r.call(t, "GET", "/content", ticket, nil)
		must(t, json.Unmarshal(answer, &problem))
		if problem.Code != api.CodeReadParts {
			t.Fatalf("content is answered %d %s, so this test means nothing", status, answer)
		}
		open(t, b, share, "ready")
		got := save(t, b, "[data-hook=entry]:nth-child(1) [data-hook=entry-download]", 0)
		if g, w := fileHash(t, got), fileHash(t, large); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
		wantSame(t, untar(t, save(t, b, "[data-hook=download]", 0)), want)
		state, ok := r.share(t)
		if !ok || state.Left == nil || *state.Left != 1 {
			t.Errorf("afterwards: %+v, %v", state, ok)
		}
		var content []byte
		for n := range state.Parts {
			_, part := r.call(t, "GET", fmt.Sprintf("/parts/%d", n+1), ticket, nil)
			content = append(content, part...)
		}
		file := writeFile(t, filepath.Join(t.TempDir(), "content.age"), content)
		wantSame(t, untar(t, stock(t, r.identity(t, ""), file)), want)
	})
}
