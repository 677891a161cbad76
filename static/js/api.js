// @ts-check
// The client of server/api. Works in the page and in workers. Requests that fail for a passing reason are repeated; every
// call of the protocol is idempotent, so that is always safe.

import { base } from "./base.js";
import * as line from "./line.js";

/** @import { Config, CreateShare, Parts, Share, UpdateShare } from "./types.d.ts" */
/** @import { Moved } from "./line.js" */

const TRIES = 5; // while a person waits for the answer: some seconds
export const TRANSFER = Infinity; // what is under way goes on by itself when the connection, or the server, is back
const STUBBORN = 8; // of something that may well never pass
const FIRST_WAIT = 500; // milliseconds; doubles with each try
const LONGEST_WAIT = 30_000;
/** What may pass in time, but a person decides. */
const DECIDED = new Set(["too-many-tries", "storage-full", "over-total", "daily-shares", "daily-bytes"]);
const LONGEST_REST = 86_400; // seconds: timers for weeks go off at once

/** An error that the server described (RFC 9457), or that no answer came ("offline"). */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} detail
   * @param {{status?: number, triesLeft?: number, retryAfter?: number}} [more]
   */
  constructor(code, detail, more = {}) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.status = more.status ?? 0;
    this.triesLeft = more.triesLeft;
    this.retryAfter = more.retryAfter;
  }
}

/**
 * @typedef {object} Options
 * @property {string} [token] bearer token
 * @property {object} [json] body
 * @property {Uint8Array<ArrayBuffer>} [bytes] body
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [tries]
 * @property {boolean} [queues] waits for as long as the address has made too many requests
 * @property {Moved} [moved]
 * @property {line.Piece} [piece] that the answer brings; each try asks for what is missing of it
 */

/**
 * @param {number} [tries]
 * @returns {Promise<Config>}
 */
export const config = (tries) => request("GET", "config", readJSON, { tries });

/**
 * @param {CreateShare} terms
 * @param {AbortSignal} signal
 * @param {string} [token] of those who may upload, where the server asks for one
 * @returns {Promise<Share>}
 */
export const createShare = (terms, signal, token) => request("POST", "shares", readJSON, { json: terms, signal, token });

/**
 * @param {string} id
 * @param {string} owner
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {AbortSignal} signal
 */
export const putManifest = async (id, owner, bytes, signal) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  await put(`shares/${id}/manifest`, owner, bytes, digest, signal, () => {});
};

/**
 * @param {string} id
 * @param {string} owner
 * @param {number} n 1 for the first
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Uint8Array} digest SHA-256
 * @param {AbortSignal} signal
 * @param {Moved} [moved]
 */
export const putPart = (id, owner, n, bytes, digest, signal, moved) =>
  put(`shares/${id}/parts/${n}`, owner, bytes, digest, signal, moved);

/**
 * @param {string} id
 * @param {string} owner
 * @param {{size: number, parts: number}} whole
 * @param {AbortSignal} signal
 * @returns {Promise<Share>}
 */
export const completeShare = (id, owner, whole, signal) =>
  request("POST", `shares/${id}/complete`, readJSON, { token: owner, json: whole, signal, tries: TRANSFER });

/**
 * What has arrived.
 * @param {string} id
 * @param {string} token of the owner, for access, or a ticket
 * @param {{signal?: AbortSignal, tries?: number, query?: string}} [o]
 * @returns {Promise<Parts>}
 */
export const getParts = (id, token, { query = "", ...o } = {}) => request("GET", `shares/${id}/parts${query}`, readJSON, { token, ...o });

/**
 * @param {string} id
 * @param {string} owner
 */
export const deleteShare = (id, owner) => request("DELETE", `shares/${id}`, readNothing, { token: owner, tries: 4 });

/**
 * @param {string} id
 * @param {string} owner
 * @param {UpdateShare} change
 * @returns {Promise<Share>}
 */
export const updateShare = (id, owner, change) => request("PATCH", `shares/${id}`, readJSON, { token: owner, json: change });

/**
 * @param {string} id
 * @param {string} access or the owner's token
 * @param {number} [tries]
 * @returns {Promise<Share>}
 */
export const getShare = (id, access, tries) => request("GET", `shares/${id}`, readJSON, { token: access, tries });

/**
 * @template T
 * @param {string} id
 * @param {string} reader
 * @param {(r: Response, moved: Moved) => Promise<T>} read
 */
export const getManifest = (id, reader, read) => request("GET", `shares/${id}/manifest`, read, { token: reader });

/**
 * @param {string} id
 * @param {string} reader
 * @param {string} hash of the ticket
 * @param {AbortSignal} signal
 */
export const takeDownload = (id, reader, hash, signal) =>
  request("POST", `shares/${id}/downloads`, readNothing, { token: reader, json: { ticket: hash }, signal, queues: true });

/**
 * Brings what is missing of a piece of part n.
 * @param {string} id
 * @param {string} ticket
 * @param {number} n
 * @param {line.Piece} piece
 * @param {AbortSignal} signal
 * @param {() => void} moved is called when some of it has arrived
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export const getPart = (id, ticket, n, piece, signal, moved) =>
  request("GET", `shares/${id}/parts/${n}`, (r, moved) => piece.read(r, moved), { token: ticket, piece, signal, tries: TRANSFER, moved });

/**
 * @param {string} id
 * @param {string} ticket
 */
export const finishDownload = (id, ticket) =>
  request("DELETE", `shares/${id}/downloads/current`, readNothing, { token: ticket, tries: 4 });

/**
 * @param {string} id
 * @param {string} access
 * @param {Uint8Array<ArrayBuffer>} bytes sealed to the operator
 */
export const sendReport = (id, access, bytes) =>
  request("POST", `shares/${id}/reports`, readNothing, { token: access, bytes, headers: { "Content-Type": "application/octet-stream" } });

/**
 * @param {string} path
 * @param {string} token
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Uint8Array} digest SHA-256
 * @param {AbortSignal} signal
 * @param {Moved} [moved]
 */
async function put(path, token, bytes, digest, signal, moved) {
  const headers = {
    "Content-Digest": `sha-256=:${btoa(String.fromCharCode(...digest))}:`,
    "Content-Type": "application/octet-stream",
  };
  await request("PUT", path, readNothing, { token, bytes, headers, signal, tries: TRANSFER, moved });
}

/** @param {Response} r */
export const readJSON = (r) => r.json();

/** @param {Response} r */
export const readNothing = async (r) => void (await r.arrayBuffer());

/**
 * @template T
 * @param {string} method
 * @param {string} path below /api/v1/
 * @param {(r: Response, moved: Moved) => Promise<T>} read
 * @param {Options} [o]
 * @returns {Promise<T>}
 */
export async function request(method, path, read, o = {}) {
  /** @type {Record<string, string>} */
  const headers = { ...o.headers };
  if (o.token) headers.Authorization = `Bearer ${o.token}`;
  if (o.json) headers["Content-Type"] = "application/json";
  for (let n = 1; ; n++) {
    const had = o.piece?.filled ?? 0;
    if (o.piece) headers.Range = o.piece.range;
    const watch = new line.Watch(o.signal);
    const moved = (/** @type {number} */ bytes) => {
      watch.heard();
      o.moved?.(bytes);
    };
    let problem;
    try {
      moved(0);
      const watched = { ...o, signal: watch.signal, moved: o.moved || n > 1 ? moved : undefined }; // closely, after a broken one
      const response = await ask(`${base}/api/v1/${path}`, method, headers, watched);
      watch.heard();
      if (response.ok) return await read(response, moved);
      problem = await describe(response);
    } catch (e) {
      if (o.signal?.aborted) throw o.signal.reason;
      problem = new Problem("offline", String(e));
    } finally {
      watch.end();
    }
    if ((o.piece?.filled ?? 0) > had) n = 1; // it breaks, but it moves
    const wait = pause(n, problem);
    if (!passes(problem) || n >= tries(o, problem, wait)) throw problem;
    await sleep(wait, problem.code === "offline", o.signal);
  }
}

/**
 * @param {string} url
 * @param {string} method
 * @param {Record<string, string>} headers
 * @param {Options} o
 */
function ask(url, method, headers, { json, bytes, signal, moved }) {
  if (bytes && moved) return line.send(url, { method, headers, body: bytes, signal }, moved);
  const body = json ? JSON.stringify(json) : bytes;
  return fetch(url, { method, headers, body, signal, cache: "no-store", redirect: "error" });
}

/**
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
async function describe(response) {
  const p = await response.json().catch(() => ({}));
  const seconds = p.retryAfter ?? Number(response.headers.get("Retry-After"));
  return new Problem(p.code ?? "unavailable", p.detail ?? response.statusText, {
    status: response.status,
    triesLeft: p.triesLeft,
    retryAfter: seconds > 0 ? Math.min(seconds, LONGEST_REST) : undefined,
  });
}

/**
 * Whether the same request may well succeed later.
 * @param {Problem} p
 */
function passes(p) {
  if (p.code === "offline" || p.code === "unavailable" || p.code === "digest-mismatch" || p.code === "interrupted") return true;
  if (DECIDED.has(p.code)) return false;
  return p.status === 429 || p.status >= 500;
}

/**
 * How often a request may be sent in all.
 * @param {Options} o
 * @param {Problem} p
 * @param {number} wait milliseconds until the next time
 */
function tries({ tries = TRIES, queues }, p, wait) {
  if (queues && p.code === "too-many-requests") return Infinity;
  if (tries !== TRANSFER) return wait > LONGEST_WAIT ? 0 : tries;
  return p.code === "offline" || p.status === 429 || p.status > 500 ? tries : STUBBORN;
}

/**
 * @param {number} n tries so far
 * @param {Problem} p
 */
function pause(n, p) {
  const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (n - 1)) * (0.5 + Math.random() / 2);
  return Math.max(backoff, (p.retryAfter ?? 0) * 1000);
}

/**
 * Waits, but not longer than until the device is connected again, if that is what is waited for.
 * @param {number} ms
 * @param {boolean} offline
 * @param {AbortSignal} [signal]
 */
function sleep(ms, offline, signal) {
  const over = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    if (offline) addEventListener("online", resolve, { signal: over.signal });
    signal?.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
    over.signal.addEventListener("abort", () => clearTimeout(timer));
  }).finally(() => over.abort());
}
