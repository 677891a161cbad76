// Package api is the wire contract between a Sealpost server and its clients: paths, JSON types, limits and problem codes.
// This page is the protocol. It is version 1; the version is in the path. [OpenAPI] is the same for tools, without the reasons.
//
//	sender                           server                          recipient
//	  │ POST shares ───────────────────▶│                                 │
//	  │◀────────────── id, part size ───│                                 │
//	  │   the link is known now ········│································▶│
//	  │ PUT manifest ──────────────────▶│◀─────────────── GET manifest ───│ not counted
//	  │ PUT parts/2 ───────────────────▶│◀────────────── GET parts ───────│ what has arrived
//	  │ PUT parts/1 ───────────────────▶│◀──────────── POST downloads ────│ counted, once for a ticket
//	  │ PUT parts/3 ───────────────────▶│◀────────────── GET parts/1 ─────│ as soon as it has
//	  │ POST complete ─────────────────▶│   durable; the lifetime begins  │
//	  │                                 │◀────────────── GET parts/2 … ───│
//	  │                                 │◀─ DELETE downloads/current ─────│ saved; a spent share goes now
//	  │                                 │◀──────────── POST reports ──────│ if something is wrong with it
//
// # Tokens
//
// A token is presented as "Authorization: Bearer TOKEN", in unpadded base64url. The server stores only the SHA-256 of each.
//
//	owner            32 bytes   made by the sender at random
//	access           32 bytes   derived from the link
//	access ‖ reader  64 bytes   derived from the link and, if there is one, the password
//	ticket           32 bytes   made by the recipient at random, one for each download
//	upload           32 bytes   made by the server at random, where only holders of one may make shares
//
// Without a token, with a malformed one, with one that does not open the share, and for a share that does not exist (any
// more), the answer is one and the same: 404 not-found. The exception is for who proves the link: with the right access and
// the wrong reader token, a share with a password answers 401 wrong-password, with the number of tries that are left. Tries
// are counted per share and come back with time; when there are none, 429 too-many-tries says when the next is. The right
// password costs no try. Nobody without the link can use tries up.
//
// Requests without the right token may be answered 429 too-many-requests when an address makes many. With the right one they are only if
// they report, if the address takes a great many downloads, or makes a great many requests with the very same token: so nobody at another
// address can use up what a holder has. A ticket that has a download is not refused it.
//
// # Calls
//
// Paths are below /api/v1. Bodies are JSON unless said otherwise, and a request with a JSON body says "Content-Type:
// application/json". Unknown members are ignored, in both directions. HEAD is answered wherever GET is, without consuming
// anything. Every answer is "Cache-Control: no-store".
//
// Anyone:
//
//	GET /config → Config
//	POST /shares  CreateShare → 201 Share
//
// Creating is idempotent by the owner hash: repeated with the same terms it answers 200 with the share that is there, with
// others 409 share-conflict. The size is an upper bound. The number of requests may be limited by address (429).
//
// Config.Uploads says what whoever asks needs for making shares. With "token" it is an upload token: without the right one the answer is
// 401 upload-token, or 429 too-many-requests to an address that shows many wrong ones. With "sign-in" a proxy in front of the server has to
// vouch for the caller, else it is 403 sign-in; where the proxy watches over POST /shares alone, GET /config says "sign-in" to those who
// are signed in as well, so clients had better just try. A share that was made is its owner's: none of the calls below asks for either.
//
// Limits of what an address may make in a day are 429 daily-shares and daily-bytes, with RetryAfter until the day ends (in UTC); the size
// that is announced counts, and that of a manifest of more than 64 KiB when it is sent, which is then what daily-bytes answers. A server without room is 507: storage-full if its store has none, over-total if it keeps as much as its
// operator lets it. Both may also be the answer to a manifest or a part, before a byte of it is taken if the client waits for that
// ("Expect: 100-continue"): what was stored before stays, and the same bytes may be sent again when there is room.
//
// Owner:
//
//	PUT /shares/{id}/manifest  bytes → 204
//	PUT /shares/{id}/parts/{n} bytes → 204
//
// Parts are numbered from 1. Each has exactly Share.PartSize bytes, but the last, which may be shorter. They come in any
// order and in parallel. Content-Length is required (411 length-required), and so is "Content-Digest: sha-256=:BASE64:" of
// RFC 9530 (digest-required), which the body must match (digest-mismatch). Manifest and part 1 must begin with [AgeMagic]
// (422 not-sealed). What is answered 204 is durable, and never changes: the same bytes again are 204, others are 409
// part-conflict. After an answer that is an error, or none, nothing is half there and the same bytes may be sent again; other
// bytes may not, as a sealed part must never be sent in two versions.
//
// The number of bodies that a server takes in at once may be limited: by address, 429 too-many-parts, and in all, 503 busy, each with
// RetryAfter. A body that makes no progress for a while is given up (interrupted). No limit of what is taken in is one of what is read.
//
// Where Share.Direct is set, parts, but not the manifest, may also go straight into the server's store, which checks size and digest:
//
//	POST /shares/{id}/parts/{n}/direct  DirectPart → Direct, or 204 for what is stored already
//	PUT  /shares/{id}/parts/{n}/direct  DirectPart → 204
//
// The first reserves room for the part and names a request; the client makes it, with the part as body, and then has the server look by
// the second, whose 204 is that of PUT /shares/{id}/parts/{n}. A store that answers 412 has these bytes already, so that is as good as
// 200. What the server does not find is 409 not-ready. Whatever goes wrong on the way, the same part may be sent through the server
// instead, and another one may not: its place is reserved (409 part-conflict).
//
//	POST /shares/{id}/complete  CompleteShare → Share
//
// All parts and the manifest must be there: else 409 incomplete, where Missing lists runs of absent parts, 0 being the
// manifest; it is absent when only the sizes do not add up. From the 200 on, the share is whole and durable and its lifetime
// runs. The same again is 200; another size is 409 already-complete, as is a new part. An open share is given up a day
// after its last part, and in any case when it has been open as long as a complete one may live, but for a week at least.
//
//	PATCH /shares/{id}  UpdateShare → Share
//	DELETE /shares/{id} → 204
//
// The lifetime counts from completion also when it is changed later. A deleted share is gone at once, tickets included.
//
// Access token (the 64 bytes serve as well, and the second half is not looked at) or owner:
//
//	GET /shares/{id} → Share
//	GET /shares/{id}/parts → Parts     (also with a ticket)
//
// Parts tells what has arrived: for resuming an upload, and for following one. With ?wait=SECONDS&seen=COUNT the server may
// hold the answer back until Parts.Count is not COUNT or the share is complete. It may also answer sooner; while the share is
// open, Retry-After says when to ask again. Asking with a ticket keeps its download from being taken for unused.
//
// Reader:
//
//	GET /shares/{id}/manifest → bytes
//	POST /shares/{id}/downloads  TakeDownload → Share
//
// Fetching the manifest counts for nothing. Taking a download is atomic: of MaxDownloads allowed ones exactly so many
// different tickets get one, the rest 410 no-downloads-left. The same ticket again takes nothing, so a lost answer costs
// nothing. A taken download is never given back. It is possible while parts still arrive.
//
// Ticket:
//
//	GET /shares/{id}/parts/{n} → bytes
//	GET /shares/{id}/content → bytes
//	DELETE /shares/{id}/downloads/current → 204
//
// Any number of requests and ranges under one ticket are one download. The first two take a single Range, with If-Range; several
// ranges are answered with the whole, and one outside of it with 416 bad-range and "Content-Range: bytes */SIZE". The ETag is
// strong. What has not arrived in an open share is 409 not-ready with Retry-After; content is so until the share is
// complete. Where a platform limits what one answer can be made of, content in more parts than that is 422 read-parts: a
// client then reads the parts, or smaller ranges. Bytes are application/octet-stream with a policy that lets nothing run.
// DELETE tells that the download is saved.
//
//	GET /shares/{id}/parts/{n}/direct → Direct
//
// names a request that reads a part from the server's store, in ranges too, where Share.Direct is set. It lasts for some minutes, or
// until the share is gone, also when the ticket ends before.
//
// The share is spent, and deleted, when all downloads are taken and each is finished, or unused for a day.
//
// # Reports
//
// Access token (as above, but not the owner's):
//
//	POST /shares/{id}/reports  bytes → 204
//
// tells the operator that something is wrong with a share. The body is an age file, sealed to Config.ReportRecipient, as
// "Content-Type: application/octet-stream", and begins with [AgeMagic] (422 not-sealed). It has at most [MaxReportSize] bytes, which
// Content-Length says before. What is in it is between clients and operator (package wasm/internal/report). Without a recipient the answer
// is 403 reports-off. A share that is open is 409 not-ready: only one that is complete can be reported. The same bytes again are 204 and
// add nothing. A share takes some reports, then it is 409 enough-reports, and a server some thousands, of shares that are not gone, then it is 507 storage-full; the
// number of requests may be limited by address (429), and more tightly than that of new shares.
//
// When a server has those thousands, the oldest report of a share that is gone makes room for a new one. If all of these shares are there,
// there is room again as one of them goes, or is taken down. The operator reads them with tools of
// their own (sealpostd admin reports, sealpost report); there is no call for that.
//
// The server cannot open a report. It keeps it for 90 days, if there is room for so long, also when the share is gone before, and with it the share's id and the time:
// so that the operator learns which share is meant, that it is reported and when, even if they never open one. For that time
// they may still know that there was a share of this id, which is nothing that opens it; of its record and bytes nothing is kept for a
// report. Who reports is not noted.
//
// # Problems
//
// Every error is a [Problem], "application/problem+json" of RFC 9457. Clients branch on its code and on nothing else;
// [Codes] lists them. RetryAfter in seconds is in the body and in the header. digest-mismatch, interrupted, unavailable, busy,
// internal, too-many-requests and too-many-parts may pass when the request is repeated as it was.
package api
