// @ts-check
// The journal of an upload: what it takes to go on with it in another page, after a reload, a crash or a night, without ever
// sealing two plaintexts under the same key and counter (wasm/internal/seal says why that must not be).
//
// Who sends a share holds its Web Lock, so there is one at a time and it alone writes here. Before the first byte of a part
// leaves, part() puts the SHA-256 of the sealed part on the disk, together with what is new of the frames that it was sealed
// from: one transaction, durable when it resolves, that several parts may share and that fails if one of them is there already. From
// then on the part counts as sent. Whoever goes on makes the frames again and shows each to frame(), which compares the SHA-256 of the
// plain frame and its compressed size, and each part to part(), which compares its SHA-256. What is not the same throws
// "mismatch" before anything is sent, and then the share is given up: no byte is sealed under its keys any more.
//
// Compressing the same bytes makes the same frame with the same build of the engine only, so the build is kept as well, and
// whoever goes on has to have it. Frames that only stored parts are made of need not be compressed again: to be hashed is enough.
//
// All of it is sealed (vault.js) but for the share's id, the time of each record, and what the server has as well: the content's
// prefix and the sealed manifest. Each share has a key of its own, which goes with its records. Handles of files, where a browser has
// them, are the browser's own objects and tell the names of their files to whoever may read this origin's storage.
//
// Where a browser keeps nothing there is no journal, and none is needed: what was never kept cannot be gone on with, and the
// page that has the keys seals each byte once.

import { PARTS, UPLOADS, answer, openDatabase, partsOf, write } from "./database.js";
import { DIGEST, Frames, same } from "./frames.js";
import { hold } from "./lock.js";
import * as vault from "./vault.js";

/** @import { Upload } from "./types.d.ts" */
/** @import { Sealed } from "./vault.js" */

/**
 * @typedef {object} UploadRecord
 * @property {string} id
 * @property {CryptoKey} key
 * @property {number} at milliseconds, when it began
 * @property {Uint8Array<ArrayBuffer>} prefix
 * @property {Uint8Array<ArrayBuffer>} manifest
 * @property {Sealed} upload
 * @property {FileSystemHandle[]} handles
 *
 * @typedef {object} PartRecord
 * @property {string} id
 * @property {number} n
 * @property {number} at
 * @property {Sealed} part its SHA-256; the index of the first frame that is new, and the frames
 *
 * @typedef {object} Kept an upload that may be gone on with
 * @property {string} id
 * @property {number} at when it was last written to
 * @property {Upload} upload
 * @property {FileSystemHandle[]} handles
 *
 * @typedef {object} Waiting a part that is to be written
 * @property {number} n
 * @property {Uint8Array} digest
 */

const RELEASE = 1000; // milliseconds

const LOCK = "sealpost upload ";

/** @param {string} id */
const lockOf = (id) => LOCK + id;

/**
 * Takes the lock of a share, which says that nobody else sends it. Throws "elsewhere" if somebody does.
 * @param {string} id
 */
export async function claim(id) {
  const signal = AbortSignal.timeout(RELEASE); // a page that has just ended holds it a moment longer
  const release = await hold(lockOf(id), { signal }).catch(() => null);
  if (!release) throw elsewhere();
  return release;
}

const elsewhere = () => Object.assign(new Error("another tab sends it"), { code: "elsewhere" });

/** @param {string} what */
const mismatch = (what) => Object.assign(new Error(`${what} is not what was begun to be sent`), { code: "mismatch" });

export class Journal {
  /** @type {IDBDatabase | null} */
  #db;
  #key;
  #release;
  #frames = new Frames();
  #keptFrames = 0;
  /** @type {Map<number, {digest: Uint8Array, durable: Promise<void>}>} */
  #parts = new Map();
  /** @type {Waiting[]} */
  #waiting = [];
  /** What writes them, once what is being written is there. @type {Promise<void> | null} */
  #batch = null;
  #last = Promise.resolve();
  #closed = false;
  /** Whether all that was written could be read again. */
  intact = true;

  /**
   * Use begin or resume.
   * @param {IDBDatabase} db
   * @param {UploadRecord} record
   * @param {Upload} upload
   * @param {() => void} release
   */
  constructor(db, record, upload, release) {
    this.#db = db;
    this.#key = record.key;
    this.#release = release;
    this.id = record.id;
    this.prefix = record.prefix;
    this.manifest = record.manifest;
    this.upload = upload;
  }

  /** Whether it is written, so that another page could go on. */
  get lasts() {
    return this.#db !== null;
  }

  /** How many frames are known. */
  get frames() {
    return this.#frames.count;
  }

  /**
   * The compressed size of a frame that is known.
   * @param {number} i
   */
  frameSize(i) {
    return this.#frames.size(i);
  }

  /**
   * Whether part n may have been sent.
   * @param {number} n
   */
  hasPart(n) {
    return this.#parts.has(n);
  }

  /**
   * Takes the SHA-256 of a plain frame. If the frame is known it must be the same one; if not it must be the next, and size, its
   * compressed size, has to be given. Throws "mismatch".
   * @param {number} i
   * @param {Uint8Array} digest
   * @param {number} [size] where it was not compressed, it has the size that is known
   */
  frame(i, digest, size) {
    if (i < this.#frames.count) {
      if (!this.#frames.matches(i, digest) || (size ?? this.#frames.size(i)) !== this.#frames.size(i)) throw mismatch(`frame ${i}`);
    } else if (i === this.#frames.count && size !== undefined) {
      this.#frames.add(digest, size);
    } else {
      throw new Error(`BUG: frame ${i} comes after ${this.#frames.count}`);
    }
  }

  /**
   * Takes the SHA-256 of a sealed part, of which no byte has left before this resolves. All frames that it was sealed from are
   * known by then. Throws "mismatch", or "elsewhere" if another has written it.
   * @param {number} n
   * @param {Uint8Array} digest
   * @returns {Promise<void>}
   */
  async part(n, digest) {
    const known = this.#parts.get(n);
    if (known) {
      if (!same(known.digest, digest)) throw mismatch(`part ${n}`);
      return known.durable;
    }
    this.#waiting.push({ n, digest });
    const durable = (this.#batch ??= this.#last = this.#last.then(() => this.#write()));
    this.#parts.set(n, { digest, durable });
    return durable;
  }

  /** Writes all that waits, in one transaction. What comes meanwhile waits for the next one. */
  async #write() {
    this.#batch = null;
    const parts = this.#waiting.splice(0);
    const next = this.#frames.count;
    const from = this.#keptFrames;
    this.#keptFrames = next;
    const records = await Promise.all(parts.map(({ n, digest }, i) => this.#sealed(n, digest, i ? next : from, next)));
    if (this.#closed) throw elsewhere(); // or nobody, but nothing was written
    if (!this.#db) return;
    try {
      await write(this.#db, (store) => records.forEach((record) => store(PARTS).add(record)));
    } catch (e) {
      if (/** @type {any} */ (e).name === "ConstraintError") throw elsewhere();
      await this.#stop(e);
    }
  }

  /**
   * Goes on without a journal, where it can no longer be written: that is safe once nothing of it is left to go on with.
   * @param {unknown} cause
   */
  async #stop(cause) {
    this.#db?.close();
    this.#db = null;
    await erase(this.id).catch(() => {
      throw Object.assign(new Error(`the journal cannot be written: ${cause}`), { code: "not-kept" });
    });
  }

  /**
   * @param {number} n
   * @param {Uint8Array} digest
   * @param {number} from
   * @param {number} to
   * @returns {Promise<PartRecord>}
   */
  async #sealed(n, digest, from, to) {
    const frames = this.#frames.pack(from, to);
    const bytes = new Uint8Array(DIGEST + 8 + frames.length);
    bytes.set(digest);
    new DataView(bytes.buffer).setFloat64(DIGEST, from);
    bytes.set(frames, DIGEST + 8);
    return { id: this.id, n, at: Date.now(), part: await vault.seal(this.#key, `part ${n} of ${this.id}`, bytes) };
  }

  /** Takes up what was written in earlier pages. */
  async load() {
    this.intact = await this.#load().then(() => true, () => false);
  }

  async #load() {
    const db = /** @type {IDBDatabase} */ (this.#db);
    /** @type {PartRecord[]} */
    const records = await answer(db.transaction(PARTS).objectStore(PARTS).getAll(partsOf(this.id)));
    const opened = await Promise.all(records.map(async ({ n, part }) => {
      const bytes = await vault.open(this.#key, `part ${n} of ${this.id}`, part);
      return { n, bytes, from: new DataView(bytes.buffer).getFloat64(DIGEST) };
    }));
    for (const { n, bytes, from } of opened.sort((a, b) => a.from - b.from)) {
      this.#parts.set(n, { digest: bytes.slice(0, DIGEST), durable: Promise.resolve() });
      const frames = bytes.subarray(DIGEST + 8);
      if (!frames.length) continue;
      if (from !== this.#frames.count) throw new Error("frames are missing");
      this.#frames.unpack(frames);
    }
    this.#keptFrames = this.#frames.count;
  }

  /** Erases the journal: the upload is complete, or given up. */
  async erase() {
    await this.#last.catch(() => {}); // what is being written would be there again
    await erase(this.id).catch(() => {}); // a visit to come will find that the share is gone
  }

  /** Lets others go on. */
  close() {
    this.#closed = true;
    this.#db?.close();
    this.#db = null;
    this.#release();
  }
}

/**
 * Begins the journal of a new share. Returns null where this browser keeps nothing.
 * @param {string} id
 * @param {Upload} upload
 * @param {{prefix: Uint8Array<ArrayBuffer>, manifest: Uint8Array<ArrayBuffer>}} sealer
 * @param {FileSystemHandle[]} handles
 */
export async function begin(id, upload, { prefix, manifest }, handles) {
  const release = await claim(id);
  /** @type {IDBDatabase | undefined} */
  let db;
  try {
    db = await openDatabase();
    const key = await vault.newKey();
    const text = new TextEncoder().encode(JSON.stringify(upload));
    const record = { id, key, at: Date.now(), prefix, manifest, upload: await vault.seal(key, `upload ${id}`, text), handles };
    const add = () => write(/** @type {IDBDatabase} */ (db), (store) => store(UPLOADS).add(record));
    await add().catch(async (e) => {
      if (!handles.length) throw e;
      record.handles = []; // some browsers have them but do not keep them
      await add();
    });
    return new Journal(db, record, upload, release);
  } catch {
    db?.close();
    release();
    return null;
  }
}

/**
 * Takes up the journal of a share. Returns null if there is none, and throws "elsewhere" while another tab sends the share.
 * @param {string} id
 */
export async function resume(id) {
  const release = await claim(id);
  const db = await openDatabase();
  try {
    /** @type {UploadRecord | undefined} */
    const record = await answer(db.transaction(UPLOADS).objectStore(UPLOADS).get(id));
    if (record) {
      const journal = new Journal(db, record, await openUpload(record), release);
      await journal.load();
      return journal;
    }
  } catch (e) {
    db.close();
    release();
    throw e;
  }
  db.close();
  release();
  return null;
}

/**
 * The shares that some tab is sending.
 * @returns {Promise<Set<string>>}
 */
export async function sending() {
  const held = (await navigator.locks.query()).held ?? [];
  return new Set(held.map(({ name }) => name ?? "").filter((name) => name.startsWith(LOCK)).map((name) => name.slice(LOCK.length)));
}

/** @param {UploadRecord} record */
async function openUpload({ id, key, upload }) {
  const text = new TextDecoder().decode(await vault.open(key, `upload ${id}`, upload));
  return /** @type {Upload} */ (JSON.parse(text));
}

/**
 * The uploads that are unfinished and that no tab is sending, the oldest first. What cannot be read any more is erased.
 * @returns {Promise<Kept[]>}
 */
export async function list() {
  const db = await openDatabase();
  try {
    /** @type {UploadRecord[]} */
    const records = await answer(db.transaction(UPLOADS).objectStore(UPLOADS).getAll());
    const busy = await sending();
    const kept = [];
    for (const record of records.filter(({ id }) => !busy.has(id))) {
      const upload = await openUpload(record).catch(() => null);
      if (upload) kept.push({ id: record.id, at: await lastWrite(db, record), upload, handles: record.handles });
      else await erase(record.id);
    }
    return kept.sort((a, b) => a.at - b.at);
  } finally {
    db.close();
  }
}

/**
 * @param {IDBDatabase} db
 * @param {UploadRecord} record
 */
async function lastWrite(db, { id, at }) {
  const cursor = await answer(db.transaction(PARTS).objectStore(PARTS).openCursor(partsOf(id), "prev"));
  return Math.max(at, cursor?.value.at ?? 0);
}

/**
 * Erases all that is kept of a share, its key with it.
 * @param {string} id
 */
export async function erase(id) {
  const db = await openDatabase();
  try {
    await write(db, (store) => {
      store(UPLOADS).delete(id);
      store(PARTS).delete(partsOf(id));
    });
  } finally {
    db.close();
  }
}
