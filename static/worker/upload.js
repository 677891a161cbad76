// @ts-check
// The upload worker: seals what the page hands over and sends the parts while it goes on sealing.
//
// Everything is sealed once and in order. Retries resend the very bytes of a part; an upload that cannot go on is deleted,
// and another attempt is another share with other keys.

import * as api from "../js/api.js";
import { collect, free } from "../js/garbage.js";
import { loadEngine } from "./load.js";
import { Meter, throttled } from "./meter.js";
import { Lanes, ahead } from "./pipeline.js";
import { serve } from "./serve.js";

/** @import { Item, Posted, Shipment, UploadNews } from "../js/types.d.ts" */
/** @import { Engine, Sealer } from "./engine.d.ts" */

const SLICE = 2 << 20; // bytes read from a file at once
const SLICES_AHEAD = 8;
const PARTS_IN_FLIGHT = 3;
const SLOW_PART = 1000; // milliseconds; from there on one wants to know how far it is. Being told costs speed on fast lines.

const engine = loadEngine();
engine.catch(() => {}); // reported by the call that needs it

let cancel = new AbortController();

serve({
  /** Resolves once the engine is there. */
  async warm() {
    await engine;
  },

  /**
   * @param {(n: UploadNews) => void} news
   * @param {Shipment} shipment
   * @returns {Promise<Posted>}
   */
  async send(news, shipment) {
    cancel = new AbortController();
    return send(await engine, shipment, news, cancel.signal);
  },

  /** Makes send throw and takes back what the server has. */
  cancel() {
    cancel.abort(Object.assign(new Error("cancelled"), { code: "cancelled" }));
  },
});

/**
 * @param {Engine} engine
 * @param {Shipment} shipment
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 * @returns {Promise<Posted>}
 */
async function send(engine, shipment, news, signal) {
  const keys = engine.createLink(shipment.password);
  const owner = engine.createToken();
  const sealer = newSealer(engine, keys.identity, shipment);
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
      const parts = await sendParts(share.id, owner.token, sealer, shipment.items, news, signal);
      const whole = { size: sealer.sealed, parts };
      return { link, share: await api.completeShare(share.id, owner.token, whole, signal), sealed: whole.size };
    } catch (e) {
      const left = await api.deleteShare(share.id, owner.token).then(() => false, ({ code }) => code !== "not-found"); // goes by itself in a day
      throw Object.assign(/** @type {Error} */ (e), { left });
    }
  } finally {
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
 * Seals items and sends the parts. Returns how many there were.
 * @param {string} id
 * @param {string} owner
 * @param {Sealer} sealer
 * @param {Item[]} items
 * @param {(n: UploadNews) => void} news
 * @param {AbortSignal} signal
 */
async function sendParts(id, owner, sealer, items, news, signal) {
  const lanes = new Lanes(PARTS_IN_FLIGHT);
  const pass = throttled(news);
  const report = () => {
    const { framed, compressed, size: total } = sealer;
    pass({ type: "progress", total, done: meter.settled, moved: meter.moved, framed, compressed });
  };
  const meter = new Meter(report);
  let parts = 0, plain = 0, covered = 0, slow = true;
  /** @param {Uint8Array[]} ready */
  const post = async (ready) => {
    for (const part of ready) {
      const n = ++parts;
      const piece = meter.piece(part.length, plain - covered); // the plain bytes that this part stands for
      covered = plain;
      await lanes.run(async () => {
        const begun = performance.now();
        await api.putPart(id, owner, n, owned(part), signal, slow ? piece.moved : undefined);
        slow = performance.now() - begun > SLOW_PART;
        piece.settle();
        free(part);
      });
    }
  };
  for await (const { index, bytes } of ahead(SLICES_AHEAD, reads(items))) {
    signal.throwIfAborted();
    plain += bytes.length;
    const ready = sealer.write(index, bytes);
    collect(bytes.length);
    free(bytes);
    report();
    await post(ready);
  }
  for (let rest = sealer.finish(); rest.length; rest = sealer.finish()) await post(rest);
  await lanes.idle();
  return parts;
}

/**
 * The reads that bring every byte of items, in order.
 * @param {Item[]} items
 */
function* reads(items) {
  for (const [index, { name, file }] of items.entries()) {
    for (let from = 0; file && from < file.size; from += SLICE) {
      const to = Math.min(from + SLICE, file.size);
      yield async () => ({ index, bytes: await read(name, file, from, to) });
    }
  }
}

/**
 * @param {string} name
 * @param {File} file
 * @param {number} from
 * @param {number} to
 */
async function read(name, file, from, to) {
  const bytes = await file.slice(from, to).arrayBuffer().catch(() => null); // browsers refuse to read a changed file
  if (bytes?.byteLength !== to - from) throw Object.assign(new Error(`failed to read ${name}`), { code: "changed", file: name });
  return new Uint8Array(bytes);
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
