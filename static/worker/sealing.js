// @ts-check
// Sealing with a crew: frames are read and compressed in any order and put in order here; of them each part is sealed as soon as
// all is known that it is made of.
//
// A chunk on the border of two parts is sealed for both of them, under the same key and counter. It is the Stretch that sees to it
// that both get the same bytes: a frame is compressed once, and what two parts need of it is copied from there.
//
// Where another page has begun, the frames that it made are read again and compared with what they were (dispatch.js), but only
// those are compressed again of which parts are made that the server does not have.

import { ahead } from "./pipeline.js";
import { Stretch } from "./stretch.js";

/** @import { Item } from "../js/types.d.ts" */
/** @import { Crew } from "./crew.js" */
/** @import { Dispatch } from "./dispatch.js" */
/** @import { Piece } from "./engine.d.ts" */

const FRAMES_AT_ONCE = 4; // of a file, to be read in one go
const CHUNK = 64 << 10; // what neighbours may share

/**
 * @typedef {object} Ready a part that can be sealed
 * @property {number} n 1 for the first
 * @property {number} size
 * @property {number} plain how many bytes of the plain stream come to an end with it
 * @property {(() => Promise<{bytes: Uint8Array<ArrayBuffer>, digest: Uint8Array}>) | null} seal to be called once; null if the server
 * has the part
 */

/**
 * Yields the parts of a share in order. framed is told of each frame when its turn has come: how large it is, plain and compressed.
 * @param {Crew} crew
 * @param {Dispatch} dispatch
 * @param {(plain: number, compressed: number) => void} framed
 * @returns {AsyncGenerator<Ready, void, void>}
 */
export async function* parts(crew, dispatch, framed) {
  const { sealer } = dispatch;
  const key = await crew.key(sealer.key);
  const stretch = new Stretch();
  const wanted = plan(dispatch);
  const ends = [{ at: 0, plain: 0 }]; // of the frames in the compressed and in the plain stream
  let made = 0, n = 1, before = 0;
  /** @returns {Ready | null} */
  const next = () => {
    if (n > sealer.known) return null;
    const part = sealer.part(n);
    if (part.to > stretch.end) {
      if (made < sealer.frames) return null;
      stretch.add(sealer.tail(stretch.end, part.to));
    }
    const pieces = stretch.take(part.from, part.to, part.to - CHUNK);
    const plain = plainAt(ends, part.to) - before;
    before += plain;
    if (dispatch.stored(n)) return { n: n++, size: part.size, plain, seal: null };
    if (pieces.reduce((sum, { length }) => sum + length, 0) !== part.to - part.from) throw new Error(`BUG: part ${n} has gaps`);
    const seal = async () => {
      const { pieces: [bytes], digest } = await crew.seal({ key, part }, pieces);
      return { bytes, digest };
    };
    return { n: n++, size: part.size, plain, seal };
  };
  for await (const { sizes, pieces, digests } of ahead(crew.jobs, batches(crew, dispatch, wanted))) {
    for (const [i, frame] of pieces.entries()) {
      const known = made < dispatch.known;
      const size = wanted(made) ? frame.length : dispatch.frameSize(made);
      if (dispatch.kept) dispatch.frame(made, digests[i], size);
      if (!known) sealer.add(size);
      if (wanted(made)) stretch.add(frame);
      else stretch.pass(size);
      const { at, plain } = ends[ends.length - 1];
      ends.push({ at: at + size, plain: plain + sizes[i] });
      framed(sizes[i], size);
      made++;
    }
    for (let ready = next(); ready; ready = next()) yield ready;
  }
  for (let ready = next(); ready; ready = next()) yield ready; // nothing but a tail, if there are no frames
}

/**
 * How much of the plain stream comes before a place in the compressed one. Forgets the frames that end before that.
 * @param {{at: number, plain: number}[]} ends
 * @param {number} place
 */
function plainAt(ends, place) {
  const next = ends.findIndex(({ at }) => at > place);
  ends.splice(0, (next < 0 ? ends.length : next) - 1);
  const [a, b] = ends;
  return b ? a.plain + Math.floor(((b.plain - a.plain) * (place - a.at)) / (b.at - a.at)) : a.plain;
}

/**
 * Tells the sealer of the frames that were made before. Returns whether a frame has to be compressed: if a part is made of it that the
 * server does not have.
 * @param {Dispatch} dispatch
 * @returns {(frame: number) => boolean}
 */
function plan(dispatch) {
  const { sealer, known } = dispatch;
  for (let i = 0; i < known; i++) sealer.add(dispatch.frameSize(i));
  const wanted = new Uint8Array(known);
  for (let n = 1, i = 0, at = 0; n <= sealer.known + 1; n++) {
    const last = n > sealer.known; // what is not known of follows, and may share a chunk
    if (last && known === sealer.frames) break;
    const { from, to } = last ? { from: n > 1 ? sealer.part(n - 1).to - CHUNK : 0, to: Infinity } : sealer.part(n);
    while (i < known && at + dispatch.frameSize(i) <= from) at += dispatch.frameSize(i++);
    if (!last && dispatch.stored(n)) continue;
    for (let k = i, place = at; k < known && place < to; place += dispatch.frameSize(k++)) wanted[k] = 1;
  }
  return (frame) => frame >= known || wanted[frame] === 1;
}

/**
 * The jobs that make all frames, some at a time.
 * @param {Crew} crew
 * @param {Dispatch} dispatch
 * @param {(frame: number) => boolean} wanted
 */
function* batches(crew, { sealer, items, kept: digests }, wanted) {
  for (let i = 0; i < sealer.frames; i += FRAMES_AT_ONCE) {
    yield async () => {
      /** @type {Piece[][]} */
      const frames = [];
      for (let k = i; k < Math.min(i + FRAMES_AT_ONCE, sealer.frames); k++) frames.push(sealer.pieces(k));
      const sizes = frames.map((pieces) => pieces.reduce((n, piece) => n + sizeOf(piece), 0));
      const pieces = frames.flat();
      const blob = new Blob(pieces.map((piece) => source(piece, items)));
      try {
        const job = { blob, sizes, wanted: frames.map((_, k) => wanted(i + k)), digests };
        return { sizes, ...(await crew.run("compress", job)) };
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
