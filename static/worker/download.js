// @ts-check
// The download worker: knows the link, opens the manifest, fetches parts and opens them into a sink (sink.js).
//
// Nothing is counted as a download before take() is called, which a person's click does. The ticket serves every save until
// the whole is saved; retries and ranges under it count once.

import * as api from "../js/api.js";
import { loadEngine } from "./load.js";
import { ahead } from "./pipeline.js";
import { serve } from "./serve.js";
import { Sink } from "./sink.js";

/** @import { Opened, SaveNews, Share } from "../js/types.d.ts" */
/** @import { Engine, Keys, Opener } from "./engine.d.ts" */

const PARTS_AHEAD = 3;
const WINDOW = 4 << 20; // plain bytes opened at once when reading at random

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

/**
 * @type {{id: string, fragment: string, keys: Keys, share: Share, manifest: Uint8Array | null, ticket: string | null,
 *   wanted: {token: string, hash: string} | null}}
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
    const engine = await loading;
    const keys = engine.openLink(fragment, null);
    const share = await api.getShare(id, keys.access);
    current = { id, fragment, keys, share, manifest: null, ticket, wanted: null };
    return keys.password || share.state === "open" ? { share, manifest: null } : unlock(engine);
  },

  /**
   * @param {unknown} _
   * @param {string} password
   * @returns {Promise<Opened>}
   */
  async unlock(_, password) {
    const engine = await loading;
    current.keys = engine.openLink(current.fragment, password);
    return unlock(engine);
  },

  /**
   * Takes one download, unless there is a ticket already. Returns the ticket, for reloads.
   * @returns {Promise<string>}
   */
  async take() {
    if (current.ticket) return current.ticket;
    current.wanted ??= (await loading).createToken(); // kept when an answer is lost: the same ticket again takes no other download
    await api.takeDownload(current.id, current.keys.bearer, current.wanted.hash);
    current.ticket = current.wanted.token;
    current.wanted = null;
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
    const sink = new Sink(port, cancel, news);
    const engine = await loading;
    const opener = engine.newOpener(current.keys.identity, bytesOf(current.manifest));
    try {
      opener.start(current.share.size);
      if (index === null) await pourWhole(opener, sink);
      else await pourEntry(opener, index, sink);
      return await sink.end();
    } catch (e) {
      if (sink.outcome) return sink.outcome;
      sink.fail();
      throw e;
    } finally {
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
async function unlock(engine) {
  const { id, keys, share } = current;
  if (share.state === "open") return { share, manifest: null };
  const sealed = await api.getManifest(id, keys.bearer);
  const opener = engine.newOpener(keys.identity, sealed);
  try {
    current.manifest = sealed;
    return { share, manifest: opener.manifest };
  } finally {
    opener.close();
  }
}

/**
 * Opens the parts in order. The sink keeps the last bytes back until the opener has seen age's final chunk.
 * @param {Opener} opener
 * @param {Sink} sink
 */
async function pourWhole(opener, sink) {
  const { size, partSize } = current.share;
  for await (const sealed of ahead(PARTS_AHEAD, pieces(0, size, partSize))) {
    for (let plain = opener.write(sealed); plain.length; plain = opener.write(new Uint8Array(0))) await pour(plain, sink);
  }
  for (let plain = opener.finish(); plain.length; plain = opener.finish()) await pour(plain, sink);
}

/**
 * @param {Uint8Array[]} plain
 * @param {Sink} sink
 */
async function pour(plain, sink) {
  for (const bytes of plain) await sink.write(bytes);
}

/**
 * Opens one entry at random, from the frames that hold it. Each frame is authentic by itself.
 * @param {Opener} opener
 * @param {number} index
 * @param {Sink} sink
 */
async function pourEntry(opener, index, sink) {
  const { offset, size } = opener.manifest.entries[index];
  /** @type {void | [number, number]} */
  let range = opener.tableRange();
  while (range) range = opener.table(await fetchRange(...range));
  for await (const { sealed, from, to } of ahead(2, windows(opener, offset, offset + size))) {
    await sink.write(opener.read(sealed, from, to));
  }
}

/**
 * @param {Opener} opener
 * @param {number} from
 * @param {number} to
 */
function* windows(opener, from, to) {
  for (let a = from; a < to; ) {
    const start = a, end = Math.min(to, (Math.floor(a / WINDOW) + 1) * WINDOW); // on frame borders: no frame is fetched twice
    const range = opener.locate(start, end);
    yield async () => ({ sealed: await fetchRange(...range), from: start, to: end });
    a = end;
  }
}

/**
 * Fetches sealed bytes [from, to) of the content.
 * @param {number} from
 * @param {number} to
 */
async function fetchRange(from, to) {
  const whole = new Uint8Array(to - from);
  let n = 0;
  for await (const bytes of ahead(PARTS_AHEAD, pieces(from, to, current.share.partSize))) {
    whole.set(bytes, n);
    n += bytes.length;
  }
  return whole;
}

/**
 * The requests that bring sealed bytes [from, to), in order: a part, or a piece of one, each.
 * @param {number} from
 * @param {number} to
 * @param {number} partSize
 */
function* pieces(from, to, partSize) {
  const { id, ticket } = current;
  const { signal } = cancel;
  for (let a = from; a < to; ) {
    const n = Math.floor(a / partSize), start = a, end = Math.min(to, (n + 1) * partSize);
    yield () => api.getPart(id, ticket ?? "", n + 1, start - n * partSize, end - n * partSize, signal);
    a = end;
  }
}

/** @param {Uint8Array | null} bytes */
function bytesOf(bytes) {
  if (!bytes) throw new Error("BUG: save before unlock");
  return bytes;
}
