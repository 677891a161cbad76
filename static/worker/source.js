// @ts-check
// Where a save gets sealed bytes from: the server's parts, under the ticket. A connection that breaks is none of its callers'
// business: what is missing is asked for again (js/api.js), and no other download is taken for that.

import * as api from "../js/api.js";
import { free } from "../js/garbage.js";
import { ahead } from "./pipeline.js";

/** @import { Share } from "../js/types.d.ts" */
/** @import { Meter } from "./meter.js" */
/** @import { Bytes } from "./stretch.js" */

const REQUESTS_AHEAD = 3;
const FETCH = 8 << 20; // bytes of one request

export class Source {
  #share;
  #ticket;
  #meter;
  #signal;

  /**
   * @param {Share} share
   * @param {string} ticket
   * @param {Meter} meter of what arrives
   * @param {AbortSignal} signal
   */
  constructor(share, ticket, meter, signal) {
    this.#share = share;
    this.#ticket = ticket;
    this.#meter = meter;
    this.#signal = signal;
  }

  /**
   * Yields the whole content, front to back.
   * @param {number} plain how many plain bytes it stands for
   */
  stream(plain) {
    return ahead(REQUESTS_AHEAD, this.#requests(0, this.#share.size, plain));
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
      const piece = this.#meter.piece(end - start, (plain * (end - start)) / (to - from));
      yield async () => {
        const bytes = await this.#fetch(n + 1, start - n * partSize, end - n * partSize, piece.moved);
        piece.settle();
        return bytes;
      };
      a = end;
    }
  }

  /**
   * Fetches bytes [from, to) of part n.
   * @param {number} n
   * @param {number} from
   * @param {number} to
   * @param {(bytes: number) => void} moved
   */
  #fetch(n, from, to, moved) {
    return api.getPart(this.#share.id, this.#ticket, n, from, to, this.#signal, moved);
  }
}
