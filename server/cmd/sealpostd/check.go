package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
)

// checkConfig says whether a server could start with these settings, as far as that can be told without changing anything: it reads the
// files that are named, and neither makes the data folder nor opens a store nor listens.
func checkConfig(o *options, stderr io.Writer) error {
	quiet := slog.New(slog.DiscardHandler)
	c, err := o.config(quiet)
	if err == nil {
		err = c.Check()
	}
	errs := []error{err, checkFolder(o.stores.data), o.stores.check()}
	if o.front.tls.cert != "" {
		_, err := o.front.tls.open(o.stores.data, quiet)
		errs = append(errs, err)
	}
	if o.front.redirectListen != "" {
		errs = append(errs, checkAddress(o.front.redirectListen))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintln(stderr, "configuration is fine")
	return nil
}

// checkFolder tells what is wrong with the data folder, which may be missing.
func checkFolder(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("failed to look at data folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data folder %s is none", name)
	}
	return nil
}
