package main

import (
	"context"
	"crypto/tls"
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

// checkHealth asks the server that listens as o says.
func checkHealth(ctx context.Context, o *frontOptions) error {
	ctx, cancel := context.WithTimeout(ctx, healthAfter)
	defer cancel()
	if o.listen == fromSystemd {
		return errors.New("failed to check health: the settings do not tell on which sockets of systemd it listens")
	}
	var names *tls.Config
	if o.tls.on() {
		names = &tls.Config{InsecureSkipVerify: true} // it is asked how it is, on this machine, and not who
		if len(o.tls.acmeHosts) > 0 {
			names.ServerName = o.tls.acmeHosts[0]
		}
	}
	resp, err := askLocal(ctx, http.MethodGet, o.listen, o.basePath+"/healthz", names)
	if err != nil {
		return fmt.Errorf("failed to check health: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return fmt.Errorf("failed to check health: %w", err)
	}
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "ok" {
		return fmt.Errorf("failed to check health: %s answers, but not as sealpostd does (%s)", o.listen, resp.Status)
	}
	return nil
}

// askLocal makes a request to a server of this machine that listens where listenAt says; names are for HTTPS, nil for plain HTTP. An
// address without a host, or with an unspecified one, means this machine to net.Dial as it does to net.Listen. Errors do not tell a URL that
// nobody has given.
func askLocal(ctx context.Context, method, where, path string, names *tls.Config) (*http.Response, error) {
	network, address := "tcp", where
	if socket, ok := strings.CutPrefix(where, unixPrefix); ok {
		network, address = "unix", socket
	} else if _, port, err := net.SplitHostPort(address); err == nil && (port == "0" || port == "") {
		return nil, fmt.Errorf("%s leaves the choice of a port to the system", address)
	}
	scheme := "http"
	if names != nil {
		scheme = "https"
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig:   names,
		DisableKeepAlives: true,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, method, scheme+"://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its URL is not what was asked
	}
	return resp, err
}
