// @ts-check
// Saving by way of memory, where the browser has no other way: private windows of some have neither service workers nor a
// file system for pages. A Blob costs two to four times its size until it is on disk, so it may not be large.

import { offer } from "./offer.js";
import { receive } from "./receive.js";

/** @import { Destination } from "./save.js" */

export const MEMORY_LIMIT = 256 << 20;

/**
 * @param {string} name
 * @param {number} size
 * @returns {Destination | null} null if that is too much
 */
export function viaMemory(name, size) {
  if (size > MEMORY_LIMIT) return null;
  const { port1, port2 } = new MessageChannel();
  /** @type {Blob[]} */
  let blobs = []; // one for each buffer: browsers may move Blobs out of memory, and measured it costs half
  const close = receive(port1, {
    write: (buffer) => blobs.push(new Blob([buffer])),
    finish: () => offer(new Blob(blobs.splice(0), { type: "application/octet-stream" }), name),
    discard: () => (blobs = []),
  });
  return { way: "memory", port: port2, begin() {}, close };
}
