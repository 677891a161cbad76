// @ts-check
// What this browser knows of a share that it has sent: made when it is created, kept true by what the server tells, and in the end
// why it is gone, as far as that can be known: the server tells of nothing that is gone.
//
// Moments are of this device's clock, which may be another than the server's.

import { site } from "./base.js";

/** @import { Keepsake, KeptEntry, Share, Upload } from "./types.d.ts" */

const NAMES = 3; // that are told of many

/**
 * @param {string} id
 * @param {Pick<Upload, "fragment" | "owner" | "password" | "kind" | "entries" | "lifetime" | "maxDownloads" | "grace">} upload
 * @param {number} now milliseconds
 * @returns {Keepsake}
 */
export function keepsakeOf(id, { fragment, owner, password, kind, entries, lifetime, maxDownloads, grace }, now) {
  const tops = kind === "note" ? [] : topsOf(entries);
  return {
    id, fragment, owner, password, kind, lifetime, maxDownloads,
    names: tops.slice(0, NAMES),
    more: Math.max(0, tops.length - NAMES),
    files: kind === "note" ? 0 : entries.filter(({ name }) => !name.endsWith("/")).length,
    size: entries.reduce((n, { size }) => n + size, 0),
    created: now,
    // Its lifetime begins when it is complete. Until then each part that arrives gives it more time; then this is written anew.
    expires: now + (grace + lifetime) * 1000,
    state: "open",
    taken: 0,
    seen: now,
    gone: "",
  };
}

/**
 * The names at the top level. That of a folder ends in "/".
 * @param {KeptEntry[]} entries
 */
function topsOf(entries) {
  /** @type {Set<string>} */
  const tops = new Set();
  for (const { name } of entries) {
    const slash = name.indexOf("/");
    tops.add(slash < 0 ? name : name.slice(0, slash + 1));
  }
  return [...tops];
}

/**
 * With what the server has just told.
 * @param {Keepsake} keepsake
 * @param {Share} share
 * @param {number} now milliseconds
 * @returns {Keepsake}
 */
export function learnt(keepsake, share, now) {
  const { state, lifetime, maxDownloads, taken = 0 } = share;
  const wait = state === "open" ? lifetime : 0;
  return { ...keepsake, state, lifetime, maxDownloads, taken, expires: now + (share.expires - share.now + wait) * 1000, seen: now };
}

/**
 * Downloads that are left, as far as is known.
 * @param {Keepsake} keepsake
 * @returns {number | null} null for any number
 */
export const leftOf = ({ maxDownloads, taken }) => (maxDownloads ? Math.max(0, maxDownloads - taken) : null);

/**
 * Now that the server has no such share any more. Who revoked it here knows why; else it is what can have been.
 * @param {Keepsake} keepsake
 * @param {number} now milliseconds
 * @param {Keepsake["gone"]} [why]
 * @returns {Keepsake}
 */
export function lost(keepsake, now, why = guess(keepsake, now)) {
  return { ...keepsake, state: "gone", gone: why, seen: now };
}

/**
 * @param {Keepsake} keepsake
 * @param {number} now
 * @returns {Keepsake["gone"]}
 */
function guess(keepsake, now) {
  const left = leftOf(keepsake);
  if (now >= keepsake.expires) return "expired";
  if (keepsake.state === "open") return "givenUp";
  if (left === 0) return "spent";
  return left === null ? "takenDown" : "spentOrTakenDown";
}

/** @param {Keepsake} keepsake */
export const linkOf = ({ id, fragment }) => `${site}/d/${id}#${fragment}`;
