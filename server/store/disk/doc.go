// Package disk keeps sealed bytes as files, one for each part:
//
//	<dir>/<first two characters of the share's id>/<id>/<n>-<digest in hexadecimal>
//	<dir>/.mark
//
// An object appears under its name only when it is whole and durable. Put makes these system calls, in this order:
//
//	mkdirat     <xx>, <xx>/<id>      where they are missing
//	openat      .t<random>           O_CREAT|O_EXCL in the share's directory, mode 0600
//	fallocate   the announced size   a full disk shows here, before a byte of the body is read
//	statfs                           and so does one that is nearly full: the reserve is for the records, see below
//	write …                          64 KiB at a time (16 with many Puts at once), hashed on the way; before the first: is the magic right?
//	sync_file_range                  after each MiB, for the disk to begin, which promises nothing
//	fsync       the file
//	flock       the share's directory, shared
//	renameat    .t<random> → <n>-<digest>
//	fsync       <xx>/<id>, <xx> and <dir>
//
// The three directories are synced each time, although only the first part of a share makes new ones: whoever made them may
// have crashed, or not be done, before syncing them. A file system that has nothing to write answers at once.
//
// Whatever goes wrong before the rename removes the temporary file; a crash leaves it, and Sweep takes it. Sweep also takes
// objects that nobody wants to keep. A Put that renews such an object at this very moment must not lose it: Sweep checks the
// age of a file and removes it under the exclusive lock of the directory, so that it sees either the old file and no renewal
// yet, or a new file that is too young to be removed. Renaming over an existing object changes nothing, since the name says
// what the bytes are.
//
// Removing a share is synced, before its record is deleted. Removing a single object is not: what a power cut brings back has no record, and is
// swept again.
//
// On Linux a Put leaves some of the file system free, 16 MiB or what Store.MinFree says. A disk that is full to the brim would not even let
// the database beside it note what is taken or to be deleted.
//
// File names are case sensitive. Where a file system is not, two ids that differ by case alone would share a directory, which
// is harmless (objects have their digest in the name) until one of the two is deleted; such a pair takes 2^48 shares or so.
package disk
