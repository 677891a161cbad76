// Package metrics counts what a server does, for Prometheus:
//
//	sealpost_requests_total               by method, route (as in the routes, with {id}) and status code; 0 is one that was cut before
//	sealpost_request_duration_seconds     by method and route: from the request's header to the last byte of the answer, clients' time included
//	sealpost_responses_cut_total          by route: answers that broke off within their body
//	sealpost_refusals_total               by route and reason, which is the code of the problem: too-many-requests, storage-full …
//	sealpost_requests_in_flight           requests that are being answered
//	sealpost_connections                  of clients, idle ones among them
//	sealpost_connections_refused_total    closed at once, as their address had as many as it may
//	sealpost_connections_delayed_total    that had to wait, as there were as many as there may be
//	sealpost_received_bytes_total         of bodies, counted as they come
//	sealpost_sent_bytes_total             of bodies, counted as they go; what a store sends by itself is not among them
//	sealpost_shares                       by state: open, ready, removed (and not yet swept)
//	sealpost_stored_bytes                 of parts and manifests that have a record
//	sealpost_reports                      that are kept
//	sealpost_sweeps_total                 by kind (shares, reservations, reports, charges, orphans) and result (done, failed)
//	sealpost_swept_total                  by kind: what sweeps have removed
//	sealpost_last_sweep_timestamp_seconds by kind: when the last one was done, in Unix time
//	sealpost_store_duration_seconds       by store (blobs, meta) and operation, without waiting for the client
//	sealpost_store_errors_total           by store and operation; answers such as “not found” are none, nor is a client that hung up.
//	                                      Read of blobs is a part that is not there, is too short or broke off while it was sent: see fsck
//	sealpost_ready, sealpost_draining     1 or 0
//	sealpost_build_info                   1, by version
//	go_*, process_*                       the runtime and the process
//
// No label has a value that a client made up, nor any id, token, name or address: each has few values, which are in the source. What
// several instances count adds up, but for what they count in stores that they share: sealpost_shares, sealpost_stored_bytes and
// sealpost_reports.
package metrics

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/observed"
)

// Metrics are the counters of one process. It is a [server.Observer], and safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests, cut, refusals *prometheus.CounterVec
	durations               *prometheus.HistogramVec
	inFlight                atomic.Int64
	connections             prometheus.Gauge
	refused, delayed        prometheus.Counter
	received, sent          prometheus.Counter
	sweeps, swept           *prometheus.CounterVec
	lastSweep               *prometheus.GaugeVec
	storeDurations          *prometheus.HistogramVec
	storeErrors             *prometheus.CounterVec
}

var _ server.Observer = (*Metrics)(nil)

// Seconds. A request may be an upload of an hour, an operation of a store a few microseconds.
var (
	requestBuckets = []float64{.001, .005, .025, .1, .5, 2.5, 10, 60, 300, 1800}
	storeBuckets   = []float64{.0001, .0005, .0025, .01, .05, .25, 1, 5, 30}
)

// New returns counters at zero.
func New(version string) *Metrics {
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		requests:    counters("requests_total", "Requests answered.", "method", "route", "code"),
		cut:         counters("responses_cut_total", "Answers that broke off within their body.", "route"),
		refusals:    counters("refusals_total", "Problems answered, limits hit among them.", "route", "reason"),
		durations:   histograms("request_duration_seconds", "Time to answer, clients' time included.", requestBuckets, "method", "route"),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sealpost_connections", Help: "Connections of clients."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "sealpost_connections_refused_total",
			Help: "Connections closed at once, as their address had as many as it may."}),
		delayed: prometheus.NewCounter(prometheus.CounterOpts{Name: "sealpost_connections_delayed_total",
			Help: "Connections that had to wait, as there were as many as there may be."}),
		received: prometheus.NewCounter(prometheus.CounterOpts{Name: "sealpost_received_bytes_total", Help: "Bytes of request bodies."}),
		sent:     prometheus.NewCounter(prometheus.CounterOpts{Name: "sealpost_sent_bytes_total", Help: "Bytes of response bodies."}),
		sweeps:   counters("sweeps_total", "Sweeps.", "kind", "result"),
		lastSweep: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "sealpost_last_sweep_timestamp_seconds",
			Help: "When the last sweep was done."}, []string{"kind"}),
		swept: counters("swept_total", "What sweeps have removed.", "kind"),
		storeDurations: histograms("store_duration_seconds", "Time of a store's operations, without waiting for the client.",
			storeBuckets, "store", "operation"),
		storeErrors: counters("store_errors_total", "Operations of a store that failed.", "store", "operation"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "sealpost_build_info", Help: "What runs.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sealpost_requests_in_flight", Help: "Requests being answered."},
		func() float64 { return float64(m.inFlight.Load()) })
	m.registry.MustRegister(m.requests, m.cut, m.refusals, m.durations, inFlight, m.connections, m.refused, m.delayed, m.received, m.sent, m.sweeps, m.swept, m.lastSweep,
		m.storeDurations, m.storeErrors, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sealpost_" + name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sealpost_" + name, Help: help, Buckets: buckets}, labels)
}

// Handler answers a scrape. What cannot be collected is left out.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Answered implements [server.Observer].
func (m *Metrics) Answered(a server.Answer) {
	m.requests.WithLabelValues(a.Method, a.Route, strconv.Itoa(a.Status)).Inc()
	m.durations.WithLabelValues(a.Method, a.Route).Observe(a.Took.Seconds())
	if a.Problem != "" {
		m.refusals.WithLabelValues(a.Route, string(a.Problem)).Inc()
	}
	if a.Damaged {
		m.storeErrors.WithLabelValues("blobs", "Read").Inc()
	}
	if a.Cut {
		m.cut.WithLabelValues(a.Route).Inc()
	}
}

// Swept implements [server.Observer].
func (m *Metrics) Swept(what string, removed int, err error) {
	result := "done"
	if err != nil {
		result = "failed"
	} else {
		m.lastSweep.WithLabelValues(what).SetToCurrentTime()
	}
	m.sweeps.WithLabelValues(what, result).Inc()
	m.swept.WithLabelValues(what).Add(float64(removed))
}

// Received and Sent count bytes of bodies.
func (m *Metrics) Received(n int64) { m.received.Add(float64(n)) }
func (m *Metrics) Sent(n int64)     { m.sent.Add(float64(n)) }

// Connected counts connections that have begun, or with a negative number ended.
func (m *Metrics) Connected(n int) { m.connections.Add(float64(n)) }

// Refused and Delayed count connections.
func (m *Metrics) Refused() { m.refused.Inc() }
func (m *Metrics) Delayed() { m.delayed.Inc() }

// InFlight counts the requests that next is at.
func (m *Metrics) InFlight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.inFlight.Add(1)
		defer m.inFlight.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// InFlightNow returns how many these are.
func (m *Metrics) InFlightNow() int64 { return m.inFlight.Load() }

// Store returns what is to be told of the operations of a store.
func (m *Metrics) Store(name string) observed.Observe {
	return func(operation string, took time.Duration, err error) {
		m.storeDurations.WithLabelValues(name, operation).Observe(took.Seconds())
		if failed(err) {
			m.storeErrors.WithLabelValues(name, operation).Inc()
		}
	}
}

// answers are errors that say what there is, and not that something does not work. A full store is none of them.
var answers = []error{store.ErrNotFound, store.ErrConflict, store.ErrIncomplete, store.ErrNotOpen, store.ErrSpent, store.ErrExhausted,
	store.ErrEnough, store.ErrAllReports, store.ErrOverTotal, store.ErrOverShares, store.ErrOverBytes, store.ErrSize, store.ErrDigest, store.ErrMagic,
	store.ErrTooMany, context.Canceled}

func failed(err error) bool {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return false
		}
	}
	var timeout interface{ Timeout() bool } // of a client that stalls; a store's own deadline is a failure
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return err != nil
}

// Gauge has a scrape ask whether something is so.
func (m *Metrics) Gauge(name, help string, is func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sealpost_" + name, Help: help}, func() float64 {
		if is() {
			return 1
		}
		return 0
	}))
}
