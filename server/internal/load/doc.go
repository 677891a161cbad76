// Package load makes shares on a server and fetches them again, through the API as any client does, and keeps count.
//
// A sender makes a share, puts its manifest and parts, and completes it. Receivers then take all its downloads, fetch manifest
// and parts under each, and finish. Every byte that comes back is compared with what was sent, and so are the server's counts
// with those made here: of a share for n downloads one more is refused, the owner is told of n, and when the last is finished
// the share is gone. What else happens is an error, counted by its problem code.
//
//	sender    POST shares, PUT manifest, PUT parts/1 …, POST complete ─┐
//	          without receivers: GET, DELETE, GET (gone)               │ n times
//	receiver  POST downloads, GET manifest, GET parts/1 …, ◀───────────┘
//	          the last of n: GET by the owner (n taken), POST downloads (refused);
//	          DELETE downloads/current; the last to do so: GET by the owner (gone)
//
// Each sender and receiver has one connection. Slow senders put parts that trickle and never end; idle connections ask one
// thing and then nothing. Both stay until the others are done and take no part in the figures.
//
// Bodies only look like age files: they begin as one and go on with noise. There is nothing here that could seal.
package load
