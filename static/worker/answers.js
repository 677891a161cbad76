// @ts-check
// What a server answers is believed only if it can be: its numbers decide how much memory is taken, and how long loops run. That
// bytes are the right ones is not known from them in any case.

/** @import { Moved } from "../js/line.js" */
/** @import { Parts, Share } from "../js/types.d.ts" */

// What server/api allows.
const LARGEST_PART = 64 << 20;
const MOST_PARTS = 4096;
const LARGEST_MANIFEST = 16 << 20;

/**
 * @param {Share} share
 * @returns {Share} Throws "garbled".
 */
export const checkShare = (share) => checked(share, ({ id, now, expires, lifetime }) =>
  typeof id === "string" && [now, expires, lifetime].every((n) => between(0, n, Infinity)));

/**
 * @param {Parts} parts
 * @returns {Parts} Throws "garbled".
 */
export const checkParts = (parts) => checked(parts, ({ manifest, count, ranges }) => {
  let next = 1, sum = 0;
  for (const [first, last] of ranges) {
    if (!between(next, first, last) || !between(first, last, MOST_PARTS)) return false;
    sum += last - first + 1;
    next = last + 1;
  }
  return sum === count && typeof manifest === "boolean";
});

/**
 * @template {Share | Parts} T
 * @param {T} answer
 * @param {(answer: T) => boolean} fits throws, or returns false, if it does not
 */
function checked(answer, fits) {
  try {
    if (sized(answer) && fits(answer)) return answer;
  } catch {}
  throw Object.assign(new Error("the server answers what cannot be"), { code: "garbled" });
}

/** @param {Share | Parts} answer */
const sized = ({ state, size, partSize }) =>
  (state === "open" || state === "ready") && between(1, partSize, LARGEST_PART) && between(1, size, MOST_PARTS * partSize);

/**
 * @param {number} least
 * @param {number} n
 * @param {number} most
 */
const between = (least, n, most) => Number.isSafeInteger(n) && least <= n && n <= most;

/**
 * Reads a manifest, whose size is not known before, and no more than one may have.
 * @param {Response} response
 * @param {Moved} moved
 */
export async function readManifest(response, moved) {
  let n = 0;
  /** @type {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>} */
  const counted = new TransformStream({
    transform(chunk, controller) {
      moved((n += chunk.length));
      if (n > LARGEST_MANIFEST) throw new TypeError("a manifest is smaller");
      controller.enqueue(chunk);
    },
  });
  return new Uint8Array(await new Response(response.body?.pipeThrough(counted)).arrayBuffer());
}
