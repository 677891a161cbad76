// @ts-check
// One save: sealed bytes come from a source, are opened by a crew (opening.js), and go into a sink (sink.js).

import { Crew } from "./crew.js";
import { LITTLE } from "./keeper.js";
import { Meter, throttled } from "./meter.js";
import { openWhole, openWindow } from "./opening.js";
import { ahead } from "./pipeline.js";
import { Sink } from "./sink.js";
import { Source } from "./source.js";
import { join } from "./stretch.js";

/** @import { SaveNews, Share } from "../js/types.d.ts" */
/** @import { Engine, Manifest, Opener } from "./engine.d.ts" */
/** @import { Arrivals } from "./arrivals.js" */
/** @import { Hoard } from "./hoard.js" */
/** @import { Bytes } from "./stretch.js" */

const WINDOW = 4 << 20; // plain bytes opened at once when reading at random
const FRAME = 1 << 20;

/**
 * @typedef {object} Order what is to be saved
 * @property {Share} share
 * @property {string} ticket
 * @property {() => Promise<void>} renew presents it anew
 * @property {Manifest} manifest
 * @property {() => Opener} opener makes one; it serves once
 * @property {number | null} index of the entry; null for the whole
 * @property {boolean} staged whether nothing may go into the port before all of it is there, if that can be
 * @property {Arrivals | null} arrivals if the sender is still sending
 * @property {Hoard | null} hoard
 */

/**
 * Opens the whole, or one entry of it, into the port. Returns how that ended: "complete" or "cancelled".
 * @param {{engine: Engine, module: WebAssembly.Module}} loaded
 * @param {Order} order
 * @param {MessagePort} port
 * @param {AbortController} cancel
 * @param {(n: SaveNews) => void} news
 */
export async function save(loaded, order, port, cancel, news) {
  const { share, ticket, renew, manifest, index, staged, arrivals, hoard } = order;
  const { signal } = cancel;
  const { size } = index === null ? manifest : manifest.entries[index];
  const had = (hoard?.bytes ?? 0) > 0;
  const report = throttled(news);
  let done = 0, joining = false;
  const progress = () => {
    const follows = arrivals && !arrivals.whole ? { sent: arrivals.part, waiting: source.waiting } : {};
    const moved = joining ? size : arrivals ? done : meter.moved;
    report({ type: "progress", done, moved, checking: had && !source.asked, joining, ...follows });
  };
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
    const whole = index === null && hoard?.bytes === share.size;
    const little = staged && (size <= LITTLE || (hoard?.all && !whole)) ? await gather() : null;
    // The sink keeps its last bytes back until the opener has seen age's final chunk.
    for await (const bytes of little ?? opened(crew, order, source)) await sink.write(bytes);
    return await sink.end();
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
async function* opened(crew, { share, index, arrivals, opener: make }, source) {
  const opener = make();
  try {
    opener.start(arrivals ? 0 : share.size);
    yield* index === null ? openWhole(crew, opener, source) : entry(crew, opener, source, index);
  } finally {
    opener.close();
  }
}

/**
 * Yields the bytes of one entry, from the frames that hold it. Each frame is authentic by itself.
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {Source} source
 * @param {number} index
 */
async function* entry(crew, opener, source, index) {
  const { offset, size } = opener.manifest.entries[index];
  /** @type {void | [number, number]} */
  let range = opener.tableRange();
  while (range) range = opener.table(await source.fresh(...range));
  for await (const pieces of ahead(crew.jobs, windows(crew, opener, source, offset, offset + size))) yield* pieces;
}

/**
 * @param {Crew} crew
 * @param {Opener} opener
 * @param {Source} source
 * @param {number} from
 * @param {number} to
 */
function* windows(crew, opener, source, from, to) {
  for (let a = from; a < to; ) {
    const start = a, end = Math.min(to, (Math.floor(a / WINDOW) + 1) * WINDOW); // on frame borders: no frame is fetched twice
    yield () => openWindow(crew, opener, start, end, source);
    a = end;
  }
}
