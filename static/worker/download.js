// @ts-check
// The download worker: knows the link, opens the manifest, and saves (saving.js).
//
// Nothing is counted as a download before take() is called, which a person's click does. The ticket serves every save until
// the whole is saved, in other pages as well (keeper.js); retries and ranges under it count once.

import * as api from "../js/api.js";
import { site } from "../js/base.js";
import { checkShare, readManifest } from "./answers.js";
import { Arrivals, givenUp } from "./arrivals.js";
import { decode, encode } from "./base64url.js";
import { Crew } from "./crew.js";
import { Keeper } from "./keeper.js";
import { loadEngine } from "./load.js";
import { throttled } from "./meter.js";
import { read, save } from "./saving.js";
import { Handover, serve } from "./serve.js";
import { Viewing } from "./viewing.js";

/** @import { Pick } from "../js/pick.js" */
/** @import { Complaint, FollowNews, Opened, SaveNews, Share } from "../js/types.d.ts" */
/** @import { Engine, Keys, Manifest, Opener } from "./engine.d.ts" */

const FRAME = 1 << 20;

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

/**
 * @type {{id: string, fragment: string, keys: Keys, share: Share, keeper: Keeper,
 *   unlocked: {sealed: Uint8Array, manifest: Manifest, pictures: Opener | null} | null,
 *   ticket: string | null, wanted: {token: string, hash: string} | null, file: FileSystemFileHandle | null,
 *   arrivals: Arrivals | null}} arrivals: as long as the sender is still sending
 */
let current;
let cancel = new AbortController();
/** What is looked at. @type {Viewing | null} */
let viewing = null;
let reported = { same: "", sealed: new Uint8Array(0) };

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
    const keeper = current?.keeper ?? new Keeper(id);
    const share = await api.getShare(id, keys.access).then(checkShare).catch(async (e) => {
      if (e.code === "not-found") await keeper.forget();
      throw e;
    });
    const found = await keeper.find();
    const token = ticket ?? found?.ticket;
    current?.arrivals?.end();
    stopViewing();
    current?.unlocked?.pictures?.close();
    current = {
      id, fragment, keys, share, keeper, unlocked: null, ticket: null, arrivals: null,
      wanted: token ? await known(token) : null,
      file: found?.file ?? current?.file ?? null,
    };
    if (share.state === "open") current.arrivals = new Arrivals(share, keys.access, token ?? null);
    return keys.bearer ? openManifest(engine) : { share, manifest: null, locked: true, kept: null, taken: false };
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
    own.share = checkShare(await api.getShare(own.id, own.keys.access, Infinity));
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
   * Takes one download, unless there is a ticket already. Returns the ticket, for reloads. With it a save begins, so from here on stop
   * ends it.
   * @param {unknown} _
   * @param {boolean} whole whether it is for the whole, which another page can go on with
   * @returns {Promise<string>}
   */
  async take(_, whole) {
    const { signal } = (cancel = new AbortController());
    return takeTicket(whole, signal);
  },

  /**
   * Opens the whole, or what is taken out of it, into the port, after take. Returns how that ended: "complete" or "cancelled".
   * @param {(n: SaveNews) => void} news
   * @param {MessagePort} port
   * @param {Pick | null} pick what is taken out; null for the whole
   * @param {{staged: boolean, file: FileSystemFileHandle | null}} to the way it is saved, and the file, if one was chosen
   */
  async save(news, port, pick, { staged, file }) {
    const loaded = await loading;
    const { keeper } = current;
    const order = orderOf(loaded.engine, cancel.signal);
    const { share, ticket, manifest } = order;
    const whole = pick === null;
    const { size: plain } = pick ?? manifest;
    const hoard = await keeper.provide({ share, ticket, file, whole, staged, plain });
    let how = "failed";
    try {
      const outcome = await save(loaded, { ...order, pick, staged, hoard }, port, cancel, news);
      how = outcome ?? how;
      return outcome;
    } catch (e) {
      how = /** @type {any} */ (e).code ?? how;
      return whenOpen(e);
    } finally {
      await keeper.settle(how, whole);
    }
  },

  /**
   * Opens a note, after take.
   * @returns {Promise<string>}
   */
  async read() {
    const loaded = await loading;
    const order = { ...orderOf(loaded.engine, cancel.signal), pick: null, staged: false, hoard: null };
    const text = new TextDecoder("utf-8", { ignoreBOM: true }); // as it was written
    return text.decode(await read(loaded, order, cancel).catch(whenOpen));
  },

  /**
   * The thumbnails of entries, which are in the manifest. Returned are copies: there may be many, and few are in sight.
   * @param {unknown} _
   * @param {number[]} indices
   */
  thumbnails(_, indices) {
    const { pictures } = current.unlocked ?? unlockedFirst();
    return indices.map((i) => pictures?.thumbnail(i) ?? new Uint8Array(0));
  },

  /**
   * Takes one download for looking at what is in it, unless there is a ticket already. Saving afterwards takes no other, and in another
   * page it can be gone on with. Returns the ticket.
   * @returns {Promise<string>}
   */
  async see() {
    return takeTicket(true, new AbortController().signal);
  },

  /**
   * Opens the first bytes of an entry, after see. Returns them in pieces.
   * @param {(n: {done: number}) => void} news
   * @param {number} index
   * @param {number} most
   */
  async view(news, index, most) {
    const pieces = await (await viewer()).read(index, most, throttled(news)).catch(whenOpen);
    return new Handover(pieces, pieces.map(({ buffer }) => buffer));
  },

  /**
   * Answers a player through the port, after see. Returns when it wants no more.
   * @param {unknown} _
   * @param {number} index
   * @param {MessagePort} port
   */
  async play(_, index, port) {
    await (await viewer()).answer(index, port).catch(whenOpen);
  },

  /** Nothing is looked at any more. */
  leave() {
    stopViewing();
  },

  /**
   * Ends the save that take has begun.
   * @param {unknown} _
   * @param {string} code
   */
  stop(_, code) {
    cancel.abort(Object.assign(new Error(code), { code }));
  },

  /** Tells the server that the ticket has served: a spent share is deleted now. */
  async finish() {
    const { id, ticket } = current;
    stopViewing();
    current.ticket = null;
    if (ticket) await api.finishDownload(id, ticket);
  },

  /** Wipes what has arrived of the whole. */
  async forget() {
    await current.keeper.forget();
  },

  /** What opens the share without this page, for who asks to see it. */
  keys() {
    const { bearer, identity } = current.keys;
    return { bearer, identity };
  },

  /**
   * Tells the operator, and nobody else, what is wrong with the share.
   * @param {unknown} _
   * @param {string} recipient the operator's
   * @param {Complaint} complaint
   */
  async report(_, recipient, complaint) {
    const { engine } = await loading;
    const { id, keys } = current;
    const same = JSON.stringify([id, recipient, complaint, keys.identity]);
    if (reported.same !== same) reported = { same, sealed: sealReport(engine, recipient, complaint) }; // the same bytes again are one report
    await api.sendReport(id, keys.access, reported.sealed);
  },

  /** @returns {Promise<Share>} */
  async refresh() {
    return checkShare(await api.getShare(current.id, current.keys.access));
  },
});

/**
 * The key goes along if the complaint says so, and only then.
 * @param {Engine} engine
 * @param {string} recipient
 * @param {Complaint} complaint
 */
function sealReport(engine, recipient, { reason, words, key }) {
  const { id, fragment, keys } = current;
  const [link, identity] = key ? [`${site}/d/${id}#${fragment}`, keys.identity] : ["", ""];
  return engine.sealReport(recipient, { share: id, reason, words, link, identity });
}

/**
 * Takes one download, unless there is a ticket already.
 * @param {boolean} whole whether another page can go on with it
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
async function takeTicket(whole, signal) {
  const own = current, { id, keys, share, keeper } = own;
  if (own.ticket && whole) await keeper.reserve(share, own.ticket);
  if (own.ticket) return own.ticket;
  const { engine } = await loading;
  // Kept when an answer is lost, and for whoever asks meanwhile: the same ticket again takes no other download.
  const wanted = (own.wanted ??= engine.createToken());
  if (whole) await keeper.reserve(share, wanted.token);
  await api.takeDownload(id, keys.bearer, wanted.hash, signal).catch(whenOpen);
  own.ticket = wanted.token;
  own.wanted = null;
  if (own.arrivals) own.arrivals.ticket = own.ticket;
  return own.ticket;
}

async function viewer() {
  const loaded = await loading;
  return (viewing ??= new Viewing(loaded, orderOf(loaded.engine, new AbortController().signal)));
}

function stopViewing() {
  viewing?.end();
  viewing = null;
}

/**
 * What every save of the current share has in common, and what looks at it.
 * @param {Engine} engine
 * @param {AbortSignal} signal
 */
function orderOf(engine, signal) {
  const { id, share, keys, arrivals } = current;
  const { ticket } = current;
  if (!ticket) throw new Error("BUG: opened without a ticket");
  const { sealed, manifest } = current.unlocked ?? unlockedFirst();
  const renew = async () => api.takeDownload(id, keys.bearer, (await known(ticket)).hash, signal);
  return { share, ticket, renew, manifest, arrivals, opener: () => engine.newOpener(keys.identity, sealed) };
}

/**
 * @param {Engine} engine
 * @returns {Promise<Opened>}
 */
async function openManifest(engine) {
  const { id, keys, share, keeper } = current;
  const sealed = await api.getManifest(id, keys.bearer, readManifest).catch(whenOpen).catch(unlessAwaited);
  const taken = current.wanted !== null || current.ticket !== null;
  if (!sealed) return { share, manifest: null, locked: false, kept: null, taken };
  const opener = engine.newOpener(keys.identity, sealed);
  const { manifest } = opener;
  const pictures = manifest.entries.some(({ pictured }) => pictured) ? opener : null;
  if (!pictures) opener.close();
  current.unlocked?.pictures?.close();
  current.unlocked = { sealed, manifest, pictures };
  Crew.prepare(await loading, manifest.size / FRAME);
  const kept = keeper.bytes ? { part: Math.min(1, keeper.bytes / share.size), file: current.file } : null;
  return { share, manifest, locked: false, kept, taken };
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

/** @returns {never} */
function unlockedFirst() {
  throw new Error("BUG: save before unlock");
}

/**
 * A ticket from before, as the server is asked for it again: it may have forgotten it meanwhile.
 * @param {string} token
 */
async function known(token) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", decode(token)));
  return { token, hash: encode(digest) };
}
