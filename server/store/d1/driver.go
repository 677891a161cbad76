//go:build js && wasm

package d1

import (
	"context"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/sealpost/sealpost/server/store/internal/promise"
)

// connector makes a database/sql driver of the Batches of batches.mjs. A query may consist of several statements, with
// semicolons between them: that is one D1 batch, which is atomic, and answers one result set for each statement. The
// placeholders of each are $1 to $N, and it takes as many of the arguments as it has. There is no other transaction, and nothing
// to prepare.
//
// Batches is looked up for each query, because it belongs to the request that is being answered. The whole query goes to it as
// one text, and all that is answered comes as one.
type connector struct{ batches func() js.Value }

var (
	_ driver.Connector      = connector{}
	_ driver.QueryerContext = conn{}
)

func (c connector) Connect(context.Context) (driver.Conn, error) { return conn(c), nil }
func (c connector) Driver() driver.Driver                        { return nil }

type conn connector

func (conn) Close() error              { return nil }
func (conn) Begin() (driver.Tx, error) { return nil, errors.New("D1 has no transactions but batches") }
func (conn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("D1 prepares statements itself")
}

// QueryContext implements [driver.QueryerContext].
func (c conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	batch, err := encode(query, args)
	if err != nil {
		return nil, err
	}
	answer, err := promise.Await(c.batches().Call("run", batch))
	if err != nil {
		return nil, err
	}
	var sets [][][]any
	if err := json.Unmarshal([]byte(answer.String()), &sets); err != nil {
		return nil, fmt.Errorf("failed to parse answer: %w", err)
	}
	r := &rows{later: sets}
	return r, r.NextResultSet()
}

// encode returns a batch as batches.mjs takes it.
func encode(query string, args []driver.NamedValue) (string, error) {
	var batch [][]any
	for q := range strings.SplitSeq(query, ";") {
		n := placeholders(q)
		if n > len(args) {
			return "", fmt.Errorf("query takes more than %d arguments", len(args))
		}
		// $N is a name to SQLite, which D1 does not bind by; ?N is a number.
		statement := []any{strings.ReplaceAll(q, "$", "?")}
		for _, arg := range args[:n] {
			v, err := toText(arg.Value)
			if err != nil {
				return "", err
			}
			statement = append(statement, v)
		}
		batch, args = append(batch, statement), args[n:]
	}
	if len(args) > 0 {
		return "", fmt.Errorf("query leaves %d arguments", len(args))
	}
	text, err := json.Marshal(batch)
	return string(text), err
}

// placeholders returns the largest N of $N in a query.
func placeholders(query string) int {
	most := 0
	for i, after := range strings.Split(query, "$") {
		if i == 0 {
			continue
		}
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		n, _ := strconv.Atoi(after[:digits])
		most = max(most, n)
	}
	return most
}

// toText refuses what D1 would not take as it is: a number that JavaScript cannot hold exactly, or any other type.
func toText(v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case int64:
		if v > 1<<53 || v < -1<<53 {
			return nil, errors.New("integer is too large for D1")
		}
		return v, nil
	case []byte:
		return [][]byte{v}, nil
	}
	return nil, fmt.Errorf("cannot pass %T to D1", v)
}

// fromText is the inverse of toText.
func fromText(v any) (driver.Value, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case float64:
		if v == math.Trunc(v) {
			return int64(v), nil
		}
		return v, nil
	case []any:
		if len(v) == 1 {
			if text, ok := v[0].(string); ok {
				return base64.StdEncoding.DecodeString(text)
			}
		}
	}
	return nil, fmt.Errorf("unexpected %T in column", v)
}

// rows are the answers to a batch. Columns have no names, as nobody asks for them.
type rows struct {
	set   [][]any   // what is left of the current result set
	width int       // of its rows
	later [][][]any // the result sets after it
}

var _ driver.RowsNextResultSet = (*rows)(nil)

func (r *rows) Columns() []string      { return make([]string, r.width) }
func (r *rows) Close() error           { return nil }
func (r *rows) HasNextResultSet() bool { return len(r.later) > 0 }

func (r *rows) NextResultSet() error {
	if !r.HasNextResultSet() {
		return io.EOF
	}
	r.set, r.later, r.width = r.later[0], r.later[1:], 0
	if len(r.set) > 0 {
		r.width = len(r.set[0])
	}
	return nil
}

func (r *rows) Next(dest []driver.Value) (err error) {
	if len(r.set) == 0 {
		return io.EOF
	}
	row := r.set[0]
	r.set = r.set[1:]
	if len(row) != len(dest) {
		return fmt.Errorf("row has %d columns, want %d", len(row), len(dest))
	}
	for i := range dest {
		if dest[i], err = fromText(row[i]); err != nil {
			return err
		}
	}
	return nil
}
