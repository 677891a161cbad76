package api

import "net/http"

// Code names a problem; it is what clients branch on and never changes its meaning.
type Code string

// Problem is the body of every error, RFC 9457. Type is always about:blank and so is left out.
type Problem struct {
	Title      string     `json:"title"`  // the status phrase
	Status     int        `json:"status"` // the HTTP status
	Code       Code       `json:"code"`
	Detail     string     `json:"detail"`               // a sentence that says what to do
	TriesLeft  *int64     `json:"triesLeft,omitempty"`  // with wrong-password
	RetryAfter int64      `json:"retryAfter,omitempty"` // seconds; the Retry-After header says the same
	Missing    [][2]int64 `json:"missing,omitempty"`    // with incomplete: runs of parts that have not arrived
}

// Error returns the detail, so that a client may return a Problem as an error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// The problem codes. Status and sentence of each stand in the table below.
const (
	CodeBadRequest       Code = "bad-request"
	CodeBadLifetime      Code = "bad-lifetime"
	CodeBadDownloads     Code = "bad-downloads"
	CodeNotFound         Code = "not-found"
	CodeMethodNotAllowed Code = "method-not-allowed"
	CodeWrongPassword    Code = "wrong-password"
	CodeTooManyTries     Code = "too-many-tries"
	CodeTooManyRequests  Code = "too-many-requests"
	CodeNoDownloadsLeft  Code = "no-downloads-left"
	CodeLengthRequired   Code = "length-required"
	CodeDigestRequired   Code = "digest-required"
	CodeDigestMismatch   Code = "digest-mismatch"
	CodeWrongSize        Code = "wrong-size"
	CodeTooLarge         Code = "too-large"
	CodeNotSealed        Code = "not-sealed"
	CodePartConflict     Code = "part-conflict"
	CodeShareConflict    Code = "share-conflict"
	CodeAlreadyComplete  Code = "already-complete"
	CodeIncomplete       Code = "incomplete"
	CodeNotReady         Code = "not-ready"
	CodeBadRange         Code = "bad-range"
	CodeReadParts        Code = "read-parts"
	CodeReportsOff       Code = "reports-off"
	CodeEnoughReports    Code = "enough-reports"
	CodeStorageFull      Code = "storage-full"
	CodeOverTotal        Code = "over-total"
	CodeDailyShares      Code = "daily-shares"
	CodeDailyBytes       Code = "daily-bytes"
	CodeTooManyParts     Code = "too-many-parts"
	CodeBusy             Code = "busy"
	CodeUploadToken      Code = "upload-token"
	CodeSignIn           Code = "sign-in"
	CodeInterrupted      Code = "interrupted"
	CodeUnavailable      Code = "unavailable"
	CodeInternal         Code = "internal"
)

var problems = map[Code]struct {
	status int
	detail string
}{
	CodeBadRequest:       {http.StatusBadRequest, "The request is not one that this server understands."},
	CodeBadLifetime:      {http.StatusBadRequest, "That lifetime is not allowed here. Choose one within the limits in the server's configuration."},
	CodeBadDownloads:     {http.StatusBadRequest, "That number of downloads is not allowed here. Choose one within the limits in the server's configuration."},
	CodeNotFound:         {http.StatusNotFound, "There is nothing here. The share is gone, or the link is not complete."},
	CodeMethodNotAllowed: {http.StatusMethodNotAllowed, "This address does not take that method."},
	CodeWrongPassword:    {http.StatusUnauthorized, "The password is not right."},
	CodeTooManyTries:     {http.StatusTooManyRequests, "Too many wrong passwords. Wait before trying again."},
	CodeTooManyRequests:  {http.StatusTooManyRequests, "Too many requests from this address. Wait before trying again."},
	CodeNoDownloadsLeft:  {http.StatusGone, "The share has been downloaded as often as it may be."},
	CodeLengthRequired:   {http.StatusLengthRequired, "Say the size of the body in Content-Length."},
	CodeDigestRequired:   {http.StatusBadRequest, "Say the SHA-256 of the body in Content-Digest."},
	CodeDigestMismatch:   {http.StatusBadRequest, "The body does not have the announced digest. Send it again."},
	CodeWrongSize:        {http.StatusBadRequest, "The body does not have the right size."},
	CodeTooLarge:         {http.StatusRequestEntityTooLarge, "That is more than this server takes."},
	CodeNotSealed:        {http.StatusUnprocessableEntity, "Only age files are kept here, and this is not one. Nothing was stored."},
	CodePartConflict:     {http.StatusConflict, "Other bytes are stored in this place already, and they never change."},
	CodeShareConflict:    {http.StatusConflict, "The share exists already, with other terms."},
	CodeAlreadyComplete:  {http.StatusConflict, "The share is complete and takes no more parts."},
	CodeIncomplete:       {http.StatusConflict, "Parts are missing, or do not add up to the size. Send them first."},
	CodeNotReady:         {http.StatusConflict, "That has not arrived yet. Try again in a moment."},
	CodeBadRange:         {http.StatusRequestedRangeNotSatisfiable, "The range lies outside the bytes that are here."},
	CodeReadParts:        {http.StatusUnprocessableEntity, "That is in more parts than one answer can have here. Read the parts, or a smaller range."},
	CodeReportsOff:       {http.StatusForbidden, "The operator of this server takes no reports here."},
	CodeEnoughReports:    {http.StatusConflict, "This share was reported as often as one may be. The operator has these reports; nothing was added."},
	CodeStorageFull:      {http.StatusInsufficientStorage, "The server has no room for this now. Nothing was lost; try again later."},
	CodeOverTotal:        {http.StatusInsufficientStorage, "The server keeps as much as it may. Nothing was lost; try again later, or with less."},
	CodeDailyShares:      {http.StatusTooManyRequests, "That is as many shares as this address may make in a day. Wait until tomorrow."},
	CodeDailyBytes:       {http.StatusTooManyRequests, "That is more than this address may send in a day. Send less, or wait until tomorrow."},
	CodeTooManyParts:     {http.StatusTooManyRequests, "This address sends too much at once. Send fewer parts at a time, and this one again."},
	CodeBusy:             {http.StatusServiceUnavailable, "The server takes in as much as it can at once. Send this again in a moment."},
	CodeUploadToken:      {http.StatusUnauthorized, "Only holders of an upload token may send here, and this is not one. Ask whoever runs this server."},
	CodeSignIn:           {http.StatusForbidden, "Only those who are signed in may send here. Sign in, and try again."},
	CodeInterrupted:      {http.StatusBadRequest, "The body ended early. Send it again."},
	CodeUnavailable:      {http.StatusServiceUnavailable, "The server cannot do this now. Try again in a moment."},
	CodeInternal:         {http.StatusInternalServerError, "Something went wrong on the server. Try again in a moment."},
}

// NewProblem returns the problem that code names. It panics if code is not one of the above.
func NewProblem(code Code) *Problem {
	p, ok := problems[code]
	if !ok {
		panic("BUG: unknown problem code " + string(code))
	}
	return &Problem{Title: http.StatusText(p.status), Status: p.status, Code: code, Detail: p.detail}
}

// Codes returns every problem code, for tests and documentation.
func Codes() []Code {
	codes := make([]Code, 0, len(problems))
	for c := range problems {
		codes = append(codes, c)
	}
	return codes
}
