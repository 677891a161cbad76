// Package sqlite keeps records in one SQLite file, for a server that is one process on one machine.
//
// It is set to lose nothing it has acknowledged and to keep nothing it has deleted: write-ahead log with synchronous=FULL, so
// that a commit is on the disk when it returns; secure_delete, so that deleted content is overwritten with zeros; and the log,
// which has copies of old pages, is written back and cut to nothing on Close and in the first Doomed after Open, a Forget, or a
// DropReports that dropped some.
//
// One connection writes, so that writers queue here and in order instead of polling for the file's lock; a few others read,
// and never wait for the writer. Several processes may open the file, at that price. Every writing operation is a
// transaction that begins IMMEDIATE, and its answer is given only after COMMIT has succeeded.
//
// After something could not be written, as on a disk with bad sectors, nothing is written until another process opens the file: see Mended.
// A disk that is full is no such case. What other processes write, as the tool of an operator may, is not looked after by this one.
//
// The statements, and what their answers mean, are those of every database: package records.
//
// What lies in the file: hashes of tokens, sizes, counts, times, and sealed reports. It is created with mode 0600. The schema has a
// version. Open upgrades an older file, in one transaction, so that it is either as it was or upgraded; a build that is older than the
// file refuses it with store.ErrTooNew.
package sqlite
