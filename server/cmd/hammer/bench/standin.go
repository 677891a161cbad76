package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sealpost/sealpost/server"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// standIn serves with TLS, and HTTP/2 also without it, what a sealpostd serves that has no options for that. It is a process of
// its own, as sealpostd is, but has none of its deadlines.
func standIn(addr, data, cert, key string) error {
	blobs, err := disk.Open(filepath.Join(data, "blobs"))
	if err != nil {
		return err
	}
	meta, err := sqlite.Open(filepath.Join(data, "meta.db"))
	if err != nil {
		return err
	}
	s, err := server.New(server.Config{Blobs: blobs, Meta: meta, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10,
		Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	web.Protocols.SetHTTP1(true)
	web.Protocols.SetHTTP2(true)
	web.Protocols.SetUnencryptedHTTP2(true)
	fmt.Fprintf(os.Stderr, "listening on https://%s\n", listener.Addr())
	if cert == "" {
		return web.Serve(listener)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	return web.ServeTLS(listener, "", "")
}
