package main_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestStreams: a stranger who asks for as much as possible over HTTP/2, in as many streams and headers as there may be, and reads nothing,
// costs no more memory than the README says.
func TestStreams(t *testing.T) {
	const conns, each = 20, 2 // MiB
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	run(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=post.example", "-keyout", key, "-out", cert)
	d := startBinary(t, plain(t), filepath.Join(t.TempDir(), "data"), "-tls-cert", cert, "-tls-key", key)
	before, _ := d.memory(t)
	for range conns {
		c, err := tls.Dial("tcp", d.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(greedy(250, 300)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(3 * time.Second)
	if _, most := d.memory(t); most > before+conns*each+20 { // and what is garbage for now
		t.Errorf("%d MiB in memory, and at most %d with %d greedy connections", before, most, conns)
	}
}

// greedy are frames of HTTP/2 (RFC 9113) that ask for the page so many times, with so many headers each, and open no window for the answers.
func greedy(streams, headers int) []byte {
	var b bytes.Buffer
	frame := func(kind, flags byte, stream uint32, payload []byte) {
		n := len(payload)
		b.Write([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)})
		b.Write(payload)
	}
	b.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame(4, 0, 0, []byte{0, 4, 0, 0, 0, 0}) // SETTINGS_INITIAL_WINDOW_SIZE 0
	fields := []byte{0x82, 0x87, 0x84, 0x01, 1, 'x'}
	for i := range headers {
		name := fmt.Sprintf("x%03d", i)
		fields = append(append(append(fields, 0, byte(len(name))), name...), 0) // literal, of no value
	}
	for i := range streams {
		frame(1, 1|4, uint32(2*i+1), fields) // HEADERS, END_STREAM and END_HEADERS
	}
	return b.Bytes()
}
