package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/internal/metrics"
	"github.com/sealpost/sealpost/server/store"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

func TestMetrics(t *testing.T) {
	m := metrics.New("v1")
	m.Answered(server.Answer{Method: "GET", Route: "/api/v1/shares/{id}", Status: 200, Took: 3 * time.Millisecond})
	m.Answered(server.Answer{Method: "GET", Route: "/api/v1/shares/{id}", Status: 429, Problem: api.CodeTooManyRequests})
	m.Answered(server.Answer{Method: "GET", Route: "/api/v1/shares/{id}/content", Status: 200, Cut: true, Damaged: true, Took: time.Hour})
	m.Swept("shares", 5, nil)
	m.Swept("shares", 2, errors.New("two are left"))
	m.Received(10)
	m.Sent(20)
	put := m.Store("blobs")
	for _, err := range []error{nil, store.ErrNotFound, fmt.Errorf("wrapped: %w", store.ErrDigest), context.Canceled, os.ErrDeadlineExceeded} {
		put("Put", time.Millisecond, err)
	}
	for _, err := range []error{store.ErrFull, errors.New("broken"), context.DeadlineExceeded} {
		put("Put", time.Millisecond, err)
	}
	draining := true
	m.Gauge("draining", "Whether.", func() bool { return draining })
	release := make(chan struct{})
	entered := make(chan struct{})
	h := m.InFlight(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-release }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	<-entered
	want(t, scrape(t, m),
		`sealpost_requests_total{code="200",method="GET",route="/api/v1/shares/{id}"} 1`,
		`sealpost_requests_total{code="429",method="GET",route="/api/v1/shares/{id}"} 1`,
		`sealpost_refusals_total{reason="too-many-requests",route="/api/v1/shares/{id}"} 1`,
		`sealpost_responses_cut_total{route="/api/v1/shares/{id}/content"} 1`,
		`sealpost_request_duration_seconds_bucket{method="GET",route="/api/v1/shares/{id}",le="0.005"} 2`,
		`sealpost_request_duration_seconds_bucket{method="GET",route="/api/v1/shares/{id}/content",le="1800"} 0`,
		`sealpost_requests_in_flight 1`,
		`sealpost_received_bytes_total 10`,
		`sealpost_sent_bytes_total 20`,
		`sealpost_sweeps_total{kind="shares",result="done"} 1`,
		`sealpost_sweeps_total{kind="shares",result="failed"} 1`,
		`sealpost_swept_total{kind="shares"} 7`,
		`sealpost_store_duration_seconds_count{operation="Put",store="blobs"} 8`,
		`sealpost_store_errors_total{operation="Put",store="blobs"} 3`,
		`sealpost_store_errors_total{operation="Read",store="blobs"} 1`,
		`sealpost_draining 1`,
		`sealpost_build_info{version="v1"} 1`)
	close(release)
	<-done
	draining = false
	want(t, scrape(t, m), `sealpost_requests_in_flight 0`, `sealpost_draining 0`)
}

// Counting reads the whole database, so scrapes share an answer; and a database that is down takes nothing else with it.
func TestTotals(t *testing.T) {
	m := metrics.New("v1")
	asked := 0
	m.Totals(func(context.Context) (store.Totals, error) {
		asked++
		return store.Totals{Open: 1, Ready: 2, Removed: 3, Bytes: 1 << 40, Reports: 4}, nil
	})
	for range 3 {
		want(t, scrape(t, m), `sealpost_shares{state="open"} 1`, `sealpost_shares{state="ready"} 2`, `sealpost_shares{state="removed"} 3`,
			`sealpost_stored_bytes 1.099511627776e+12`, `sealpost_reports 4`)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	down := metrics.New("v1")
	down.Totals(func(context.Context) (store.Totals, error) { return store.Totals{}, errors.New("canary") })
	text := scrape(t, down)
	want(t, text, `sealpost_build_info{version="v1"} 1`)
	if strings.Contains(text, "sealpost_shares{") || strings.Contains(text, "canary") {
		t.Errorf("told\n%s", text)
	}
}

// The package comment names what there is.
func TestDocumented(t *testing.T) {
	source, err := os.ReadFile("metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, _, _ := strings.Cut(string(source), "\npackage metrics")
	m := metrics.New("v1")
	m.Answered(server.Answer{Problem: api.CodeNotFound, Cut: true})
	m.Swept("shares", 1, nil)
	m.Store("meta")("Ping", 0, errors.New("down"))
	m.Totals(func(context.Context) (store.Totals, error) { return store.Totals{}, nil })
	names := regexp.MustCompile(`(?m)^# TYPE (sealpost_\w+) `).FindAllStringSubmatch(scrape(t, m), -1)
	if len(names) < 15 {
		t.Errorf("only %d metrics", len(names))
	}
	for _, n := range names {
		if !regexp.MustCompile(`\b` + n[1] + `\b`).MatchString(doc) {
			t.Errorf("%s is not in the package comment", n[1])
		}
	}
}
