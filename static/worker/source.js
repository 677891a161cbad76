// @ts-check
// Where a save gets sealed bytes from: the server's parts, under the ticket. A connection that breaks is none of its callers'
// business: from the byte on at which it broke, what is missing is asked for again (js/api.js), and no other download is taken
// for that.

import * as api from "../js/api.js";
import { free } from "../js/garbage.js";
import { Piece } from "../js/line.js";
import { ahead } from "./pipeline.js";

/** @import { Share } from "../js/types.d.ts" */
/** @import { Arrivals } from "./arrivals.js" */
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
  #awaits = false;

  /**
   * @param {Share} share
   * @param {string} ticket
   * @param {Meter} meter of what arrives
   * @param {AbortSignal} signal
   * @param {Arrivals | null} arrivals if some of it has not arrived at the server
   */
  constructor(share, ticket, meter, signal, arrivals) {
    this.#share = share;
    this.#ticket = ticket;
    this.#meter = meter;
    this.#signal = signal;
    this.#arrivals = arrivals;
  }

  /**
   * Yields the whole content, front to back.
   * @param {number} plain how many plain bytes it stands for, which are not counted while they follow a sender
   * @param {(size: number) => void} sized is told how large it was, if that turned out at the end only
   */
  stream(plain, sized) {
    const requests = this.#arrivals ? this.#following(this.#arrivals, sized) : this.#requests(0, this.#share.size, plain);
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
      yield* this.#requests(at, Math.min(end, at + partSize), 0);
      if (arrivals.whole && at + partSize >= arrivals.size) break;
    }
    sized(arrivals.size);
  }

  /**
   * Brings sealed bytes [from, to) of the content, which hold plain bytes that are wanted.
   * @param {number} from
   * @param {number} to
   * @param {number} [plain]
   */
  async range(from, to, plain = 0) {
    const whole = new Uint8Array(to - from);
    let n = 0;
    for await (const bytes of ahead(REQUESTS_AHEAD, this.#requests(from, to, plain))) {
      whole.set(bytes, n);
      n += bytes.length;
      free(bytes);
    }
    return whole;
  }

  /**
   * The requests that bring sealed bytes [from, to), in order: a part, or a piece of one, each. Where in them the plain bytes lie
   * is not known yet, so each counts for its share of them.
   * @param {number} from
   * @param {number} to
   * @param {number} plain
   * @returns {Generator<() => Promise<Bytes>, void, void>}
   */
  *#requests(from, to, plain) {
    const { partSize } = this.#share;
    for (let a = from; a < to; ) {
      const n = Math.floor(a / partSize), start = a, end = Math.min(to, (n + 1) * partSize, a + FETCH);
      const meter = this.#meter.piece(end - start, (plain * (end - start)) / (to - from));
      yield async () => {
        const bytes = await this.#fetch(n + 1, new Piece(start - n * partSize, end - start), meter.moved);
        meter.settle();
        return bytes;
      };
      a = end;
    }
  }

  /**
   * @param {number} n of the part
   * @param {Piece} piece
   * @param {(bytes: number) => void} moved
   */
  #fetch(n, piece, moved) {
    return api.getPart(this.#share.id, this.#ticket, n, piece, this.#signal, () => moved(piece.filled));
  }
}
