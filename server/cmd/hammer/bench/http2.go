package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// http2 speaks as much of RFC 9113 as it takes to fetch and send, one stream after the other. Frames have 16 KiB, the windows are
// about those of Chromium.
type http2 struct {
	c       net.Conn
	r       *bufio.Reader
	w       *bufio.Writer
	buf     []byte
	stream  uint32
	used    uint32 // bytes that came in and are not yet given back to the window of the connection
	initial int64  // window of a new stream, as the server says
	conn    int64  // what may still be sent on the connection
	left    int64  // what may still be sent on the stream
}

const (
	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameGoAway       = 7
	frameWindowUpdate = 8
	frameContinuation = 9

	flagEnd, flagAck, flagEndHeaders, flagPadded = 1, 1, 4, 8

	settingWindow = 4

	streamWindow = 6 << 20
	connWindow   = 15 << 20
	giveBack     = 3 << 20
	frameSize    = 16 << 10
	firstWindow  = 65535
)

func newHTTP2(c net.Conn) (*http2, error) {
	h := &http2{c: c, r: bufio.NewReaderSize(c, readBuffer), w: bufio.NewWriterSize(c, 64<<10), buf: make([]byte, frameSize),
		stream: 1, initial: firstWindow, conn: firstWindow}
	h.w.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	settings := binary.BigEndian.AppendUint16(nil, settingWindow)
	h.frame(frameSettings, 0, 0, binary.BigEndian.AppendUint32(settings, streamWindow))
	h.window(0, connWindow-firstWindow)
	return h, h.w.Flush()
}

func (h *http2) close() { h.c.Close() }

// frame writes a frame; an error shows at the next Flush.
func (h *http2) frame(kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	h.w.Write([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)})
	h.w.Write(payload)
}

func (h *http2) window(stream, n uint32) {
	h.frame(frameWindowUpdate, 0, stream, binary.BigEndian.AppendUint32(nil, n))
}

// field appends a header field as RFC 7541 has it, as text and without a table.
func field(b []byte, name, value string) []byte {
	b = append(b, 0)
	for _, s := range []string{name, value} {
		if len(s) < 127 {
			b = append(b, byte(len(s)))
		} else {
			b = append(b, 127)
			n := len(s) - 127
			for ; n >= 128; n >>= 7 {
				b = append(b, byte(n)|128)
			}
			b = append(b, byte(n))
		}
		b = append(b, s...)
	}
	return b
}

func (h *http2) request(method, path, bearer, digest string, size int, flags byte) {
	scheme := "http"
	if _, plain := h.c.(*net.TCPConn); !plain {
		scheme = "https"
	}
	b := field(field(field(field(nil, ":method", method), ":scheme", scheme), ":authority", "localhost"), ":path", path)
	if bearer != "" {
		b = field(b, "authorization", "Bearer "+bearer)
	}
	if method != http.MethodGet {
		b = field(b, "content-length", strconv.Itoa(size))
	}
	if digest != "" {
		b = field(b, "content-digest", digest)
	}
	h.c.SetDeadline(time.Now().Add(patience))
	h.left = h.initial
	h.frame(frameHeaders, flagEndHeaders|flags, h.stream, b)
}

func (h *http2) get(path, bearer string, sink io.Writer) (int64, error) {
	h.request(http.MethodGet, path, bearer, "", 0, flagEnd)
	if err := h.w.Flush(); err != nil {
		return 0, err
	}
	return h.answer(sink)
}

func (h *http2) put(path, bearer, digest string, body []byte) error {
	h.request(http.MethodPut, path, bearer, digest, len(body), 0)
	for len(body) > 0 {
		n := min(int64(len(body)), frameSize, h.left, h.conn)
		if n <= 0 {
			if err := h.w.Flush(); err != nil {
				return err
			}
			if _, done, err := h.next(nil); err != nil || done {
				return errors.Join(errors.New("answered before all was sent"), err)
			}
			continue
		}
		flags := byte(0)
		if n == int64(len(body)) {
			flags = flagEnd
		}
		h.frame(frameData, flags, h.stream, body[:n])
		body = body[n:]
		h.left -= n
		h.conn -= n
	}
	if err := h.w.Flush(); err != nil {
		return err
	}
	_, err := h.answer(nil)
	return err
}

// answer reads frames until the stream ends.
func (h *http2) answer(sink io.Writer) (total int64, err error) {
	for {
		n, done, err := h.next(sink)
		total += n
		if err != nil || done {
			h.stream += 2
			return total, err
		}
	}
}

// next reads a frame and does what it asks for. It returns how many bytes of the body it had, and whether the stream is at
// its end.
func (h *http2) next(sink io.Writer) (n int64, done bool, err error) {
	var head [9]byte
	if _, err := io.ReadFull(h.r, head[:]); err != nil {
		return 0, false, err
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
	if size > len(h.buf) {
		return 0, false, fmt.Errorf("frame of %d bytes", size)
	}
	payload := h.buf[:size]
	if _, err := io.ReadFull(h.r, payload); err != nil {
		return 0, false, err
	}
	switch kind {
	case frameData:
		if flags&flagPadded != 0 {
			return 0, false, errors.New("padded frame")
		}
		if sink != nil {
			sink.Write(payload)
		}
		return int64(size), flags&flagEnd != 0, h.received(uint32(size))
	case frameHeaders:
		return 0, flags&flagEnd != 0, status(payload)
	case frameSettings:
		return 0, false, h.settings(flags, payload)
	case framePing:
		if flags&flagAck == 0 {
			h.frame(framePing, flagAck, 0, payload)
			return 0, false, h.w.Flush()
		}
	case frameWindowUpdate:
		if stream == 0 {
			h.conn += int64(binary.BigEndian.Uint32(payload))
		} else if stream == h.stream {
			h.left += int64(binary.BigEndian.Uint32(payload))
		}
	case frameReset, frameGoAway, frameContinuation:
		return 0, false, fmt.Errorf("frame of type %d, % x", kind, payload)
	}
	return 0, false, nil
}

// received gives back what was used of the windows. A stream ends soon, so it may get more than it used.
func (h *http2) received(n uint32) error {
	if h.used += n; h.used < giveBack {
		return nil
	}
	h.window(0, h.used)
	h.window(h.stream, h.used)
	h.used = 0
	return h.w.Flush()
}

func (h *http2) settings(flags byte, payload []byte) error {
	if flags&flagAck != 0 {
		return nil
	}
	for ; len(payload) >= 6; payload = payload[6:] {
		if binary.BigEndian.Uint16(payload) == settingWindow {
			window := int64(binary.BigEndian.Uint32(payload[2:]))
			h.left += window - h.initial
			h.initial = window
		}
	}
	h.frame(frameSettings, flagAck, 0, nil)
	return h.w.Flush()
}

// status looks for :status, which comes first, and wants 200, 201 or 204.
func status(block []byte) error {
	for len(block) > 0 && block[0]&0xe0 == 0x20 { // the size of a table that is not used
		block = block[1:]
	}
	const ok, noContent, statusName = 0x88, 0x89, 8
	switch {
	case len(block) > 0 && (block[0] == ok || block[0] == noContent):
		return nil
	case len(block) > 4 && block[0]&0x0f == statusName && string(block[2:5]) == "201":
		return nil
	}
	return fmt.Errorf("answer begins with % x", block[:min(16, len(block))])
}
