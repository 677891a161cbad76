// @ts-check
// Reading at random, in whole parts: of each part that is touched every byte is asked for, in order and once, so that the operator
// learns which parts are read and not which bytes of them; with parts of 8 MiB that is one of hundreds of small files, or a
// stretch of a large one.
//
// What they still learn: that it is not all of the share, which parts it is, and when. Parts stand in the order of the plain stream, so
// where in the bundle something lies, and about how large it is. Who has been told that must not be known saves the whole. What is
// looked at, and not saved, is not read like this (viewing.js): a video would have to come whole, and so they learn more of it.
//
// A large part comes in pieces. Those that are not wanted are dropped as they come; of the others the last are kept for what is
// read next, which mostly begins where this ends, and those with the seek table, which are read first: memory is bounded by what is
// being read, not by the size of parts. (So what lies in a large part with the table, but in another piece, comes twice.)

/** @import { Bytes } from "./stretch.js" */

const REQUESTS_AHEAD = 3;
const KEPT = 16 << 20; // bytes
export const FETCH = 8 << 20; // bytes of one request

/** @typedef {{at: number, size: number}} Place of a piece in the content */

/** @typedef {{coming: Promise<Bytes>, size: number, readers: number, pinned: boolean, kept: boolean}} Held */

export class Parts {
  #size;
  #partSize;
  #bring;
  #spare;
  /** Parts that were touched. @type {Set<number>} */
  #touched = new Set();
  /** Where pieces begin that were asked for. @type {Set<number>} */
  #asked = new Set();
  /** Pieces for what is read next, the one that was read last at the end. @type {Map<number, Held>} */
  #held = new Map();
  /** Pieces that nobody wants. @type {Promise<void>[]} */
  #unwanted = [];
  /** Requests that wait for their turn. @type {(() => void)[]} */
  #waiting = [];
  #free = REQUESTS_AHEAD;

  /**
   * @param {{size: number, partSize: number}} share
   * @param {(at: number, size: number) => Promise<Bytes>} bring
   * @param {(bytes: Bytes) => void} spare takes back what nobody reads any more
   */
  constructor({ size, partSize }, bring, spare) {
    this.#size = size;
    this.#partSize = partSize;
    this.#bring = bring;
    this.#spare = spare;
  }

  /**
   * Reads [from, to) of the content.
   * @param {number} from
   * @param {number} to
   * @param {boolean} [pinned] whether what holds it stays
   */
  async read(from, to, pinned = false) {
    const whole = new Uint8Array(to - from);
    const wanted = this.#touch(from, to);
    if (pinned) for (const { held } of wanted) held.pinned = true;
    try {
      for (const { at, held } of wanted) {
        const bytes = await held.coming;
        whole.set(bytes.subarray(Math.max(0, from - at), to - at), Math.max(0, at - from));
      }
    } finally {
      for (const { held } of wanted) {
        held.readers--;
        this.#letGo(held);
      }
    }
    return whole;
  }

  /** Brings what was not wanted of the parts that were touched. */
  async rest() {
    for (const n of this.#touched) for (const place of this.#pieces(n)) this.#pass(place);
    await Promise.all(this.#unwanted);
  }

  /**
   * Has what holds [from, to) brought again.
   * @param {number} from
   * @param {number} to
   */
  forget(from, to) {
    for (const [at, held] of this.#held) if (at < to && at + held.size > from) this.#evict(at, held);
  }

  /**
   * How many bytes have to be brought for reading these stretches, which ascend.
   * @param {[from: number, to: number][]} ranges
   */
  cost(ranges) {
    let sum = 0, next = 0;
    for (const [from, to] of ranges) {
      for (let n = Math.max(next, this.#part(from)); n <= this.#part(to - 1); n++) {
        next = n + 1;
        for (const { at, size } of this.#pieces(n)) if (!this.#asked.has(at)) sum += size;
      }
    }
    return sum;
  }

  /** @param {number} at */
  #part(at) {
    return Math.floor(at / this.#partSize);
  }

  /**
   * The pieces of a part.
   * @param {number} n
   * @returns {Place[]}
   */
  #pieces(n) {
    const pieces = [];
    const end = Math.min(this.#size, (n + 1) * this.#partSize);
    for (let at = n * this.#partSize; at < end; at += FETCH) pieces.push({ at, size: Math.min(FETCH, end - at) });
    return pieces;
  }

  /**
   * Asks for what holds [from, to), and for what is before it in a part that was not touched yet.
   * @param {number} from
   * @param {number} to
   */
  #touch(from, to) {
    const wanted = [];
    for (let n = this.#part(from); n <= this.#part(to - 1); n++) {
      const first = !this.#touched.has(n);
      this.#touched.add(n);
      for (const place of this.#pieces(n)) {
        if (place.at >= to) break;
        if (place.at + place.size > from) wanted.push({ at: place.at, held: this.#hold(place) });
        else if (first) this.#pass(place);
      }
    }
    return wanted;
  }

  /**
   * A piece for one reader more. It is brought unless it is there.
   * @param {Place} place
   */
  #hold({ at, size }) {
    const held = this.#held.get(at) ?? { coming: this.#ask(at, size), size, readers: 0, pinned: false, kept: true };
    held.coming.catch(() => {}); // told to whoever reads it
    held.readers++;
    this.#held.delete(at);
    this.#held.set(at, held);
    const loose = [...this.#held].filter(([, { pinned }]) => !pinned);
    let sum = loose.reduce((n, [, { size }]) => n + size, 0);
    for (const [at, old] of loose) {
      if (sum <= KEPT || old === held) break;
      sum -= old.size;
      this.#evict(at, old);
    }
    return held;
  }

  /**
   * @param {number} at
   * @param {Held} held
   */
  #evict(at, held) {
    this.#held.delete(at);
    held.kept = false;
    this.#letGo(held);
  }

  /** @param {Held} held */
  #letGo(held) {
    if (!held.kept && !held.readers) held.coming.then(this.#spare, () => {});
  }

  /**
   * Brings a piece that nobody wants, unless it was asked for.
   * @param {Place} place
   */
  #pass({ at, size }) {
    if (this.#asked.has(at)) return;
    const coming = this.#ask(at, size).then(this.#spare);
    coming.catch(() => {}); // told by rest
    this.#unwanted.push(coming);
  }

  /**
   * Asks for a piece when it is its turn.
   * @param {number} at
   * @param {number} size
   */
  async #ask(at, size) {
    this.#asked.add(at);
    if (this.#free) this.#free--;
    else await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    try {
      return await this.#bring(at, size);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
