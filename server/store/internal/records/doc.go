// Package records is [store.Meta] in SQL, for every database: the schema, the statements, and what their rows mean. A driver
// brings a [DB], which is how a batch of statements becomes one atomic step there.
//
// Each operation is one batch. No statement needs an answer from the one before it, because D1 has no transactions that wait
// for a client; where it would, state is carried over in the tables (shares.last_ticket). Reading first what most callers are
// turned away for is a batch of its own, so that those who guess do not queue for a writer.
//
// The statements use $N, numbered in the order of first use (to SQLite these are names, which it numbers as they come), BIGINT
// and Unix seconds. The columns of an answer have different names, as D1 tells them by name. The only arguments are int64, string,
// []byte and nil. SQLite and D1 run one batch at a time. PostgreSQL runs many, each statement of which sees what was committed before
// it began, so that it has to keep those about the same share apart.
//
// The schema has a version, and a file for each, which brings a database there from the one before; a build that is older than the database refuses it with store.ErrTooNew.
package records
