//go:build !js

package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

const recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj" // of age's own examples

func reporting(c *server.Config) { c.ReportRecipient = recipient }

// whole is a share that is ready.
func (h *host) whole() link {
	h.t.Helper()
	l := h.create(100)
	h.send(l, sealed(100))
	return l
}

func (h *host) report(l link, sealed []byte) answer {
	h.t.Helper()
	return h.do("POST", l.path+"/reports", l.access, sealed, "Content-Type", "application/octet-stream")
}

func (h *host) reports() []store.Report {
	h.t.Helper()
	all, err := h.meta.Reports(h.t.Context(), store.Report{}, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// A report is kept as it came, with the share and the time; it outlives the share, and goes after its own time. Of none of this
// is there more in the log than that a report came in.
func TestReports(t *testing.T) {
	h := newHost(t, reporting)
	l := h.create(100)
	h.send(l, sealed(100))
	one, two := sealed(2000), sealed(64<<10)
	h.want(h.report(l, one), 204, "")
	h.want(h.report(l, one), 204, "")
	h.pass(24 * time.Hour)
	h.sweep()
	h.want(h.report(l, two), 404, api.CodeNotFound) // it lived for an hour
	again := h.whole()
	h.want(h.report(again, two), 204, "")
	all := h.reports()
	if len(all) != 2 || all[0].Share != l.id || !bytes.Equal(all[0].Sealed, one) || all[1].Share != again.id || !bytes.Equal(all[1].Sealed, two) {
		t.Fatalf("%d reports: %.200v", len(all), all)
	}
	if got := all[1].Received - all[0].Received; got < 86400 || got > 86500 || all[0].ID == all[1].ID {
		t.Errorf("%d seconds between them", got)
	}
	h.pass(89 * 24 * time.Hour)
	h.sweep()
	if n := len(h.reports()); n != 2 {
		t.Fatalf("%d reports after 90 days, want both", n)
	}
	h.pass(time.Hour)
	h.sweep()
	if left := h.reports(); len(left) != 1 || left[0].Share != again.id {
		t.Fatalf("%d reports after 90 days and an hour, want the second", len(left))
	}
	h.pass(24 * time.Hour)
	h.sweep()
	if n := len(h.reports()); n != 0 {
		t.Errorf("%d reports are left", n)
	}
	if out := h.log.String(); strings.Count(out, `level=WARN msg="a report came in"`) != 3 || strings.Contains(out, l.id) || strings.Contains(out, all[0].ID) || strings.Contains(out, l.access) {
		t.Errorf("log:\n%s", out)
	}
}

func TestReportLimits(t *testing.T) {
	h := newHost(t, reporting, func(c *server.Config) { c.ReportLimit = store.ReportLimit{Share: 2, All: 3} })
	l, other := h.whole(), h.whole()
	last := sealed(100)
	h.want(h.report(l, sealed(100)), 204, "")
	h.want(h.report(l, last), 204, "")
	h.want(h.report(l, sealed(100)), 409, api.CodeEnoughReports)
	h.want(h.report(l, last), 204, "")
	h.want(h.report(other, sealed(100)), 204, "")
	h.wantLoud(4, "a report came in")
	for range 3 {
		h.want(h.report(other, sealed(100)), 507, api.CodeStorageFull)
	}
	h.wantLoud(5, "no room is left for reports") // said once
	if n := len(h.reports()); n != 3 {
		t.Errorf("%d reports", n)
	}
	h.want(h.do("DELETE", l.path, l.owner, nil), 204, "")
	h.want(h.report(other, sealed(100)), 204, "") // in the place of one that nothing can be done about any more
	of := map[string]int{}
	for _, r := range h.reports() {
		of[r.Share]++
	}
	if of[l.id] != 1 || of[other.id] != 2 {
		t.Errorf("%d reports of the one and %d of the other", of[l.id], of[other.id])
	}
}

// What is still being sent cannot be reported, whose sender may never have meant to send anything.
func TestReportOpen(t *testing.T) {
	h := newHost(t, reporting)
	l := h.create(100)
	h.want(h.report(l, sealed(100)), 409, api.CodeNotReady)
	if n, out := len(h.reports()), h.log.String(); n != 0 || strings.Contains(out, "report came in") {
		t.Errorf("%d reports, and the log\n%s", n, out)
	}
	h.send(l, sealed(100))
	h.want(h.report(l, sealed(100)), 204, "")
}

func TestReportsOff(t *testing.T) {
	h := newHost(t)
	l := h.create(100)
	h.want(h.report(l, sealed(100)), 403, api.CodeReportsOff)
	l.access = l.owner
	h.want(h.report(l, sealed(100)), 404, api.CodeNotFound)
	if c := into[api.Config](t, h.do("GET", "/api/v1/config", "", nil)); c.ReportRecipient != "" {
		t.Errorf("config: %+v", c)
	}
}

// Whoever reports is limited by address, and whoever shows nothing right is not even told that.
func TestReportLimiter(t *testing.T) {
	limiter := &countdown{n: 1}
	h := newHost(t, reporting, func(c *server.Config) { c.ReportLimiter = limiter })
	l := h.whole()
	stranger := l
	_, stranger.access = newToken()
	h.want(h.report(stranger, sealed(100)), 404, api.CodeNotFound)
	h.want(h.report(l, sealed(100)), 204, "")
	h.want(h.report(l, sealed(100)), 429, api.CodeTooManyRequests)
}

// countdown allows n events.
type countdown struct{ n int }

func (c *countdown) Allow(string) (bool, time.Duration) {
	c.n--
	return c.n >= 0, time.Second
}

// A store that cannot drop reports now sweeps shares all the same, and tries again.
func TestReportFaults(t *testing.T) {
	meta := &faultyMeta{}
	h := newHost(t, reporting, func(c *server.Config) { meta.Meta, c.Meta = c.Meta, meta })
	l := h.create(100)
	content := sealed(100)
	manifest := h.send(l, content)
	h.want(h.report(l, sealed(100)), 204, "")
	meta.dropReports = store.ErrFull
	h.pass(91 * 24 * time.Hour)
	if err := h.srv.Sweep(t.Context()); !errors.Is(err, store.ErrFull) || strings.Contains(err.Error(), l.id) {
		t.Errorf("sweep said %v", err)
	}
	if h.objects(l, manifest, content) != 0 {
		t.Error("a share that expired is still there")
	}
	meta.dropReports = nil
	h.sweep()
	if n := len(h.reports()); n != 0 {
		t.Errorf("%d reports are left", n)
	}
}

func TestReportRecipient(t *testing.T) {
	hybrid := "age1pq1" + strings.Repeat("qpzry9x8gf2tvdw0s3jn54khce6mua7l", 60)
	for recipient, ok := range map[string]bool{
		"": true, recipient: true, hybrid: true,
		recipient[:61]: false, strings.ToUpper(recipient): false, " " + recipient: false, recipient + "\n": false, recipient + "," + recipient: false,
		strings.Replace(recipient, "q", "b", 1): false, hybrid + strings.Repeat("q", 4096): false, "age1yubikey1" + recipient[4:]: false,
		"AGE-SECRET-KEY-1" + strings.ToUpper(recipient[4:]): false, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN": false,
	} {
		c := server.Config{Blobs: noBlobs{}, Meta: noMeta{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), ReportRecipient: recipient}
		_, err := server.New(c)
		if (err == nil) != ok {
			t.Errorf("%.80q: %v", recipient, err)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET") { // who mixes them up does not want to read it in a log
			t.Errorf("%v", err)
		}
	}
}

type (
	noBlobs struct{ store.Blobs }
	noMeta  struct{ store.Meta }
)

// A client that hangs up in the middle of a report leaves none; one that hangs up after it does.
func TestReportCutShort(t *testing.T) {
	h := newHost(t, reporting)
	l := h.whole()
	ctx, hangUp := context.WithCancel(t.Context())
	r, w := io.Pipe()
	req := h.post(ctx, l.path+"/reports", l.access, r, 1000)
	done := make(chan error, 1)
	go func() { _, err := req(); done <- err }()
	w.Write(sealed(500))
	hangUp()
	w.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-done; err == nil {
		t.Error("half a report was answered")
	}
	h.want(h.report(l, sealed(100)), 204, "")
	if all := h.reports(); len(all) != 1 || len(all[0].Sealed) != 100 {
		t.Errorf("%d reports", len(all))
	}
}
