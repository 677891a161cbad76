package services_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sealpost/sealpost/server/conformance/services"
)

func TestMain(m *testing.M) { services.Main(m) }

// What is stopped is gone, and is there again with all that it had when it is started.
func TestStopAndStart(t *testing.T) {
	p := services.StartPostgres(t)
	dsn := p.Schema(t)
	if !strings.HasPrefix(dsn, "postgres://") {
		t.Errorf("address %s", dsn)
	}
	for _, stop := range []func(){p.Stop, p.Kill} {
		p.SQL(t, "CREATE TABLE IF NOT EXISTS kept (n BIGINT); INSERT INTO kept VALUES (1)")
		stop()
		p.Start(t)
	}
	if got := p.SQL(t, "SELECT SUM(n) FROM kept"); got != "2\n" {
		t.Errorf("after two starts: %q", got)
	}
	s := services.StartS3(t)
	bucket := s.Bucket(t)
	status := func() int {
		resp, err := http.Get(s.Endpoint() + "/" + bucket + "/object")
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := status(); got != http.StatusForbidden { // nobody in particular asks
		t.Errorf("a running S3 server answers %d", got)
	}
	s.Stop()
	if got := status(); got != 0 {
		t.Errorf("a stopped S3 server answers %d", got)
	}
	s.Start(t)
	if got := status(); got != http.StatusForbidden {
		t.Errorf("after it was started, the S3 server answers %d", got)
	}
}
