// @ts-check
// What has arrived of a share whose sender is still sending, asked for again and again. Where the server can, it holds its answer
// back until there is news; else it says when to ask, and the longer there is none, the seldomer it is asked.
//
// A sender may rest for hours and this device may be disconnected for as long: that only takes time. What ends it is that the
// share is whole, or that the server does not have it any more: then the sender has given up ("given-up").

import * as api from "../js/api.js";
import { checkParts } from "./answers.js";
import { unlessAborted } from "./gate.js";

/** @import { Parts, Share } from "../js/types.d.ts" */

const HELD = 20; // seconds for which the server may hold an answer back: a connection that says nothing for 30 is taken for dead
const REST = 1000; // milliseconds between two questions, at least; doubles each time that there was no news at once
const LONGEST_REST = 20_000;

export class Arrivals {
  /** Of a download, which counts as used by asking with it. @type {string | null} */
  ticket;
  /** Whether the server has answered the last question. */
  heard = true;
  /** Are called when there is news, or none can be had. @type {Set<() => void>} */
  listeners = new Set();
  #id;
  #access;
  #stop = new AbortController();
  /** @type {Parts} */
  #parts;
  /** @type {PromiseWithResolvers<void>} */
  #news = Promise.withResolvers();

  /**
   * @param {Share} share
   * @param {string} access token
   * @param {string | null} ticket
   */
  constructor({ id, state, partSize, size }, access, ticket) {
    this.#id = id;
    this.#access = access;
    this.ticket = ticket;
    this.#parts = { state, partSize, size, manifest: false, count: 0, ranges: [] };
    this.#askOn();
  }

  /** Whether all has arrived. */
  get whole() {
    return this.#parts.state === "ready";
  }

  /** Whether the manifest has. */
  get manifest() {
    return this.#parts.manifest;
  }

  /** The size of the content; a bound that the sender has announced, before all has arrived. */
  get size() {
    return this.#parts.size;
  }

  /** How much of the content has arrived, from 0 to 1: rather too little than too much, because of that bound. */
  get part() {
    const { count, partSize, size } = this.#parts;
    return this.whole ? 1 : Math.min(1, (count * partSize) / size);
  }

  /**
   * Whether part n is known to be there and to be as long as most are: that it is not the last one, which may be shorter, is known
   * when one behind it has arrived.
   * @param {number} n
   */
  has(n) {
    const { ranges } = this.#parts;
    const last = ranges.at(-1)?.[1] ?? 0;
    return n < last && ranges.some(([from, to]) => from <= n && n <= to);
  }

  /**
   * Resolves when the condition holds.
   * @param {() => boolean} condition
   * @param {AbortSignal} [signal]
   */
  async until(condition, signal = this.#stop.signal) {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      if (condition()) return;
      await unlessAborted(this.#news.promise, signal);
    }
  }

  /** Asks no more. Who waits is told so ("ended"), or why. */
  end(reason = Object.assign(new Error("nobody asks any more"), { code: "ended" })) {
    this.#stop.abort(reason);
    this.#tell();
  }

  async #askOn() {
    const { signal } = this.#stop;
    for (let rest = REST; !this.whole && !signal.aborted; ) {
      const begun = performance.now(), before = this.#parts;
      const atLeast = await this.#ask();
      const held = this.heard && performance.now() - begun > REST;
      rest = held || this.#parts !== before ? REST : Math.min(LONGEST_REST, 2 * rest);
      if (!this.whole) await pause(Math.max(atLeast, rest * (0.75 + Math.random() / 2)), signal);
    }
  }

  /** Asks once. Resolves to the milliseconds for which the server wants to be left alone. */
  async #ask() {
    const { manifest, count } = this.#parts;
    const query = manifest ? `?wait=${HELD}&seen=${count}` : ""; // that the manifest arrives is no news to the server
    const { ticket } = this;
    try {
      this.#hear(checkParts(await api.getParts(this.#id, ticket ?? this.#access, { query, signal: this.#stop.signal, tries: 1 })));
    } catch (e) {
      const { code, retryAfter = 0 } = /** @type {any} */ (e);
      if (code !== "not-found") {
        this.heard = false;
        this.#tell();
        return retryAfter * 1000;
      }
      if (ticket) this.ticket = null; // which has ended, and the share may not have
      else this.end(givenUp());
    }
    return 0;
  }

  /** @param {Parts} parts */
  #hear(parts) {
    const { manifest, count, state } = this.#parts;
    const news = !this.heard || parts.manifest !== manifest || parts.count !== count || parts.state !== state;
    this.heard = true;
    if (!news) return;
    this.#parts = parts;
    this.#tell();
  }

  #tell() {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
    for (const listener of this.listeners) listener();
  }
}

/** What becomes of those who follow when the server does not have it any more. */
export const givenUp = () => Object.assign(new Error("the sender has given up"), { code: "given-up" });

/**
 * Waits, but not longer than until the device is connected again or the signal is given.
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  const over = new AbortController();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    addEventListener("online", resolve, { signal: over.signal });
    signal.addEventListener("abort", resolve, { signal: over.signal });
    over.signal.addEventListener("abort", () => clearTimeout(timer));
  }).finally(() => over.abort());
}
