// Package conformance is the suite that every deployment of Sealpost passes: each sentence of package api is a test here, and
// each is asked over HTTP as a client would, with nothing known of what is behind the address. What passes it is the same post
// office to its clients, be it one binary with a folder or a Worker with buckets.
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Target{BaseURL: url})
//	}
//
// A deployment differs from another only in what its Target says, with a reason: a Capability that it lacks, a problem that it
// cannot be brought to answer. Everything else it can be asked for: what its configuration allows, how large its parts are,
// when an upload is abandoned. What takes longer than some seconds is not waited for, unless SEALPOST_LONG=1 asks for it; so a
// deployment under test has a second, [Tight] one, configured to be quick and narrow.
//
// Whatever the suite is answered, wanted or not, is also held against the rules that all answers keep (answer.go): the header
// table, the form of problems, no caching, and what the OpenAPI document of package api says (package description). At the end, every
// problem code must have been seen.
//
//	SEALPOST_SEED=n   repeat the random choices of an earlier run, which has logged its seed
//	SEALPOST_LONG=1   more rounds of what is chosen at random, and the long waits
//
// What cannot be seen over HTTP is not here: that no bytes remain in the stores, that nothing secret is logged, what survives a
// crash, and what happens after a day. That is tested where stores, logs, processes and clocks are at hand.
package conformance
