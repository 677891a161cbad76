// @ts-check
// The work of a crew: what takes time, and needs to know of a share no more than one key and a place. Each job takes pieces over
// and returns pieces, and keeps neither.

import { collect, free } from "../js/garbage.js";
import { CHUNK, TAG, cipher } from "./cipher.js";
import { have } from "./load.js";
import { Reading } from "./reading.js";
import { Pieces } from "./stretch.js";

/** @import { Key } from "./cipher.js" */
/** @import { Bytes } from "./stretch.js" */
/** @import { Compressor, Decompressor, Engine, Frame, Part, Run } from "./engine.d.ts" */

const AT_ONCE = 8; // chunks that cross into the engine together
const ROOM = (1 << 20) + (8 << 10); // for any frame
const FRAME = 1 << 20;
const SPARES = 16; // buffers of a size that are kept

export class Work {
  #engine;
  /** Joins what does not lie together. */
  #scratch = new Uint8Array(ROOM);
  #plain = new Buffers(FRAME);
  #frames = new Buffers(ROOM); // compressed
  #chunks = new Buffers(AT_ONCE * CHUNK); // opened
  /** @type {ReturnType<typeof cipher> | null} */
  #cipher = null;
  /** @type {Compressor | null} */
  #compressor = null;
  /** @type {Decompressor | null} */
  #decompressor = null;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * Reads frames and compresses those that are wanted. With digests it tells the SHA-256 of each as it was read, too.
   * @param {{blob: Blob, sizes: number[], wanted: boolean[], digests: boolean}} job
   */
  async compress({ blob, sizes, wanted, digests }) {
    const plain = new Reading(blob, this.#plain.take());
    const pieces = [], sums = [];
    try {
      for (const [i, size] of sizes.entries()) {
        const frame = await plain.take(size);
        if (digests) sums.push(crypto.subtle.digest("SHA-256", frame)); // of a copy
        pieces.push(wanted[i] ? this.#compress(frame) : new Uint8Array(0));
        collect(size);
      }
    } finally {
      plain.end();
      this.#plain.spare(plain.room);
    }
    return { pieces, digests: (await Promise.all(sums)).map((sum) => new Uint8Array(sum)) };
  }

  /**
   * Seals a part, into the buffer given if there is one, and tells its SHA-256.
   * @param {{key: Key, part: Part, outs: ArrayBuffer[]}} job
   * @param {Bytes[]} pieces
   */
  async seal({ key, part, outs: [out] }, pieces) {
    this.#cipher ??= cipher(this.#engine, key);
    const bytes = out ? new Uint8Array(out) : new Uint8Array(part.size);
    bytes.set(part.head);
    let { chunk, at } = part;
    for (const { some, last } of portions(pieces, AT_ONCE * CHUNK, this.#scratch)) {
      await this.#cipher.seal(some, chunk, last && part.last, bytes, at);
      chunk += AT_ONCE;
      at += AT_ONCE * (CHUNK + TAG);
    }
    for (const piece of pieces) this.#frames.spare(piece);
    collect(bytes.length);
    return { pieces: [bytes], digest: new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) };
  }

  /**
   * Opens a run of chunks. Returns the buffers of the pieces, too.
   * @param {{key: Key, run: Run}} job
   * @param {Bytes[]} pieces
   */
  async open({ key, run }, pieces) {
    this.#cipher ??= cipher(this.#engine, key);
    const opened = [];
    let { chunk } = run;
    for (const { some, last } of portions(pieces, AT_ONCE * (CHUNK + TAG), this.#scratch)) {
      const room = this.#chunks.take();
      opened.push(room.subarray(0, await this.#cipher.open(some, chunk, last && run.last, room)));
      chunk += AT_ONCE;
    }
    collect(run.to - run.from);
    return { pieces: opened, spent: pieces.map(({ buffer }) => buffer) };
  }

  /**
   * Decompresses frames, into the buffers given as far as there are some.
   * @param {{frames: Frame[], outs: ArrayBuffer[]}} job
   * @param {Bytes[]} pieces
   */
  decompress({ frames, outs }, pieces) {
    this.#decompressor ??= this.#engine.newDecompressor();
    const sealed = new Pieces(pieces);
    const opened = [];
    for (const { size, plain } of frames) {
      const decompressor = this.#decompressor;
      const made = have(this.#engine, decompressor, sealed.take(size, this.#scratch), () => decompressor.frame(size, plain));
      const out = made.length === FRAME && outs.pop();
      if (out) new Uint8Array(out).set(made);
      opened.push(out ? new Uint8Array(out) : made.slice());
      collect(size);
    }
    for (const piece of pieces) this.#chunks.spare(piece);
    return { pieces: opened };
  }

  /** @param {Bytes} plain */
  #compress(plain) {
    this.#compressor ??= this.#engine.newCompressor();
    const compressor = this.#compressor;
    const made = have(this.#engine, compressor, plain, () => compressor.frame(plain.length));
    if (made.length < ROOM / 2) return made.slice();
    const room = this.#frames.take();
    room.set(made);
    return room.subarray(0, made.length);
  }
}

/** Buffers of one size that serve again and again: fresh ones cost as much as what is done with them. */
class Buffers {
  #size;
  /** @type {Bytes[]} */
  #spares = [];

  /** @param {number} size */
  constructor(size) {
    this.#size = size;
  }

  take() {
    return this.#spares.pop() ?? new Uint8Array(this.#size);
  }

  /** @param {Bytes} bytes that nobody reads any more, and whose buffer is kept if it has the size */
  spare({ buffer }) {
    if (buffer.byteLength === 0) return; // it went with a read that failed
    if (buffer.byteLength === this.#size && this.#spares.length < SPARES) this.#spares.push(new Uint8Array(buffer));
    else free(new Uint8Array(buffer));
  }
}

/**
 * The pieces in portions of size bytes, the last of them smaller, or of nothing.
 * @param {Bytes[]} pieces
 * @param {number} size
 * @param {Bytes} scratch
 */
function* portions(pieces, size, scratch) {
  const all = new Pieces(pieces);
  for (let left = all.left; ; left -= size) {
    yield { some: all.take(Math.min(size, left), scratch), last: left <= size };
    if (left <= size) return;
  }
}
