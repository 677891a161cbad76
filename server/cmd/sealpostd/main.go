// Sealpostd is the native Sealpost server: one binary that keeps everything in one folder.
//
//	sealpostd -listen localhost:8080 -data ./data
//
// Every setting can be made in the environment, too: -max-downloads is SEALPOST_MAX_DOWNLOADS. A flag wins over it. Durations
// may be given in days (7d), sizes in KiB, MiB and GiB.
//
// With -healthcheck it asks the server that runs with the same settings whether it answers, and ends with status 0 if it does:
// for containers that have no other program.
//
// It speaks plain HTTP and belongs behind a proxy that does HTTPS; without one, browsers run the page on localhost only. Name
// the proxy in -trusted-proxies, else all clients share the limits of its address.
//
// sealpostd admin looks after the stores of a server with the same settings, whether that runs or not; without a command it says what
// there is.
//
// On SIGTERM or SIGINT it stops listening, lets running requests finish for up to 30 seconds, and closes its stores.
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
