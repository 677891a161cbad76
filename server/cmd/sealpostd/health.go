package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const healthAfter = 5 * time.Second // a server that takes longer does not work

// checkHealth asks the server that listens on address. An address without a host, or with an unspecified one, means this
// machine to net.Dial as it does to net.Listen.
func checkHealth(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthAfter)
	defer cancel()
	resp, err := askLocal(ctx, http.MethodGet, address, "/healthz")
	if err != nil {
		return fmt.Errorf("failed to check health: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return fmt.Errorf("failed to check health: %w", err)
	}
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "ok" {
		return fmt.Errorf("failed to check health: %s answers, but not as sealpostd does (%s)", address, resp.Status)
	}
	return nil
}

// askLocal makes a request to a server of this machine. Its errors do not tell a URL that nobody has given.
func askLocal(ctx context.Context, method, address, path string) (*http.Response, error) {
	if _, port, err := net.SplitHostPort(address); err == nil && (port == "0" || port == "") {
		return nil, fmt.Errorf("%s leaves the choice of a port to the system", address)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
		DisableKeepAlives: true,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its URL is not what was asked
	}
	return resp, err
}
