package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sealpost/sealpost/server/store"
)

// passing are codes, or the classes they begin with, of what clears by itself.
var passing = []string{
	"08",    // connections
	"53",    // resources, but for a full disk
	"57",    // shut down, starting, cancelled
	"40",    // rolled back for another transaction
	"55P03", // a lock that was not to be had
	"25006", // read only: another server has taken over
	"58030", // an error of input or output
}

const diskFull = "53100"

// failure makes of an error of pgx what the contract has for it. Whatever the server did not say itself is of the way to it.
func failure(err error) error {
	if errors.Is(err, store.ErrTooNew) {
		return err
	}
	var e *pgconn.PgError
	switch {
	case !errors.As(err, &e):
	case e.Code == diskFull:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case !slices.ContainsFunc(passing, func(class string) bool { return strings.HasPrefix(e.Code, class) }):
		return err
	}
	// Not wrapped: to whoever looks for them, errors of a network are those of the client's.
	return fmt.Errorf("%w: %v", store.ErrUnavailable, err)
}

// lost tells whether a connection that there was is there no more.
func lost(err error) bool {
	var connecting *pgconn.ConnectError
	var row rowError
	if errors.As(err, &connecting) || errors.As(err, &row) {
		return false
	}
	var e *pgconn.PgError
	return !errors.As(err, &e) || strings.HasPrefix(e.Code, "57P")
}

// notBegun tells whether a connection was lost before the server had run anything of a batch: it was found closed when there was something
// to send, or the server had left a word that it shut down.
func notBegun(err error) bool {
	var e *pgconn.PgError
	var first firstError
	return lost(err) && (pgconn.SafeToRetry(err) || errors.As(err, &first) && errors.As(err, &e))
}
