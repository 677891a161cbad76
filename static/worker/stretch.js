// @ts-check
// Bytes that follow each other, in the buffers in which they came. They go to other workers without being copied, but where a
// buffer is needed in two places.

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** A stretch of some stream: grows at its end and is taken from its beginning. */
export class Stretch {
  /** @type {{at: number, bytes: Bytes}[]} */
  #buffers = [];
  /** Where in the stream the stretch ends. */
  end = 0;

  /**
   * Takes bytes over, the whole buffer with them.
   * @param {Uint8Array} bytes
   */
  add(bytes) {
    if (bytes.length) this.#buffers.push({ at: this.end, bytes: /** @type {Bytes} */ (bytes) });
    this.end += bytes.length;
  }

  /**
   * Leaves out so many bytes, which nobody is going to take.
   * @param {number} size
   */
  pass(size) {
    this.end += size;
  }

  /**
   * Hands over [from, to) of the stream, in pieces whose buffers nobody else has. What is before keep is forgotten; what is
   * handed over and not forgotten stays here as it is.
   * @param {number} from
   * @param {number} to
   * @param {number} [keep]
   * @returns {Bytes[]}
   */
  take(from, to, keep = to) {
    const pieces = [];
    const kept = [];
    for (const { at, bytes } of this.#buffers) {
      const end = at + bytes.length;
      const wanted = bytes.subarray(Math.max(0, from - at), Math.max(0, to - at));
      const rest = bytes.subarray(Math.max(0, keep - at));
      if (!wanted.length) {
        if (rest.length) kept.push({ at, bytes });
      } else if (!rest.length) {
        pieces.push(wanted);
      } else if (rest.length < wanted.length) {
        kept.push({ at: end - rest.length, bytes: rest.slice() });
        pieces.push(wanted);
      } else {
        kept.push({ at, bytes });
        pieces.push(wanted.slice());
      }
    }
    this.#buffers = kept;
    return pieces;
  }

  /** Forgets all of it. */
  clear() {
    this.#buffers = [];
  }
}

/** Pieces that are read one after another. */
export class Pieces {
  #pieces;
  #used = 0; // of the first

  /** @param {Bytes[]} pieces */
  constructor(pieces) {
    this.#pieces = [...pieces];
  }

  get left() {
    return this.#pieces.reduce((n, { length }) => n + length, -this.#used);
  }

  /**
   * Returns the next n bytes: where they lie, if they lie together, else copied into scratch, if there is one.
   * @param {number} n
   * @param {Bytes} [scratch]
   */
  take(n, scratch) {
    if (this.#pieces.length && this.#pieces[0].length - this.#used >= n) return this.#next(n);
    const joined = scratch?.subarray(0, n) ?? new Uint8Array(n);
    for (let at = 0; at < n; ) {
      if (!this.#pieces.length) throw new Error("BUG: pieces too short");
      const some = this.#next(Math.min(n - at, this.#pieces[0].length - this.#used));
      joined.set(some, at);
      at += some.length;
    }
    return joined;
  }

  /** @param {number} n */
  #next(n) {
    const bytes = this.#pieces[0].subarray(this.#used, (this.#used += n));
    if (this.#used === this.#pieces[0].length) {
      this.#pieces.shift();
      this.#used = 0;
    }
    return bytes;
  }
}

/** @param {Bytes[]} pieces */
export const join = (pieces) => {
  const all = new Pieces(pieces);
  return all.take(all.left);
};
