//go:build !js

package workerd

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Inspector looks into the isolate of a Worker, by the protocol of V8's inspector over a WebSocket. A Worker
// has one at a time, for one goroutine at a time.
//
// https://chromedevtools.github.io/devtools-protocol/v8/Runtime/
type Inspector struct {
	conn    net.Conn
	r       *bufio.Reader
	calls   int
	context string // in which code is evaluated
}

// Inspect opens an Inspector, which has to be closed.
func (w *Worker) Inspect() (*Inspector, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.Inspector))
	if err != nil {
		return nil, fmt.Errorf("failed to reach the inspector: %w", err)
	}
	i := &Inspector{conn: conn, r: bufio.NewReader(conn)}
	if err := i.open(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("failed to open the inspector: %w", err)
	}
	return i, nil
}

func (i *Inspector) open() error {
	key := make([]byte, 16)
	rand.Read(key)
	_, err := fmt.Fprintf(i.conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", i.conn.RemoteAddr(), base64.StdEncoding.EncodeToString(key))
	if err != nil {
		return err
	}
	resp, err := http.ReadResponse(i.r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(resp.Status)
	}
	// What wrangler lets the inspector collect for its own tools would count. The context is told to who enables anew.
	for _, method := range []string{"Network.disable", "Runtime.disable", "Runtime.enable"} {
		if err := i.call(method, struct{}{}, nil); err != nil {
			return err
		}
	}
	if i.context == "" {
		return errors.New("there is no context")
	}
	return nil
}

// Close ends the connection.
func (i *Inspector) Close() error { return i.conn.Close() }

// Heap returns how much memory the isolate has, garbage included, without that of WebAssembly.
func (i *Inspector) Heap() (int64, error) {
	var h struct{ TotalSize, EmbedderHeapUsedSize, BackingStorageSize float64 }
	err := i.call("Runtime.getHeapUsage", struct{}{}, &h)
	return int64(h.TotalSize + h.EmbedderHeapUsedSize + h.BackingStorageSize), err
}

// Memories returns the sizes of WebAssembly's memories. They only grow. It makes the isolate collect its garbage.
func (i *Inspector) Memories() (sizes []int64, err error) {
	type object struct {
		ObjectID string          `json:"objectId"`
		Value    json.RawMessage `json:"value"`
	}
	var prototype, list struct{ Result object }
	var found struct{ Objects object }
	if err := i.call("Runtime.evaluate", map[string]any{"uniqueContextId": i.context, "expression": "WebAssembly.Memory.prototype"}, &prototype); err != nil {
		return nil, err
	}
	if err := i.call("Runtime.queryObjects", map[string]any{"prototypeObjectId": prototype.Result.ObjectID}, &found); err != nil {
		return nil, err
	}
	if err := i.call("Runtime.callFunctionOn", map[string]any{"objectId": found.Objects.ObjectID, "returnByValue": true,
		"functionDeclaration": "function() { return [...this].map((memory) => memory.buffer.byteLength); }"}, &list); err != nil {
		return nil, err
	}
	err = json.Unmarshal(list.Result.Value, &sizes)
	return sizes, err
}

// call makes a call of the protocol and waits for its answer.
func (i *Inspector) call(method string, params, result any) error {
	i.calls++
	i.conn.SetDeadline(time.Now().Add(30 * time.Second))
	text, err := json.Marshal(map[string]any{"id": i.calls, "method": method, "params": params})
	if err != nil {
		return err
	}
	if err := i.write(opText, text); err != nil {
		return err
	}
	for {
		text, err := i.message()
		if err != nil {
			return fmt.Errorf("failed to call %s: %w", method, err)
		}
		var m struct {
			ID     int
			Method string
			Params struct{ Context struct{ UniqueID string } }
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		switch {
		case m.Method == "Runtime.executionContextCreated":
			i.context = m.Params.Context.UniqueID
		case m.ID == i.calls && m.Error != nil:
			return fmt.Errorf("failed to call %s: %s", method, m.Error.Message)
		case m.ID == i.calls && result != nil:
			return json.Unmarshal(m.Result, result)
		case m.ID == i.calls:
			return nil
		}
	}
}

// Frames of RFC 6455.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
	last    = 0x80
	masked  = 0x80
)

// write sends one frame. The mask is zero: nobody is to be protected from what a test says.
func (i *Inspector) write(op byte, payload []byte) error {
	frame := []byte{last | op}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, masked|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, masked|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, masked|127), uint64(n))
	}
	_, err := i.conn.Write(append(append(frame, 0, 0, 0, 0), payload...))
	return err
}

// message reads frames until a message is whole.
func (i *Inspector) message() (whole []byte, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(i.r, head[:]); err != nil {
			return nil, err
		}
		n := uint64(head[1] &^ masked)
		if size := map[uint64]int{126: 2, 127: 8}[n]; size > 0 {
			var long [8]byte
			if _, err := io.ReadFull(i.r, long[8-size:]); err != nil {
				return nil, err
			}
			n = binary.BigEndian.Uint64(long[:])
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(i.r, payload); err != nil {
			return nil, err
		}
		switch head[0] &^ last {
		case opClose:
			return nil, errors.New("the inspector has hung up")
		case opPing:
			if err := i.write(opPong, payload); err != nil {
				return nil, err
			}
			continue
		case opPong:
			continue
		}
		whole = append(whole, payload...)
		if head[0]&last != 0 {
			return whole, nil
		}
	}
}
