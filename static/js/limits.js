// @ts-check
// What stands in the way of sending, told as soon as it is chosen.

import * as format from "./format.js";
import { say } from "./messages.js";

/** @import { Config } from "./types.d.ts" */
/** @import { Parcel } from "./parcel.js" */

// As in the format (wasm/internal/seal), which has the last word.
const MOST_ENTRIES = 1 << 19;
const LONGEST_NOTE = 1 << 20; // bytes

/**
 * Returns a sentence, or "" if nothing is over a limit.
 * @param {Parcel} parcel
 * @param {string} note
 * @param {Config | null} config
 */
export function excess(parcel, note, config) {
  const { size, entries } = parcel;
  if (config && size > config.maxShareSize) return say("upload.excess.size", { size: format.size(size), limit: format.size(config.maxShareSize) });
  if (entries > MOST_ENTRIES) return say("upload.excess.files", { n: entries, limit: MOST_ENTRIES });
  const written = note.length * 3 > LONGEST_NOTE ? new TextEncoder().encode(note).length : 0; // a character has three bytes at most
  if (written > LONGEST_NOTE) return say("upload.excess.note", { limit: format.size(LONGEST_NOTE) });
  return "";
}
