package conformance

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sealpost/sealpost/server/api"
)

func testConfig(c *check) {
	got := c.config
	if got.Build == "" || got.MaxShareSize < 1 || got.MaxManifestSize < 1 ||
		got.MaxManifestSize > api.MaxManifestSize || got.MaxDownloads < 1 {
		c.Errorf("odd limits: %+v", got)
	}
	if len(got.Lifetimes) == 0 || !slices.IsSorted(got.Lifetimes) || !slices.Contains(got.Lifetimes, got.DefaultLifetime) ||
		got.Lifetimes[0] < 1 || slices.Max(got.Lifetimes) > got.MaxLifetime {
		c.Errorf("odd lifetimes: %+v", got)
	}
	if lag := time.Since(time.Unix(got.Now, 0)); lag < -time.Hour || lag > time.Hour {
		c.Errorf("the clock is %v behind", lag)
	}
	// A token is neither needed nor looked at, nor is a query.
	for _, path := range []string{"/api/v1/config", "/api/v1/config?later=1"} {
		again := into[api.Config](c, c.want(c.do("GET", path, newToken().String(), nil), http.StatusOK))
		again.Now = got.Now
		if !reflect.DeepEqual(again, got) {
			c.Errorf("%s: %+v, first it was %+v", path, again, got)
		}
	}
}

// Repeated, as after a lost answer, a request makes one share. With other terms it is another request.
func testCreate(c *check) {
	for _, password := range []bool{false, true} {
		u := newShare(sealed(1000))
		u.terms.Password = password
		a := c.want(c.do("POST", "/api/v1/shares", "", u.terms), http.StatusCreated)
		first := into[api.Share](c, a)
		again := into[api.Share](c, c.want(c.do("POST", "/api/v1/shares", "", u.terms), http.StatusOK))
		if a.header.Get("Location") != "/api/v1/shares/"+first.ID {
			c.Errorf("Location is %q", a.header.Get("Location"))
		}
		left, taken := int64(5), int64(0)
		want := api.Share{ID: first.ID, State: api.StateOpen, Password: password, Size: 1000, PartSize: first.PartSize,
			Now: first.Now, Created: first.Created, Expires: first.Expires, Lifetime: 3600, MaxDownloads: 5, Left: &left, Taken: &taken,
			Direct: c.target.Direct != ""}
		if !reflect.DeepEqual(first, want) || len(first.ID) != api.IDSize || first.Expires <= first.Now ||
			first.Created > first.Now {
			c.Errorf("made %+v", first)
		}
		if again.Now = first.Now; !reflect.DeepEqual(again, first) {
			c.Errorf("first %+v, again %+v", first, again)
		}
	}
	for name, change := range map[string]func(*api.CreateShare){
		"access":    func(in *api.CreateShare) { in.Access = newToken().hash() },
		"reader":    func(in *api.CreateShare) { in.Reader = newToken().hash() },
		"password":  func(in *api.CreateShare) { in.Password = true },
		"size":      func(in *api.CreateShare) { in.Size++ },
		"lifetime":  func(in *api.CreateShare) { in.Lifetime++ },
		"downloads": func(in *api.CreateShare) { in.MaxDownloads = 0 },
	} {
		u := c.create(newShare(sealed(1000)))
		change(&u.terms)
		if a := c.do("POST", "/api/v1/shares", "", u.terms); a.code() != api.CodeShareConflict {
			c.Errorf("another %s: %s", name, a)
		}
	}
	ready := c.send(sealed(1000))
	ready.id = into[api.Share](c, c.want(c.do("POST", "/api/v1/shares", "", ready.terms), http.StatusOK)).ID
	c.wantWhole(ready, c.taken(ready))
}

func testCreateAtOnce(c *check) {
	for range c.rounds(3, 30) {
		u := newShare(sealed(100))
		ids := make([]string, 12)
		var created atomic.Int64
		together(len(ids), func(i int) {
			switch a := c.do("POST", "/api/v1/shares", "", u.terms); a.status {
			case http.StatusCreated:
				created.Add(1)
				ids[i] = into[api.Share](c, a).ID
			case http.StatusOK:
				ids[i] = into[api.Share](c, a).ID
			default:
				c.Error(a)
			}
		})
		if slices.Sort(ids); ids[0] != ids[len(ids)-1] || created.Load() != 1 {
			c.Errorf("%d were made: %q", created.Load(), ids)
		}
	}
}

// The limits that the configuration tells are those that hold, to the last one.
func testBounds(c *check) { c.bounds(c.config) }

func testTightBounds(c *check) {
	tight := c.tight()
	tight.bounds(into[api.Config](c, c.want(tight.do("GET", "/api/v1/config", "", nil), http.StatusOK)))
}

func (c *check) bounds(config api.Config) {
	longest, most, largest := config.MaxLifetime, config.MaxDownloads, config.MaxShareSize
	for _, test := range []struct {
		change func(*api.CreateShare)
		code   api.Code
	}{
		{func(in *api.CreateShare) { in.Lifetime = 0 }, api.CodeBadLifetime},
		{func(in *api.CreateShare) { in.Lifetime = -1 }, api.CodeBadLifetime},
		{func(in *api.CreateShare) { in.Lifetime = 1 }, ""},
		{func(in *api.CreateShare) { in.Lifetime = longest }, ""},
		{func(in *api.CreateShare) { in.Lifetime = longest + 1 }, api.CodeBadLifetime},
		{func(in *api.CreateShare) { in.Lifetime = 1 << 62 }, api.CodeBadLifetime},
		{func(in *api.CreateShare) { in.MaxDownloads = -1 }, api.CodeBadDownloads},
		{func(in *api.CreateShare) { in.MaxDownloads = 0 }, ""},
		{func(in *api.CreateShare) { in.MaxDownloads = most }, ""},
		{func(in *api.CreateShare) { in.MaxDownloads = most + 1 }, api.CodeBadDownloads},
		{func(in *api.CreateShare) { in.Size = -1 }, api.CodeBadRequest},
		{func(in *api.CreateShare) { in.Size = 0 }, api.CodeBadRequest},
		{func(in *api.CreateShare) { in.Size = largest }, ""},
		{func(in *api.CreateShare) { in.Size = largest + 1 }, api.CodeTooLarge},
		{func(in *api.CreateShare) { in.Size = 1 << 62 }, api.CodeTooLarge},
		{func(in *api.CreateShare) { in.Access = api.Hash{} }, api.CodeBadRequest},
		{func(in *api.CreateShare) { in.Reader = api.Hash{} }, api.CodeBadRequest},
		{func(in *api.CreateShare) { in.Owner = api.Hash{} }, api.CodeBadRequest},
	} {
		in := newShare(sealed(1)).terms
		in.Lifetime, in.MaxDownloads = 1, 1
		test.change(&in)
		a := c.do("POST", "/api/v1/shares", "", in)
		if a.code() != test.code || test.code == "" && a.status != http.StatusCreated {
			c.Errorf("%+v: %s, want %q", in, a, test.code)
		}
	}
	// Parts are as small as they may be for a share to have at most MaxParts of them, and never smaller than small shares'.
	small := int64(c.partSize())
	for size := int64(1); size <= largest; size = size*3 + 1 {
		in := newShare(nil).terms
		in.Size, in.Lifetime, in.MaxDownloads = size, 1, 1
		got := into[api.Share](c, c.want(c.do("POST", "/api/v1/shares", "", in), http.StatusCreated)).PartSize
		if got < small || got > api.MaxPartSize || got*api.MaxParts < size || got > small && got/2*api.MaxParts >= size {
			c.Errorf("parts of %d for %d bytes", got, size)
		}
	}
}

// Each call with a JSON body takes what it does not know, and not what it cannot read.
func testBodies(c *check) {
	u := c.create(newShare(sealed(100)))
	c.upload(u)
	valid := func(v any) map[string]any {
		text, err := json.Marshal(v)
		if err != nil {
			c.Fatal(err)
		}
		members := map[string]any{}
		if err := json.Unmarshal(text, &members); err != nil {
			c.Fatal(err)
		}
		return members
	}
	for _, call := range []struct {
		method, path, bearer string
		body                 map[string]any
		typed                string // a member of the wrong type
	}{
		{"POST", "/api/v1/shares", "", valid(u.terms), `{"lifetime":"1"}`},
		{"POST", u.path("/downloads"), u.bearer(), valid(api.TakeDownload{Ticket: newToken().hash()}), `{"ticket":1}`},
		{"PATCH", u.path(""), u.owner.String(), valid(api.UpdateShare{}), `{"maxDownloads":"1"}`},
		{"POST", u.path("/complete"), u.owner.String(), valid(api.CompleteShare{Size: 100, Parts: 1}), `{"size":1.5}`},
	} {
		for _, text := range []string{"", "x", "[]", `"text"`, "{", "{} {}", "{}x", `{"size":}`, call.typed,
			`{"ticket":"short","owner":"short","size":"short","lifetime":"short"}`, strings.Repeat("[", 5000),
			strings.Repeat(" ", api.MaxJSONBody)} {
			if a := c.do(call.method, call.path, call.bearer, text); a.code() != api.CodeBadRequest {
				c.Errorf("%.20q: %s", text, a)
			}
		}
		long := strings.Repeat(" ", api.MaxJSONBody+1)
		if a := c.do(call.method, call.path, call.bearer, long); a.code() != api.CodeTooLarge {
			c.Errorf("a body that is too large: %s", a)
		}
		text, _ := json.Marshal(call.body)
		for _, other := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json2", "junk/;"} {
			a := c.do(call.method, call.path, call.bearer, string(text), "Content-Type", other)
			if a.code() != api.CodeBadRequest {
				c.Errorf("%s: %s", other, a)
			}
		}
		call.body["later"] = map[string]any{"unknown": []int{1, 2, 3}}
		a := c.do(call.method, call.path, call.bearer, call.body, "Content-Type", "application/json; charset=utf-8")
		c.want(a, http.StatusOK)
	}
	for _, ticket := range []string{"null", `""`, `"` + strings.Repeat("A", 43) + `"`, `"` + strings.Repeat("A", 42) + `"`,
		`"` + strings.Repeat("A", 43) + `="`, `"` + strings.Repeat("A", 42) + `B"`, `"` + strings.Repeat("A", 42) + `!"`} {
		c.refused(c.do("POST", u.path("/downloads"), u.bearer(), `{"ticket":`+ticket+`}`), api.CodeBadRequest)
	}
	if s := c.state(u); *s.Taken != 1 {
		c.Errorf("all of this took %d downloads", *s.Taken)
	}
}

func testPaths(c *check) {
	u := c.send(sealed(100))
	ticket := c.taken(u)
	for _, path := range []string{
		"/api/", "/api/v1", "/api/v2/config", "/api/v1/config/", "/api/v1/shares/", "/api/v1/nothing", "/api/v1/CONFIG",
		u.path("/"), u.path("/nothing"), u.path("/parts/1/"), u.path("/parts//1"), u.path("/content/1"), u.path("/downloads/other"),
	} {
		for _, bearer := range []string{"", u.owner.String(), ticket.String()} {
			c.refused(c.do("GET", path, bearer, nil), api.CodeNotFound)
		}
	}
	for path, allow := range map[string]string{
		"/api/v1/config":             "GET, HEAD",
		"/api/v1/shares":             "POST",
		u.path(""):                   "DELETE, GET, HEAD, PATCH",
		u.path("/manifest"):          "GET, HEAD, PUT",
		u.path("/parts"):             "GET, HEAD",
		u.path("/parts/1"):           "GET, HEAD, PUT",
		u.path("/complete"):          "POST",
		u.path("/downloads"):         "POST",
		u.path("/downloads/current"): "DELETE",
		u.path("/content"):           "GET, HEAD",
	} {
		for _, method := range []string{"OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			if slices.Contains(strings.Split(allow, ", "), method) {
				continue
			}
			a := c.do(method, path, u.owner.String(), nil, "Origin", "https://example.org",
				"Access-Control-Request-Method", "GET")
			if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != allow ||
				method != "HEAD" && a.code() != api.CodeMethodNotAllowed {
				c.Errorf("%s: Allow is %q, want %q", a, a.header.Get("Allow"), allow)
			}
		}
	}
	c.wantWhole(u, ticket)
}
