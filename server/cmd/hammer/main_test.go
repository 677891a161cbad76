package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// What is not this machine has to be said to be one's own.
func TestOwnServersOnly(t *testing.T) {
	for url, want := range map[string]bool{"http://localhost:1": true, "http://127.0.0.1:1": true, "http://[::1]:1/base/": true,
		"http://192.168.0.1:1": false, "https://files.example.org": false, "http://localhost.example.org": false, "ftp://localhost": false,
		"localhost:8080": false, "": false} {
		if _, err := parse([]string{"-url", url}, &bytes.Buffer{}); (err == nil) != want {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := parse([]string{"-url", "https://files.example.org", "-mine"}, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

func TestBoundedByDefault(t *testing.T) {
	c, err := parse(nil, &bytes.Buffer{})
	if err != nil || c.Bytes != 1<<30 || c.Duration != 30*time.Second || c.Senders > 4 || c.Receivers > 4 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNobodyThere(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"-url", "http://127.0.0.1:1", "-duration", "300ms"}, &out, &bytes.Buffer{})
	if err == nil || !strings.Contains(out.String(), "error: create share: connection:") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
