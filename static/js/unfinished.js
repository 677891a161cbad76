// @ts-check
// The uploads that ended before they were finished, as the page offers to go on with them.

import * as api from "./api.js";
import * as handles from "./handles.js";
import * as journal from "./journal.js";
import { learnt } from "./keepsake.js";
import * as kept from "./kept.js";
import { match } from "./match.js";
import { noteItem } from "./parcel.js";

/** @import { Item, Share } from "./types.d.ts" */
/** @import { Kept } from "./journal.js" */
/** @import { Match } from "./match.js" */

const SLACK = 3600_000; // milliseconds by which clocks may differ
const TRIES = 2;

/**
 * @typedef {object} More
 * @property {number | null} arrived bytes that the server has, null if it cannot be asked
 * @property {Share | null} share if it is complete: only that was not told any more
 * @property {Item[]} chosen what has been chosen so far to go on with
 *
 * @typedef {Kept & More} Offer
 */

/**
 * What can be gone on with. What the server let go of is forgotten.
 * @returns {Promise<Offer[]>}
 */
export async function offers() {
  /** @type {Kept[]} */
  const all = await journal.list().catch(() => []); // nothing is kept here
  const looked = await Promise.all(all.map(look));
  return looked.filter((offer) => offer !== null);
}

/**
 * @param {Kept} begun
 * @returns {Promise<Offer | null>}
 */
async function look(begun) {
  const { id, at, upload: { owner, grace } } = begun;
  const more = { arrived: null, share: null, chosen: [] };
  try {
    const parts = await api.getParts(id, owner, { tries: TRIES });
    const share = parts.state === "ready" ? await api.getShare(id, owner) : null;
    if (share) await keepTrue(id, share).catch(() => {});
    return { ...begun, ...more, arrived: parts.count * parts.partSize, share };
  } catch (e) {
    const gone = /** @type {any} */ (e).code === "not-found" || Date.now() > at + grace * 1000 + SLACK;
    if (!gone) return { ...begun, ...more };
    await Promise.all([erase(id), kept.forget([id])]).catch(() => {});
    return null;
  }
}

/**
 * What was kept of the link did not know yet that all has arrived, and when it expires.
 * @param {string} id
 * @param {Share} share
 */
async function keepTrue(id, share) {
  const keepsake = await kept.find(id);
  if (keepsake) await kept.update(learnt(keepsake, share, Date.now()));
}

/**
 * Forgets an upload for good: the server deletes what it has.
 * @param {{id: string, upload: {owner: string}}} offer
 */
export async function forget({ id, upload: { owner } }) {
  const release = await journal.claim(id);
  try {
    await api.deleteShare(id, owner).catch((e) => {
      if (e.code !== "not-found") throw e;
    });
    await journal.erase(id);
    await kept.forget([id]).catch(() => {});
  } finally {
    release();
  }
}

/**
 * Forgets what is complete or gone, unless a tab is at it.
 * @param {string} id
 */
export async function erase(id) {
  const release = await journal.claim(id);
  await journal.erase(id).finally(release);
}

/**
 * Adds what was chosen to what had been chosen before for an offer, for files and folders cannot be chosen at once.
 * @param {Offer} offer
 * @param {Item[]} items
 * @returns {Match}
 */
export function choose(offer, items) {
  const all = [...offer.chosen, ...items];
  const found = match(offer.upload.entries, all);
  const fitting = new Set(found.items.map(({ file }) => file));
  offer.chosen = all.filter(({ file }) => fitting.has(file));
  return found;
}

/**
 * What the handles of an offer give again; null if there are none, or they must not be read.
 * @param {Offer} offer
 * @param {boolean} asking whether the person may be asked, which needs a gesture
 * @returns {Promise<Match | null>}
 */
export async function reopen({ upload, handles: list }, asking) {
  if (upload.kind === "note") return match(upload.entries, [noteItem(upload.note, upload.entries[0].lastModified)]);
  if (upload.entries.every(({ size }) => size === 0)) return match(upload.entries, []);
  if (!list.length || !(await handles.allowed(list, asking))) return null;
  return match(upload.entries, await handles.collect(list));
}
