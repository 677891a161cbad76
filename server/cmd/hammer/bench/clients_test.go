package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Each client moves every byte, beyond all windows, again and again over one connection.
func TestClients(t *testing.T) {
	p := newPart(20 << 20)
	for _, c := range []struct {
		name       string
		http2, tls bool
	}{{"HTTP/1.1", false, false}, {"HTTP/1.1 TLS", false, true}, {"HTTP/2", true, false}, {"HTTP/2 TLS", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if (r.ProtoMajor == 2) != c.http2 || (r.TLS != nil) != c.tls || r.Host != "localhost" {
					t.Errorf("%s by %s", r.Host, r.Proto)
				}
				switch {
				case r.Header.Get("Authorization") != "Bearer "+strings.Repeat("x", 300):
					http.Error(w, "no", http.StatusNotFound)
				case r.Method == http.MethodGet:
					w.Header().Set("Content-Length", strconv.Itoa(len(p.bytes)))
					w.Write(p.bytes)
				default:
					got, err := io.ReadAll(r.Body)
					if err != nil || !bytes.Equal(got, p.bytes) || r.Header.Get("Content-Digest") != p.contentDigest() {
						t.Errorf("%d bytes, %v", len(got), err)
					}
					w.WriteHeader(http.StatusNoContent)
				}
			}))
			s.EnableHTTP2 = true
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetHTTP1(true)
			s.Config.Protocols.SetHTTP2(true)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			at := target{http2: c.http2}
			if c.tls {
				s.StartTLS()
				at.roots = x509.NewCertPool()
				at.roots.AddCert(s.Certificate())
				at.name = "example.com" // of httptest's certificate
			} else {
				s.Start()
			}
			defer s.Close()
			at.addr = s.Listener.Addr().String()
			client, err := dial(at)
			if err != nil {
				t.Fatal(err)
			}
			defer client.close()
			bearer := strings.Repeat("x", 300)
			for range 3 {
				h := sha256.New()
				if n, err := client.get("/a", bearer, h); err != nil || n != 20<<20 || [32]byte(h.Sum(nil)) != p.digest {
					t.Errorf("%d bytes, or other ones, %v", n, err)
				}
				if err := client.put("/b", bearer, p.contentDigest(), p.bytes); err != nil {
					t.Error(err)
				}
			}
			if _, err := client.get("/a", "other", nil); err == nil {
				t.Error("took a refusal for an answer")
			}
		})
	}
}

func TestCountCPUs(t *testing.T) {
	for list, want := range map[string]int{"0": 1, "0,2": 2, "0-3,7": 5, "1-1": 1, "": 0, "a": 0, "3-1": 0} {
		if got, err := countCPUs(list); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", list, got, err)
		}
	}
}

// The ratios are those of the pairs, not of the medians.
func TestRow(t *testing.T) {
	l := &line{cell: cell{size: 8 << 20, connections: 64}}
	for _, pair := range [][2]int64{{100, 100}, {300, 400}, {80, 100}} {
		for side, mb := range pair {
			l.rounds[side] = append(l.rounds[side], measurement{took: time.Second, bytes: mb * 1e6, cpu: 100 * time.Millisecond})
		}
	}
	if got := row(l); !strings.HasPrefix(got, "| **0.80** | 0.75–1.00 | GET HTTP/1.1, 64 × 8 MiB | 100 | 100 |") {
		t.Error(got)
	}
}

func TestErrorList(t *testing.T) {
	var l errorList
	first := errors.New("first")
	for _, err := range []error{nil, first, nil, errors.New("second")} {
		l.add(err)
	}
	if l.first() != first {
		t.Error(l.first())
	}
}
