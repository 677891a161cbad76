// @ts-check
// How many pixels a picture claims to have, by its header: a few bytes may claim as many as no memory holds, so that is looked at before
// anything decodes them. A picture in which that cannot be found is not shown.

/** @typedef {{width: number, height: number}} Size */

export const MOST_PIXELS = 64e6; // in four bytes each

/**
 * The largest that anything in a picture claims to be.
 * @param {string} type as kinds.js found it
 * @param {Uint8Array} bytes all of it
 * @returns {Size | null}
 */
export function dimensions(type, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const found = readers[type]?.(view);
    return found && found.width > 0 && found.height > 0 ? found : null;
  } catch {
    return null; // it was cut
  }
}

/**
 * @param {DataView} v
 * @param {number} at
 */
const word = (v, at) => String.fromCharCode(v.getUint8(at), v.getUint8(at + 1), v.getUint8(at + 2), v.getUint8(at + 3));

/** @type {Record<string, (v: DataView) => Size | null>} */
const readers = {
  "image/png": (v) => (word(v, 12) === "IHDR" ? { width: v.getUint32(16), height: v.getUint32(20) } : null),
  "image/jpeg": jpeg,
  "image/gif": gif,
  "image/webp": webp,
  "image/avif": avif,
  "image/bmp": (v) => (v.getUint32(14, true) === 12
    ? { width: v.getUint16(18, true), height: v.getUint16(20, true) }
    : { width: Math.abs(v.getInt32(18, true)), height: Math.abs(v.getInt32(22, true)) }),
};

/** @param {DataView} v */
function jpeg(v) {
  /** @type {Size | null} */
  let found = null;
  for (let at = 2; ;) {
    while (v.getUint8(at) === 0xff && v.getUint8(at + 1) === 0xff) at++;
    if (v.getUint8(at) !== 0xff) return null;
    const marker = v.getUint8(at + 1);
    if (marker === 0xda) return found; // from here on there are pixels
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      found = larger(found, { width: v.getUint16(at + 7), height: v.getUint16(at + 5) });
    }
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += alone ? 2 : 2 + v.getUint16(at + 2);
  }
}

/**
 * Of an animation each frame may be larger than it all is said to be.
 * @param {DataView} v
 */
function gif(v) {
  const table = (/** @type {number} */ flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  /** @type {Size} */
  let found = { width: v.getUint16(6, true), height: v.getUint16(8, true) };
  const past = (/** @type {number} */ at) => {
    while (v.getUint8(at)) at += 1 + v.getUint8(at);
    return at + 1;
  };
  for (let at = 13 + table(v.getUint8(10)); at < v.byteLength;) {
    const block = v.getUint8(at);
    try {
      if (block === 0x21) {
        at = past(at + 2);
      } else if (block === 0x2c) {
        const end = (/** @type {number} */ i) => v.getUint16(at + i, true) + v.getUint16(at + i + 4, true);
        found = larger(found, { width: end(1), height: end(3) });
        at = past(at + 11 + table(v.getUint8(at + 9)));
      } else break;
    } catch {
      break; // the last frame was cut
    }
  }
  return found;
}

/** @param {DataView} v */
function webp(v) {
  const three = (/** @type {number} */ at) => v.getUint16(at, true) + (v.getUint8(at + 2) << 16);
  const chunk = word(v, 12);
  if (chunk === "VP8X") return { width: three(24) + 1, height: three(27) + 1 };
  if (chunk === "VP8L") {
    const bits = v.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return chunk === "VP8 " ? { width: v.getUint16(26, true) & 0x3fff, height: v.getUint16(28, true) & 0x3fff } : null;
}

/**
 * The boxes that tell sizes are somewhere within others. The largest that looks like one counts. What can be a sequence, too, has sizes in
 * other boxes, and is not shown.
 * @param {DataView} v
 */
function avif(v) {
  /** @type {Size | null} */
  let found = null;
  const brands = v.getUint32(0); // the length of the box that names them
  if (brands < 16) return null;
  for (let at = 8; at < brands; at += 4) if (word(v, at) === "avis") return null;
  for (let at = brands; at <= v.byteLength - 16; at++) {
    if (v.getUint8(at) === 0x69 && word(v, at) === "ispe") found = larger(found, { width: v.getUint32(at + 8), height: v.getUint32(at + 12) });
  }
  return found;
}

/**
 * @param {Size | null} a
 * @param {Size} b
 */
const larger = (a, b) => ({ width: Math.max(a?.width ?? 0, b.width), height: Math.max(a?.height ?? 0, b.height) });
