// @ts-check
// One save: sealed bytes come from a source, are opened by a crew (opening.js), and go into a sink (sink.js).

import { portions } from "../js/pick.js";
import { Crew } from "./crew.js";
import { LITTLE } from "./keeper.js";
import { Meter, throttled } from "./meter.js";
import { openWhole, openWindow } from "./opening.js";
import { ahead } from "./pipeline.js";
import { Sink } from "./sink.js";
import { Source } from "./source.js";
import { join } from "./stretch.js";

/** @import { Pick } from "../js/pick.js" */
/** @import { SaveNews, Share } from "../js/types.d.ts" */
/** @import { Engine, Manifest, Opener } from "./engine.d.ts" */
/** @import { Arrivals } from "./arrivals.js" */
/** @import { Hoard } from "./hoard.js" */
/** @import { Bytes } from "./stretch.js" */

const WINDOW = 4 << 20; // plain bytes opened at once when reading at random
const FRAME = 1 << 20;
const FAR = 256 << 20; // plain bytes of which those that are fetched are counted together, to tell beforehand how many it will be

/**
 * @typedef {object} Order what is to be saved
 * @property {Share} share
 * @property {string} ticket
 * @property {() => Promise<void>} renew presents it anew
 * @property {Manifest} manifest
 * @property {() => Opener} opener makes one; it serves once
 * @property {Pick | null} pick what is taken out of it; null for the whole
 * @property {boolean} staged whether nothing may go into the port before all of it is there, if that can be
 * @property {Arrivals | null} arrivals if the sender is still sending
 * @property {Hoard | null} hoard
 */

/**
 * Opens the whole, or what is taken out of it, into the port. Returns how that ended: "complete" or "cancelled".
 * @param {{engine: Engine, module: WebAssembly.Module}} loaded
 * @param {Order} order
 * @param {MessagePort} port
 * @param {AbortController} cancel
 * @param {(n: SaveNews) => void} news
 */
export async function save(loaded, order, port, cancel, news) {
  const { share, ticket, renew, manifest, pick, staged, arrivals, hoard } = order;
  const { signal } = cancel;
  const { size } = pick ?? manifest;
  const had = (hoard?.bytes ?? 0) > 0;
  const report = throttled(news);
  let done = 0, joining = false;
  /** @returns {SaveNews} */
  const state = () => {
    const follows = arrivals && !arrivals.whole ? { sent: arrivals.part, waiting: source.waiting } : {};
    const moved = joining ? size : arrivals ? done : meter.moved;
    return { type: "progress", done, moved, checking: had && !source.asked, joining, ...follows, fetched: source.fetched };
  };
  const progress = () => report(state());
  const meter = new Meter(progress);
  const crew = Crew.of(loaded, size / FRAME);
  const source = new Source(share, ticket, meter, signal, arrivals, hoard, crew, renew);
  const sink = new Sink(port, cancel, (n) => {
    if (n.type === "primed") return news(n);
    done = n.done;
    progress();
  }, (buffer) => crew.spare(buffer));
  signal.addEventListener("abort", () => crew.end(signal.reason), { once: true });
  arrivals?.listeners.add(progress);

  /** Verifies all. Returns it if it is little. */
  async function gather() {
    /** @type {Bytes[]} */
    const little = [];
    for await (const bytes of opened(crew, order, source)) {
      done += bytes.length;
      progress();
      if (!hoard?.all) little.push(bytes);
      else crew.spare(bytes.buffer);
      if (hoard?.all && hoard.full) break; // the rest is not there
    }
    joining = !(hoard?.all && hoard.full);
    done = 0;
    return hoard?.all ? null : little;
  }

  try {
    signal.throwIfAborted();
    const whole = !pick && hoard?.bytes === share.size;
    const little = staged && (size <= LITTLE || (hoard?.all && !whole)) ? await gather() : null;
    // The sink keeps its last bytes back until the opener has seen age's final chunk.
    for await (const bytes of little ?? opened(crew, order, source)) await sink.write(bytes);
    const outcome = await sink.end();
    news(state()); // and nothing else
    return outcome;
  } catch (e) {
    if (sink.outcome) return sink.outcome;
    sink.fail();
    throw e;
  } finally {
    arrivals?.listeners.delete(progress);
    cancel.abort(); // whatever is still waited for
    crew.end();
  }
}

/**
 * Opens the whole into memory: a note.
 * @param {{engine: Engine, module: WebAssembly.Module}} loaded
 * @param {Order} order
 * @param {AbortController} cancel
 * @returns {Promise<Bytes>}
 */
export async function read(loaded, order, cancel) {
  const { share, ticket, renew, manifest, arrivals } = order;
  const { signal } = cancel;
  const crew = Crew.of(loaded, manifest.size / FRAME);
  const source = new Source(share, ticket, new Meter(() => {}), signal, arrivals, null, crew, renew);
  /** @type {Bytes[]} */
  const pieces = [];
  try {
    signal.throwIfAborted();
    for await (const bytes of opened(crew, order, source)) pieces.push(bytes);
    return join(pieces);
  } finally {
    cancel.abort(); // whatever is still waited for
    crew.end();
  }
}

/**
 * Opens what is wanted and yields it.
 * @param {Crew} crew
 * @param {Order} order
 * @param {Source} source
 * @returns {AsyncGenerator<Bytes, void, void>}
 */
async function* opened(crew, { share, pick, arrivals, manifest, opener: make }, source) {
  const opener = make();
  try {
    opener.start(arrivals ? 0 : share.size);
    yield* pick ? picked(crew, opener, source, pick, share.size / (manifest.size || 1)) : openWhole(crew, opener, source);
  } finally {
    opener.close();
  }
}

/**
 * Yields what is taken out of the whole, from the frames that hold it. Each frame is authentic by itself.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {Source} source
 * @param {Pick} pick
 * @param {number} ratio of sealed bytes to plain ones, about
 */
async function* picked(crew, opener, source, { ranges, size, zeros }, ratio) {
  if (ranges.length) {
    const about = (/** @type {number} */ n) => Math.floor(n * ratio);
    source.expect(ranges.map(([from, to]) => [about(from), about(to) + 1]), size);
    /** @type {void | [number, number]} */
    let range = opener.tableRange();
    while (range) range = opener.table(await source.fresh(...range));
    source.expect([...portions(ranges, FAR)].map((some) => sealedRange(opener, some)), size);
    for await (const pieces of ahead(crew.jobs, windows(crew, opener, source, ranges))) yield* pieces;
    await source.rest();
  }
  if (zeros) yield new Uint8Array(zeros);
}

/**
 * Where stretches of the plain stream lie that follow each other.
 * @param {Opener} opener
 * @param {[number, number][]} ranges
 * @returns {[number, number]}
 */
function sealedRange(opener, ranges) {
  const from = ranges[0][0], to = ranges[ranges.length - 1][1];
  return [opener.locate(from, from + 1).from, opener.locate(to - 1, to).to];
}

/**
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {Source} source
 * @param {[number, number][]} ranges
 */
function* windows(crew, opener, source, ranges) {
  for (const some of portions(ranges, WINDOW)) { // on frame borders: no frame is opened twice
    const from = some[0][0], to = some[some.length - 1][1];
    yield async () => {
      const pieces = await openWindow(crew, opener, from, to, source);
      return some.length === 1 ? pieces : cut(pieces, from, some);
    };
  }
}

/**
 * Takes stretches out of pieces that follow each other from at on.
 * @param {Bytes[]} pieces
 * @param {number} at
 * @param {[number, number][]} ranges
 */
function cut(pieces, at, ranges) {
  const taken = [];
  for (const piece of pieces) {
    for (const [from, to] of ranges) {
      const some = piece.slice(Math.max(0, from - at), Math.max(0, to - at)); // its buffer goes on its own way
      if (some.length) taken.push(some);
    }
    at += piece.length;
  }
  return taken;
}
