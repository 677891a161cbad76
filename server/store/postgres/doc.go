// Package postgres keeps records in a PostgreSQL database, for any number of servers at once.
//
// The statements, and what their answers mean, are those of every database: package records. A batch is one transaction, which goes
// over the wire in one round trip, and its answer counts only after COMMIT has succeeded.
//
// # Isolation
//
// Transactions are READ COMMITTED, so each statement sees what was committed before it began; and two advisory locks, which end
// with the transaction, keep apart what must not overlap:
//
//   - of all batches: shared by those about one share, and exclusive to one about many (Doomed, DropReports), which so never marks
//     a share as spent while somebody resumes a download of it;
//   - of the share: exclusive, so that batches about the same share queue up, in order, and none has to be repeated.
//
// They are taken in this order, so there are no deadlocks; nor serialization failures, which this level does not have. A sweep holds
// the others up for as long as it takes to mark what is due, and before that while it waits for those that run: some milliseconds in a
// minute, as a rule. It waits two seconds at most, is store.ErrUnavailable then, and the next one tries again.
//
// # Failure
//
// A connection that is lost, a server that shuts down, has no connection left or does not answer in time is store.ErrUnavailable, and
// the next call connects anew. A transaction is repeated only if nothing of it was run: whether one whose answer was lost has
// happened is for the caller to find out, who may ask for the same again in every case that matters (package store).
//
// A server that the network cuts off in the midst of a batch leaves its locks behind. Whoever needs them waits, or is told
// store.ErrUnavailable, until PostgreSQL finds that nobody answers: after some 15 seconds, by settings that each session begins with
// (tcp_keepalives_… and tcp_user_timeout), unless the address has others. Connections to a database that is silent end as soon.
//
// What is acknowledged is as durable as the server's settings make it: Open refuses a server with fsync or synchronous_commit off.
//
// # Schema
//
// Open makes the schema if there is none, and brings an older one to the newest, in one transaction, of which the servers that start at
// once run one. A build that is older than the database refuses it with store.ErrTooNew. The tables are where search_path says.
//
// What lies in them: hashes of tokens, sizes, counts, times, sealed reports, and of this day hashes of addresses with their salt. PostgreSQL overwrites nothing: what was
// deleted remains in its files until VACUUM, and in the log and its archive for as long as they are kept.
//
// Through a pooler in transaction mode it works with prepared statements (PgBouncer 1.21 or newer), or, without, by
// default_query_exec_mode=exec in the address.
package postgres
