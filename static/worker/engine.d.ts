// The engine: what the Go WebAssembly module (wasm/main.go) hangs on globalThis.sealpost in a module worker. Every function
// throws an Error with a `code` property on failure and never returns null. Bytes are copied in and out; buffers that come
// out are fresh ArrayBuffers of exactly the right length, so they may be transferred.
//
// Codes: "bad-link" (the fragment is not a link of ours), "wrong-key" (not sealed to this key), "damaged" (the ciphertext was changed, cut
// or mixed up), "hostile" (properly sealed, but breaks the format's rules), "changed" (a file does not have the size that was
// announced), "bad-name", "too-large" (the manifest is over its limit), "unsupported" (made by a newer version), "misuse".

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
}
export interface OpenedEntry extends Entry {
  offset: number; // of its bytes in the plain stream
  directory: boolean;
}
export interface Manifest {
  kind: "file" | "tar" | "note";
  note: string;
  entries: OpenedEntry[];
  size: number; // of the plain stream
  saveName: string; // suggested file name of the whole: safe, not a path
}

export interface Sealer {
  manifest: Uint8Array; // the sealed manifest, ready to be sent as it is
  bound: number; // upper bound of the sealed content's size
  size: number; // of the plain stream
  sealed: number; // bytes of sealed parts returned so far
  framed: number; // plain bytes in the frames that are made so far,
  compressed: number; // and the size of these frames, before they are encrypted and padded
  /** To be called once, before write. */
  start(partSize: number): void;
  /** Takes the next bytes of the current entry (the engine puts tar headers between). Returns sealed parts that became ready. */
  write(entry: number, bytes: Uint8Array): Uint8Array[];
  /** All entries are written: returns the remaining parts, some at a time. To be called until it returns none (padding can be large). */
  finish(): Uint8Array[];
  /** Forgets the keys and frees memory; also after an error. */
  close(): void;
}

export interface Opener {
  manifest: Manifest;
  /** To be called once, before anything else. size: of the sealed content, as the server says; 0 while it is not known. */
  start(size: number): void;
  /**
   * Takes the next sealed bytes, in order. Returns what could be opened of the plain stream, 16 MiB or so at a time (a few sealed
   * bytes may hold gigabytes of zeros): to be called again with no bytes until it returns none.
   */
  write(bytes: Uint8Array): Uint8Array[];
  /** All sealed bytes are written. To be called until it returns none: only then was the whole there and in order; else it throws. */
  finish(): Uint8Array[];
  /** Random access: the sealed range [from, to) to fetch for opening the table; then table(bytes) reads it. */
  tableRange(): [number, number];
  table(bytes: Uint8Array): void | [number, number]; // another range to fetch and hand over, until there is none
  /** Sealed ranges to fetch for plain bytes [from, to): one contiguous range; then read() opens it. Throws before table(). */
  locate(from: number, to: number): [number, number];
  read(bytes: Uint8Array, from: number, to: number): Uint8Array;
  close(): void;
}

export interface Engine {
  build: string;
  /** A new random link; about 0.3 s with a password. */
  createLink(password: string | null): Keys;
  /** Reads a link. With password null and one needed, bearer and identity are empty. */
  openLink(fragment: string, password: string | null): Keys;
  /** 32 random bytes: owner token or ticket, with its hash. */
  createToken(): { token: string; hash: string };
  newSealer(identity: string, kind: "file" | "tar" | "note", note: string, entries: Entry[]): Sealer;
  newOpener(identity: string, manifest: Uint8Array): Opener;
}

declare global {
  // eslint-disable-next-line no-var
  var sealpost: Engine;
  interface GlobalThis { sealpost: Engine }
}
