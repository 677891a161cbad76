// @ts-check
// The download worker: knows the link, opens the manifest, fetches parts and has a crew open them (opening.js) into a sink
// (sink.js).
//
// Nothing is counted as a download before take() is called, which a person's click does. The ticket serves every save until
// the whole is saved; retries and ranges under it count once.

import * as api from "../js/api.js";
import { Arrivals, givenUp } from "./arrivals.js";
import { Crew } from "./crew.js";
import { loadEngine } from "./load.js";
import { Meter, throttled } from "./meter.js";
import { openWhole, openWindow } from "./opening.js";
import { ahead } from "./pipeline.js";
import { serve } from "./serve.js";
import { Sink } from "./sink.js";
import { Source } from "./source.js";

/** @import { FollowNews, Opened, SaveNews, Share } from "../js/types.d.ts" */
/** @import { Engine, Keys, Opener } from "./engine.d.ts" */

const WINDOW = 4 << 20; // plain bytes opened at once when reading at random
const FRAME = 1 << 20;

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

/**
 * @type {{id: string, fragment: string, keys: Keys, share: Share, manifest: Uint8Array | null, ticket: string | null,
 *   wanted: {token: string, hash: string} | null, arrivals: Arrivals | null}} arrivals: as long as the sender is still sending
 */
let current;
let cancel = new AbortController();

serve({
  /**
   * Reads the link and asks for the share's state. Without a password the manifest comes along.
   * @param {unknown} _
   * @param {string} id
   * @param {string} fragment
   * @param {string | null} ticket from before a reload
   * @returns {Promise<Opened>}
   */
  async open(_, id, fragment, ticket) {
    const { engine } = await loading;
    const keys = engine.openLink(fragment, null);
    const share = await api.getShare(id, keys.access);
    current?.arrivals?.end();
    current = { id, fragment, keys, share, manifest: null, ticket, wanted: null, arrivals: null };
    if (share.state === "open") current.arrivals = new Arrivals(share, keys.access, ticket);
    return keys.bearer ? openManifest(engine) : { share, manifest: null, locked: true };
  },

  /**
   * @param {unknown} _
   * @param {string} password
   * @returns {Promise<Opened>}
   */
  async unlock(_, password) {
    const { engine } = await loading;
    current.keys = engine.openLink(current.fragment, password);
    return openManifest(engine);
  },

  /**
   * Tells how much has arrived of what the sender is still sending, until all has: then it returns the share.
   * @param {(n: FollowNews) => void} news
   * @returns {Promise<Share>}
   */
  async follow(news) {
    const own = current, { arrivals } = own;
    const tell = () => news({ sent: arrivals?.part ?? 1, manifest: arrivals?.manifest ?? true });
    arrivals?.listeners.add(tell);
    tell();
    await arrivals?.until(() => arrivals.whole);
    own.share = await api.getShare(own.id, own.keys.access, Infinity);
    own.arrivals = null;
    return own.share;
  },

  /**
   * The manifest, when it has arrived after the share was opened.
   * @returns {Promise<Opened>}
   */
  async manifest() {
    return openManifest((await loading).engine);
  },

  /**
   * Takes one download, unless there is a ticket already. Returns the ticket, for reloads.
   * @returns {Promise<string>}
   */
  async take() {
    if (current.ticket) return current.ticket;
    current.wanted ??= (await loading).engine.createToken(); // kept when an answer is lost: the same ticket again takes no other download
    await api.takeDownload(current.id, current.keys.bearer, current.wanted.hash).catch(whenOpen);
    current.ticket = current.wanted.token;
    current.wanted = null;
    if (current.arrivals) current.arrivals.ticket = current.ticket;
    return current.ticket;
  },

  /**
   * Opens the whole, or one entry of it, into the port. Returns how that ended: "complete" or "cancelled".
   * @param {(n: SaveNews) => void} news
   * @param {MessagePort} port
   * @param {number | null} index of the entry
   */
  async save(news, port, index) {
    cancel = new AbortController();
    const { signal } = cancel;
    const { arrivals } = current;
    const report = throttled(news);
    let done = 0;
    const progress = () => {
      const follows = arrivals && !arrivals.whole ? { sent: arrivals.part, waiting: source.waiting } : {};
      report({ type: "progress", done, moved: arrivals ? done : meter.moved, ...follows });
    };
    const meter = new Meter(progress);
    const sink = new Sink(port, cancel, (n) => {
      if (n.type === "primed") return news(n);
      done = n.done;
      progress();
    });
    const loaded = await loading;
    const opener = loaded.engine.newOpener(current.keys.identity, bytesOf(current.manifest));
    const { size } = index === null ? opener.manifest : opener.manifest.entries[index];
    const crew = new Crew(loaded, size / FRAME);
    const source = new Source(current.share, current.ticket ?? "", meter, signal, arrivals);
    signal.addEventListener("abort", () => crew.end(signal.reason), { once: true });
    arrivals?.listeners.add(progress);
    try {
      opener.start(arrivals ? 0 : current.share.size);
      // The sink keeps its last bytes back until the opener has seen age's final chunk.
      const plain = index === null ? openWhole(crew, opener, source.stream(size, (sealed) => opener.start(sealed))) : entry(crew, opener, source, index);
      for await (const bytes of plain) await sink.write(bytes);
      return await sink.end();
    } catch (e) {
      if (sink.outcome) return sink.outcome;
      sink.fail();
      return whenOpen(e);
    } finally {
      arrivals?.listeners.delete(progress);
      cancel.abort(); // whatever is still waited for
      crew.end();
      opener.close();
    }
  },

  /**
   * Ends the save under way.
   * @param {unknown} _
   * @param {string} code
   */
  stop(_, code) {
    cancel.abort(Object.assign(new Error(code), { code }));
  },

  /** Tells the server that the ticket has served: a spent share is deleted now. */
  async finish() {
    const { id, ticket } = current;
    current.ticket = null;
    if (ticket) await api.finishDownload(id, ticket);
  },

  /** @returns {Promise<Share>} */
  async refresh() {
    return api.getShare(current.id, current.keys.access);
  },
});

/**
 * @param {Engine} engine
 * @returns {Promise<Opened>}
 */
async function openManifest(engine) {
  const { id, keys, share } = current;
  const sealed = await api.getManifest(id, keys.bearer).catch(whenOpen).catch(unlessAwaited);
  if (!sealed) return { share, manifest: null, locked: false };
  const opener = engine.newOpener(keys.identity, sealed);
  try {
    current.manifest = sealed;
    return { share, manifest: opener.manifest, locked: false };
  } finally {
    opener.close();
  }
}

/**
 * Throws e; and if the share is gone that the sender was still sending when it was last heard of, throws that.
 * @param {any} e
 * @returns {never}
 */
function whenOpen(e) {
  const { arrivals } = current;
  throw e.code === "not-found" && arrivals && !arrivals.whole ? givenUp() : e;
}

/** @param {any} e */
function unlessAwaited(e) {
  if (e.code !== "not-ready") throw e;
  return null;
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
  while (range) range = opener.table(await source.range(...range));
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
    yield () => openWindow(crew, opener, start, end, (...range) => source.range(...range));
    a = end;
  }
}

/** @param {Uint8Array | null} bytes */
function bytesOf(bytes) {
  if (!bytes) throw new Error("BUG: save before unlock");
  return bytes;
}
