// @ts-check
// Where a save gets sealed bytes from: the server's parts, under the ticket, and what the hoard has of them. A connection that
// breaks is none of its callers' business: from the byte on at which it broke, what is missing is asked for again (js/api.js),
// and no other download is taken for that. Nor is a hoard that was damaged: what does not open is fetched again.

import * as api from "../js/api.js";
import { free } from "../js/garbage.js";
import { Piece } from "../js/line.js";
import { ahead } from "./pipeline.js";

/** @import { Share } from "../js/types.d.ts" */
/** @import { Arrivals } from "./arrivals.js" */
/** @import { Crew } from "./crew.js" */
/** @import { Hoard } from "./hoard.js" */
/** @import { Meter } from "./meter.js" */
/** @import { Bytes } from "./stretch.js" */

const REQUESTS_AHEAD = 3;
const FETCH = 8 << 20; // bytes of one request

export class Source {
  #share;
  #ticket;
  #meter;
  #signal;
  #arrivals;
  #hoard;
  #crew;
  #renew;
  /** @type {Promise<void> | null} */
  #renewed = null;
  #awaits = false;
  /** Pieces of which the hoard gave something: where they begin, and where that ends. @type {Map<number, number>} */
  #recalled = new Map();
  /** What was brought by fresh(). @type {Map<number, Promise<Bytes>>} */
  #fresh = new Map();
  /** Whether the server was asked for anything that the hoard might have had. */
  asked = false;

  /**
   * @param {Share} share
   * @param {string} ticket
   * @param {Meter} meter of what arrives
   * @param {AbortSignal} signal
   * @param {Arrivals | null} arrivals if some of it has not arrived at the server
   * @param {Hoard | null} hoard
   * @param {Crew} crew which has buffers that served before
   * @param {() => Promise<void>} renew presents the ticket anew
   */
  constructor(share, ticket, meter, signal, arrivals, hoard, crew, renew) {
    this.#share = share;
    this.#ticket = ticket;
    this.#meter = meter;
    this.#signal = signal;
    this.#arrivals = arrivals;
    this.#hoard = hoard;
    this.#crew = crew;
    this.#renew = renew;
  }

  /**
   * Yields the whole content, front to back.
   * @param {number} plain how many plain bytes it stands for, which are not counted while they follow a sender
   * @param {(size: number) => void} sized is told how large it was, if that turned out at the end only
   */
  stream(plain, sized) {
    const requests = this.#arrivals ? this.#following(this.#arrivals, sized) : this.#requests(0, this.#share.size, plain, this.#hoard);
    return ahead(REQUESTS_AHEAD, requests);
  }

  /** Whether what comes next has not arrived at the server, as far as that says anything. */
  get waiting() {
    return this.#awaits && !this.#meter.busy && this.#arrivals?.heard === true;
  }

  /**
   * The requests that bring the content part by part, each when it has arrived, until the sender has completed it.
   * @param {Arrivals} arrivals
   * @param {(size: number) => void} sized
   */
  async *#following(arrivals, sized) {
    const { partSize } = this.#share;
    for (let n = 1, at = 0; ; n++, at += partSize) {
      this.#awaits = true;
      this.#meter.changed();
      await arrivals.until(() => arrivals.whole || arrivals.has(n), this.#signal);
      this.#awaits = false;
      const end = arrivals.whole ? arrivals.size : at + partSize;
      yield* this.#requests(at, Math.min(end, at + partSize), 0, this.#hoard);
      if (arrivals.whole && at + partSize >= arrivals.size) break;
    }
    sized(arrivals.size);
  }

  /**
   * Brings sealed bytes [from, to) of the content, which hold plain bytes that are wanted.
   * @param {number} from
   * @param {number} to
   * @param {number} [plain]
   * @param {Hoard | null} [hoard] that may have them
   */
  async range(from, to, plain = 0, hoard = this.#hoard) {
    const whole = new Uint8Array(to - from);
    let n = 0;
    for await (const bytes of ahead(REQUESTS_AHEAD, this.#requests(from, to, plain, hoard))) {
      whole.set(bytes, n);
      n += bytes.length;
      free(bytes);
    }
    return whole;
  }

  /**
   * Brings sealed bytes [from, to), and nothing else, from the server.
   * @param {number} from
   * @param {number} to
   */
  exactly(from, to) {
    return this.range(from, to, 0, null);
  }

  /**
   * Brings sealed bytes [from, to) from the server alone, once: those that the opener takes one time only, so that they must not
   * be damaged.
   * @param {number} from
   * @param {number} to
   */
  async fresh(from, to) {
    const coming = this.#fresh.get(from) ?? this.range(from, to, 0, null);
    this.#fresh.set(from, coming);
    return (await coming).slice();
  }

  /**
   * What the content begins with, as the server has it.
   * @param {Bytes} bytes the same as they have come
   */
  async prefix(bytes) {
    if (this.#recalled.has(0)) return this.fresh(0, bytes.length);
    this.#fresh.set(0, Promise.resolve(bytes.slice()));
    return bytes;
  }

  /**
   * Brings sealed bytes again that do not open, if the hoard may be why. What it has of them is thrown away. Else throws why they
   * do not.
   * @param {number} from
   * @param {number} to
   * @param {any} why
   */
  async again(from, to, why) {
    const suspects = [...this.#recalled].filter(([at, end]) => at < to && end > from).map(([at]) => at);
    if (why.code !== "damaged" || !suspects.length) throw why;
    for (const at of suspects) await this.#hoard?.drop(at);
    return this.range(from, to, 0, null);
  }

  /**
   * The requests that bring sealed bytes [from, to), in order: a part, or a piece of one, each. Where in them the plain bytes lie
   * is not known yet, so each counts for its share of them.
   * @param {number} from
   * @param {number} to
   * @param {number} plain
   * @param {Hoard | null} hoard
   * @returns {Generator<() => Promise<Bytes>, void, void>}
   */
  *#requests(from, to, plain, hoard) {
    const { partSize } = this.#share;
    for (let a = from; a < to; ) {
      const n = Math.floor(a / partSize), start = a, end = Math.min(to, (n + 1) * partSize, a + FETCH);
      const meter = this.#meter.piece(end - start, (plain * (end - start)) / (to - from));
      yield async () => {
        const piece = new Piece(start - n * partSize, this.#crew.buffer(end - start));
        const bytes = hoard ? await this.#kept(start, n + 1, piece, meter.moved, hoard) : await this.#fetch(n + 1, piece, meter.moved);
        meter.settle();
        return bytes;
      };
      a = end;
    }
  }

  /**
   * Takes from the hoard what it has of a piece, brings what is missing, and keeps that.
   * @param {number} at where in the content it begins
   * @param {number} n of the part
   * @param {Piece} piece
   * @param {(bytes: number) => void} moved
   * @param {Hoard} hoard
   */
  async #kept(at, n, piece, moved, hoard) {
    const keeping = hoard.keep(at, piece);
    try {
      await keeping.recall();
      if (piece.filled) this.#recalled.set(at, at + piece.filled);
      if (piece.filled === piece.bytes.length) return piece.bytes;
      this.asked = true;
      return await this.#fetch(n, piece, (bytes) => {
        keeping.arrived();
        moved(bytes);
      });
    } finally {
      await keeping.end();
    }
  }

  /**
   * Brings what is missing of a piece. A server may have forgotten a ticket that was idle for a day, as when a computer slept: then it
   * is presented anew, once.
   * @param {number} n of the part
   * @param {Piece} piece
   * @param {(bytes: number) => void} moved
   */
  async #fetch(n, piece, moved) {
    const get = () => api.getPart(this.#share.id, this.#ticket, n, piece, this.#signal, () => moved(piece.filled));
    try {
      return await get();
    } catch (e) {
      if (/** @type {any} */ (e).code !== "not-found") throw e;
      await (this.#renewed ??= this.#renew());
      return get();
    }
  }
}
