// @ts-check
// Reads a Blob from its beginning to its end, into room that serves again and again: fresh memory costs as much as what is read
// into it, and lies around until it is collected.

import { chromium } from "../js/chromium.js";
import { Pieces } from "./stretch.js";

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** What is being read. Chromium collects a stream that nobody holds while somebody waits for it. @type {Set<Reading>} */
const readings = new Set();

export class Reading {
  #blob;
  #room;
  /** @type {ReadableStreamBYOBReader | null} */
  #reader = null;
  /** All of it, where the browser does not read into what it is given. @type {Pieces | null} */
  #whole = null;

  /**
   * @param {Blob} blob
   * @param {Bytes} room for as much as is taken at once
   */
  constructor(blob, room) {
    this.#blob = blob;
    this.#room = room;
    readings.add(this);
    // WebKit has no such reader, and that of Firefox fails in the midst of a blob that is made of many files.
    if (chromium) this.#reader = /** @type {ReadableStream<Bytes>} */ (blob.stream()).getReader({ mode: "byob" });
  }

  /** The room, when the reading is over. */
  get room() {
    return this.#room;
  }

  /**
   * Returns the next n bytes, which are there until the next are taken. Throws "changed" if there are fewer, or if the browser
   * refuses to read them because the file is not what it was.
   * @param {number} n
   */
  async take(n) {
    try {
      return this.#reader ? await this.#fill(this.#reader, n) : (await this.#all()).take(n);
    } catch (e) {
      throw Object.assign(new Error(`failed to read: ${e}`), { code: "changed" });
    }
  }

  /** Lets go of it. */
  end() {
    readings.delete(this);
    this.#reader?.cancel().catch(() => {});
  }

  /**
   * @param {ReadableStreamBYOBReader} reader
   * @param {number} n
   */
  async #fill(reader, n) {
    for (let at = 0; at < n; ) {
      const { value, done } = await reader.read(this.#room.subarray(at, n));
      if (!value) throw new Error("cancelled");
      this.#room = new Uint8Array(value.buffer);
      if (done) throw new Error("too short");
      at += value.length;
    }
    return this.#room.subarray(0, n);
  }

  async #all() {
    this.#whole ??= new Pieces([new Uint8Array(await this.#blob.arrayBuffer())]);
    return this.#whole;
  }
}
