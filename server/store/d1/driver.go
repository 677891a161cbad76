//go:build js && wasm

package d1

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/sealpost/sealpost/server/store/internal/promise"
)

// connector makes a database/sql driver of a D1 binding. A query may consist of several statements, with semicolons between
// them: that is one D1 batch, which is atomic, and answers one result set for each statement. The placeholders of each are $1
// to $N, and it takes as many of the arguments as it has. There is no other transaction, and nothing to prepare.
//
// The binding is looked up for each query, because it belongs to the request that is being answered.
type connector struct{ binding func() js.Value }

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
	db := c.binding()
	var batch []any
	for q := range strings.SplitSeq(query, ";") {
		n := placeholders(q)
		if n > len(args) {
			return nil, fmt.Errorf("query takes more than %d arguments", len(args))
		}
		values := make([]any, n)
		for i, arg := range args[:n] {
			var err error
			if values[i], err = toJS(arg.Value); err != nil {
				return nil, err
			}
		}
		args = args[n:]
		// $N is a name to SQLite, which D1 does not bind by; ?N is a number.
		batch = append(batch, db.Call("prepare", strings.ReplaceAll(q, "$", "?")).Call("bind", values...))
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("query leaves %d arguments", len(args))
	}
	answers, err := promise.Await(db.Call("batch", batch))
	if err != nil {
		return nil, err
	}
	r := &rows{answers: answers, count: len(batch), answer: -1}
	return r, r.NextResultSet()
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

// toJS refuses what D1 would not take as it is: a number that JavaScript cannot hold exactly, or any other type.
func toJS(v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case int64:
		if v > 1<<53 || v < -1<<53 {
			return nil, errors.New("integer is too large for D1")
		}
		return float64(v), nil
	case []byte:
		b := js.Global().Get("Uint8Array").New(len(v))
		js.CopyBytesToJS(b, v)
		return b, nil
	}
	return nil, fmt.Errorf("cannot pass %T to D1", v)
}

func fromJS(v js.Value) (driver.Value, error) {
	switch v.Type() {
	case js.TypeNull:
		return nil, nil
	case js.TypeString:
		return v.String(), nil
	case js.TypeNumber:
		if f := v.Float(); f == math.Trunc(f) {
			return int64(f), nil
		}
		return v.Float(), nil
	case js.TypeObject: // a BLOB comes as an array of numbers
		u := js.Global().Get("Uint8Array").New(v)
		b := make([]byte, u.Length())
		js.CopyBytesToGo(b, u)
		return b, nil
	}
	return nil, errors.New("unexpected type of column")
}

// rows are the answers to a batch. D1 gives each row as an object, whose members are in the order of the columns; two columns
// of one statement must not have the same name.
type rows struct {
	answers       js.Value
	answer, count int // the current result set, and how many there are
	columns       []string
	rows          js.Value
	row, length   int
}

var _ driver.RowsNextResultSet = (*rows)(nil)

func (r *rows) Columns() []string      { return r.columns }
func (r *rows) Close() error           { return nil }
func (r *rows) HasNextResultSet() bool { return r.answer+1 < r.count }

func (r *rows) NextResultSet() error {
	if !r.HasNextResultSet() {
		return io.EOF
	}
	r.answer++
	r.rows = r.answers.Index(r.answer).Get("results")
	r.row, r.length, r.columns = 0, 0, nil
	if r.rows.Truthy() {
		r.length = r.rows.Length()
	}
	if r.length > 0 {
		names := js.Global().Get("Object").Call("keys", r.rows.Index(0))
		for i := range names.Length() {
			r.columns = append(r.columns, names.Index(i).String())
		}
	}
	return nil
}

func (r *rows) Next(dest []driver.Value) (err error) {
	if r.row == r.length {
		return io.EOF
	}
	values := js.Global().Get("Object").Call("values", r.rows.Index(r.row))
	r.row++
	for i := range dest {
		if dest[i], err = fromJS(values.Index(i)); err != nil {
			return err
		}
	}
	return nil
}
