// @ts-check
// What is taken out of a bundle: stretches of its plain stream, in order, which the download worker opens and nothing else
// (worker/saving.js).
//
// The plain stream of several files is a tar, so what is saved of it needs no packing: all of it is the stream as it is, byte for
// byte what `age -d | zstd -d` gives, and a folder is the stretches that its entries take, headers included, and the end that every
// tar has. (A zip would have to be made on the way, from bytes that are compressed already, and could not tell its checksums before
// the end.) One file is its bytes alone.

/** @import { Manifest } from "../worker/engine.d.ts" */

const BLOCK = 512; // of a tar
const END = 1024; // zeros that end one

/**
 * @typedef {object} Pick
 * @property {string} name under which it is saved, as in the manifest
 * @property {number} size of what is saved
 * @property {[from: number, to: number][]} ranges of the plain stream
 * @property {number} zeros that follow them
 */

/**
 * One entry.
 * @param {Manifest} manifest
 * @param {number} index
 * @returns {Pick}
 */
export function pickEntry({ entries }, index) {
  const { name, offset, size } = entries[index];
  return { name, size, ranges: size ? [[offset, offset + size]] : [], zeros: 0 };
}

/**
 * Several entries of a bundle, as an archive of their own. Their names in it are those that they have in the whole.
 * @param {Manifest} manifest
 * @param {number[]} indices
 * @param {string} name
 * @returns {Pick}
 */
export function pickFolder({ entries }, indices, name) {
  const end = (/** @type {number} */ i) => (i < 0 ? 0 : Math.ceil((entries[i].offset + entries[i].size) / BLOCK) * BLOCK);
  /** @type {[number, number][]} */
  const ranges = [];
  let size = END;
  for (const i of indices.toSorted((a, b) => a - b)) {
    const from = end(i - 1), to = end(i), last = ranges.at(-1); // the header follows what is before it
    size += to - from;
    if (last?.[1] === from) last[1] = to;
    else ranges.push([from, to]);
  }
  return { name, size, ranges, zeros: END };
}

/**
 * Divides stretches into portions on borders of so many bytes: what lies between two of those is in one portion.
 * @param {[number, number][]} ranges ascending
 * @param {number} size
 * @returns {Generator<[number, number][], void, void>}
 */
export function* portions(ranges, size) {
  /** @type {[number, number][]} */
  let portion = [];
  for (const [from, to] of ranges) {
    for (let a = from; a < to; ) {
      const n = Math.floor(a / size), end = Math.min(to, (n + 1) * size);
      if (portion.length && Math.floor(portion[0][0] / size) !== n) {
        yield portion;
        portion = [];
      }
      portion.push([a, end]);
      a = end;
    }
  }
  if (portion.length) yield portion;
}
