//go:build js && wasm

// Command wasm is the engine of Sealpost's page: it makes keys, seals and opens. It has neither network nor storage and
// keeps nothing; what it is given and what it returns are copies. The exception is what a crew works on (crew.go).
//
// A transfer is the work of several instances. One has the keys and plans it: a Sealer or an Opener, which tell what comes where and
// check what came of it. The others, a crew, do the work that needs no plan: Compressor, Decompressor and Cipher. What a link looks like
// to a camera is here, too, since no other library is in the page.
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
		// resumeSealer(identity: string, kind: "file" | "tar" | "note", note: string, entries: Entry[], prefix: Uint8Array, manifest: Uint8Array): Sealer
		"resumeSealer": function(resumeSealer),
		// newOpener(identity: string, manifest: Uint8Array): Opener
		"newOpener": function(newOpener),
		// sealReport(recipient: string, report: Report): Uint8Array
		"sealReport": function(sealReport),
		// newCompressor(): Compressor
		"newCompressor": function(newCompressor),
		// newDecompressor(): Decompressor
		"newDecompressor": function(newDecompressor),
		// newCipher(key: Uint8Array): Cipher
		"newCipher": function(newCipher),
		// qr(text: string): { size: number; modules: Uint8Array }
		"qr": function(encodeQR),
		// sealBackup(passphrase: string, plain: Uint8Array): Uint8Array
		"sealBackup": function(sealBackup),
		// openBackup(passphrase: string, file: Uint8Array): Uint8Array
		"openBackup": function(openBackup),
	})
	select {}
}

// exports of a Sealer.
func (s *sealer) exports() methods {
	return methods{
		// start(partSize: number): void
		"start": s.start,
		// pieces(frame: number): Piece[]
		"pieces": s.pieces,
		// add(size: number): void
		"add": s.add,
		// part(n: number): Part
		"part": s.part,
		// tail(from: number, to: number): Uint8Array
		"tail": s.tail,
	}
}

// exports of an Opener.
func (o *opener) exports() methods {
	return methods{
		// thumbnail(entry: number): Uint8Array
		"thumbnail": o.thumbnail,
		// start(size: number): void
		"start": o.start,
		// bind(prefix: Uint8Array): void
		"bind": o.bind,
		// arrived(total: number): void
		"arrived": o.arrived,
		// end(): void
		"end": o.end,
		// run(most: number): Run | undefined
		"run": o.run,
		// walk(opened: Uint8Array): void
		"walk": o.walk,
		// frames(): Frame[]
		"frames": o.frames,
		// check(at: number, plain: Uint8Array): void
		"check": o.check,
		// finish(): void
		"finish": o.finish,
		// tableRange(): [number, number]
		"tableRange": o.tableRange,
		// table(bytes: Uint8Array): void | [number, number]
		"table": o.table,
		// locate(from: number, to: number): Window
		"locate": o.locate,
	}
}

// exports of a Compressor.
func (c *compressor) exports() methods {
	return methods{
		// frame(plain: number): number
		"frame": c.frame,
	}
}

// exports of a Decompressor.
func (d *decompressor) exports() methods {
	return methods{
		// frame(size: number, plain: number): number
		"frame": d.frame,
	}
}

// exports of a Cipher.
func (c *cipher) exports() methods {
	return methods{
		// seal(plain: number, chunk: number, last: boolean): number
		"seal": c.seal,
		// open(sealed: number, chunk: number, last: boolean): number
		"open": c.open,
	}
}
