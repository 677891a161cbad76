// Package store is the contract between the server and whatever keeps its data: Blobs for sealed bytes, Meta for records.
//
// They are two because their needs differ. Blobs is no more than what every object store has: objects that are written once
// and are durable when the write returns. Meta is small and exact: each method is one atomic step, so that any number of
// servers may share one database without locks of their own.
//
// A part is put under a key that holds its digest, then Meta.AddPart decides which digest is the part. So two racing writers
// of one part can never mix; the loser's object is an orphan that Blobs.Sweep removes. On creation the record comes first, on
// deletion the bytes go first: a crash between the two leaves only what a sweep collects. No sweep takes a part from an open share,
// where an orphan of yesterday may be put again, and become the part, today.
//
// A store may be out of reach for a while: ErrUnavailable. Whoever is told so does not know what has happened, and asks for the same again;
// every call here is such that nothing happens twice, but for Try, which may cost a try more.
//
// Times are Unix seconds (int64) and always come from the caller, which owns the clock. Every driver passes the suite in
// storetest.
package store

import (
	"context"
	"errors"
	"io"
	"time"
)

// Errors that drivers return, possibly wrapped, and callers branch on.
var (
	ErrNotFound   = errors.New("not found")                       // unknown, expired, revoked or spent: it cannot be told which
	ErrConflict   = errors.New("conflicts with what is stored")   // Complete: ready with another size
	ErrIncomplete = errors.New("parts are missing")               // Complete
	ErrNotOpen    = errors.New("share takes no more parts")       // AddPart
	ErrSpent      = errors.New("no downloads left")               // TakeDownload
	ErrExhausted  = errors.New("no tries left")                   // Try
	ErrEnough     = errors.New("share has enough reports")        // AddReport
	ErrAllReports = errors.New("enough reports of all shares")    // AddReport
	ErrSize       = errors.New("body has another size")           // Put: longer or shorter than announced
	ErrDigest     = errors.New("body has another digest")         // Put
	ErrMagic      = errors.New("body begins with something else") // Put
	ErrFull       = errors.New("no space left")                   // any write
	ErrOverTotal  = errors.New("as much is kept as may be")       // AddPart
	ErrOverShares = errors.New("enough shares for a day")         // Charge
	ErrOverBytes  = errors.New("enough bytes for a day")          // Charge
	ErrTooNew     = errors.New("schema is newer than this build") // opening a Meta
	ErrTooMany    = errors.New("too many parts for one answer")   // Send
	ErrForeign    = errors.New("parts belong to other records")   // Match

	// ErrUnavailable is of a store that cannot be reached, or can do nothing for now. It clears by itself. What a call has done
	// by then is not known.
	ErrUnavailable = errors.New("store is not available")
)

// Blobs keeps sealed bytes. It is safe for concurrent use, also by several processes. An object never changes.
type Blobs interface {
	// Put stores exactly size bytes of body, durably: once it returns nil they survive a power cut. The body must begin with
	// magic and have the key's digest and size, else nothing is kept and the error is ErrMagic, ErrDigest or ErrSize (also
	// when body ends early with io.EOF or io.ErrUnexpectedEOF). A full store is ErrFull, where possible before body is read.
	// Putting what is there already is fine. If the share is deleted meanwhile, the error may be ErrNotFound or
	// ErrUnavailable.
	Put(ctx context.Context, key Key, body io.Reader, size int64, magic string) error
	// Open reads length bytes from offset. The caller keeps within the size it knows from Meta, and stops after length bytes
	// (io.CopyN): the reader may be a plain file, which has more. A missing object is ErrNotFound.
	Open(ctx context.Context, key Key, offset, length int64) (io.ReadCloser, error)
	// Delete removes an object. Removing a missing one is fine.
	Delete(ctx context.Context, key Key) error
	// DeleteShare removes every object of a share. Readers that have one open may finish.
	DeleteShare(ctx context.Context, share string) error
	// Sweep removes what was written before the given time and is not to be kept: objects for which keep says no, and
	// leftovers of interrupted writes. A no of keep is final: the object may be removed any time later, and whoever asked will never
	// want one of its name again. Sweep returns how many it removed. Any number of processes may sweep at once; each may count what
	// several of them remove.
	Sweep(ctx context.Context, before time.Time, keep func(context.Context, Key) (bool, error)) (int, error)
	// Mark leaves a mark, durably, unless there is one, and returns the one that is there; an empty one leaves none. It is no object.
	Mark(ctx context.Context, mark string) (string, error)
}

// Roomy is what Blobs may be besides, if they know how much room they have left.
type Roomy interface {
	// HasRoom returns ErrFull if Put would, however small the object.
	HasRoom(ctx context.Context) error
}

// Span is a piece of an object.
type Span struct {
	Key            Key
	Offset, Length int64
}

// Sender is what Blobs may be besides, if bytes can reach the client without passing through this program; then it is what they
// go by, and not Open. The server wraps neither w nor, in Put, the body, so that drivers may find there what they know of.
type Sender interface {
	// Send hands over spans, one after the other, as the body of the answer that is written to w. It calls begin once, when
	// the first of them is sure to be there: before that a missing one is ErrNotFound, and more than one answer can have is
	// ErrTooMany; after it a failure cuts the connection. It returns how many bytes there are, which may still be on their way.
	Send(ctx context.Context, w io.Writer, begin func(), spans []Span) (int64, error)
}

// Direct sends clients to where Blobs has its objects, so that bytes need not pass through this program.
type Direct interface {
	// Origin is where all requests go, as https://bucket.example.
	Origin() string
	// PutRequest returns the request with which whoever has it can, while it lasts, do what Put does: store exactly size bytes that have the
	// key's digest, durably, if there is no such object yet. What they begin with it says nothing about.
	PutRequest(ctx context.Context, key Key, size int64, lasts time.Duration) (Request, error)
	// GetRequest returns the request with which whoever has it can, while it lasts and the object is there, read it, or a range of it.
	GetRequest(ctx context.Context, key Key, lasts time.Duration) (Request, error)
	// Confirm returns nil if an object is there as Put would have stored it, and else Put's error, or ErrNotFound. It deletes nothing.
	Confirm(ctx context.Context, key Key, size int64, magic string) error
}

// Request is one that a client makes of another server.
type Request struct {
	Method string
	URL    string
	Header map[string]string // that has to go with it
}

// Lister is what Blobs may be besides, if it can tell what it has: for whoever looks after the store, and not for the server.
type Lister interface {
	// List calls visit for each object, in any order, and for each stray. What is put or deleted meanwhile may be among them or not. An
	// error of visit ends it and is returned.
	List(ctx context.Context, visit func(Object) error) error
}

// Object is something that Blobs has.
type Object struct {
	Key      Key
	Size     int64
	Modified time.Time
	Stray    string // its name, if it is no object but what an interrupted write has left, or nothing of ours; of Key then Share counts alone
}

// States of a Share in Meta. No method that takes an id and now tells of a removed one.
const (
	Open    = "open"
	Ready   = "ready"
	Removed = "removed"
)

// Share is a record.
type Share struct {
	ID                    string
	Access, Reader, Owner Hash // of the tokens
	State                 string
	Password              bool
	PartSize              int64
	Size                  int64 // sealed content bytes; while open, the announced upper bound
	Parts                 int64 // 0 while open
	Created               int64
	Completed             int64 // 0 while open
	Expires               int64 // open: when it is abandoned; ready: Completed + Lifetime
	Lifetime              int64 // seconds
	MaxDownloads          int64 // 0: any number
	Taken                 int64 // downloads taken
}

// Record is a share as it stands in Meta, with sums of what hangs on it, for whoever looks after the store. It may be expired or
// removed.
type Record struct {
	Share
	Stored  int64 // parts that there are, the manifest not counted
	Bytes   int64 // of all of them, and of the manifest
	Tickets int64 // that have, or had, a lease; those of shares with any number of downloads are forgotten in time
	Leases  int64 // of these, that are not finished
	Reports int64
}

// Totals are sums over all shares.
type Totals struct {
	Open, Ready int64
	Removed     int64 // expired ones among them, though no sweep has come by
	Bytes       int64 // of all parts and manifests, and what is reserved
	Reports     int64
}

// Part is a stored part, or the manifest (N 0).
type Part struct {
	N      int64
	Size   int64
	Digest Hash
}

// Reservation is the room for a part that may be put.
type Reservation struct {
	Share string // id
	Part  Part
}

// Change is what Update sets; nil members stay.
type Change struct {
	Lifetime     *int64
	MaxDownloads *int64
}

// Budget limits wrong passwords: Burst at once, one more every Refill seconds.
type Budget struct{ Burst, Refill int64 }

// Report is what a recipient tells the operator of a share, sealed: nothing here can open it. It outlives the share.
type Report struct {
	ID       string // random
	Share    string // id
	Received int64
	Sealed   []byte
}

// ReportLimit is how many reports are kept, of one share and of all.
type ReportLimit struct{ Share, All int64 }

// Checker is what Meta may be besides, if it can look for damage to itself, beyond what its methods would show.
type Checker interface {
	// Check reads everything and returns what it finds wrong, in words, which is nothing if all is well. It changes nothing.
	Check(ctx context.Context) (damage []string, err error)
}

// Mender is what Meta may be besides, if it refuses to write, as ErrUnavailable, after something could not be written, and only another
// process that opens it can go on: what this one knows may be what was lost.
type Mender interface {
	// Mended is closed when that may be done.
	Mended() <-chan struct{}
}

// Daily is how much there may be of one client on a day; 0 is any number.
type Daily struct{ Shares, Bytes int64 }

// Charge is what a client makes: a share, or more of one.
type Charge struct {
	Client        string // names it, for as long as the call takes
	Day           int64  // since 1970, UTC
	Shares, Bytes int64
}

// Meta keeps records. It is safe for concurrent use, also by several processes. Each method is atomic, and durable when it
// returns nil. A share that is expired at now, or removed, is ErrNotFound to every method that takes an id and now, even
// before a sweep has come by.
type Meta interface {
	// Create inserts s; s.Created is its now. If a share with the same Owner hash exists (open or ready), that one is returned
	// unchanged, and the caller compares: so a repeated request makes one share.
	Create(ctx context.Context, s Share) (Share, error)
	// Share returns a record.
	Share(ctx context.Context, id string, now int64) (Share, error)
	// AddPart inserts p if nothing is stored under p.N, postpones the expiry of the open share to expires (it may skip that
	// when it moves by less than an hour), and returns what is stored under p.N now: p, or an earlier part. ErrNotOpen if
	// nothing is and the share is ready, ErrOverTotal if p is one too many for most bytes in all shares; most 0 is any number. Where
	// another part is reserved, that one is returned.
	AddPart(ctx context.Context, id string, p Part, now, expires, most int64) (Part, error)
	// ReservePart makes room for p, which a client then puts into Blobs by itself and tells of: AddPart of the same p needs no room
	// any more, and of any other in its place returns p. It returns what was reserved under p.N before, if anything was, or what is stored
	// there, and stored is true. The errors are AddPart's. The reservation runs out at ends, or later if the same part was reserved for
	// longer, and stays until it is released.
	ReservePart(ctx context.Context, id string, p Part, now, ends, most int64) (_ Part, stored bool, err error)
	// RunOut returns at most limit reservations that have run out at now, in any order, of shares that are neither expired nor removed.
	// Whether their bytes are in Blobs is for the caller to find out.
	RunOut(ctx context.Context, now int64, limit int) ([]Reservation, error)
	// ReleasePart takes back what RunOut has returned, if it still is there and has not been reserved anew: AddPart of the same p needs room
	// again. Of a removed share it takes nothing.
	ReleasePart(ctx context.Context, r Reservation, now int64) error
	// Reservation returns what is reserved under n and no part yet, else ErrNotFound. It asks no more than Part does of the share.
	Reservation(ctx context.Context, id string, n int64) (Part, error)
	// Usage is how many bytes the parts of all shares have, manifests and what is reserved too, until Forget deletes their records: the sum
	// that AddPart goes by.
	Usage(ctx context.Context) (int64, error)
	// Part returns one part. Parts returns all, the manifest first; CountParts, how many there are, the manifest not counted.
	// None of them asks whether the share is expired or removed: a sweep needs them too. A missing part is ErrNotFound; a
	// share without parts, or an unknown one, has none.
	Part(ctx context.Context, id string, n int64) (Part, error)
	Parts(ctx context.Context, id string) ([]Part, error)
	CountParts(ctx context.Context, id string) (int64, error)
	// Complete makes an open share ready: size bytes in parts parts, each there and of the right size, none above, and a manifest; else
	// ErrIncomplete. Expiry is now + Lifetime from here on. A share that is ready with the same numbers is returned as it
	// is; with others, ErrConflict.
	Complete(ctx context.Context, id string, size, parts, now int64) (Share, error)
	// TakeDownload leases a download to ticket: at most MaxDownloads different tickets ever get one, however many ask at
	// once; else ErrSpent. The same ticket again is fine, takes nothing, and resumes a lease that was finished. Possible
	// while the share is open.
	TakeDownload(ctx context.Context, id string, ticket Hash, now int64) (Share, error)
	// Ticket returns the share that ticket opens, and notes that it was used (to the minute at least). ErrNotFound if there
	// is no such lease, or it is finished.
	Ticket(ctx context.Context, id string, ticket Hash, now int64) (Share, error)
	// FinishDownload ends a lease; again is fine, an unknown ticket is ErrNotFound. If the share is spent then (ready, all
	// downloads taken, and every lease finished or idle since before idle) it is removed in the same step, and spent is true.
	FinishDownload(ctx context.Context, id string, ticket Hash, now, idle int64) (spent bool, err error)
	// Update changes the terms: expiry becomes Completed + Lifetime (of a ready share). It may lie in the past.
	Update(ctx context.Context, id string, c Change, now int64) (Share, error)
	// Try asks the share's budget (both members at least 1) whether a password may be answered. While a try is left, a wrong
	// one takes it and a right one takes nothing; left is how many there are then. Without any it is ErrExhausted for right
	// and wrong alike, and wait is the seconds until there is one.
	Try(ctx context.Context, id string, right bool, b Budget, now int64) (left, wait int64, err error)
	// Remove marks a share as removed: from here on it is ErrNotFound to all but Part, Parts, Reservation, Record, Doomed and Forget.
	// Removing a missing one is ErrNotFound.
	Remove(ctx context.Context, id string, now int64) error
	// Doomed marks as removed what is expired at now, or spent (as in FinishDownload), and returns at most limit ids of
	// removed shares, those of earlier calls that were not forgotten included, but for those that Forget has let wait until later than now.
	// It also drops finished and idle leases of shares with any number of downloads. With ErrFull it returns ids, too: of what is removed, or
	// expired and cannot be marked. Deleting the bytes of these may be what makes room.
	Doomed(ctx context.Context, now, idle int64, limit int) ([]string, error)
	// Forget deletes the record of a removed share and all that hangs on it. Call it when its bytes are gone, with the time at which
	// deleting them began. If one of its parts, whatever became of it, was reserved until later, bytes may still come: then everything
	// stays and counts, and Doomed names the share again from then on, but not before.
	Forget(ctx context.Context, id string, now int64) error
	// Charge counts what a client makes on a day, as long as that stays within both limits, of which 0 is any number; else nothing is
	// counted, and it is ErrOverShares or ErrOverBytes. However many charge at once, the count is exact. A charge that is taken back
	// has negative numbers, and is within any limit. Of the client's name nothing is kept but a hash with a salt of that day.
	Charge(ctx context.Context, c Charge, limit Daily) error
	// DropCharges deletes what was counted on days before one, and the salts of these, and returns how many days that were.
	DropCharges(ctx context.Context, before int64) (int64, error)
	// AddReport keeps r of the share r.Share, which is ErrNotFound here until it is ready, too; r.Received is its now. A report of the
	// same share and bytes that is there already is left as it is, which is fine. At the limit of a share it is ErrEnough. At that of all
	// shares, which racing calls may pass by a few, the oldest reports of shares that are gone make room, as many as it takes; if there
	// are not so many, it is ErrAllReports.
	AddReport(ctx context.Context, r Report, limit ReportLimit) error
	// Reports returns the next reports after a given one, or the first ones after the zero Report, in the order of Received and
	// ID; at most limit. Those of shares that are gone are among them.
	Reports(ctx context.Context, after Report, limit int) ([]Report, error)
	// DropReports deletes what was received before the given time, and returns how many that was.
	DropReports(ctx context.Context, before int64) (int64, error)
	// Record returns a share with what hangs on it, in whatever state it is. Records returns the next ones after a given id, or the
	// first ones after "", at most limit, in an order of ids that is always the same. An unknown id is ErrNotFound to Record; to Records
	// it is a place in that order.
	Record(ctx context.Context, id string) (Record, error)
	Records(ctx context.Context, after string, limit int) ([]Record, error)
	// Totals counts everything. It may read every part's record, so it is not for each request.
	Totals(ctx context.Context, now int64) (Totals, error)
	// Mark leaves a mark unless there is one, and returns the one that is there; an empty one leaves none. However many leave one at once,
	// all are told the same.
	Mark(ctx context.Context, mark string) (string, error)
	// Ping tells whether the store answers.
	Ping(ctx context.Context) error
}
