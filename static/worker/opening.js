// @ts-check
// Opening with a crew: chunks are opened and frames decompressed in any order, and put in order here.

import { ahead } from "./pipeline.js";
import { PREFIX } from "./source.js";
import { Stretch, join } from "./stretch.js";

/** @import { Key } from "./cipher.js" */
/** @import { Bytes } from "./stretch.js" */
/** @import { Crew } from "./crew.js" */
/** @import { Opener, Run } from "./engine.d.ts" */
/** @import { Source } from "./source.js" */

const RUN = 8 << 20; // sealed bytes opened at once
const FRAMES_AT_ONCE = 2;

/**
 * Opens a content front to back. Yields the plain stream. It is the whole only when this has come to its end.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {Source} source
 * @returns {AsyncGenerator<Bytes, void, void>}
 */
export async function* openWhole(crew, opener, source) {
  let at = 0;
  const opened = ahead(crew.jobs, runs(crew, opener, source));
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
 * @param {Source} source
 */
async function* runs(crew, opener, source) {
  const stretch = new Stretch();
  /** @type {Key} */
  let key;
  function* ready() {
    for (let run = opener.run(RUN); run; run = opener.run(RUN)) {
      const job = { key, run };
      const pieces = stretch.take(run.from, run.to);
      yield () => openRun(crew, job, pieces, source);
    }
  }
  for await (const bytes of source.stream(opener.manifest.size, (size) => opener.start(size))) {
    stretch.add(bytes);
    if (!opener.key && stretch.end >= PREFIX) {
      opener.bind(await source.prefix(join(stretch.take(0, PREFIX))));
      key = await keyOf(crew, opener);
    }
    opener.arrived(stretch.end);
    yield* ready();
  }
  opener.end();
  yield* ready();
}

/**
 * Opens a run of chunks, whose bytes are brought again if those from the hoard do not open.
 * @param {Crew} crew
 * @param {{key: Key, run: Run}} job
 * @param {Bytes[]} pieces
 * @param {Pick<Source, "again">} source
 */
async function openRun(crew, job, pieces, source) {
  try {
    return await crew.open(job, pieces);
  } catch (e) {
    return crew.open(job, [await source.again(job.run.from, job.run.to, e)]);
  }
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
          yield () => crew.decompress(some, taken);
        }
      }
      if (plain === opener.manifest.size) stretch.clear(); // only padding and table follow
    }
  }
}

/**
 * Opens plain bytes [from, to).
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {number} from
 * @param {number} to
 * @param {Pick<Source, "range" | "again">} source
 * @returns {Promise<Bytes[]>}
 */
export async function openWindow(crew, opener, from, to, source) {
  const { skip, frames, at, ...run } = opener.locate(from, to);
  const stretch = new Stretch();
  const sealed = await source.range(run.from, run.to);
  for (const bytes of (await openRun(crew, { key: await keyOf(crew, opener), run }, [sealed], source)).pieces) stretch.add(bytes);
  const size = frames.reduce((n, frame) => n + frame.size, 0);
  const { pieces } = await crew.decompress(frames, stretch.take(skip, skip + size));
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
