// @ts-check
// A hoard of sealed bytes: what has arrived of a share, as it arrived, in the origin's private file system (js/partial.js says what
// else is kept). A file for each piece that was asked for, named after where in the content it begins; it grows as the
// piece arrives, so that of a piece under way that much is there when the page ends, however it ends.
//
// Nothing is flushed, and no checksum is kept: what is read back is opened like what comes from the server. A file that was cut
// or changed does not open, and then those bytes are fetched again (source.js).
//
// Writing costs time and room. A piece that comes as fast as a disk writes is not kept, because fetching it again costs no more: it is
// kept once it has been under way for longer than it would take at FAST. So there may be holes. A hoard that keeps all is for those who
// need every piece twice. When there is no room any more nothing more is kept, and the download goes on.

/** @import { Piece } from "../js/line.js" */

const FAST = 40_000; // bytes of a download in a millisecond
const AT_ONCE = 3; // pieces of it that share the line (source.js)
const BATCH = 256 << 10; // bytes that are written together, at least
const MARGIN = 64 << 20; // bytes of room that are left to others

export class Hoard {
  #begin;
  /** Whether every piece is kept. */
  all = false;
  /** Bytes that are there of the pieces that begin at these places. @type {Map<number, number>} */
  #sizes = new Map();
  /** @type {Promise<FileSystemDirectoryHandle> | null} */
  #folder = null;
  /** @type {Set<FileSystemSyncAccessHandle>} */
  #open = new Set();
  #room = 0;
  /** Nothing more is kept, for want of room or whatever reason. */
  full = false;
  #closed = false;

  /** @param {() => Promise<FileSystemDirectoryHandle>} begin makes the folder, when the first piece is to be kept */
  constructor(begin) {
    this.#begin = begin;
  }

  /** Whether there is a folder. */
  get begun() {
    return this.#folder !== null;
  }

  /** How many bytes are there. */
  get bytes() {
    return [...this.#sizes.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Takes up what is in the folder. */
  async load() {
    /** @type {Promise<void>[]} */
    const measured = [];
    for await (const [name, handle] of (await this.#begun()).entries()) {
      if (/^\d+$/.test(name)) measured.push(this.#take(Number(name), /** @type {FileSystemFileHandle} */ (handle)));
    }
    await Promise.all(measured);
  }

  /**
   * @param {number} at
   * @param {FileSystemFileHandle} handle
   */
  async #take(at, handle) {
    this.#sizes.set(at, (await handle.getFile()).size);
  }

  /**
   * Whether it can be written to, and has room for so many bytes besides those that it has.
   * @param {number} size
   */
  async ready(size) {
    try {
      const folder = await this.#begun();
      const probe = await folder.getFileHandle("probe", { create: true });
      (await probe.createSyncAccessHandle()).close(); // which WebKitGTK cannot
      await folder.removeEntry("probe");
    } catch {
      this.full = true;
    }
    return !this.full && this.#room > size;
  }

  /**
   * How much is there of a piece.
   * @param {number} at where in the content it begins
   * @param {number} size
   */
  has(at, size) {
    return Math.min(size, this.#sizes.get(at) ?? 0);
  }

  /**
   * Keeps a piece that is about to arrive.
   * @param {number} at
   * @param {Piece} piece
   */
  keep(at, piece) {
    return new Keeping(this, at, piece, this.all ? 0 : (piece.bytes.length * AT_ONCE) / FAST);
  }

  /**
   * Throws a piece away.
   * @param {number} at
   */
  async drop(at) {
    this.#sizes.delete(at);
    await (await this.#begun()).removeEntry(String(at)).catch(() => {});
  }

  /** Ends it: no file is open any more. */
  close() {
    this.full = this.#closed = true;
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  /**
   * Opens the file of a piece.
   * @param {number} at
   */
  async open(at) {
    const handle = await (await this.#begun()).getFileHandle(String(at), { create: true });
    const file = await handle.createSyncAccessHandle();
    if (this.#closed) file.close();
    else this.#open.add(file);
    return file;
  }

  /**
   * Writes bytes of a piece that follow those that are there.
   * @param {number} at
   * @param {FileSystemSyncAccessHandle} file
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {number} from
   */
  write(at, file, bytes, from) {
    if (bytes.length > this.#room) throw new DOMException("no room", "QuotaExceededError");
    const n = file.write(bytes, { at: from });
    this.#room -= n;
    this.#sizes.set(at, from + n);
    if (n !== bytes.length) throw new DOMException("no room", "QuotaExceededError");
  }

  /** @param {FileSystemSyncAccessHandle} file */
  shut(file) {
    if (this.#open.delete(file)) file.close();
  }

  #begun() {
    return (this.#folder ??= this.#measure().then(this.#begin));
  }

  async #measure() {
    const { quota = Infinity, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
    this.#room = quota - usage - MARGIN;
  }
}

/** A piece that is kept while it arrives. */
class Keeping {
  #hoard;
  #at;
  #piece;
  #after;
  #begun = performance.now();
  #written = 0;
  /** @type {FileSystemSyncAccessHandle | null} */
  #file = null;
  /** @type {Promise<void> | null} */
  #opening = null;

  /**
   * @param {Hoard} hoard
   * @param {number} at
   * @param {Piece} piece
   * @param {number} after milliseconds
   */
  constructor(hoard, at, piece, after) {
    this.#hoard = hoard;
    this.#at = at;
    this.#piece = piece;
    this.#after = after;
  }

  /** Fills the piece with what is there of it. */
  async recall() {
    const { bytes } = this.#piece;
    const size = this.#hoard.has(this.#at, bytes.length);
    if (!size) return;
    await this.#openFile();
    try {
      this.#piece.filled = this.#written = this.#file?.read(bytes.subarray(0, size), { at: 0 }) ?? 0;
    } catch {} // then it is fetched again
  }

  /** Some of the piece has arrived. */
  arrived() {
    if (this.#file) {
      if (this.#piece.filled - this.#written >= BATCH) this.#write();
    } else if (!this.#hoard.full && performance.now() - this.#begun >= this.#after) {
      this.#openFile();
    }
  }

  /** Nothing more of it arrives. */
  async end() {
    await this.#opening;
    if (!this.#file) return;
    this.#write();
    this.#hoard.shut(this.#file);
  }

  #openFile() {
    return (this.#opening ??= this.#hoard.open(this.#at).then((file) => void (this.#file = file), () => void (this.#hoard.full = true)));
  }

  #write() {
    const { bytes, filled } = this.#piece;
    if (!this.#file || this.#hoard.full || filled === this.#written) return;
    try {
      this.#hoard.write(this.#at, this.#file, bytes.subarray(this.#written, filled), this.#written);
      this.#written = filled;
    } catch {
      this.#hoard.full = true;
    }
  }
}
