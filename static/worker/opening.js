// @ts-check
// Opening with a crew: chunks are opened and frames decompressed in any order, and put in order here.

import { ahead } from "./pipeline.js";
import { Stretch, join } from "./stretch.js";

/** @import { Key } from "./cipher.js" */
/** @import { Bytes } from "./stretch.js" */
/** @import { Crew } from "./crew.js" */
/** @import { Opener } from "./engine.d.ts" */

const PREFIX = 184; // bytes before the first chunk
const RUN = 8 << 20; // sealed bytes opened at once
const FRAMES_AT_ONCE = 2;

/**
 * Opens a content front to back from its sealed bytes, in order. Yields the plain stream. It is the whole only when this has come
 * to its end.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {AsyncIterable<Bytes>} sealed
 * @returns {AsyncGenerator<Bytes, void, void>}
 */
export async function* openWhole(crew, opener, sealed) {
  let at = 0;
  const opened = ahead(crew.jobs, runs(crew, opener, sealed));
  for await (const { pieces } of ahead(crew.jobs, frames(crew, opener, opened))) {
    for (const plain of pieces) {
      opener.check(at, plain);
      at += plain.length;
      yield plain;
    }
  }
  opener.finish();
}

/**
 * The jobs that open what has arrived.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {AsyncIterable<Bytes>} sealed
 */
async function* runs(crew, opener, sealed) {
  const stretch = new Stretch();
  /** @type {Key} */
  let key;
  function* ready() {
    for (let run = opener.run(RUN); run; run = opener.run(RUN)) {
      const job = { key, run };
      const pieces = stretch.take(run.from, run.to);
      yield () => crew.run("open", job, pieces);
    }
  }
  for await (const bytes of sealed) {
    stretch.add(bytes);
    if (!opener.key && stretch.end >= PREFIX) {
      opener.bind(join(stretch.take(0, PREFIX)));
      key = await keyOf(crew, opener);
    }
    opener.arrived(stretch.end);
    yield* ready();
  }
  opener.end();
  yield* ready();
}

/**
 * The jobs that decompress what was opened.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {AsyncIterable<{pieces: Bytes[]}>} opened
 */
async function* frames(crew, opener, opened) {
  const stretch = new Stretch();
  let at = 0, plain = 0;
  for await (const { pieces } of opened) {
    for (const bytes of pieces) {
      opener.walk(bytes);
      stretch.add(bytes);
      for (let found = opener.frames(); found.length; found = opener.frames()) {
        for (let i = 0; i < found.length; i += FRAMES_AT_ONCE) {
          const some = found.slice(i, i + FRAMES_AT_ONCE);
          const from = at;
          for (const frame of some) {
            at += frame.size;
            plain += frame.plain;
          }
          const taken = stretch.take(from, at);
          yield () => crew.run("decompress", { frames: some }, taken);
        }
      }
      if (plain === opener.manifest.size) stretch.clear(); // only padding and table follow
    }
  }
}

/**
 * Opens plain bytes [from, to). fetch brings a range of sealed bytes, plain bytes of which are wanted.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {number} from
 * @param {number} to
 * @param {(from: number, to: number, plain: number) => Promise<Bytes>} fetch
 * @returns {Promise<Bytes[]>}
 */
export async function openWindow(crew, opener, from, to, fetch) {
  const { skip, frames, at, ...run } = opener.locate(from, to);
  const stretch = new Stretch();
  const sealed = await fetch(run.from, run.to, to - from);
  for (const bytes of (await crew.run("open", { key: await keyOf(crew, opener), run }, [sealed])).pieces) stretch.add(bytes);
  const size = frames.reduce((n, frame) => n + frame.size, 0);
  const { pieces } = await crew.run("decompress", { frames }, stretch.take(skip, skip + size));
  let start = at;
  return pieces.map((plain) => {
    opener.check(start, plain);
    const wanted = plain.subarray(Math.max(0, from - start), Math.max(0, to - start));
    start += plain.length;
    return wanted;
  });
}

/**
 * @param {Crew} crew
 * @param {Opener} opener
 */
function keyOf(crew, { key }) {
  if (!key) throw new Error("BUG: no key yet");
  return crew.key(key);
}
