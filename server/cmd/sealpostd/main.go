// Sealpostd is the native Sealpost server: one binary that keeps everything in one folder.
//
//	sealpostd -listen localhost:8080 -data ./data
//
// Every setting can be made in the environment, too: -max-downloads is SEALPOST_MAX_DOWNLOADS. A flag wins over it. Durations
// may be given in days (7d, 1d12h), sizes in KiB, MiB, GiB and TiB. Values of variables may be in files, which SEALPOST_MAX_DOWNLOADS_FILE names.
//
// With -healthcheck it asks the server that runs with the same settings whether it answers, and ends with status 0 if it does:
// for containers that have no other program. With -config-check it says whether a server could start with these settings, and changes
// nothing. "sealpostd token" manages the upload tokens in a file.
//
// It listens on an address, a Unix socket, or sockets of systemd, which it tells how it goes. Unless it is given a certificate, or gets one by
// ACME, it speaks plain HTTP and belongs behind a proxy that does HTTPS; without one, browsers run the page on localhost only. Name the proxy in
// -trusted-proxies, else all clients share the limits of its address; whoever connects to a Unix socket is trusted.
//
// sealpostd admin looks after the stores of a server with the same settings, whether that runs or not; without a command it says what
// there is.
//
// On SIGTERM or SIGINT it stops listening, lets running requests finish for up to 30 seconds, and closes its stores. A second one ends it at
// once, which loses nothing that it has acknowledged.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	var err error
	if len(os.Args) > 1 && os.Args[1] == "admin" {
		err = runAdmin(ctx, os.Args[2:], os.Getenv, os.Stdout, os.Stderr)
	} else {
		err = run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "sealpostd: %v\n", err)
		os.Exit(1)
	}
}
