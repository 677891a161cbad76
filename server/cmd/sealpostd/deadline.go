package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readChunk  = 16 << 10  // progress of a request is this much
	writeChunk = 256 << 10 // progress of a response is this much
)

// traffic counts bytes of bodies as they move. [metrics.Metrics] is one.
type traffic interface {
	Received(n int64)
	Sent(n int64)
}

// withDeadlines ends requests and responses whose bodies make no progress for stall, however long they may take in all, and
// connections on which it is in doubt where a request ends. What moves is counted on the way, since it comes by here.
func withDeadlines(next http.Handler, stall time.Duration, count traffic) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		endAfterDoubt(w, r)
		rc := http.NewResponseController(w)
		if r.ContentLength != 0 && r.Body != nil {
			rc.SetReadDeadline(time.Now().Add(stall)) // also for a body that only the server itself reads, to skip it
			own := *r                                 // net/http goes by its own request when it decides whether to skip what is left of a body
			own.Body = &slidingBody{ReadCloser: r.Body, rc: rc, stall: stall, left: stall, count: count}
			r = &own
		}
		direct := r.TLS == nil && r.ProtoMajor == 1
		next.ServeHTTP(&slidingWriter{ResponseWriter: w, rc: rc, stall: stall, count: count, direct: direct}, r)
	})
}

// slidingBody moves the read deadline with each readChunk: a body that trickles would else hold a connection, and the room on
// the disk that is set aside for it, for as long as it likes. Only waiting for the client counts. At the end there is no
// deadline: the server goes on reading then, to see whether the client hangs up, and would take a deadline for that.
type slidingBody struct {
	io.ReadCloser
	rc    *http.ResponseController
	stall time.Duration
	left  time.Duration // of stall, since moved was 0
	moved int           // bytes of the next readChunk

	count  traffic
	waited atomic.Int64 // for the client, in all; a store may still ask while another goroutine reads
}

// Waited implements the Waiter of package observed.
func (b *slidingBody) Waited() time.Duration { return time.Duration(b.waited.Load()) }

func (b *slidingBody) Read(p []byte) (int, error) {
	began := time.Now()
	b.rc.SetReadDeadline(began.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	took := time.Since(began)
	b.left -= took
	b.waited.Add(int64(took))
	b.count.Received(int64(n))
	if b.moved += n; b.moved >= readChunk {
		b.moved, b.left = 0, b.stall
	}
	switch {
	case err == io.EOF:
		b.rc.SetReadDeadline(time.Time{})
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF // reset or stalled: to whoever reads, the body ends early
	}
	return n, err
}

// slidingWriter moves the write deadline with each piece of a response. It keeps ReadFrom, through which files are sent
// without passing through this program's memory.
type slidingWriter struct {
	http.ResponseWriter
	rc     *http.ResponseController
	stall  time.Duration
	count  traffic
	direct bool // to the connection: the system may copy from files
}

func (w *slidingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *slidingWriter) WriteHeader(status int) {
	w.slide()
	w.ResponseWriter.WriteHeader(status)
}

func (w *slidingWriter) Write(p []byte) (int, error) {
	w.slide()
	n, err := w.ResponseWriter.Write(p)
	w.count.Sent(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom. The net package knows a file behind one io.LimitedReader, so the pieces are cut in its
// stead and not by another around it.
func (w *slidingWriter) ReadFrom(src io.Reader) (total int64, err error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	if _, isFile := limited.R.(*os.File); !isFile || !w.direct {
		return w.copyFrom(limited)
	}
	for limited.N > 0 {
		w.slide()
		piece := &io.LimitedReader{R: limited.R, N: min(limited.N, writeChunk)}
		n, err := io.Copy(w.ResponseWriter, piece)
		total += n
		w.count.Sent(n)
		limited.N -= n
		if err != nil || piece.N > 0 {
			return total, err
		}
	}
	return total, nil
}

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// copyFrom is ReadFrom where bytes have to pass through memory. net/http would make or take a buffer of half the size for each
// piece.
func (w *slidingWriter) copyFrom(src *io.LimitedReader) (int64, error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(onlyWriter{w}, onlyReader{src}, buf[:])
}

// These hide the ways past the buffer.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)

func (w *slidingWriter) slide() { w.rc.SetWriteDeadline(time.Now().Add(w.stall)) }
