// @ts-check
// The upload worker: has a crew seal what the page hands over (sealing.js) and sends the parts while it goes on sealing.
//
// Everything is sealed once. Retries resend the very bytes of a part; an upload that cannot go on is deleted, and another
// attempt is another share with other keys.

import * as api from "../js/api.js";
import { collect, free } from "../js/garbage.js";
import { Crew } from "./crew.js";
import { loadEngine } from "./load.js";
import { Meter, throttled } from "./meter.js";
import { Lanes } from "./pipeline.js";
import { parts } from "./sealing.js";
import { serve } from "./serve.js";

/** @import { Item, Posted, Shipment, Share, UploadNews } from "../js/types.d.ts" */
/** @import { Engine, Sealer } from "./engine.d.ts" */

const PARTS_IN_FLIGHT = 6; // being sealed and sent, at most,
const BYTES_IN_FLIGHT = 48 << 20; // and no more of them than this, but one
const SLOW_PART = 1000; // milliseconds; from there on one wants to know how far it is. Being told costs speed on fast lines.

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

let cancel = new AbortController();

serve({
  /** Resolves once the engine is there. */
  async warm() {
    await loading;
  },

  /**
   * @param {(n: UploadNews) => void} news
   * @param {Shipment} shipment
   * @returns {Promise<Posted>}
   */
  async send(news, shipment) {
    cancel = new AbortController();
    return send(await loading, shipment, news, cancel.signal);
  },

  /** Makes send throw and takes back what the server has. */
  cancel() {
    cancel.abort(Object.assign(new Error("cancelled"), { code: "cancelled" }));
  },
});

/**
 * @param {{engine: Engine, module: WebAssembly.Module}} loaded
 * @param {Shipment} shipment
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 * @returns {Promise<Posted>}
 */
async function send(loaded, shipment, news, signal) {
  const { engine } = loaded;
  const keys = engine.createLink(shipment.password);
  const owner = engine.createToken();
  const sealer = newSealer(engine, keys.identity, shipment);
  const crew = new Crew(loaded, sealer.frames);
  signal.addEventListener("abort", () => crew.end(signal.reason), { once: true });
  try {
    signal.throwIfAborted();
    const share = await api.createShare({
      ...keys.hashes,
      owner: owner.hash,
      password: keys.password,
      size: sealer.bound,
      lifetime: shipment.lifetime,
      maxDownloads: shipment.maxDownloads,
    }, signal);
    try {
      const link = `${location.origin}/d/${share.id}#${keys.fragment}`;
      news({ type: "link", link });
      await api.putManifest(share.id, owner.token, owned(sealer.manifest), signal);
      sealer.start(share.partSize);
      await sendParts(share, owner.token, crew, sealer, shipment.items, news, signal);
      const whole = { size: sealer.sealed, parts: sealer.parts };
      return { link, share: await api.completeShare(share.id, owner.token, whole, signal), sealed: whole.size };
    } catch (e) {
      crew.end();
      const left = await api.deleteShare(share.id, owner.token).then(() => false, ({ code }) => code !== "not-found"); // goes by itself in a day
      throw Object.assign(/** @type {Error} */ (e), { left });
    }
  } finally {
    crew.end();
    sealer.close();
  }
}

/**
 * @param {Engine} engine
 * @param {string} identity
 * @param {Shipment} shipment
 */
function newSealer(engine, identity, { kind, note, items }) {
  try {
    return engine.newSealer(identity, kind, note, items.map(entry));
  } catch (e) {
    const { code } = /** @type {any} */ (e);
    throw Object.assign(/** @type {any} */ (e), { code: code === "too-large" ? "manifest-too-large" : code }); // nothing but names and the note
  }
}

/**
 * Seals items and sends the parts.
 * @param {Share} share
 * @param {string} owner
 * @param {Crew} crew
 * @param {Sealer} sealer
 * @param {Item[]} items
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 */
async function sendParts({ id, partSize }, owner, crew, sealer, items, news, signal) {
  const lanes = new Lanes(Math.max(1, Math.min(PARTS_IN_FLIGHT, Math.floor(BYTES_IN_FLIGHT / partSize))));
  const pass = throttled(news);
  const meter = new Meter(() => report());
  let framed = 0, compressed = 0, covered = 0, slow = true;
  const report = () => pass({ type: "progress", total: sealer.size, done: meter.settled, moved: meter.moved, framed, compressed });
  const count = (/** @type {number} */ plain, /** @type {number} */ size) => {
    framed += plain;
    compressed += size;
    report();
  };
  for await (const { n, size, seal } of parts(crew, sealer, items, count)) {
    const piece = meter.piece(size, framed - covered); // the plain bytes that this part stands for
    covered = framed;
    await lanes.run(async () => {
      const { bytes, digest } = await seal();
      signal.throwIfAborted();
      const begun = performance.now();
      await api.putPart(id, owner, n, bytes, digest, signal, slow ? piece.moved : undefined);
      slow = performance.now() - begun > SLOW_PART;
      piece.settle();
      collect(bytes.length);
      free(bytes);
    });
  }
  await lanes.idle();
}

/**
 * @param {Item} item
 * @returns {import("./engine.d.ts").Entry}
 */
function entry({ name, file }) {
  if (!file) return { name, size: 0, type: "", modified: 0 };
  return { name, size: file.size, type: file.type, modified: Math.max(0, Math.floor(file.lastModified / 1000)) };
}

/**
 * The engine's buffers are never shared ones.
 * @param {Uint8Array} bytes
 */
const owned = (bytes) => /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
