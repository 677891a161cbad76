// @ts-check
// The near end of a save: sends buffers through a port as the far end (sw.js, or js/receive.js) grants credit, which bounds
// memory, and keeps the last buffer back until the end is known to be good. So a download that turns out to be damaged or
// cut short never has all its bytes, and the browser marks it as failed.

import { collect, free } from "../js/garbage.js";

/** @import { SinkMessage, SinkNews, SourceMessage } from "../js/types.d.ts" */

const BUFFER = 1 << 20;

export class Sink {
  /** How the far end says it ended. @type {"complete" | "cancelled" | null} */
  outcome = null;
  #port;
  #abort;
  #news;
  #spare;
  #credit = 0;
  #wake = () => {};
  /** @type {number[]} */
  #untaken = []; // sizes of buffers sent
  #taken = 0;
  /** @type {ArrayBuffer | null} */
  #last = null;
  #pending = new Uint8Array(BUFFER);
  #filled = 0;
  #primed = false;

  /**
   * @param {MessagePort} port
   * @param {AbortController} abort is triggered when the far end gives up
   * @param {(n: SinkNews) => void} news
   * @param {(buffer: ArrayBuffer) => void} spare gets buffers back that have served, if the far end returns any
   */
  constructor(port, abort, news, spare) {
    this.#port = port;
    this.#abort = abort;
    this.#news = news;
    this.#spare = spare;
    port.onmessage = ({ data }) => this.#hear(data);
    abort.signal.addEventListener("abort", () => this.#wake());
  }

  /**
   * Takes bytes over.
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  async write(bytes) {
    if (!this.#filled && bytes.length === BUFFER && bytes.buffer.byteLength === BUFFER) {
      await this.#release();
      this.#last = bytes.buffer;
      return;
    }
    for (let i = 0; i < bytes.length; ) {
      const n = Math.min(BUFFER - this.#filled, bytes.length - i);
      this.#pending.set(bytes.subarray(i, i + n), this.#filled);
      this.#filled += n;
      i += n;
      if (this.#filled === BUFFER) await this.#flush();
    }
    free(bytes);
  }

  /** Everything is verified: sends what is left. Returns the outcome. */
  async end() {
    if (this.#filled) await this.#flush();
    await this.#release();
    this.#prime();
    await this.#until(() => this.#credit > 0); // else the far end has not been asked for the download yet
    this.#send({ type: "end" });
    await this.#until(() => this.outcome !== null);
    return this.outcome;
  }

  /** Makes the download fail where it stands. */
  fail() {
    this.#send({ type: "error" });
  }

  async #flush() {
    await this.#release();
    const full = this.#filled === BUFFER;
    this.#last = full ? this.#pending.buffer : this.#pending.slice(0, this.#filled).buffer;
    if (full) this.#pending = new Uint8Array(BUFFER);
    this.#filled = 0;
  }

  /** Sends the buffer kept back. */
  async #release() {
    const buffer = this.#last;
    if (!buffer) return;
    this.#prime();
    await this.#until(() => this.#credit > 0);
    this.#last = null;
    this.#credit--;
    this.#untaken.push(buffer.byteLength);
    collect(buffer.byteLength);
    this.#send({ type: "data", buffer }, [buffer]);
  }

  #prime() {
    if (!this.#primed) this.#news({ type: "primed" });
    this.#primed = true;
  }

  /** @param {() => boolean} condition */
  async #until(condition) {
    for (;;) {
      if (this.outcome === "cancelled") throw Object.assign(new Error("cancelled"), { code: "cancelled" });
      if (condition()) return;
      this.#abort.signal.throwIfAborted();
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
  }

  /**
   * @param {SinkMessage} m
   * @param {Transferable[]} [transfer]
   */
  #send(m, transfer = []) {
    this.#port.postMessage(m, transfer);
  }

  /** @param {SourceMessage} m */
  #hear(m) {
    if (m.type === "credit") {
      this.#credit += m.n;
      if (m.buffer) this.#spare(m.buffer);
      if (m.taken) {
        this.#taken += this.#untaken.shift() ?? 0;
        this.#news({ type: "progress", done: this.#taken });
      }
    } else if (m.type === "failed") {
      this.#abort.abort(Object.assign(new Error("the far end failed"), { code: m.code }));
    } else {
      this.outcome = m.type;
      if (m.type === "cancelled") this.#abort.abort(Object.assign(new Error("cancelled"), { code: "cancelled" }));
    }
    this.#wake();
  }
}
