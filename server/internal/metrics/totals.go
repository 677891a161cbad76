package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sealpost/sealpost/server/store"
)

const (
	totalsEvery = 30 * time.Second // counting reads every part's record
	totalsAfter = 5 * time.Second  // Prometheus gives up after ten by default
)

// Totals has a scrape ask what is in the stores, but not more often than every 30 seconds.
func (m *Metrics) Totals(ask func(context.Context) (store.Totals, error)) {
	m.registry.MustRegister(&totals{ask: ask})
}

// totals implements [prometheus.Collector].
type totals struct {
	ask func(context.Context) (store.Totals, error)

	mu    sync.Mutex
	asked time.Time
	last  store.Totals
	err   error // of the last time
}

var (
	sharesDesc  = prometheus.NewDesc("sealpost_shares", "Shares by state, as in the database.", []string{"state"}, nil)
	bytesDesc   = prometheus.NewDesc("sealpost_stored_bytes", "Bytes of parts and manifests, as in the database.", nil, nil)
	reportsDesc = prometheus.NewDesc("sealpost_reports", "Sealed reports that are kept.", nil, nil)
)

func (t *totals) Describe(to chan<- *prometheus.Desc) {
	to <- sharesDesc
	to <- bytesDesc
	to <- reportsDesc
}

func (t *totals) Collect(to chan<- prometheus.Metric) {
	last, err := t.get()
	if err != nil {
		return // sealpost_store_errors_total tells; an old number would not
	}
	gauge := func(desc *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	gauge(sharesDesc, last.Open, "open")
	gauge(sharesDesc, last.Ready, "ready")
	gauge(sharesDesc, last.Removed, "removed")
	gauge(bytesDesc, last.Bytes)
	gauge(reportsDesc, last.Reports)
}

func (t *totals) get() (store.Totals, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.asked) >= totalsEvery {
		ctx, cancel := context.WithTimeout(context.Background(), totalsAfter)
		defer cancel()
		t.last, t.err = t.ask(ctx)
		t.asked = time.Now()
	}
	return t.last, t.err
}
