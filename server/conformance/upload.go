package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/sealpost/sealpost/server/api"
)

// What a part may not be, and that nothing of a refused one is there.
func testPut(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(2*size + 30)))
	one, two, three := u.part(1), u.part(2), u.part(3)
	put := func(rest string, data []byte, code api.Code, header ...string) {
		c.Helper()
		if header == nil {
			header = []string{"Content-Digest", digestOf(data)}
		}
		a := c.do("PUT", u.path(rest), u.owner.String(), data, header...)
		if a.code() != code || code == "" && a.status != http.StatusNoContent {
			c.Fatalf("%s: want %q", a, code)
		}
	}
	put("/parts/1", append([]byte("x"), one[1:]...), api.CodeNotSealed)
	put("/parts/1", []byte(api.AgeMagic[:len(api.AgeMagic)-1]), api.CodeNotSealed)
	put("/parts/1", append([]byte(api.AgeMagic[:len(api.AgeMagic)-1]), 'x'), api.CodeNotSealed)
	put("/manifest", []byte("{}"), api.CodeNotSealed)
	put("/parts/1", one, api.CodeDigestRequired, "X-Nothing", "y")
	for _, digest := range []string{"", "sha-256", "sha-256=", "sha-256=:AAAA:", "sha-256=AAAA", "sha-512=:AAAA:",
		digestOf(one)[:20], digestOf(one)[:len(digestOf(one))-1], "SHA-256" + digestOf(one)[7:]} {
		put("/parts/1", one, api.CodeDigestRequired, "Content-Digest", digest)
	}
	put("/parts/1", one, api.CodeDigestMismatch, "Content-Digest", digestOf(two))
	put("/manifest", u.manifest, api.CodeDigestMismatch, "Content-Digest", digestOf(two))
	put("/parts/1", append(bytes.Clone(one), 0), api.CodeTooLarge)
	put("/parts/3", append(bytes.Clone(three), 0), api.CodeTooLarge)
	put("/parts/4", three, api.CodeTooLarge)
	put("/parts/2", []byte{}, api.CodeWrongSize)
	put("/manifest", []byte{}, api.CodeWrongSize)
	for _, n := range []string{"0", "-1", "01", "+1", "1.0", "x", "%31%00", "4097", "99999999999999999999"} {
		put("/parts/"+n, three, api.CodeNotFound)
	}
	if list := c.list(u); list.Count != 0 || list.Manifest || len(list.Ranges) != 0 {
		c.Errorf("after nothing but refusals: %+v", list)
	}

	// Any order; repeated; other bytes are refused and the first are kept.
	put("/parts/3", three, "", "Content-Digest", "sha-512=:AAAA:, "+digestOf(three))
	put("/parts/1", one, "")
	put("/parts/1", one, "")
	put("/parts/1", sealed(size), api.CodePartConflict)
	put("/parts/1", one[:size-1], api.CodePartConflict)
	c.missing(u, [2]int64{0, 0}, [2]int64{2, 2})
	if list := c.list(u); list.Manifest || list.Count != 2 || !reflect.DeepEqual(list.Ranges, [][2]int64{{1, 1}, {3, 3}}) {
		c.Errorf("listed %+v", list)
	}
	put("/parts/2", two, "")
	c.missing(u, [2]int64{0, 0})
	put("/manifest", u.manifest, "")
	put("/manifest", u.manifest, "")
	put("/manifest", sealed(50), api.CodePartConflict)
	if list := c.list(u); !list.Manifest || list.Count != 3 || list.State != api.StateOpen ||
		!reflect.DeepEqual(list.Ranges, [][2]int64{{1, 3}}) {
		c.Errorf("listed %+v", list)
	}

	// Complete, it takes what it has and nothing else.
	c.want(c.complete(u), http.StatusOK)
	put("/parts/1", one, "")
	put("/manifest", u.manifest, "")
	put("/parts/1", sealed(size), api.CodeAlreadyComplete)
	put("/parts/3", sealed(30), api.CodeAlreadyComplete)
	put("/parts/4", one, api.CodeAlreadyComplete)
	put("/manifest", sealed(50), api.CodeAlreadyComplete)
	c.wantWhole(u, c.taken(u))
}

// list returns what the owner is told has arrived.
func (c *check) list(u *share) api.Parts {
	c.Helper()
	return into[api.Parts](c, c.want(c.do("GET", u.path("/parts"), u.owner.String(), nil), http.StatusOK))
}

// missing checks what complete says is missing.
func (c *check) missing(u *share, want ...[2]int64) {
	c.Helper()
	if p := into[api.Problem](c, c.refused(c.complete(u), api.CodeIncomplete)); !reflect.DeepEqual(p.Missing, want) {
		c.Errorf("missing %v, want %v", p.Missing, want)
	}
}

func testLargestManifest(c *check) {
	u := c.create(newShare(sealed(100)))
	u.manifest = sealed(int(c.config.MaxManifestSize) + 1)
	c.refused(c.put(u, 0, u.manifest), api.CodeTooLarge)
	u.manifest = u.manifest[:c.config.MaxManifestSize]
	c.upload(u)
	c.want(c.complete(u), http.StatusOK)
	c.wantWhole(u, c.taken(u))
}

// Of those who send different bytes for one part at once, one wins, entirely. The others are told so, and so is whoever reads.
func testRacingParts(c *check) {
	size := c.partSize()
	for range c.rounds(2, 40) {
		winner := c.create(newShare(sealed(2*size + 1 + c.rnd.IntN(size))))
		for n := range winner.parts() + 1 {
			candidates := make([][]byte, 4)
			for i := range candidates {
				candidates[i] = sealed(len(winner.part(n)))[:len(winner.part(n))]
				if n > 1 {
					candidates[i] = randomBytes(len(winner.part(n)))
				}
			}
			const times = 3
			var won [4]atomic.Int64
			together(times*len(candidates), func(i int) {
				who := i % len(candidates)
				switch a := c.put(winner, n, candidates[who]); {
				case a.status == http.StatusNoContent:
					won[who].Add(1)
				case a.code() != api.CodePartConflict:
					c.Errorf("part %d: %s", n, a)
				}
			})
			winners := 0
			for who := range won {
				switch won[who].Load() {
				case times:
					winners++
					copy(winner.part(n), candidates[who])
				case 0:
				default:
					c.Errorf("part %d: one was told %d times of %d that his bytes are stored", n, won[who].Load(), times)
				}
			}
			if winners != 1 {
				c.Fatalf("part %d has %d winners", n, winners)
			}
			for _, loser := range candidates {
				if !bytes.Equal(loser, winner.part(n)) {
					c.refused(c.put(winner, n, loser), api.CodePartConflict)
				}
			}
		}
		c.want(c.complete(winner), http.StatusOK)
		c.wantWhole(winner, c.taken(winner))
	}
}

// Many parts at once, in any order, each of them twice, while someone reads what has arrived.
func testConcurrentParts(c *check) {
	size := c.partSize()
	count := c.rounds(24, 200)
	u := c.create(newShare(sealed(count*size - c.rnd.IntN(size))))
	ticket := c.taken(u)
	order := append(c.rnd.Perm(count+1), c.rnd.Perm(count+1)...)
	const lanes = 16
	var uploading sync.WaitGroup
	for lane := range lanes {
		uploading.Go(func() {
			for i := lane; i < len(order); i += lanes {
				n := int64(order[i])
				if a := c.put(u, n, u.part(n)); a.status != http.StatusNoContent {
					c.Errorf("part %d: %s", n, a)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		uploading.Wait()
		close(done)
	}()
	read, seen := map[int64]bool{}, int64(0)
	for running := true; running && !c.Failed(); {
		select {
		case <-done:
			running = false
		default:
		}
		list := into[api.Parts](c, c.do("GET", u.path("/parts"), ticket.String(), nil))
		if list.Count < seen {
			c.Errorf("%d parts had arrived, and now %d", seen, list.Count)
		}
		seen = list.Count
		for _, r := range list.Ranges {
			for n := r[0]; n <= r[1]; n++ {
				if read[n] {
					continue
				}
				if a := c.do("GET", u.partPath(n), ticket.String(), nil); !bytes.Equal(a.body, u.part(n)) {
					c.Errorf("part %d, which has arrived: %s", n, a)
				}
				read[n] = true
			}
		}
	}
	<-done
	if len(read) != count && !c.Failed() {
		c.Errorf("read %d parts of %d", len(read), count)
	}
	c.want(c.complete(u), http.StatusOK)
	c.wantWhole(u, ticket)
}

func testComplete(c *check) {
	size := c.partSize()
	u := c.create(newShare(sealed(2*size + 30)))
	complete := func(bytes, parts int) answer {
		c.Helper()
		return c.do("POST", u.path("/complete"), u.owner.String(), api.CompleteShare{Size: int64(bytes), Parts: int64(parts)})
	}
	c.missing(u, [2]int64{0, 3})
	c.upload(u)
	for name, a := range map[string]answer{
		"too few parts": complete(2*size+30, 2), "too many parts": complete(2*size+30, 4), "nothing": complete(0, 0),
		"less than nothing": complete(-size, -1),
	} {
		if a.code() != api.CodeWrongSize {
			c.Errorf("%s: %s", name, a)
		}
	}
	c.refused(complete(2*size+31, 3), api.CodeTooLarge)
	for _, a := range []answer{complete(2*size+29, 3), complete(2*size, 2), complete(1, 1)} {
		if p := into[api.Problem](c, c.refused(a, api.CodeIncomplete)); p.Missing != nil {
			c.Errorf("missing %v, when only the sizes do not add up", p.Missing)
		}
	}
	if s := c.state(u); s.State != api.StateOpen || s.Parts != 0 {
		c.Errorf("state is %+v", s)
	}
	began := c.now()
	got := into[api.Share](c, c.want(complete(2*size+30, 3), http.StatusOK))
	if got.State != api.StateReady || got.Size != int64(2*size+30) || got.Parts != 3 {
		c.Errorf("completed %+v", got)
	}
	c.wantLife(got, began, 3600)
	again := into[api.Share](c, c.want(complete(2*size+30, 3), http.StatusOK))
	if again.Now = got.Now; !reflect.DeepEqual(again, got) {
		c.Errorf("first %+v, again %+v", got, again)
	}
	c.refused(complete(2*size+29, 3), api.CodeAlreadyComplete)
	c.refused(complete(1, 1), api.CodeAlreadyComplete)
}

func testCompleteAtOnce(c *check) {
	for range c.rounds(3, 30) {
		u := c.create(newShare(sealed(c.rnd.IntN(300) + 30)))
		c.upload(u)
		got := make([]string, 12)
		together(len(got), func(i int) {
			a := c.complete(u)
			s := into[api.Share](c, a)
			got[i] = fmt.Sprint(a.status, s.State, s.Expires, s.Size)
		})
		for i := range got {
			if got[i] != got[0] || got[i][:3] != "200" {
				c.Fatalf("completed at once: %q", got)
			}
		}
	}
}

// The announced size is an upper bound.
func testShorterThanAnnounced(c *check) {
	size := c.partSize()
	for _, length := range []int{len(api.AgeMagic), size - 1, size, size + 1, 2 * size} {
		u := newShare(sealed(length))
		u.terms.Size = int64(3 * size)
		c.create(u)
		c.upload(u)
		c.want(c.complete(u), http.StatusOK)
		c.wantWhole(u, c.taken(u))
	}
	// A part in the middle that is shorter than the others turns out at completion.
	u := newShare(sealed(3 * size))
	c.create(u)
	c.upload(&share{id: u.id, owner: u.owner, partSize: u.partSize, manifest: u.manifest, content: u.content[:size-1]})
	for n := int64(2); n <= 3; n++ {
		c.want(c.put(u, n, u.part(n)), http.StatusNoContent)
	}
	for _, lost := range []int64{0, 1} {
		in := api.CompleteShare{Size: int64(3*size) - lost, Parts: 3}
		c.refused(c.do("POST", u.path("/complete"), u.owner.String(), in), api.CodeIncomplete)
	}
}
