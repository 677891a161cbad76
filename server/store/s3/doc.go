// Package s3 keeps sealed bytes in a bucket of any object store that speaks S3, one object a part, for any number of servers at once:
//
//	<prefix><id>/<n>-<digest in hexadecimal>
//	<prefix>.mark
//
// A part goes to the store while it arrives, in one PUT of known length and without being buffered: nothing here grows with its
// size. Three look at it on the way. The magic is read before the request begins. Every byte is hashed here, and the last ones
// are handed on only when nothing follows them and the digest is right; else the request breaks off short of its announced length,
// and a store keeps no such object. And the store is told the SHA-256 beforehand, both as what the signature is about
// (x-amz-content-sha256) and as a checksum that it keeps (x-amz-checksum-sha256), so it refuses anything else that reaches it.
//
// The name says what the bytes are, so putting a part again may overwrite it: with itself. If-None-Match would spare that, but not
// every store knows it, and those that do would answer before the body was looked at.
//
// Sweep and DeleteShare list page by page and delete a page at a time. Deletes have no conditions, nor need they: the contract has
// it that nobody ever wants again what a sweep may remove. What sweeps at the same time remove each of them counts.
//
// # Past the server
//
// Direct sends clients to the bucket themselves, by presigned URLs. One for putting is good for one part: length, SHA-256, Content-Type and
// If-None-Match are headers that it signs. The store is what checks the bytes then, and Confirm asks it what it has: size and checksum, and the
// beginning where that matters; of a store that keeps no SHA-256 it reads the whole object. A store that does not know If-None-Match writes the
// same bytes over themselves. What is put and never confirmed is an orphan at worst, of which package server bounds how much there can be.
//
// One for reading has the part answered as application/octet-stream, to be saved. So nobody who may send gets a page at the bucket's address.
//
// # Failure
//
// Requests without a body are repeated a few times. A store that cannot be reached, says that it is overloaded or broken, moves no byte
// of a part for a while, or takes that long for any other answer, as for a page of a list, is store.ErrUnavailable, and the next call tries
// anew. How long the client takes to send or fetch does not count.
// No error names an object, since that would tell the share.
//
// # What the bucket needs
//
// It exists beforehand, and Open asks for it. The keys need to get, put, delete and list. Versioning, replicas and object locks keep what was
// deleted, which is then for the operator to bound. Consistency is that of S3: what was put can be read at once, and listed.
package s3
