// @ts-check
// Sealing with a crew: frames are read and compressed in any order and put in order here; of them each part is sealed as soon as
// all is known that it is made of.
//
// A chunk on the border of two parts is sealed for both of them, under the same key and counter. It is the Stretch that sees to it
// that both get the same bytes: a frame is compressed once, and what two parts need of it is copied from there.

import { ahead } from "./pipeline.js";
import { Stretch } from "./stretch.js";

/** @import { Item } from "../js/types.d.ts" */
/** @import { Crew } from "./crew.js" */
/** @import { Piece, Sealer } from "./engine.d.ts" */

const FRAMES_AT_ONCE = 2;
const CHUNK = 64 << 10; // what neighbours may share

/**
 * @typedef {object} Ready a part that can be sealed
 * @property {number} n 1 for the first
 * @property {number} size
 * @property {() => Promise<{bytes: Uint8Array<ArrayBuffer>, digest: Uint8Array}>} seal to be called once
 */

/**
 * Yields the parts of items in order. framed is told of each frame when its turn has come: how large it is, plain and compressed.
 * @param {Crew} crew
 * @param {Sealer} sealer
 * @param {Item[]} items
 * @param {(plain: number, compressed: number) => void} framed
 * @returns {AsyncGenerator<Ready, void, void>}
 */
export async function* parts(crew, sealer, items, framed) {
  const stretch = new Stretch();
  const { key } = sealer;
  let sealed = 0;
  /** @returns {Ready} */
  const next = () => {
    const n = ++sealed;
    const part = sealer.part(n);
    if (part.to > stretch.end) stretch.add(sealer.tail(stretch.end, part.to));
    const pieces = stretch.take(part.from, part.to, part.to - CHUNK);
    const seal = async () => {
      const { pieces: [bytes], digest } = await crew.run("seal", { key, part }, pieces);
      return { bytes, digest };
    };
    return { n, size: part.size, seal };
  };
  for await (const { sizes, pieces } of ahead(crew.jobs, batches(crew, sealer, items))) {
    for (const [i, frame] of pieces.entries()) {
      framed(sizes[i], frame.length);
      sealer.add(frame.length);
      stretch.add(frame);
    }
    while (sealed < sealer.known) yield next();
  }
  while (sealed < sealer.known) yield next(); // nothing but a tail, if there are no frames
}

/**
 * The jobs that make all frames, some at a time.
 * @param {Crew} crew
 * @param {Sealer} sealer
 * @param {Item[]} items
 */
function* batches(crew, sealer, items) {
  for (let i = 0; i < sealer.frames; i += FRAMES_AT_ONCE) {
    yield async () => {
      /** @type {Piece[][]} */
      const frames = [];
      for (let k = i; k < Math.min(i + FRAMES_AT_ONCE, sealer.frames); k++) frames.push(sealer.pieces(k));
      const sizes = frames.map((pieces) => pieces.reduce((n, piece) => n + sizeOf(piece), 0));
      const pieces = frames.flat();
      const blob = new Blob(pieces.map((piece) => source(piece, items)));
      try {
        return { sizes, pieces: (await crew.run("compress", { blob, sizes })).pieces };
      } catch (e) {
        throw /** @type {any} */ (e).code === "changed" ? await blame(pieces, items) : e;
      }
    };
  }
}

/** @param {Piece} piece */
const sizeOf = (piece) => (piece instanceof Uint8Array ? piece.length : piece[2] - piece[1]);

/**
 * @param {Piece} piece
 * @param {Item[]} items
 * @returns {BlobPart}
 */
function source(piece, items) {
  if (piece instanceof Uint8Array) return /** @type {Uint8Array<ArrayBuffer>} */ (piece);
  const [index, from, to] = piece;
  return /** @type {File} */ (items[index].file).slice(from, to);
}

/**
 * Finds the file that could not be read. Returns the error that names it.
 * @param {Piece[]} pieces
 * @param {Item[]} items
 */
async function blame(pieces, items) {
  let name = "";
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) continue;
    name = items[piece[0]].name;
    const bytes = await new Blob([source(piece, items)]).arrayBuffer().catch(() => null);
    if (bytes?.byteLength !== sizeOf(piece)) break;
  }
  return Object.assign(new Error(`failed to read ${name}`), { code: "changed", file: name });
}
