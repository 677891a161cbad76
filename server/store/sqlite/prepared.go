package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// pool is connections to the file that keep their statements prepared. Parsing one anew takes longer than running it, and the
// statements of package records are few and constant.
type pool struct {
	*sql.DB
	prepared sync.Map // query text to *sql.Stmt; they are closed with the DB
}

// prepare returns the statement for query. Within a transaction it must not be called for the first time: with a single
// connection it would wait for its end.
func (p *pool) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := p.prepared.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := p.PrepareContext(ctx, query) // ctx is for preparing only
	if err != nil {
		return nil, fmt.Errorf("failed to prepare statement: %w", err)
	}
	if first, loaded := p.prepared.LoadOrStore(query, st); loaded {
		st.Close()
		return first.(*sql.Stmt), nil
	}
	return st, nil
}
