// @ts-check
// Looking at entries without saving them: bytes are opened frame by frame from wherever they are wanted, a few frames ahead of whoever
// takes them. So a video is fetched as far as it is watched, and to seek in it costs a frame or two. The last frames are kept, in case
// that they are wanted again, and no more than those: memory does not grow with what is looked at.
//
// Each frame is authentic by itself, and the tar around an entry is checked as far as it is seen. That the whole is there, and in
// order, only saving tells.

import { Crew } from "./crew.js";
import { unlessAborted } from "./gate.js";
import { Meter } from "./meter.js";
import { openWindow } from "./opening.js";
import { Source } from "./source.js";

/** @import { MediaAnswer, MediaQuestion, Share } from "../js/types.d.ts" */
/** @import { Engine, Manifest, Opener } from "./engine.d.ts" */
/** @import { Bytes } from "./stretch.js" */

const FRAME = 1 << 20;
const KEPT = 12; // frames
const AHEAD = 3; // frames, at most, that are brought before they are asked for
const PIECE = 256 << 10; // bytes that go to the service worker at once
const LISTENERS = 4; // players have one or two connections at a time

/**
 * @typedef {object} Order what is to be looked at
 * @property {Share} share
 * @property {string} ticket
 * @property {() => Promise<void>} renew presents it anew
 * @property {Manifest} manifest
 * @property {() => Opener} opener makes one
 *
 * @typedef {object} Held a frame
 * @property {number} n
 * @property {Promise<Bytes>} bytes
 * @property {number} users who wait for it, or take of it
 * @property {boolean} there
 * @property {AbortController} abort
 */

export class Viewing {
  #order;
  #crew;
  #opener;
  /** @type {Promise<void> | null} */
  #table = null;
  /** The one that was used last is the last. @type {Map<number, Held>} */
  #frames = new Map();
  #reading = new AbortController();
  /** Those who are answered, the first first. @type {Set<AbortController>} */
  #listeners = new Set();
  #over = new AbortController();

  /**
   * @param {{engine: Engine, module: WebAssembly.Module}} loaded
   * @param {Order} order
   */
  constructor(loaded, order) {
    this.#order = order;
    this.#crew = Crew.alone(loaded);
    this.#opener = order.opener();
    this.#opener.start(order.share.size);
  }

  /**
   * Opens the first bytes of an entry. Whatever was being read before is given up.
   * @param {number} index
   * @param {number} most
   * @param {(n: {done: number}) => void} news
   * @returns {Promise<Bytes[]>}
   */
  async read(index, most, news) {
    this.#reading.abort(left());
    const { signal } = (this.#reading = new AbortController());
    const pieces = [];
    let done = 0;
    for await (const bytes of this.#stream(index, 0, Math.min(most, this.#size(index)), signal)) {
      pieces.push(bytes.slice());
      news({ done: (done += bytes.length) });
    }
    return pieces;
  }

  /**
   * Answers one request of a player (sw.js) through the port, until it has all that it asked for or wants no more of it.
   * @param {number} index
   * @param {MessagePort} port
   */
  async answer(index, port) {
    const gone = new AbortController();
    this.#listeners.add(gone);
    if (this.#listeners.size > LISTENERS) [...this.#listeners][0].abort(left()); // whose end this one was not told of
    /** @type {AsyncGenerator<Bytes, void, void> | null} */
    let pieces = null;
    const say = (/** @type {MediaAnswer} */ m, transfer = /** @type {Transferable[]} */ ([])) => port.postMessage(m, transfer);
    /** @type {PromiseWithResolvers<void>} */
    const end = Promise.withResolvers();
    const give = async () => {
      const { value } = (await pieces?.next()) ?? {};
      if (value) return say({ type: "data", buffer: value.buffer }, [value.buffer]);
      say({ type: "end" });
      end.resolve();
    };
    port.onmessage = ({ data }) => {
      const m = /** @type {MediaQuestion} */ (data);
      if (m.type === "open") pieces = cut(this.#stream(index, m.from, m.to, gone.signal));
      else if (m.type === "pull") give().catch(end.reject);
      else gone.abort(left());
    };
    gone.signal.addEventListener("abort", () => end.reject(gone.signal.reason));
    try {
      await end.promise;
    } catch (e) {
      say({ type: "error" }); // also to who was given up for another, and would wait for ever
      if (/** @type {any} */ (e).code !== "left") throw e;
    } finally {
      gone.abort(left());
      this.#listeners.delete(gone);
      port.close();
    }
  }

  /** Gives up what is being read and whatever was opened. */
  end() {
    this.#over.abort(left());
    this.#reading.abort(left());
    for (const listener of this.#listeners) listener.abort(left());
    for (const { abort } of this.#frames.values()) abort.abort(left());
    this.#frames.clear();
    this.#crew.end();
    this.#opener.close();
  }

  /** @param {number} index */
  #size(index) {
    return this.#order.manifest.entries[index].size;
  }

  /**
   * Yields bytes [from, to) of an entry, which are only to be read, and only until the next are asked for.
   * @param {number} index
   * @param {number} from
   * @param {number} to
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Bytes, void, void>}
   */
  async *#stream(index, from, to, signal) {
    const { offset } = this.#order.manifest.entries[index];
    const a = offset + from, b = offset + to, first = Math.floor(a / FRAME), end = Math.ceil(b / FRAME);
    /** @type {Held[]} */
    const held = [];
    try {
      for (let n = first, next = first; n < end; n++) {
        while (next < end && next - n <= Math.min(AHEAD, n - first)) held.push(this.#take(next++)); // who only looks in gets no more
        const bytes = await unlessAborted(held[0].bytes, signal);
        yield bytes.subarray(Math.max(0, a - n * FRAME), Math.min(FRAME, b - n * FRAME));
        this.#release(/** @type {Held} */ (held.shift()));
      }
    } finally {
      for (const frame of held) this.#release(frame);
    }
  }

  /** @param {number} n */
  #take(n) {
    const frame = this.#frames.get(n) ?? this.#open(n);
    this.#frames.delete(n);
    this.#frames.set(n, frame);
    frame.users++;
    return frame;
  }

  /** @param {Held} frame */
  #release(frame) {
    frame.users--;
    if (!frame.users && !frame.there) {
      frame.abort.abort(left());
      this.#forget(frame);
    }
    for (const old of this.#frames.values()) {
      if (this.#frames.size <= KEPT) return;
      if (!old.users) this.#forget(old);
    }
  }

  /** @param {Held} frame */
  #forget(frame) {
    if (this.#frames.get(frame.n) === frame) this.#frames.delete(frame.n);
  }

  /** @param {number} n */
  #open(n) {
    const abort = new AbortController();
    /** @type {Held} */
    const frame = { n, users: 0, there: false, abort, bytes: this.#bring(n, abort.signal) };
    frame.bytes.then(() => (frame.there = true), () => this.#forget(frame));
    return frame;
  }

  /**
   * @param {number} n
   * @param {AbortSignal} signal
   */
  async #bring(n, signal) {
    this.#table ??= this.#readTable();
    await unlessAborted(this.#table.catch((e) => {
      this.#table = null; // another time, perhaps
      throw e;
    }), signal);
    const to = Math.min((n + 1) * FRAME, this.#order.manifest.size);
    const [bytes] = await openWindow(this.#crew, this.#opener, n * FRAME, to, this.#source(signal));
    return bytes;
  }

  async #readTable() {
    const source = this.#source(this.#over.signal);
    let range = /** @type {void | [number, number]} */ (this.#opener.tableRange());
    while (range) range = this.#opener.table(await source.range(...range));
  }

  /**
   * Brings what is wanted of parts and no more.
   * @param {AbortSignal} signal
   */
  #source(signal) {
    const { share, ticket, renew } = this.#order;
    const source = new Source(share, ticket, new Meter(() => {}), signal, null, null, this.#crew, renew);
    return {
      range: (/** @type {number} */ from, /** @type {number} */ to) => source.exactly(from, to),
      again: (/** @type {number} */ from, /** @type {number} */ to, /** @type {any} */ why) => source.again(from, to, why),
    };
  }
}

/** Nobody is there any more who would want it. */
const left = () => Object.assign(new Error("nobody looks any more"), { code: "left" });

/**
 * Cuts bytes into pieces that may be handed over.
 * @param {AsyncGenerator<Bytes, void, void>} stream
 * @returns {AsyncGenerator<Bytes, void, void>}
 */
async function* cut(stream) {
  for await (const bytes of stream) {
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.slice(at, at + PIECE);
  }
}
