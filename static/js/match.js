// @ts-check
// Whether what a person chose again is what an unfinished upload was begun with. Names, sizes and times are compared here; that the
// bytes are the same the journal finds out, frame by frame.

/** @import { Item, KeptEntry } from "./types.d.ts" */

/**
 * @typedef {object} Match
 * @property {Item[]} items as the upload has them, those that are missing left out
 * @property {KeptEntry[]} missing
 * @property {KeptEntry[]} changed missing, too, but something of the same name is there
 */

/**
 * Finds what was chosen for each entry. Nothing has to be chosen for what has no bytes.
 * @param {KeptEntry[]} entries
 * @param {Item[]} chosen
 * @returns {Match}
 */
export function match(entries, chosen) {
  /** @type {Map<string, File[]>} */
  const byName = new Map();
  for (const { name, file } of chosen) {
    if (!file) continue;
    const files = byName.get(name);
    if (files) files.push(file);
    else byName.set(name, [file]);
  }
  /** @type {Match} */
  const found = { items: [], missing: [], changed: [] };
  for (const entry of entries) {
    const candidates = names(entry.name).flatMap((name) => byName.get(name) ?? []);
    const file = candidates.find((f) => f.size === entry.size && f.lastModified === entry.lastModified);
    if (file || entry.size === 0) {
      found.items.push({ name: entry.name, file: file ?? (entry.name.endsWith("/") ? null : empty(entry)) });
    } else {
      found.missing.push(entry);
      if (candidates.length) found.changed.push(entry);
    }
  }
  return found;
}

/**
 * The names that may have been chosen for what has this name: when two things had the same, the second was renamed (parcel.js).
 * @param {string} path
 */
function names(path) {
  const slash = path.indexOf("/");
  const top = slash < 0 ? path : path.slice(0, slash);
  const before = slash < 0 ? top.replace(/ \(\d+\)(?=(\.[^.]*)?$)/, "") : top.replace(/ \(\d+\)$/, "");
  return before === top ? [path] : [path, before + path.slice(top.length)];
}

/** @param {KeptEntry} entry */
const empty = ({ name, type, lastModified }) => new File([], name.slice(name.lastIndexOf("/") + 1), { type, lastModified });
