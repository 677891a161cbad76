package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/store"
)

// send sends parts, of size bytes together, as one body, or the one range of it that is asked for. Bytes never change, so
// the digest makes a strong ETag.
func (s *Server) send(c *call, sh store.Share, parts []store.Part, size int64, digest store.Hash) error {
	etag := `"` + api.Hash(digest).String() + `"`
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Security-Policy", sealedPolicy)
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", etag)

	from, to, status := int64(0), size, http.StatusOK
	if ifRange := c.r.Header.Get("If-Range"); c.r.Method == http.MethodGet && (ifRange == "" || ifRange == etag) {
		from, to, status = byteRange(c.r.Header.Get("Range"), size)
	}
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		return api.NewProblem(api.CodeBadRange)
	case http.StatusPartialContent:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
	}
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	if c.r.Method == http.MethodHead {
		c.begin(status)
		return nil
	}
	return s.missing(c, s.sendSpans(c, status, spans(sh.ID, parts, from, to)))
}

// errDamaged says that what is kept of a share is not what its record says, or cannot be read: an operator has to know.
var errDamaged = errors.New("failed to read a part")

// missing is err, and errDamaged besides if a part is not there while its share is. Else the share has gone meanwhile.
func (s *Server) missing(c *call, err error) error {
	if !isGone(err) {
		return err
	}
	if _, gone := s.meta.Share(c.settled(), c.id, s.now()); gone != nil {
		return err
	}
	return fmt.Errorf("%w: the store does not have it: %w", errDamaged, err)
}

// spans are where bytes from … to-1 of parts, one after the other, lie.
func spans(share string, parts []store.Part, from, to int64) (all []store.Span) {
	start := int64(0)
	for _, p := range parts {
		if lo, hi := max(from, start), min(to, start+p.Size); lo < hi {
			key := store.Key{Share: share, N: p.N, Digest: p.Digest}
			all = append(all, store.Span{Key: key, Offset: lo - start, Length: hi - lo})
		}
		start += p.Size
	}
	return all
}

// sendSpans sends the body. The header waits until the first part is open, so that a missing one can still be answered.
func (s *Server) sendSpans(c *call, status int, spans []store.Span) (err error) {
	if sender, ok := s.blobs.(store.Sender); ok {
		c.bytes, err = sender.Send(c.ctx(), c.w, func() { c.begin(status) }, spans)
		return err
	}
	for _, span := range spans {
		if err := s.sendSpan(c, status, span); err != nil {
			return err
		}
	}
	return nil
}

// sendSpan passes body and ResponseWriter to io.CopyN as they are, so that the system may copy from file to socket.
func (s *Server) sendSpan(c *call, status int, span store.Span) error {
	body, err := s.blobs.Open(c.ctx(), span.Key, span.Offset, span.Length)
	if err != nil {
		if c.status != 0 && !isGone(err) && c.ctx().Err() == nil { // else it can be answered, or is missing
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
		return err
	}
	defer body.Close()
	if c.status == 0 {
		c.begin(status)
	}
	n, err := io.CopyN(c.w, body, span.Length)
	c.bytes += n
	if err != nil && c.ctx().Err() == nil {
		err = readError(body, err)
	}
	return err
}

// readError is the err of a copy, and errDamaged besides if it is body that has come to an end, and not the client: then body says so again. It
// is not wrapped to find out, as the system would not copy from it then. Names of files have the id in them, so they are left out.
func readError(body io.Reader, err error) error {
	if err == io.EOF { // of io.CopyN: of body alone
		return fmt.Errorf("%w: it is shorter than its record", errDamaged)
	}
	_, again := body.Read(make([]byte, 1))
	if again == nil || again == io.EOF { // the end is where it is when all was read, and the client took less
		return err
	}
	if path, ok := errors.AsType[*fs.PathError](again); ok {
		again = path.Err
	}
	return fmt.Errorf("%w: it cannot be read: %w", errDamaged, again)
}

// byteRange parses the value of a Range header for size bytes. What is malformed, and several ranges, means the whole.
func byteRange(header string, size int64) (from, to int64, status int) {
	whole := func() (int64, int64, int) { return 0, size, http.StatusOK }
	none := func() (int64, int64, int) { return 0, 0, http.StatusRequestedRangeNotSatisfiable }
	unit, spec, _ := strings.Cut(header, "=")
	first, last, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || !found || !digits(first) || !digits(last) || first+last == "" {
		return whole()
	}
	if first == "" {
		n := position(last)
		if n == 0 {
			return none()
		}
		return max(0, size-n), size, http.StatusPartialContent
	}
	from, to = position(first), size
	if last != "" {
		end := position(last)
		if end < from {
			return whole()
		}
		if end < size-1 {
			to = end + 1
		}
	}
	if from >= size {
		return none()
	}
	return from, to, http.StatusPartialContent
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// position parses digits. What is larger than any size is as large as they come.
func position(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // out of range yields the largest
	return n
}
