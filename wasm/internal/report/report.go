// Package report is what a recipient tells the operator of a server about a share. It is sealed in the recipient's browser, so that
// the server keeps what only the holder of the operator's key can read: somebody who reports abuse writes of what they were sent,
// and by whom, and may let the operator see it.
//
//	report = age( JSON ‖ spaces )
//
// is sealed to one recipient, the operator's, as age itself writes it: "age1…" (X25519) or "age1pq1…" (X25519 with ML-KEM-768). The
// key is public, so that X25519 alone would not outlast a quantum computer: operators had better publish the second. The JSON is
// one object, with these members:
//
//	version   1
//	share     the share's id
//	reason    malware, deception, child-abuse, unlawful or something-else
//	words     what the reporter wrote, "" for nothing; up to 2000 UTF-16 code units in the page
//	link      the whole link, with the key in its fragment
//	identity  the share's age identity, AGE-SECRET-KEY-1…, which opens it without its password
//
// The last two are there only if the reporter wants the operator to open the share, and identity only if the reporter could open it. With
// the identity and what is in the store it is opened by age alone, and so without taking a download. Readers ignore unknown members and
// refuse an unknown version.
//
// Spaces fill the JSON up to a multiple of 4 KiB, so that the size of what is stored hardly tells how much was written, or whether
// the key is in it. A report has at most 60 KiB; servers take 64 KiB sealed.
//
// What is reported is not proven: whoever has the link can report it, and write what they please. Nor does the server know from whom a
// report is. It does know the id of the share, which stands beside what is sealed.
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
)

var (
	// ErrRecipient says that a report cannot be sealed to what should be a recipient.
	ErrRecipient = errors.New("not an age recipient")
	// ErrTooLarge says that a report has more than there is room for.
	ErrTooLarge = errors.New("report is too large")
	// ErrFormat says that something is no report, or one of an unknown version.
	ErrFormat = errors.New("not a report")
)

const (
	version = 1
	block   = 4 << 10  // padding fills blocks
	maxSize = 60 << 10 // padded JSON
)

// Reasons are what there is to choose from.
var Reasons = []string{"malware", "deception", "child-abuse", "unlawful", "something-else"}

// A Report is what is sealed.
type Report struct {
	Version  int    `json:"version"`
	Share    string `json:"share"`
	Reason   string `json:"reason"`
	Words    string `json:"words"`
	Link     string `json:"link,omitempty"`
	Identity string `json:"identity,omitempty"`
}

func (r *Report) validate() error {
	switch {
	case r.Version != version:
		return fmt.Errorf("%w: version %d", ErrFormat, r.Version)
	case r.Share == "":
		return fmt.Errorf("%w: without a share", ErrFormat)
	case !slices.Contains(Reasons, r.Reason):
		return fmt.Errorf("%w: unknown reason", ErrFormat)
	case !utf8.ValidString(r.Share + r.Words + r.Link + r.Identity):
		return fmt.Errorf("%w: not UTF-8", ErrFormat)
	}
	return nil
}

// Seal seals r, whose version it sets, to an age recipient.
func Seal(recipient string, r Report) ([]byte, error) {
	r.Version = version
	if err := r.validate(); err != nil {
		return nil, err
	}
	to, err := parseRecipient(recipient)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("failed to encode report: %w", err)
	}
	size := (len(text) + block - 1) / block * block
	if size > maxSize {
		return nil, ErrTooLarge
	}
	text = append(text, bytes.Repeat([]byte(" "), size-len(text))...)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("failed to seal report: %w", err)
	}
	return sealed.Bytes(), nil
}

// parseRecipient takes the two that age knows by itself.
func parseRecipient(text string) (age.Recipient, error) {
	all, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(all) != 1 {
		return nil, ErrRecipient // its text is of no use to who reports
	}
	return all[0], nil
}

// Open opens a report with the operator's identity.
func Open(sealed []byte, identities ...age.Identity) (*Report, error) {
	plain, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		return nil, fmt.Errorf("failed to open report: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("failed to open report: %w", err)
	}
	if len(text) > maxSize {
		return nil, ErrTooLarge
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	return &r, nil
}
