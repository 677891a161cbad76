// @ts-check
// Thumbnails of what is sent: small pictures that are made here, before anything is sent, and sealed with the names, so that who opens the
// link sees them at once. They are drawn anew, and so have none of what cameras write into pictures, such as the place.
//
// That is for convenience and must not cost much: it ends after a while, and what has none by then has none.

import { dimensions } from "../js/dimensions.js";
import { imageType } from "../js/kinds.js";
import { unlessAborted } from "./gate.js";
import { Lanes } from "./pipeline.js";

/** @import { Item } from "../js/types.d.ts" */

const EDGE = 240; // pixels of the longer side
const MOST_BYTES = 12 << 10; // of one
const MOST_IN_ALL = 4 << 20;
const MOST = 400;
const TIME = 2500; // milliseconds, in which the link is waited for
const AT_ONCE = 2; // as each is in memory whole
const MOST_PIXELS = 40e6;
const LARGEST = 64 << 20; // bytes of a file
const HEAD = 256 << 10; // bytes that tell how large it is
const QUALITIES = [0.75, 0.5, 0.3];

/**
 * @param {Item[]} items
 * @param {AbortSignal} signal
 * @returns {Promise<Map<number, Uint8Array>>} by the index of the item
 */
export async function thumbnails(items, signal) {
  /** @type {Map<number, Uint8Array>} */
  const made = new Map();
  if (!globalThis.OffscreenCanvas || !globalThis.createImageBitmap) return made;
  const end = performance.now() + TIME;
  const over = () => signal.aborted || performance.now() > end || made.size >= MOST;
  const lanes = new Lanes(AT_ONCE);
  let room = MOST_IN_ALL;
  const all = (async () => {
    for (const [i, { name, file }] of items.entries()) {
      if (over()) break;
      if (!file || !/\.(a?png|jpe?g|jfif|gif|webp|avif|bmp)$/i.test(name) || file.size > LARGEST) continue;
      await lanes.run(async () => {
        const bytes = await thumbnail(file).catch(() => null); // it is none, or is not to be read
        if (!bytes || over() || bytes.length > room) return;
        room -= bytes.length;
        made.set(i, bytes);
      });
    }
    await lanes.idle();
  })();
  await unlessAborted(Promise.race([all, new Promise((resolve) => setTimeout(resolve, TIME))]), signal);
  return new Map(made);
}

/** @param {File} file */
async function thumbnail(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const type = imageType(head);
  const size = type && dimensions(type, head);
  if (!size || size.width * size.height > MOST_PIXELS) return null;
  const { width, height } = size;
  const scale = Math.min(1, EDGE / Math.max(width, height));
  const options = scale < 1 ? { resizeWidth: Math.max(1, Math.round(width * scale)), resizeQuality: /** @type {const} */ ("high") } : {};
  const picture = await createImageBitmap(file, options); // turned as the camera says it was held
  try {
    return await encode(picture);
  } finally {
    picture.close();
  }
}

/** @param {ImageBitmap} picture */
async function encode(picture) {
  const fit = Math.min(1, EDGE / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * fit)), Math.max(1, Math.round(picture.height * fit)));
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = "white"; // behind what is transparent, of which JPEG knows nothing
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const type of ["image/webp", "image/jpeg"]) {
    for (const quality of QUALITIES) {
      const blob = await canvas.convertToBlob({ type, quality });
      if (blob.type !== type) break; // it knows no such type, and made a PNG
      if (blob.size <= MOST_BYTES) return new Uint8Array(await blob.arrayBuffer());
    }
  }
  return null;
}
