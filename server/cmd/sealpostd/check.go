package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
)

// checkConfig says whether a server could start with these settings, as far as that can be told without changing anything: it reads the
// files that are named, and neither makes the data folder nor opens a store nor listens.
func checkConfig(o *options, stderr io.Writer) error {
	quiet := slog.New(slog.DiscardHandler)
	c, err := o.config(quiet)
	if err == nil {
		err = c.Check()
	}
	errs := []error{err, o.stores.check(), checkSocket("-listen", o.front.listen), checkSocket("-private-listen", o.privateListen)}
	gets := len(o.front.tls.acmeHosts) > 0
	if !o.stores.elsewhere() || gets && o.front.tls.acmeCache == "" {
		errs = append(errs, checkFolder("-data", o.stores.data))
	}
	if gets && o.front.tls.acmeCache != "" {
		errs = append(errs, checkFolder("-acme-cache", o.front.tls.acmeCache))
	}
	if o.front.tls.cert != "" {
		_, err := o.front.tls.open(o.stores.data, quiet)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintln(stderr, "configuration is fine")
	return nil
}

// elsewhere tells whether the data folder is not used.
func (o *storeOptions) elsewhere() bool { return o.s3.Endpoint != "" && (o.db != "" || o.dbFile != "") }

// checkFolder tells what is wrong with a folder, which may be missing if it can be made where it is to be.
func checkFolder(flag, name string) error {
	for at := filepath.Clean(name); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		_, lerr := os.Lstat(at)
		missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) // the latter if above it there is a file
		switch {
		case err == nil && info.IsDir():
			return nil
		case err == nil:
			return fmt.Errorf("%s: %s is not a folder", flag, at)
		case missing && lerr == nil:
			return fmt.Errorf("%s: %s leads nowhere", flag, at)
		case !missing || at == filepath.Dir(at):
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
}

// checkSocket tells why listenAt could not make a Unix socket, if where is one.
func checkSocket(flag, where string) error {
	path, unix := strings.CutPrefix(where, unixPrefix)
	if !unix {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no folder %s for the socket", flag, filepath.Dir(path))
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: %s is there and no socket", flag, path)
	}
	return nil
}

// checkListen tells what is wrong with where listenAt is to listen.
func checkListen(flag, where string) error {
	switch path, unix := strings.CutPrefix(where, unixPrefix); {
	case unix && path == "":
		return fmt.Errorf("%s: the socket has no path", flag)
	case unix:
		return nil
	}
	return checkAddress(flag, where)
}

func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s is not like localhost:8080: %w", flag, err)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%s: the port %q is neither a number from 0 to 65535 nor the name of a service", flag, port)
	}
	return nil
}

// checkApart tells when of two listeners one would take the other's place.
func checkApart(flag, where, otherFlag, other string) error {
	host, port := addressOf(where)
	otherHost, otherPort := addressOf(other)
	apart := host != otherHost && !isAny(host) && !isAny(otherHost)
	if port != 0 && port == otherPort && !apart || where == other && strings.HasPrefix(where, unixPrefix) {
		return fmt.Errorf("%s and %s are the same place", flag, otherFlag)
	}
	return nil
}

// addressOf returns a port of 0 if it is left to the system, or where is no such address.
func addressOf(where string) (host string, port int) {
	host, name, err := net.SplitHostPort(where)
	if err != nil {
		return "", 0
	}
	port, _ = net.LookupPort("tcp", name)
	return strings.ToLower(host), port
}

// isAny tells whether a host is each address of this machine.
func isAny(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// checkDatabase tells what is wrong with the address of a database. There may be a password in it, so all that is told of it is what would
// be wrong without one.
func checkDatabase(flag, address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return fmt.Errorf("%s is not postgres://…", flag)
	}
	if _, err := pgxpool.ParseConfig(address); err == nil {
		return nil
	}
	if u, err := url.Parse(address); err == nil {
		query := u.Query()
		query.Del("password")
		query.Del("sslpassword")
		u.User, u.RawQuery = nil, query.Encode()
		_, err = pgxpool.ParseConfig(u.String())
		if reason := errors.Unwrap(err); reason != nil { // err itself has the address in it
			return fmt.Errorf("%s is not an address of PostgreSQL: %w", flag, reason)
		}
	}
	return fmt.Errorf("%s is not like postgres://user@host/name?sslmode=verify-full, where a password has %%2F for a slash and so on", flag)
}

// checkBucket has an object store opened by who has no time to ask it, which finds out what can be told of the settings alone.
func (o *storeOptions) checkBucket() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := o.openBlobs(ctx, 0)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
