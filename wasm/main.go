//go:build js && wasm

// Command wasm is the engine of Sealpost's page: it makes keys, seals and opens. It has neither network nor storage and
// keeps nothing; what it is given and what it returns are copies.
//
// This file is the whole border between JavaScript and Go. The types are in static/worker/engine.d.ts. Go cannot throw
// across it, so an export that fails returns an Error with a code (border.go), and static/worker/load.js throws it.
package main

import "syscall/js"

func main() {
	js.Global().Set("sealpost", map[string]any{
		// build: string
		"build": buildID(),
		// createLink(password: string | null): Keys
		"createLink": function(createLink),
		// openLink(fragment: string, password: string | null): Keys
		"openLink": function(openLink),
		// createToken(): { token: string; hash: string }
		"createToken": function(createToken),
		// newSealer(identity: string, kind: "file" | "tar" | "note", note: string, entries: Entry[]): Sealer
		"newSealer": function(newSealer),
		// newOpener(identity: string, manifest: Uint8Array): Opener
		"newOpener": function(newOpener),
	})
	select {}
}

// exports of a Sealer.
func (s *sealer) exports() methods {
	return methods{
		// start(partSize: number): void
		"start": s.start,
		// write(entry: number, bytes: Uint8Array): Uint8Array[]
		"write": s.write,
		// finish(): Uint8Array[]
		"finish": s.finish,
	}
}

// exports of an Opener.
func (o *opener) exports() methods {
	return methods{
		// start(size: number): void
		"start": o.start,
		// write(bytes: Uint8Array): Uint8Array[]
		"write": o.write,
		// finish(): Uint8Array[]
		"finish": o.finish,
		// tableRange(): [number, number]
		"tableRange": o.tableRange,
		// table(bytes: Uint8Array): void | [number, number]
		"table": o.table,
		// locate(from: number, to: number): [number, number]
		"locate": o.locate,
		// read(bytes: Uint8Array, from: number, to: number): Uint8Array
		"read": o.read,
	}
}
