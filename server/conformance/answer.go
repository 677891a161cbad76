package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sealpost/sealpost/server/api"
	"github.com/sealpost/sealpost/server/conformance/description"
)

// answer is a response, read.
type answer struct {
	method, path string // what was asked
	sent         []byte // with it, if that was JSON
	status       int
	header       http.Header
	body         []byte
}

// code returns the problem's code, "" if it is none.
func (a answer) code() api.Code {
	if a.header.Get("Content-Type") != problemType {
		return ""
	}
	var p api.Problem
	json.Unmarshal(a.body, &p)
	return p.Code
}

const problemType = "application/problem+json"

func (a answer) String() string {
	body := a.body
	if len(body) > 200 {
		body = body[:200]
	}
	return fmt.Sprintf("answer %d %q to %s %s", a.status, body, a.method, a.path)
}

// answerWithin is the time that an answer may take. It is for machines that are busy with something else.
const answerWithin = time.Minute

func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 128},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do makes a request. The body is nil, bytes, a string of JSON, or something to be made JSON of. header holds names and values
// in turn. It may be called from any goroutine, and after an error returns an answer with no status.
func (c *check) do(method, path, bearer string, body any, header ...string) answer {
	c.Helper()
	for attempt := 0; ; attempt++ {
		a, err := c.arrived(method, path, bearer, body, header...)
		if err != nil {
			c.Errorf("%s %s failed: %v", method, path, err)
			return answer{method: method, path: path, header: http.Header{}}
		}
		if a.code() != api.CodeUnavailable || c.has(Room) || attempt == 100 {
			return a
		}
		wait, _ := strconv.Atoi(a.header.Get("Retry-After"))
		if wait == 0 {
			c.Errorf("%s does not say when to ask again", a)
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

// arrived makes a request until it has arrived.
func (c *check) arrived(method, path, bearer string, body any, header ...string) (answer, error) {
	for {
		a, err := c.once(method, path, bearer, body, header...)
		if err != nil || c.target.Lost == nil || !c.target.Lost(a.status, a.body) {
			return a, err
		}
	}
}

// once makes a request and says how that failed, if no whole answer came.
func (c *check) once(method, path, bearer string, body any, header ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	req, err := c.request(ctx, method, path, bearer, body, header...)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{method: method, path: path, sent: sentJSON(req), status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return answer{}, fmt.Errorf("failed to read the body of %s: %w", a, err)
	}
	if c.target.Lost == nil || !c.target.Lost(a.status, a.body) {
		c.verify(a)
	}
	return a, nil
}

func (c *check) request(ctx context.Context, method, path, bearer string, body any, header ...string) (*http.Request, error) {
	var data io.Reader
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
		contentType = ""
	case []byte:
		data, contentType = bytes.NewReader(b), "application/octet-stream"
	case string:
		data = strings.NewReader(b)
	case io.Reader:
		data = b
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		data = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, data)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if c.address != "" {
		req.Header.Set(c.target.Tight.Address, c.address)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req, nil
}

// sentJSON returns the body of a request, if that is JSON and can be read again.
func sentJSON(req *http.Request) []byte {
	if req.Header.Get("Content-Type") != "application/json" || req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(body) // from memory
	return text
}

// verify checks the rules that every answer keeps.
func (c *check) verify(a answer) {
	c.Helper()
	wrong := func(format string, args ...any) {
		c.Helper()
		c.Errorf("%s: %s\n%v", a, fmt.Sprintf(format, args...), a.header)
	}
	c.verifyTable(a, wrong)
	if err := c.described.Check(description.Answer{Method: a.method, Path: a.path, Sent: a.sent, Status: a.status, Header: a.header,
		Body: a.body}); err != nil {
		wrong("not as api.OpenAPI describes it: %v", err)
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "X-Powered-By"} {
		if a.header.Get(name) != "" {
			wrong("has a %s", name)
		}
	}
	if a.status >= 300 && a.status < 400 && a.status != http.StatusNotModified {
		wrong("redirects")
	}
	if !strings.HasPrefix(a.path, "/api/") {
		return
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		wrong("Cache-Control is %q", got)
	}
	contentType := a.header.Get("Content-Type")
	switch {
	case a.status >= 400 && contentType != problemType:
		wrong("an error, and no problem")
	case a.status >= 400 && a.method != http.MethodHead:
		c.verifyProblem(a, wrong)
	case a.status == http.StatusNoContent && len(a.body) > 0:
		wrong("no content, and a body")
	case a.status < 300 && a.status != http.StatusNoContent && contentType != "application/json" &&
		contentType != "application/octet-stream":
		wrong("Content-Type is %q", contentType)
	}
	if a.status != http.StatusNoContent && a.method != http.MethodHead &&
		a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
		wrong("Content-Length is %q for %d bytes", a.header.Get("Content-Length"), len(a.body))
	}
}

func (c *check) verifyProblem(a answer, wrong func(string, ...any)) {
	c.Helper()
	p := into[api.Problem](c, a)
	if !slices.Contains(api.Codes(), p.Code) {
		wrong("unknown problem %q", p.Code)
		return
	}
	if c.saw(p.Code); p.Code == api.CodeInternal {
		wrong("is a defect")
	}
	want := api.NewProblem(p.Code)
	if a.status != want.Status || p.Status != want.Status || p.Title != want.Title || p.Detail == "" {
		wrong("is not what %q is", p.Code)
	}
	retry := a.header.Get("Retry-After")
	if p.RetryAfter < 0 || p.RetryAfter == 0 && retry != "" ||
		p.RetryAfter > 0 && retry != strconv.FormatInt(p.RetryAfter, 10) {
		wrong("Retry-After is %q there, and %d here", retry, p.RetryAfter)
	}
	switch p.Code {
	case api.CodeNotReady, api.CodeTooManyRequests, api.CodeTooManyTries:
		if retry == "" {
			wrong("does not say when to ask again")
		}
	}
	if (p.TriesLeft != nil) != (p.Code == api.CodeWrongPassword) || p.Missing != nil && p.Code != api.CodeIncomplete {
		wrong("has members of other problems")
	}
	if challenge := a.header.Get("WWW-Authenticate"); (challenge != "") != (a.status == http.StatusUnauthorized) {
		wrong("WWW-Authenticate is %q", challenge)
	}
	for _, name := range []string{"ETag", "Accept-Ranges", "Content-Disposition"} {
		if a.header.Get(name) != "" {
			wrong("has the %s of what was asked for", name)
		}
	}
	if (a.header.Get("Content-Range") != "") != (p.Code == api.CodeBadRange) {
		wrong("Content-Range is %q", a.header.Get("Content-Range"))
	}
}

// want ends the test unless an answer has one of these statuses.
func (c *check) want(a answer, statuses ...int) answer {
	c.Helper()
	if !slices.Contains(statuses, a.status) {
		c.Fatalf("%s: want %v", a, statuses)
	}
	return a
}

// refused ends the test unless an answer is this problem.
func (c *check) refused(a answer, code api.Code) answer {
	c.Helper()
	if a.code() != code {
		c.Fatalf("%s: want %q", a, code)
	}
	return a
}

// wantSame checks that two answers cannot be told apart.
func (c *check) wantSame(what string, got, want answer) {
	c.Helper()
	if got.status != want.status || !bytes.Equal(got.body, want.body) || !sameHeader(got.header, want.header) {
		c.Errorf("%s: %s\n%v\ndiffers from %s\n%v", what, got, got.header, want, want.header)
	}
}

// sameHeader compares all but what belongs to the moment and the connection.
func sameHeader(a, b http.Header) bool {
	return slices.Equal(lasting(a), lasting(b))
}

func lasting(h http.Header) (lines []string) {
	for name, values := range h {
		if !slices.Contains([]string{"Date", "Connection", "Keep-Alive", "Cf-Ray", "X-Request-Id"}, name) {
			lines = append(lines, name+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(lines)
	return lines
}
