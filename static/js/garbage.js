// @ts-check
// Giving memory back in time. A transfer makes gigabytes of buffers that nobody needs any more, and engines differ in when
// they collect them.

import { chromium } from "./chromium.js";

const NUDGE_EVERY = 8 << 20; // bytes; less often costs hardly less processor time, and hundreds of MiB more
const NUDGE = 256 << 20;

/**
 * Gives the memory of bytes back at once, which halves the peak in Firefox and WebKit: they put off collecting buffers.
 *
 * Not in Chromium. It holds a copy of each body and message that it sends or receives until what brought it is collected, and what
 * makes it collect is the size of the buffers that scripts drop. Without those its copies pile up to as much as was transferred.
 * @param {Uint8Array} bytes that nobody reads any more
 */
export function free(bytes) {
  if (!chromium && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer?.(0);
}

let passed = 0;

/**
 * Notes that size bytes have passed through this thread, and makes Chromium collect its garbage now and then. By itself it collects
 * young garbage only, for gigabytes, and the tenth part that has grown old by then piles up. A large buffer counts as much as
 * if it was used, and one that nobody touches takes no memory.
 * @param {number} size
 */
export function collect(size) {
  if (!chromium || (passed += size) < NUDGE_EVERY) return;
  passed = 0;
  try {
    void new ArrayBuffer(NUDGE);
  } catch {} // no room for it: then it collects, too
}
