// Package seal is the sealed format of Sealpost, version 1: what a share consists of, how it is made and how it is opened. This
// comment is the specification. MUST is for writers; readers refuse whatever departs from a MUST, unless it says otherwise.
//
// A share is two files in the age v1 format (age-encryption.org/v1), the manifest and the content, both encrypted to the one X25519
// recipient that package link derives from the link. The stock tools open them:
//
//	age -d -i key manifest.age | zstd -d
//	age -d -i key content.age | zstd -d           | tar x      (tar: if the kind is "tar")
//
// # The age files
//
// Each MUST have a header of exactly one X25519 stanza, which has 168 bytes. With the payload nonce of 16 bytes that makes a
// prefix of 184 bytes. Chunk i of the payload (64 KiB plain, 65552 sealed, the last one shorter or as long) begins at 184 +
// 65552 i. So n bytes are sealed in 184 + n + 16 max(1, ⌈n / 65536⌉).
//
// Chunks can be sealed and opened in any order: the payload key is HKDF-SHA-256(file key, salt: nonce, info: "payload"), and
// chunk i is ChaCha20-Poly1305 with the nonce i (11 bytes, big endian) ‖ (1 if it is the last one, else 0).
//
// No two plaintexts may be sealed under one payload key and index. A writer that resumes has to send the very bytes again, or to make
// them from the very same plaintext; a frame that is compressed again is only the same with the same encoder.
//
// # Frames
//
// What the age files hold is a sequence of Zstandard frames (RFC 8878). A data frame MUST begin with this header and no other, which is
// determined by its plain size s: the magic number 28 B5 2F FD; a descriptor byte; s in little endian. The descriptor is 20 and s has one
// byte if s < 256; it is 60 and two bytes hold s − 256 if s < 65792; else it is A0 and four bytes hold s. (That is: a single
// segment, the content size in its shortest form, no checksum, no dictionary.) A frame MUST have no more than s + ⌊s / 256⌋ + 64
// bytes. Blocks are at most 128 KiB. It MUST decode to exactly s bytes.
//
// # Padding
//
// A skippable frame of padding has the magic number 50 2A 4D 18, its length in four bytes, little endian, and zeros. Padding of g ≥
// 8 bytes is made like this: while g ≥ 2³⁰ + 8, a frame of 2³⁰ bytes, header included; then one frame of what is left. So there is always at
// least one frame of padding.
//
// A file whose other frames have u bytes altogether MUST be padded to max(4096, Padmé(u + 8)), where Padmé(L) is
// L rounded up to a multiple of 2^(E−S), E = ⌊log₂ L⌋, S = ⌊log₂ E⌋ + 1. This costs at most 12 %, and the size tells
// no more than its class.
//
// # Manifest
//
// One data frame of JSON (RFC 8259), then padding. It MUST have no more than 16 MiB sealed and 64 MiB plain.
//
//	{
//	  "version": 1,
//	  "kind": "file" | "tar" | "note",
//	  "note": string, absent if empty,
//	  "entries": [{
//	    "name": string,
//	    "size": bytes,
//	    "type": media type, absent if unknown,
//	    "modified": Unix seconds, absent if unknown,
//	    "mode": permission bits,
//	    "offset": of its bytes in the plain stream,
//	    "thumbnail": base64 of a small raster image, absent if there is none
//	  }, …],
//	  "size": bytes of the plain stream,
//	  "content": base64url of the SHA-256 of the content's prefix (age header ‖ payload nonce)
//	}
//
// Readers refuse another version before they look at the rest, and ignore members that they do not know. No member that is named
// above occurs twice in its object, nor one that differs from it in case alone. The text MUST be UTF-8. All numbers are integers. There are at most 524288 entries. A note has at most 1 MiB, a thumbnail 32 KiB, a type 255 characters, all of
// them printable ASCII; modified is less than 2³³, mode at most 0777 (octal), and sizes at most 2⁴².
//
// A name is a relative path, parts divided by "/". No part is empty, "." or ".." or has more than 255 bytes, the whole not more than 4096;
// NUL and the backslash do not occur. A directory is an entry only if it is empty: its name ends in "/" and its size is 0. All other
// entries are regular files; there are no links. No name occurs twice, with or without the "/", and no name is the parent of another.
// Controls, bidirectional ones too, are allowed, for they are in names of real files: who displays a name has to neutralise them.
//
// The manifest says which content belongs to it; which manifest belongs to a share only the key says. So whoever has the link (the
// server has not) could exchange both together.
//
// # Plain stream
//
//	file   the bytes of the one entry, whose name has no "/"
//	tar    a tar of one entry or more, as below
//	note   as file: a text in UTF-8 of at most 1 MiB, to be shown rather than saved
//
// A share of the kind note has no "note" in its manifest. What a manifest says is read without taking a download; a text that is
// to be read so many times and no more has to be content.
//
// The tar is determined by the manifest and the bytes of the entries. For entry i, counted from 0: if its name is longer than 100 bytes
// or has a byte outside 20 … 7E, or its size is 2³³ or more, a pax extended header; a ustar header; its bytes; zeros up to a
// multiple of 512. At the end 1024 zeros. Entries keep their order.
//
// The pax header is a ustar header of type "x" with the name "pax.i", mode 644, time 0 and the size of the records that
// follow it, zeros up to a multiple of 512 after them. The records "length path=name\n" and "length size=bytes\n", as far as needed,
// in that order; length is decimal and counts the record. The ustar header then has the name "entry.i", or size 0, in their place.
//
// A ustar header has 512 bytes, zero but for these fields. Numbers are octal, filled up with leading zeros.
//
//	0    100  name
//	100    8  mode, 7 digits
//	108    8  owner "0000000"
//	116    8  group "0000000"
//	124   12  size, 11 digits
//	136   12  modified, 11 digits
//	148    8  sum of all bytes of the header, this field taken as spaces: 6 digits, NUL, space
//	156    1  type: "0", "5" for a directory, "x"
//	257    8  "ustar", NUL, "00"
//	329    8  device "0000000"
//	337    8  device "0000000"
//
// # Content
//
// The plain stream in data frames of 2²⁰ bytes, the last one shorter or as long, none if the stream is empty; then padding; then the
// seek table of the Zstandard seekable format, which is a skippable frame: 5E 2A 4D 18; its length in four bytes; for each data
// frame its compressed and its plain size, four bytes each; the number of data frames in four bytes; 00; B1 EA 92 8F. All numbers
// little endian. Padding is not in the table. The table counts as one of the other frames that padding is computed from.
//
// So the manifest tells where the table begins, and frames alone determine all that follows them. A reader opens front to back
// without the table, or at random with it; both check that padding and table are as they have to be, the tar headers those of the manifest,
// and that the last chunk is marked as such. What a reader gave out before that is authentic, but it may not be all.
//
// Frames are compressed independently of each other, put in order, and only then cut into chunks and parts. So they can be
// compressed by many workers, and a part can be sealed as soon as the stretch of compressed stream is known that it covers.
//
// # Parts
//
// The sealed content travels in parts: byte b is in part ⌊b / part size⌋ + 1. Parts know nothing of chunks and frames.
package seal
