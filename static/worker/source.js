// @ts-check
// Where a save gets sealed bytes from: the server's parts, under the ticket, and what the hoard has of them. A connection that
// breaks is none of its callers' business: from the byte on at which it broke, what is missing is asked for again (js/api.js),
// and no other download is taken for that. Nor is a hoard that was damaged: what does not open is fetched again.
//
// The whole comes front to back, piece by piece. What is read at random comes in whole parts (parts.js).

import { free } from "../js/garbage.js";
import { Piece } from "../js/line.js";
import * as direct from "./direct.js";
import { FETCH, Parts } from "./parts.js";
import { ahead } from "./pipeline.js";

/** @import { Share } from "../js/types.d.ts" */
/** @import { Arrivals } from "./arrivals.js" */
/** @import { Crew } from "./crew.js" */
/** @import { Hoard } from "./hoard.js" */
/** @import { Meter } from "./meter.js" */
/** @import { Bytes } from "./stretch.js" */

const REQUESTS_AHEAD = 3;
export const PREFIX = 184; // bytes before the first chunk

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
  /** What is brought once. @type {Map<number, Promise<Bytes>>} */
  #fresh = new Map();
  /** What is read at random. @type {Parts | null} */
  #parts = null;
  #worth = 0; // plain bytes that one of those stands for
  /** Whether the server was asked for anything that the hoard might have had. */
  asked = false;
  /** How many bytes have come over the line. */
  fetched = 0;

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
   * Brings sealed bytes [from, to) of the content, to be read at random: all of the parts that hold them, once.
   * @param {number} from
   * @param {number} to
   */
  range(from, to) {
    return this.#whole().read(from, to);
  }

  /**
   * Tells what is going to be read at random, and how many plain bytes are wanted of it, which are counted as it comes.
   * @param {[from: number, to: number][]} ranges of sealed bytes, ascending
   * @param {number} plain
   */
  expect(ranges, plain) {
    const cost = this.#whole().cost(ranges);
    this.#worth = Math.max(0, plain - this.#meter.settled) / (cost || 1);
  }

  /** Brings the rest of the parts that were read at random. */
  async rest() {
    await this.#parts?.rest();
  }

  /**
   * Brings sealed bytes [from, to) from the server alone, once: those that the opener takes one time only, so that they must not
   * be damaged. (Of what is read at random the hoard has nothing before.) What the content begins with everybody asks for, so that
   * comes by itself, unless it is in the only part.
   * @param {number} from
   * @param {number} to
   */
  async fresh(from, to) {
    const { size, partSize } = this.#share;
    return this.#once(from, () => (to <= PREFIX && size > partSize ? this.exactly(from, to) : this.#whole().read(from, to, true)));
  }

  /**
   * What the content begins with, as the server has it.
   * @param {Bytes} bytes the same as they have come
   */
  async prefix(bytes) {
    return this.#once(0, async () => (this.#recalled.has(0) ? this.exactly(0, bytes.length) : bytes.slice()));
  }

  /**
   * @param {number} from
   * @param {() => Promise<Bytes>} bring
   */
  async #once(from, bring) {
    const coming = this.#fresh.get(from) ?? bring();
    this.#fresh.set(from, coming);
    return (await coming).slice();
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
    if (!this.#parts) return this.exactly(from, to);
    this.#parts.forget(from, to);
    return this.range(from, to);
  }

  /**
   * Brings sealed bytes [from, to), and nothing else, from the server.
   * @param {number} from
   * @param {number} to
   */
  async exactly(from, to) {
    const whole = new Uint8Array(to - from);
    let n = 0;
    for await (const bytes of ahead(REQUESTS_AHEAD, this.#requests(from, to, 0, null))) {
      whole.set(bytes, n);
      n += bytes.length;
      free(bytes);
    }
    return whole;
  }

  #whole() {
    this.#parts ??= new Parts(this.#share, (at, size) => this.#bring(at, size, size * this.#worth, this.#hoard), (bytes) => this.#crew.spare(bytes.buffer));
    return this.#parts;
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
      yield () => this.#bring(start, end - start, (plain * (end - start)) / (to - from), hoard);
      a = end;
    }
  }

  /**
   * Brings a piece of a part.
   * @param {number} at where in the content it begins
   * @param {number} size
   * @param {number} plain bytes that it counts for
   * @param {Hoard | null} hoard
   */
  async #bring(at, size, plain, hoard) {
    const n = Math.floor(at / this.#share.partSize);
    const meter = this.#meter.piece(size, plain);
    const piece = new Piece(at - n * this.#share.partSize, this.#crew.buffer(size));
    const bytes = hoard ? await this.#kept(at, n + 1, piece, meter.moved, hoard) : await this.#fetch(n + 1, piece, meter.moved);
    meter.settle();
    return bytes;
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
    let came = 0;
    const get = () =>
      direct.getPart(this.#share.direct, this.#share.id, this.#ticket, n, piece, this.#signal, () => {
        this.fetched += piece.came - came;
        came = piece.came;
        moved(piece.filled);
      });
    try {
      return await get();
    } catch (e) {
      if (/** @type {any} */ (e).code !== "not-found") throw e;
      await (this.#renewed ??= this.#renew());
      return get();
    }
  }
}
