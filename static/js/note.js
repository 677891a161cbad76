// @ts-check
// A note that is a share of its own is a text that is sealed like a file: to be shown is to be downloaded, and counts.

/** @import { Item } from "./types.d.ts" */

const NAME = "note.txt";

/**
 * What is sealed. Two are the same if text and time are.
 * @param {string} text
 * @param {number} [lastModified] milliseconds
 * @returns {Item}
 */
export const asItem = (text, lastModified = Date.now()) => ({ name: NAME, file: new File([text], NAME, { type: "text/plain", lastModified }) });
