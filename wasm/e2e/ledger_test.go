package e2e

import (
	"io"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
)

// ledger is what came to the server of the parts that browsers sent. Parts are called "id/n".
type ledger struct {
	mu       sync.Mutex
	versions map[string]map[string]int // how often each digest of a part was begun to be sent
	flying   map[string]int            // that have begun to be sent and are not answered yet
	accepted map[string]int            // how often the server said that it has it
	bytes    map[string]int64          // that the server was sent, in all tries
	total    int64
	alarms   map[int64]chan struct{} // closed when the total is there
}

func newLedger() ledger {
	return ledger{versions: map[string]map[string]int{}, flying: map[string]int{}, accepted: map[string]int{},
		bytes: map[string]int64{}, alarms: map[int64]chan struct{}{}}
}

// partOf is which part r is about to send.
func partOf(r *http.Request) (key string, is bool) {
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/parts/") || strings.HasSuffix(r.URL.Path, "/direct") {
		return "", false
	}
	return path.Base(path.Dir(path.Dir(r.URL.Path))) + "/" + path.Base(r.URL.Path), true
}

// begin notes a request that has come, and what the server reads of it. end is to be called when it is over.
func (l *ledger) begin(r *http.Request) (end func()) {
	key, is := partOf(r)
	if !is {
		return func() {}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.versions[key] == nil {
		l.versions[key] = map[string]int{}
	}
	l.versions[key][r.Header.Get("Content-Digest")]++
	l.flying[key]++
	r.Body = countedBody{r.Body, l, key}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.flying[key]--; l.flying[key] == 0 {
			delete(l.flying, key)
		}
	}
}

type countedBody struct {
	io.ReadCloser
	ledger *ledger
	key    string
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	l := b.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes[b.key] += int64(n)
	l.total += int64(n)
	for total, alarm := range l.alarms {
		if l.total >= total {
			close(alarm)
			delete(l.alarms, total)
		}
	}
	return n, err
}

func (l *ledger) answered(r *http.Response) {
	if key, is := partOf(r.Request); is && r.StatusCode/100 == 2 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.accepted[key]++
	}
}

// now is how many bytes the server was sent so far.
func (l *ledger) now() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// until is closed when the server has been sent so many bytes.
func (l *ledger) until(total int64) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alarms[total] == nil {
		l.alarms[total] = make(chan struct{})
	}
	if l.total >= total {
		alarm := l.alarms[total]
		close(alarm)
		delete(l.alarms, total)
		return alarm
	}
	return l.alarms[total]
}

// page is a copy of the ledger as it is.
func (l *ledger) page() (flying, accepted map[string]int, bytes map[string]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.flying), maps.Clone(l.accepted), maps.Clone(l.bytes)
}

// sendings is how often parts of shares were begun to be sent so far. It fails the test if one was in two versions: that would be two
// ciphertexts under the same key and counter.
func (tp *tap) sendings(t *testing.T) map[string]int {
	t.Helper()
	l := &tp.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for key, versions := range l.versions {
		for _, n := range versions {
			counts[key] += n
		}
		if len(versions) > 1 {
			t.Errorf("part %s was begun to be sent in %d versions", key, len(versions))
		}
	}
	return counts
}
