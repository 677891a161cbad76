package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw sends bytes as they are over a connection of its own and returns what is answered until the server ends it. The last request
// among them asks for that.
func (d *daemon) raw(t *testing.T, text string) []answer {
	t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	go io.WriteString(conn, text) // fails when the server has heard enough
	all, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%.100q: %v after %q", text, err, all)
	}
	return parse(t, all)
}

// parse takes answers apart, one after the other.
func parse(t *testing.T, all []byte) (answers []answer) {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(all))
	for {
		if _, err := r.Peek(1); err != nil {
			return answers
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("what came back is not HTTP: %v in %q", err, all)
			return answers
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Errorf("a body that came back is cut: %v in %q", err, all)
		}
		answers = append(answers, answer{res.StatusCode, body, res.Header})
	}
}

// last is a request that ends its connection, so that all is answered that will be.
const last = "GET /api/v1/config HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

// statuses are those of answers, that to last as "last".
func statuses(answers []answer) string {
	var all []string
	for _, a := range answers {
		if bytes.Contains(a.body, []byte("maxShareSize")) {
			all = append(all, "last")
		} else {
			all = append(all, fmt.Sprint(a.status))
		}
	}
	return strings.Join(all, " ")
}
