// @ts-check
// The upload worker: has a crew seal what the page hands over (sealing.js) and sends the parts while it goes on sealing.
//
// Everything is sealed once, or once more to the very same bytes, which the journal sees to (js/journal.js). Retries resend the
// very bytes of a part. An upload that ends with its page can be gone on with in another, and one that the trouble of this device or of the
// server ends can in this one, too; one that is refused, cancelled or no longer what it was is deleted, and another attempt is another
// share with other keys.

import { collect } from "../js/garbage.js";
import { Crew } from "./crew.js";
import { STAYS, anew, begin, resume } from "./dispatch.js";
import { Gate } from "./gate.js";
import { loadEngine } from "./load.js";
import { Meter, throttled } from "./meter.js";
import { Lanes } from "./pipeline.js";
import { parts } from "./sealing.js";
import { serve } from "./serve.js";

/** @import { Posted, Resumption, Shipment, UploadNews } from "../js/types.d.ts" */
/** @import { Dispatch } from "./dispatch.js" */
/** @import { Engine } from "./engine.d.ts" */
/** @typedef {{engine: Engine, module: WebAssembly.Module}} Loaded */

const PARTS_IN_FLIGHT = 6; // being sealed and sent, at most, and one more than the crew has members:
const BYTES_IN_FLIGHT = 48 << 20; // Chromium keeps two copies of each
const FRAME = 1 << 20;
const SLOW_PART = 1000; // milliseconds; from there on one wants to know how far it is. Being told costs speed on fast lines.

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

let cancel = new AbortController();
let gate = new Gate();

serve({
  /** Resolves to the engine's build once the engine is there. */
  async warm() {
    return (await loading).engine.build;
  },

  /**
   * Gets ready to send so many bytes.
   * @param {unknown} _
   * @param {number} size
   */
  async expect(_, size) {
    Crew.prepare(await loading, size / FRAME);
  },

  /**
   * @param {(n: UploadNews) => void} news
   * @param {Shipment} shipment
   * @returns {Promise<Posted>}
   */
  async send(news, shipment) {
    const signal = ready();
    return send(await loading, shipment, news, signal);
  },

  /**
   * Goes on with what another page began.
   * @param {(n: UploadNews) => void} news
   * @param {Resumption} resumption
   * @returns {Promise<Posted>}
   */
  async resume(news, resumption) {
    const signal = ready();
    return goOn(await loading, resumption, news, signal);
  },

  /** Sends nothing until proceed is called. */
  pause() {
    gate.shut();
  },

  proceed() {
    gate.open();
  },

  /** Makes send throw and takes back what the server has. */
  cancel() {
    cancel.abort(Object.assign(new Error("cancelled"), { code: "cancelled" }));
  },
});

function ready() {
  cancel = new AbortController();
  gate = new Gate();
  return cancel.signal;
}

/**
 * @param {Loaded} loaded
 * @param {Shipment} shipment
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 */
async function send(loaded, shipment, news, signal) {
  return deliver(loaded, await begin(loaded.engine, shipment, signal), news, signal);
}

/**
 * Goes on with a share, or begins it anew where that cannot be. A password is not kept, so then a person has to write it again.
 * @param {Loaded} loaded
 * @param {Resumption} resumption
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 */
async function goOn(loaded, resumption, news, signal) {
  try {
    return await deliver(loaded, await resume(loaded.engine, resumption, signal), news, signal);
  } catch (e) {
    const { code, reason, upload } = /** @type {any} */ (e);
    if (code !== "anew" || upload.password) throw e;
    news({ type: "anew", reason });
    const { kind, note, lifetime, maxDownloads, keep } = upload;
    return send(loaded, { kind, note, lifetime, maxDownloads, keep, password: null, ...resumption }, news, signal);
  }
}

/**
 * Sends what is missing of a share, and completes it.
 * @param {Loaded} loaded
 * @param {Dispatch} dispatch
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} cancelled
 * @returns {Promise<Posted>}
 */
async function deliver(loaded, dispatch, news, cancelled) {
  const { id, link, lasts, sealer } = dispatch;
  const crew = Crew.of(loaded, sealer.frames);
  const failed = new AbortController();
  const signal = AbortSignal.any([cancelled, failed.signal]);
  signal.addEventListener("abort", () => crew.end(signal.reason), { once: true });
  try {
    signal.throwIfAborted();
    news({ type: "link", id, link, kept: lasts });
    await gate.pass((passing) => dispatch.sendManifest(passing), signal);
    await sendParts(crew, dispatch, news, signal);
    const share = await gate.pass((passing) => dispatch.complete(passing), signal);
    return { link, share, sealed: sealer.sealed };
  } catch (e) {
    failed.abort(e); // what is sealed or sent besides
    const { code } = /** @type {any} */ (e);
    const left = dispatch.lasts && STAYS.has(code) ? undefined : await dispatch.giveUp();
    throw Object.assign(code === "mismatch" ? anew("mismatch", dispatch.upload) : /** @type {Error} */ (e), { left });
  } finally {
    crew.end();
    dispatch.close();
  }
}

/**
 * Seals what is missing and sends it.
 * @param {Crew} crew
 * @param {Dispatch} dispatch
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 */
async function sendParts(crew, dispatch, news, signal) {
  const lanes = new Lanes(Math.max(1, Math.min(crew.size + 1, PARTS_IN_FLIGHT, Math.floor(BYTES_IN_FLIGHT / dispatch.partSize))));
  const pass = throttled(news);
  const meter = new Meter(() => report());
  const total = dispatch.sealer.size;
  let frames = 0, framed = 0, compressed = 0, slow = true, { lasts } = dispatch;
  const report = () => {
    const checking = frames < dispatch.known;
    pass({ type: "progress", total, done: meter.settled, moved: meter.moved, framed, compressed, checking });
  };
  const count = (/** @type {number} */ plain, /** @type {number} */ size) => {
    frames++;
    framed += plain;
    compressed += size;
    report();
  };
  for await (const { n, size, plain, seal } of parts(crew, dispatch, count)) {
    const piece = meter.piece(size, plain);
    if (!seal) {
      piece.settle();
      continue;
    }
    await lanes.run(async () => {
      const { bytes, digest } = await seal();
      signal.throwIfAborted();
      await dispatch.record(n, digest); // from here on it counts as sent
      if (lasts && !dispatch.lasts) news({ type: "link", id: dispatch.id, link: dispatch.link, kept: (lasts = false) });
      const begun = performance.now();
      await gate.pass((passing) => dispatch.send(n, bytes, digest, passing, slow ? piece.moved : undefined), signal);
      slow = performance.now() - begun > SLOW_PART;
      piece.settle();
      collect(bytes.length);
      crew.spare(bytes.buffer);
    });
  }
  await lanes.idle();
}
