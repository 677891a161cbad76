package conformance

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

// Target is a deployment. Its limits by address are off, it allows ten downloads and some hours at least, and it takes reports. Parts
// of 64 KiB keep the suite fast.
type Target struct {
	BaseURL string // without a slash at the end
	Tight   *Tight // nil lacks what it is for, see Narrow

	// Direct is where the deployment sends clients that move parts past it, as https://s3.example; "" for nowhere, as in the Tight one.
	Direct string

	// MaxContentParts is of how many parts one answer can be made; 0 is any number. Content of more is read-parts.
	MaxContentParts int64

	// Lost tells an answer of something in between, which says that a request has not arrived; nil if nothing is. It is made again.
	Lost func(status int, body []byte) bool

	// Sample leaves out three tests of four, unless SEALPOST_LONG asks for all: for what differs little from what is tested beside it.
	Sample bool

	Lacks  map[Capability]string // and why
	Unseen map[api.Code]string   // problems that the deployment cannot be brought to answer, and why
}

// Tight is the same deployment once more, with short times and narrow limits: uploads are abandoned after a few seconds, and
// clients are limited by address. Shares for an hour and five downloads are within the limits. It takes no reports.
type Tight struct {
	BaseURL string
	Address string // header in which the suite names its address, as X-Forwarded-For from a trusted proxy
	Creates int    // shares that an address may make in a minute
	Misses  int    // refusals that an address is given a reason for in a minute
}

// Capability is what a deployment may lack.
type Capability string

// The capabilities.
const (
	Narrow     Capability = "narrow"     // has a Tight
	Pages      Capability = "pages"      // serves the pages as well as the API
	LongPolls  Capability = "long polls" // lets a request for news of an upload wait; else it answers at once, with Retry-After
	Room       Capability = "room"       // answers however many ask at once; else "unavailable" is taken as: ask again
	HalfClose  Capability = "half close" // can still answer a client that has ended its side, in the middle of a body
	Expect     Capability = "expect"     // answers a client that waits for permission to send, without giving it
	ManyHeader Capability = "headers"    // takes 8 KiB of request headers, and refuses a megabyte
)

var capabilities = []Capability{Narrow, Pages, LongPolls, Room, HalfClose, Expect, ManyHeader}

// unseen are the problems that no deployment can be brought to answer from outside.
var unseen = map[api.Code]string{
	api.CodeInternal:    "would be a defect",
	api.CodeUnavailable: "is for stores that time out",
	api.CodeStorageFull: "needs a disk that can be filled",

	// What these take of a deployment would be in the way of the other tests; those of package server and of sealpostd have them.
	api.CodeOverTotal:    "needs a limit of all shares",
	api.CodeDailyShares:  "needs a limit by day",
	api.CodeDailyBytes:   "needs a limit by day",
	api.CodeTooManyParts: "needs a limit of bodies at once",
	api.CodeBusy:         "needs a limit of bodies at once",
	api.CodeUploadToken:  "needs upload tokens",
	api.CodeSignIn:       "needs a proxy that vouches",
}

// tests is the suite. Those that wait come first, so that the others fill the time.
var tests = []struct {
	name  string
	needs Capability
	test  func(*check)
}{
	{"Abandoned", Narrow, testAbandoned},
	{"Expiry", "", testExpiry},
	{"Leases", "", testLeases},
	{"Password", "", testPassword},
	{"PasswordInParallel", "", testPasswordInParallel},
	{"CreateLimit", Narrow, testCreateLimit},
	{"MissLimit", Narrow, testMissLimit},
	{"Waiting", "", testWaiting},

	{"Config", "", testConfig},
	{"Create", "", testCreate},
	{"CreateAtOnce", "", testCreateAtOnce},
	{"Bounds", "", testBounds},
	{"TightBounds", Narrow, testTightBounds},
	{"Bodies", "", testBodies},
	{"Paths", "", testPaths},
	{"Headers", "", testHeaders},
	{"ManyHeaders", ManyHeader, testManyHeaders},

	{"Put", "", testPut},
	{"LargestManifest", "", testLargestManifest},
	{"RacingParts", "", testRacingParts},
	{"ConcurrentParts", "", testConcurrentParts},
	{"Lengths", "", testLengths},
	{"CutBodies", "", testCutBodies},
	{"Expectations", Expect, testExpectations},
	{"Complete", "", testComplete},
	{"CompleteAtOnce", "", testCompleteAtOnce},
	{"ShorterThanAnnounced", "", testShorterThanAnnounced},
	{"Follow", "", testFollow},

	{"NoDirect", "", testNoDirect},
	{"DirectParts", "", testDirectParts},
	{"DirectRefusals", "", testDirectRefusals},
	{"DirectTickets", "", testDirectTickets},

	{"Ranges", "", testRanges},
	{"RandomRanges", "", testRandomRanges},
	{"Heads", "", testHeads},
	{"LongContent", "", testLongContent},
	{"ExactDownloads", "", testExactDownloads},
	{"Tickets", "", testTickets},
	{"LostAnswers", "", testLostAnswers},
	{"Spent", "", testSpent},

	{"Reports", "", testReports},
	{"ReportsOff", Narrow, testReportsOff},

	{"Refusals", "", testRefusals},
	{"Terms", "", testTerms},
	{"Revoke", "", testRevoke},
	{"RevokeDuringDownload", "", testRevokeDuringDownload},
	{"RevokeDuringUpload", "", testRevokeDuringUpload},
	{"Random", "", testRandom},

	{"Documents", Pages, testDocuments},
	{"Assets", Pages, testAssets},
	{"NoPages", Pages, testNoPages},
}

// Run runs the suite against a deployment.
func Run(t *testing.T, target Target) {
	described, err := description.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{target: target, seed: seedOf(t), long: os.Getenv("SEALPOST_LONG") == "1", client: newClient(), described: described,
		seen: map[api.Code]bool{}}
	t.Cleanup(s.client.CloseIdleConnections)
	t.Logf("SEALPOST_SEED=%d", s.seed)
	for c, reason := range target.Lacks {
		if !slices.Contains(capabilities, c) || reason == "" {
			t.Fatalf("capability %q is unknown, or lacking it has no reason", c)
		}
	}
	setup := &check{T: t, suite: s, rnd: s.random("setup"), base: target.BaseURL}
	s.config = into[api.Config](setup, setup.want(setup.do("GET", "/api/v1/config", "", nil), http.StatusOK))
	var ran atomic.Int64
	t.Cleanup(func() {
		if !t.Failed() && ran.Load() == int64(len(tests)) { // and not only some, by -run
			s.wantCodes(t)
		}
	})
	for _, test := range tests {
		always := target.Direct != "" && strings.HasPrefix(test.name, "Direct") // which no other target has
		if target.Sample && !s.long && !always && s.random("sample "+test.name).IntN(4) > 0 {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			ran.Add(1)
			c := &check{T: t, suite: s, rnd: s.random(test.name), base: target.BaseURL}
			c.needs(test.needs)
			t.Parallel()
			test.test(c)
		})
	}
}

// suite is what the tests of one run share.
type suite struct {
	target    Target
	config    api.Config
	client    *http.Client
	described *description.Description
	seed      uint64
	long      bool

	mu   sync.Mutex
	seen map[api.Code]bool
}

// check is one test, at work on one address. Its rnd is for the test's own goroutine.
type check struct {
	*testing.T
	*suite
	rnd     *rand.Rand
	base    string
	address string // that the client claims to have, at a Tight
}

func seedOf(t *testing.T) uint64 {
	text := os.Getenv("SEALPOST_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("failed to parse SEALPOST_SEED: %v", err)
	}
	return seed
}

// random returns a source for one test, which does not depend on what other tests run.
func (s *suite) random(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// rounds returns the second number where SEALPOST_LONG asks for it.
func (s *suite) rounds(short, long int) int {
	if s.long {
		return long
	}
	return short
}

// patience is how long a test may wait for a time to come that the deployment names.
func (s *suite) patience() time.Duration { return time.Duration(s.rounds(8, 90)) * time.Second }

// has tells whether the deployment has a capability.
func (s *suite) has(c Capability) bool {
	_, lacks := s.target.Lacks[c]
	return !lacks
}

// hasLongContent tells whether there is content of too many parts, and not so many that making it takes too long.
func (s *suite) hasLongContent() bool {
	most := s.target.MaxContentParts
	return most > 0 && most <= int64(s.rounds(100, api.MaxParts-1))
}

// needs skips a test whose capability is lacking.
func (c *check) needs(capability Capability) {
	if capability == "" {
		return
	}
	if reason, lacks := c.target.Lacks[capability]; lacks {
		c.Skipf("lacks %s: %s", capability, reason)
	}
	if capability == Narrow && c.target.Tight == nil {
		c.Fatal("there is no Tight, and no reason why")
	}
}

// tight returns the check at work on the Tight deployment, from an address of its own.
func (c *check) tight() *check {
	other := *c
	other.base = c.target.Tight.BaseURL
	other.address = "198.51.100." + strconv.Itoa(int(addresses.Add(1)))
	return &other
}

var addresses atomic.Int64

// host is what the address has after its scheme.
func (c *check) host() *url.URL {
	u, err := url.Parse(c.base)
	if err != nil {
		c.Fatal(err)
	}
	return u
}

// wantCodes checks that every problem code was answered, or could not be.
func (s *suite) wantCodes(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []string
	for _, code := range api.Codes() {
		_, impossible := unseen[code]
		switch code {
		case api.CodeReadParts:
			impossible = !s.hasLongContent()
		case api.CodeInterrupted:
			impossible = !s.has(HalfClose)
		case api.CodeTooManyRequests, api.CodeReportsOff:
			impossible = !s.has(Narrow)
		}
		reason, excepted := s.target.Unseen[code]
		switch {
		case excepted && (s.seen[code] || reason == ""):
			t.Errorf("problem %q was answered although the target says that it is not, or there is no reason for that", code)
		case !s.seen[code] && !impossible && !excepted:
			missing = append(missing, string(code))
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Errorf("never answered: %s", strings.Join(missing, ", "))
	}
}

// saw notes that a problem was answered.
func (s *suite) saw(code api.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[code] = true
}

// together runs f n times at once and returns when all are done.
func together(n int, f func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// into returns what an answer says as JSON.
func into[T any](c *check, a answer) T {
	c.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		c.Errorf("%s is no JSON: %v", a, err)
	}
	return v
}
