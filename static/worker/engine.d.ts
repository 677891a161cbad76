// The engine: what the Go WebAssembly module (wasm/main.go) hangs on globalThis.sealpost in a module worker. Every function
// throws an Error with a `code` property on failure and never returns null. Bytes are copied in and out; buffers that come
// out are fresh ArrayBuffers of exactly the right length, so they may be transferred.
//
// Codes: "bad-link" (the fragment is not a link of ours), "wrong-key" (not sealed to this key), "damaged" (the ciphertext was changed, cut
// or mixed up), "hostile" (properly sealed, but breaks the format's rules), "mismatch" (to be resumed is something else than was
// begun), "bad-name", "too-large" (the manifest or the report is over its limit, or a text too long for a code), "bad-recipient" (reports
// cannot be sealed to that), "unsupported" (made by a newer version), "misuse"; "not-a-backup"
// (not an age file that is sealed with a passphrase), "wrong-passphrase", "too-costly" (it would take more work than allowed).

export interface Keys {
  fragment: string; // 44 characters of base64url
  password: boolean; // the link says that a password is needed
  access: string; // bearer token for the state of a share, base64url (43 characters)
  bearer: string; // access ‖ reader, base64url (86 characters); "" when a password is needed and was not given
  identity: string; // AGE-SECRET-KEY-1…; "" likewise
  hashes: { access: string; reader: string }; // SHA-256 of the tokens, base64url; reader "" likewise
}

/** Entry of a manifest. name is a relative path with "/" between its parts. A directory (only where empty) ends in "/". */
export interface Entry {
  name: string;
  size: number;
  type: string; // media type as the sender's browser gave it, or ""
  modified: number; // Unix seconds, may be 0
  thumbnail?: Uint8Array; // a small picture, up to 32 KiB
}
export interface OpenedEntry extends Omit<Entry, "thumbnail"> {
  offset: number; // of its bytes in the plain stream
  directory: boolean;
  pictured: boolean; // there is a thumbnail
}
export interface Manifest {
  kind: "file" | "tar" | "note";
  note: string;
  entries: OpenedEntry[];
  size: number; // of the plain stream
  saveName: string; // suggested file name of the whole: safe, not a path
}

/** What a frame is made of: a range [from, to) of the bytes of an entry, or bytes that are what they are. */
export type Piece = Uint8Array | [entry: number, from: number, to: number];

/** How a part is sealed. */
export interface Part {
  size: number; // of the part
  from: number; // it is sealed from [from, to) of the compressed stream
  to: number;
  chunk: number; // index of the first chunk that these bytes are
  last: boolean; // they end with the last chunk of all
  at: number; // where in the part that chunk begins; less than 0 if it began in the part before
  head: Uint8Array; // what the part begins with, unless it is the middle of a chunk
}

/** Plans how a share is sealed. The bytes pass it by; a crew compresses and seals them (crew.js). */
export interface Sealer {
  manifest: Uint8Array; // the sealed manifest, ready to be sent as it is
  key: Uint8Array; // for newCipher
  prefix: Uint8Array; // the sealed content's header and nonce: what resumeSealer needs besides
  bound: number; // upper bound of the sealed content's size
  size: number; // of the plain stream
  frames: number; // that the plain stream has
  known: number; // how many parts can be sealed by now; of these nothing changes any more
  parts: number; // how many there are in all, and
  sealed: number; // their size: 0 before the last frame is added
  /** To be called once, before the rest. */
  start(partSize: number): void;
  pieces(frame: number): Piece[];
  /** Tells the compressed size of the next frame. */
  add(size: number): void;
  /** n is 1 for the first. */
  part(n: number): Part;
  /** What stands in the compressed stream after the frames. */
  tail(from: number, to: number): Uint8Array;
  /** Forgets the keys and frees memory; also after an error. */
  close(): void;
}

/** Whole sealed chunks that follow each other: [from, to) of the sealed content. */
export interface Run {
  from: number;
  to: number;
  chunk: number; // index of the first
  last: boolean; // they end with the last chunk of all
}

/** A frame of the compressed stream: its size there, and that of what it holds. */
export interface Frame {
  size: number;
  plain: number;
}

/** What a stretch of the plain stream is read from: frames, which follow skip opened bytes of the run. */
export interface Window extends Run {
  skip: number;
  frames: Frame[];
  at: number; // where in the plain stream the first frame is
}

/** Opens a manifest, plans how the content is opened and checks it. The work is done by a crew (crew.js). */
export interface Opener {
  manifest: Manifest;
  key?: Uint8Array; // for newCipher, from bind() or table() on
  /** The thumbnail of an entry, whatever its sender made it. */
  thumbnail(entry: number): Uint8Array;
  /** To be called once, before anything else. size: of the sealed content, as the server says; 0 while it is not known. */
  start(size: number): void;

  // Front to back.

  /** Takes the first 184 bytes of the content. */
  bind(prefix: Uint8Array): void;
  /** So many sealed bytes are there, from the first on. */
  arrived(total: number): void;
  /** Nothing follows what has arrived. */
  end(): void;
  /** The chunks to open next, about most bytes of them; nothing until more has arrived. */
  run(most: number): Run | undefined;
  /** Takes what was opened, in the order of the runs. */
  walk(opened: Uint8Array): void;
  /** The frames that come next in it, some at a time (few bytes may hold very many): to be called until it returns none. */
  frames(): Frame[];
  /** Takes what frames hold, which is the plain stream from at on, and throws if it is not as the manifest says. */
  check(at: number, plain: Uint8Array): void;
  /** Throws unless the whole was there and in order. */
  finish(): void;

  // At random.

  /** The sealed range [from, to) to fetch for opening the table; then table(bytes) reads it. */
  tableRange(): [number, number];
  table(bytes: Uint8Array): void | [number, number]; // another range to fetch and hand over, until there is none
  /** What plain bytes [from, to) are read from; check() takes what its frames hold. Throws before table(). */
  locate(from: number, to: number): Window;

  close(): void;
}

// What the members of a crew have. Bytes are written to the engine's memory at in, and read from it at out. The memory may grow
// whenever the engine is called, and what was a view of it is none then.

export interface Buffers {
  in: number;
  out: number;
}
export interface Compressor extends Buffers {
  /** Makes a frame of so many bytes. Returns its size. */
  frame(plain: number): number;
}
export interface Decompressor extends Buffers {
  /** Opens a frame of so many bytes, which has to hold exactly plain. Returns that. */
  frame(size: number, plain: number): number;
}
export interface Cipher extends Buffers {
  /** Seals up to 8 chunks of so many bytes. Returns how many it made. */
  seal(plain: number, chunk: number, last: boolean): number;
  /** The inverse. */
  open(sealed: number, chunk: number, last: boolean): number;
}

/** What a recipient tells the operator of a share (wasm/internal/report). */
export interface Report {
  share: string; // id
  reason: "malware" | "deception" | "child-abuse" | "unlawful" | "something-else";
  words: string;
  link: string; // and identity, for the operator to open the share; else ""
  identity: string;
}

export interface Engine {
  build: string;
  memory: WebAssembly.Memory;
  /** A new random link; about 0.3 s with a password. */
  createLink(password: string | null): Keys;
  /** Reads a link. With password null and one needed, bearer and identity are empty. */
  openLink(fragment: string, password: string | null): Keys;
  /** 32 random bytes: owner token or ticket, with its hash. */
  createToken(): { token: string; hash: string };
  newSealer(identity: string, kind: "file" | "tar" | "note", note: string, entries: Entry[]): Sealer;
  /**
   * A sealer of the very same keys as the one that had this prefix and manifest. What was sealed before must be sealed from the same
   * bytes, by the same build: whoever calls this has to see to it (js/journal.js).
   */
  resumeSealer(identity: string, kind: "file" | "tar" | "note", note: string, entries: Entry[], prefix: Uint8Array, manifest: Uint8Array): Sealer;
  newOpener(identity: string, manifest: Uint8Array): Opener;
  /** A report, sealed to the operator's age recipient. */
  sealReport(recipient: string, report: Report): Uint8Array<ArrayBuffer>;
  newCompressor(): Compressor;
  newDecompressor(): Decompressor;
  newCipher(key: Uint8Array): Cipher;
  /** The QR code of a text: size modules on each side, row by row, 1 for a dark one. */
  qr(text: string): { size: number; modules: Uint8Array<ArrayBuffer> };
  /** An age file under a passphrase. Takes seconds, and 256 MiB that the engine's memory never gives back. */
  sealBackup(passphrase: string, plain: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Opens what sealBackup or age -p made. Takes as much. */
  openBackup(passphrase: string, file: Uint8Array): Uint8Array<ArrayBuffer>;
}

declare global {
  // eslint-disable-next-line no-var
  var sealpost: Engine;
  interface GlobalThis { sealpost: Engine }
}
