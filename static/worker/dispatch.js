// @ts-check
// One share on its way to the server, whether it was begun here or in an earlier page: its keys, its plan, its journal and what
// the server has of it. It ends in one of three ways: complete, given up (the server deletes it, and the journal is erased), or
// closed as it is, to be gone on with later.

import * as api from "../js/api.js";
import { site } from "../js/base.js";
import * as journals from "../js/journal.js";
import { keepsakeOf, learnt } from "../js/keepsake.js";
import * as kept from "../js/kept.js";
import { checkParts, checkShare } from "./answers.js";
import * as direct from "./direct.js";
import { thumbnails } from "./thumbnails.js";

/** @import { Item, Keepsake, KeptEntry, Resumption, Share, Shipment, Upload } from "../js/types.d.ts" */
/** @import { Journal } from "../js/journal.js" */
/** @import { Engine, Entry, Sealer } from "./engine.d.ts" */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const NO_BUILD = "unknown"; // an engine that cannot tell what it is

export class Dispatch {
  #share;
  #owner;
  #journal;
  #keepsake;
  /** Parts that the server has. @type {Set<number>} */
  #stored = new Set();
  #hasManifest = false;

  /**
   * Use begin or resume.
   * @param {{id: string, partSize: number, direct?: boolean}} share
   * @param {string} fragment
   * @param {string} owner
   * @param {Sealer} sealer
   * @param {Item[]} items
   * @param {Journal | null} journal
   * @param {Keepsake | null} keepsake if the link is to be kept
   */
  constructor(share, fragment, owner, sealer, items, journal, keepsake) {
    this.#share = share;
    this.id = share.id;
    this.#owner = owner;
    this.#journal = journal;
    this.#keepsake = keepsake;
    this.link = `${site}/d/${share.id}#${fragment}`;
    this.sealer = sealer;
    this.items = items;
    /** How many frames were made before. What they are like is known. */
    this.known = journal?.frames ?? 0;
    sealer.start(share.partSize);
  }

  get partSize() {
    return this.#share.partSize;
  }

  /** Whether it has a journal, to which frames and parts are shown. */
  get kept() {
    return this.#journal !== null;
  }

  /** Whether another try, or another page, could go on with it: the journal can be written, and all that was is there. */
  get lasts() {
    return this.#journal?.lasts ?? false;
  }

  /** What the journal keeps of it. */
  get upload() {
    return /** @type {Journal} */ (this.#journal).upload;
  }

  /**
   * The compressed size of a frame that was made before.
   * @param {number} i
   */
  frameSize(i) {
    return /** @type {Journal} */ (this.#journal).frameSize(i);
  }

  /**
   * Takes note of a frame: the SHA-256 of what was read, and its compressed size if it was compressed. In order. Throws "mismatch".
   * @param {number} i
   * @param {Uint8Array} digest
   * @param {number} [size]
   */
  frame(i, digest, size) {
    this.#journal?.frame(i, digest, size);
  }

  /**
   * Whether the server has part n.
   * @param {number} n
   */
  stored(n) {
    return this.#stored.has(n);
  }

  /** @param {AbortSignal} signal */
  async sendManifest(signal) {
    const manifest = /** @type {Bytes} */ (this.sealer.manifest);
    if (!this.#hasManifest) await api.putManifest(this.#share.id, this.#owner, manifest, signal);
  }

  /**
   * Takes note of a sealed part, of which no byte may leave before: throws "mismatch" if another was begun to be sent in its place.
   * @param {number} n
   * @param {Uint8Array} digest
   */
  async record(n, digest) {
    await this.#journal?.part(n, digest);
  }

  /**
   * Sends a part that is recorded.
   * @param {number} n
   * @param {Bytes} bytes
   * @param {Uint8Array} digest
   * @param {AbortSignal} signal
   * @param {(bytes: number) => void} [moved]
   */
  send(n, bytes, digest, signal, moved) {
    return direct.putPart(this.#share.direct, this.#share.id, this.#owner, n, bytes, digest, signal, moved);
  }

  /**
   * All parts are there: the share is whole from here on.
   * @param {AbortSignal} signal
   * @returns {Promise<Share>}
   */
  async complete(signal) {
    const { sealed: size, parts } = this.sealer;
    const share = await api.completeShare(this.#share.id, this.#owner, { size, parts }, signal);
    if (this.#keepsake) await kept.update(learnt(this.#keepsake, share, Date.now())).catch(() => {}); // unless it was forgotten meanwhile
    await this.#journal?.erase();
    return share;
  }

  /** Has the server delete it. Resolves to whether something may be left there, which goes by itself in a day. */
  async giveUp() {
    return giveUp(this.#share.id, this.#owner, this.#journal);
  }

  close() {
    this.sealer.close();
    this.#journal?.close();
  }

  /**
   * @param {import("../js/types.d.ts").Parts} parts
   */
  arrived({ manifest, ranges }) {
    this.#hasManifest = manifest;
    for (const [first, last] of ranges) for (let n = first; n <= last; n++) this.#stored.add(n);
  }
}

/**
 * @param {string} id
 * @param {string} owner
 * @param {Journal | null} journal
 */
async function giveUp(id, owner, journal) {
  const left = await api.deleteShare(id, owner).then(() => false, ({ code }) => code !== "not-found");
  await journal?.erase();
  await kept.forget([id]).catch(() => {}); // else it is found to be gone
  return left;
}

/**
 * Where a browser keeps nothing it does not keep links either, which the page tells by looking.
 * @param {Keepsake} keepsake
 */
const keep = (keepsake) => kept.put([keepsake]).catch(() => {});

/**
 * Begins a share, with new keys.
 * @param {Engine} engine
 * @param {Shipment} shipment
 * @param {AbortSignal} signal
 */
export async function begin(engine, shipment, signal) {
  const keys = engine.createLink(shipment.password);
  const owner = engine.createToken();
  const { kind, note, items, lifetime, maxDownloads, handles, keep: keeps, uploadToken } = shipment;
  const entries = items.map(keptEntry);
  const pictures = await thumbnails(items, signal);
  const pictured = entries.map((kept, i) => ({ ...entry(kept), thumbnail: pictures.get(i) }));
  const make = (/** @type {Entry[]} */ list) => newSealer(() => engine.newSealer(keys.identity, kind, beside(kind, note), list));
  const sealer = withRoom(() => make(pictured), () => make(entries.map(entry)));
  try {
    signal.throwIfAborted();
    const terms = { ...keys.hashes, owner: owner.hash, password: keys.password, size: sealer.bound, lifetime, maxDownloads };
    const share = checkShare(await api.createShare(terms, signal, uploadToken));
    /** @type {Upload} */
    const upload = {
      engine: engine.build, fragment: keys.fragment, owner: owner.token, identity: keys.identity, password: keys.password,
      kind, note, entries, lifetime, maxDownloads, partSize: share.partSize, grace: share.expires - share.now, keep: keeps,
    };
    const keepsake = keeps ? keepsakeOf(share.id, upload, Date.now()) : null;
    if (keepsake) await keep(keepsake);
    const { prefix, manifest } = /** @type {{prefix: Bytes, manifest: Bytes}} */ (sealer); // which are never shared ones
    const journal = engine.build === NO_BUILD ? null : await journals.begin(share.id, upload, { prefix, manifest }, handles);
    return new Dispatch(share, keys.fragment, owner.token, sealer, items, journal, keepsake);
  } catch (e) {
    sealer.close();
    throw e;
  }
}

/**
 * Goes on with a share. Throws "anew" with a reason if that cannot be, and what it was; then it is given up.
 * @param {Engine} engine
 * @param {Resumption} resumption
 * @param {AbortSignal} signal
 */
export async function resume(engine, { id, items }, signal) {
  const journal = await journals.resume(id);
  if (!journal) throw Object.assign(new Error("nothing is kept of this share"), { code: "not-found", left: false });
  const { upload } = journal;
  try {
    if (upload.engine !== engine.build) throw anew("outdated", upload);
    const parts = checkParts(await api.getParts(id, upload.owner, { signal, tries: Infinity }));
    if (!journal.intact || !fits(upload, items, parts, journal)) throw anew("mismatch", upload);
    const { identity, kind, note, entries } = upload;
    const sealer = newSealer(() => engine.resumeSealer(identity, kind, beside(kind, note), entries.map(entry), journal.prefix, journal.manifest));
    const keepsake = upload.keep ? await again(id, upload) : null;
    const share = { id, partSize: parts.partSize, direct: parts.direct };
    const dispatch = new Dispatch(share, upload.fragment, upload.owner, sealer, items, journal, keepsake);
    dispatch.arrived(parts);
    return dispatch;
  } catch (e) {
    const { code } = /** @type {any} */ (e);
    const left = STAYS.has(code) ? undefined : await giveUp(id, upload.owner, journal);
    journal.close();
    throw Object.assign(/** @type {Error} */ (e), { left });
  }
}

/**
 * What is kept of an upload that goes on, which has more time from now on. Null if it is not kept any more, because it was forgotten.
 * @param {string} id
 * @param {Upload} upload
 */
async function again(id, upload) {
  const known = await kept.find(id).catch(() => null);
  if (!known) return null;
  const keepsake = { ...keepsakeOf(id, upload, Date.now()), created: known.created };
  await kept.update(keepsake).catch(() => {});
  return keepsake;
}

/** What stands in the way of going on now, but not for good: the server's trouble, or this device's. */
export const STAYS = new Set(["unavailable", "internal", "garbled", "worker-stopped", "not-loaded", "no-engine", "elsewhere"]);

/**
 * @param {"mismatch" | "outdated"} reason
 * @param {Upload} upload
 */
export const anew = (reason, upload) => Object.assign(new Error("it cannot go on as it began"), { code: "anew", reason, upload });

/**
 * Whether what is to be sent, what the server has and what the journal knows are one.
 * @param {Upload} upload
 * @param {Item[]} items
 * @param {import("../js/types.d.ts").Parts} parts
 * @param {Journal} journal
 */
function fits(upload, items, { partSize, ranges }, journal) {
  const same = items.map(keptEntry).every(({ name, size, lastModified }, i) => {
    const was = upload.entries[i];
    return name === was?.name && size === was.size && (size === 0 || lastModified === was.lastModified);
  });
  const recorded = ranges.every(([first, last]) => {
    for (let n = first; n <= last; n++) if (!journal.hasPart(n)) return false;
    return true;
  });
  return same && recorded && items.length === upload.entries.length && partSize === upload.partSize;
}

/**
 * Does without what there is no room for.
 * @param {() => Sealer} all
 * @param {() => Sealer} less
 */
function withRoom(all, less) {
  try {
    return all();
  } catch (e) {
    if (/** @type {any} */ (e).code === "manifest-too-large") return less();
    throw e;
  }
}

/**
 * @param {() => Sealer} make
 */
function newSealer(make) {
  try {
    return make();
  } catch (e) {
    const { code } = /** @type {any} */ (e);
    throw Object.assign(/** @type {any} */ (e), { code: code === "too-large" ? "manifest-too-large" : code }); // nothing but names and the note
  }
}

/**
 * The note that goes beside what is sent. A note that is sent alone is sealed like a file (js/parcel.js).
 * @param {string} kind
 * @param {string} note
 */
const beside = (kind, note) => (kind === "note" ? "" : note);

/**
 * @param {Item} item
 * @returns {KeptEntry}
 */
function keptEntry({ name, file }) {
  return { name, size: file?.size ?? 0, type: file?.type ?? "", lastModified: file?.lastModified ?? 0 };
}

/**
 * @param {KeptEntry} entry
 * @returns {Entry}
 */
const entry = ({ name, size, type, lastModified }) => ({ name, size, type, modified: Math.max(0, Math.floor(lastModified / 1000)) });
