// @ts-check
// The far end of a save (the near one is worker/sink.js), for places that are written to one buffer after another. The
// service worker has its own, because there the browser asks for the bytes.

import { collect } from "./garbage.js";

/** @import { SinkMessage, SourceMessage } from "./types.d.ts" */

const CREDIT = 4; // buffers in flight: bounds memory

/**
 * @typedef {object} Place
 * @property {(buffer: ArrayBuffer) => unknown} write does not need it any more when that is done
 * @property {() => unknown} finish everything is written and known to be whole: makes it what the person asked for
 * @property {() => unknown} discard leaves nothing that looks whole; also after a write or finish that failed
 */

/**
 * Writes what comes through port to place, in order, and answers. Returns a function that ends it: unless everything has
 * arrived, what is there is discarded. It resolves when that is done.
 * @param {MessagePort} port
 * @param {Place} place
 * @returns {() => Promise<void>}
 */
export function receive(port, place) {
  let over = false;
  let work = Promise.resolve();
  const answer = (/** @type {SourceMessage} */ m, transfer = /** @type {Transferable[]} */ ([])) => port.postMessage(m, transfer);

  const discard = async () => {
    over = true;
    try {
      await place.discard();
    } catch {} // there is nothing else that could be done about it
  };

  /** @param {SinkMessage} m */
  const take = async (m) => {
    if (over) return;
    try {
      if (m.type === "data") {
        await place.write(m.buffer);
        collect(m.buffer.byteLength);
        answer({ type: "credit", n: 1, taken: true, buffer: m.buffer }, [m.buffer]);
      } else if (m.type === "end") {
        await place.finish();
        over = true;
        answer({ type: "complete" });
      } else {
        await discard();
      }
    } catch (e) {
      await discard();
      const full = /** @type {any} */ (e)?.name === "QuotaExceededError";
      answer({ type: "failed", code: full ? "disk-full" : "not-written" });
    }
  };

  port.onmessage = ({ data }) => (work = work.then(() => take(data)));
  answer({ type: "credit", n: CREDIT });
  return () => (work = work.then(() => (over ? undefined : discard())));
}
