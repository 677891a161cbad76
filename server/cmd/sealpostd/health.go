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

// checkHealth asks the server that listens as o says. An address without a host, or with an unspecified one, means this machine to net.Dial
// as it does to net.Listen.
func checkHealth(ctx context.Context, o *frontOptions) error {
	ctx, cancel := context.WithTimeout(ctx, healthAfter)
	defer cancel()
	network, address := "tcp", o.listen
	if path, ok := strings.CutPrefix(o.listen, unixPrefix); ok {
		network, address = "unix", path
	} else if o.listen == fromSystemd {
		return errors.New("failed to check health: the settings do not tell on which sockets of systemd it listens")
	} else if _, port, err := net.SplitHostPort(address); err == nil && (port == "0" || port == "") {
		return fmt.Errorf("failed to check health: %s leaves the choice of a port to the system", address)
	}
	scheme := "http"
	names := &tls.Config{InsecureSkipVerify: true} // it is asked how it is, on this machine, and not who
	if o.tls.on() {
		scheme = "https"
		if len(o.tls.acmeHosts) > 0 {
			names.ServerName = o.tls.acmeHosts[0]
		}
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig:   names,
		DisableKeepAlives: true,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+o.basePath+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("failed to check health: %w", err)
	}
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its URL is not what was asked
	}
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
