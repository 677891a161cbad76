package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// Size of tokens and of their hashes, in bytes.
const TokenSize = 32

// AgeMagic begins every manifest and every first part: the version line of an age v1 header. The server refuses anything
// else, so that sealing can never be off without anyone noticing.
const AgeMagic = "age-encryption.org/v1\n"

// Bounds that hold for every server; Config tells the ones of a particular server, which may be lower.
const (
	MaxManifestSize = 16 << 20 // sealed bytes
	MaxPartSize     = 64 << 20
	MinPartSize     = 64 << 10
	DefaultPartSize = 8 << 20
	MaxParts        = 4096
	MaxJSONBody     = 64 << 10
	MaxReportSize   = 64 << 10 // sealed bytes
)

// IDSize is the length of a share's id: base64url of 96 random bits.
const IDSize = 16

// Hash is a SHA-256: of a token, as the server stores it, or of a part. Its text form is 43 characters of unpadded base64url.
type Hash [sha256.Size]byte

// HashToken is what the server stores of a token.
func HashToken(token []byte) Hash { return sha256.Sum256(token) }

// tokenEncoding refuses non-zero trailing bits, so that a token has one spelling.
var tokenEncoding = base64.RawURLEncoding.Strict()

// String returns the text form of h.
func (h Hash) String() string { return tokenEncoding.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := tokenEncoding.DecodeString(string(text))
	if err != nil || len(b) != len(h) || len(text) != tokenEncoding.EncodedLen(len(h)) { // the decoder skips line breaks
		return errors.New("failed to parse hash: want 43 characters of base64url")
	}
	copy(h[:], b)
	return nil
}

// Config is the answer to GET /api/v1/config.
type Config struct {
	Build           string  `json:"build"`
	Now             int64   `json:"now"`             // server's clock, Unix seconds
	MaxShareSize    int64   `json:"maxShareSize"`    // sealed content bytes
	MaxManifestSize int64   `json:"maxManifestSize"` // sealed bytes
	Lifetimes       []int64 `json:"lifetimes"`       // choices to offer, seconds, ascending
	DefaultLifetime int64   `json:"defaultLifetime"` // one of Lifetimes
	MaxLifetime     int64   `json:"maxLifetime"`     // seconds
	MaxDownloads    int64   `json:"maxDownloads"`    // largest limit that a share may have
	ReportRecipient string  `json:"reportRecipient"` // age recipient that reports are sealed to; "": the operator takes none
	Uploads         Uploads `json:"uploads"`         // what whoever asks needs to make shares
}

// Uploads is who may make shares.
type Uploads string

const (
	UploadsOpen   Uploads = "open"    // anyone, or the caller, whom a proxy vouches for
	UploadsToken  Uploads = "token"   // who shows an upload token
	UploadsSignIn Uploads = "sign-in" // whom the proxy in front of the server vouches for; how to sign in there, this API does not say
)

// CreateShare is the body of POST /api/v1/shares.
type CreateShare struct {
	Access       Hash  `json:"access"`
	Reader       Hash  `json:"reader"`
	Owner        Hash  `json:"owner"`
	Password     bool  `json:"password"`     // recipients need a password as well as the link
	Size         int64 `json:"size"`         // upper bound of the sealed content, bytes
	Lifetime     int64 `json:"lifetime"`     // seconds from completion, at most Config.MaxLifetime
	MaxDownloads int64 `json:"maxDownloads"` // 1 … Config.MaxDownloads, 0 for any number
}

// State of a share that exists. What is expired, revoked or spent is gone and answers not-found.
type State string

const (
	StateOpen  State = "open"  // parts may still arrive
	StateReady State = "ready" // complete and durable
)

// Share is what the server tells about a share.
type Share struct {
	ID           string `json:"id"`
	State        State  `json:"state"`
	Password     bool   `json:"password"`
	Size         int64  `json:"size"`             // sealed content bytes; while open, the announced upper bound
	PartSize     int64  `json:"partSize"`         // of every part but the last
	Parts        int64  `json:"parts"`            // 0 while open
	Now          int64  `json:"now"`              // server's clock, Unix seconds
	Created      int64  `json:"created"`          // Unix seconds
	Expires      int64  `json:"expires"`          // Unix seconds; while open, when it goes unless another part arrives
	Lifetime     int64  `json:"lifetime"`         // seconds from completion
	MaxDownloads int64  `json:"maxDownloads"`     // 0: any number
	Left         *int64 `json:"left"`             // downloads left; null: any number
	Taken        *int64 `json:"taken,omitempty"`  // downloads taken; told to the owner only
	Direct       bool   `json:"direct,omitempty"` // parts may also go past the server, see DirectPart
}

// Parts is the answer to GET /api/v1/shares/{id}/parts.
type Parts struct {
	State    State      `json:"state"`
	PartSize int64      `json:"partSize"`
	Size     int64      `json:"size"`             // as in Share
	Manifest bool       `json:"manifest"`         // the manifest has arrived
	Count    int64      `json:"count"`            // parts that have arrived, the manifest not counted
	Ranges   [][2]int64 `json:"ranges"`           // first and last of each run of parts that have arrived, ascending
	Direct   bool       `json:"direct,omitempty"` // as in Share
}

// DirectPart is the body of POST and PUT /api/v1/shares/{id}/parts/{n}/direct: the part that goes past the server.
type DirectPart struct {
	Size   int64 `json:"size"`   // bytes
	Digest Hash  `json:"digest"` // SHA-256
}

// Direct is a request that moves a part between client and store.
type Direct struct {
	Method  string            `json:"method"`  // PUT or GET
	URL     string            `json:"url"`     // as long as it lasts, whoever has it can make the request
	Headers map[string]string `json:"headers"` // that have to go with it
	Expires int64             `json:"expires"` // Unix seconds, by which it has to be begun
}

// CompleteShare is the body of POST /api/v1/shares/{id}/complete.
type CompleteShare struct {
	Size  int64 `json:"size"`  // sealed content bytes
	Parts int64 `json:"parts"` // size ÷ part size, rounded up
}

// TakeDownload is the body of POST /api/v1/shares/{id}/downloads.
type TakeDownload struct {
	Ticket Hash `json:"ticket"`
}

// SealedReport is a line of what sealpostd admin reports writes, and of what sealpost report opens. It is not sent over HTTP.
type SealedReport struct {
	ID       string `json:"id"`
	Share    string `json:"share"`    // id, as the server knows it
	Received int64  `json:"received"` // Unix seconds
	Sealed   []byte `json:"sealed"`   // an age file, in base64
}

// UpdateShare is the body of PATCH /api/v1/shares/{id}; absent members stay as they are.
type UpdateShare struct {
	Lifetime     *int64 `json:"lifetime,omitempty"`
	MaxDownloads *int64 `json:"maxDownloads,omitempty"`
}
