// @ts-check
// Moves parts between this browser and the server's store, past the server, where the server says that they may go that way. The server
// signs each request, and looks at what was put there.
//
// Whether the store can be reached from here nobody knows before: something on the way may not let it, or the bucket may not allow pages of
// this origin. So whatever fails there goes through the server instead, which knows how to wait and what is wrong; and where nothing has
// gone the short way, or has for long, it is given up.

import * as api from "../js/api.js";
import { Watch, send } from "../js/line.js";
import { encode } from "./base64url.js";

/** @import { Direct } from "../js/types.d.ts" */
/** @import { Moved, Piece } from "../js/line.js" */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const FAILURES = 3; // one after the other, where nothing has gone this way yet
const OUTAGE = 10; // and where something has: a connection that is lost is lost to all that is under way
const SLACK = 30; // seconds in which a request is still begun before it expires

let failures = 0;
let worked = false;

/** Requests that read parts, by ticket and part. @type {Map<string, Promise<{at: number, request: Direct}>>} */
const reads = new Map();

/**
 * Sends a part, as api.putPart does.
 * @param {boolean | undefined} direct whether it may go past the server
 * @param {string} id
 * @param {string} owner
 * @param {number} n
 * @param {Bytes} bytes
 * @param {Uint8Array} digest
 * @param {AbortSignal} signal
 * @param {Moved} [moved]
 */
export async function putPart(direct, id, owner, n, bytes, digest, signal, moved) {
  if (direct && tried() && (await putPast(id, owner, n, bytes, digest, signal, moved))) return;
  await api.putPart(id, owner, n, bytes, digest, signal, moved);
}

/**
 * Brings what is missing of a piece of part n, as api.getPart does.
 * @param {boolean | undefined} direct whether it may come past the server
 * @param {string} id
 * @param {string} ticket
 * @param {number} n
 * @param {Piece} piece
 * @param {AbortSignal} signal
 * @param {() => void} moved
 * @returns {Promise<Bytes>}
 */
export async function getPart(direct, id, ticket, n, piece, signal, moved) {
  if (direct && tried() && (await getPast(id, ticket, n, piece, signal, moved))) return piece.bytes;
  return api.getPart(id, ticket, n, piece, signal, moved);
}

const tried = () => failures < (worked ? OUTAGE : FAILURES);

/**
 * Resolves to whether the part is stored. Throws what the server answers.
 * @param {string} id
 * @param {string} owner
 * @param {number} n
 * @param {Bytes} bytes
 * @param {Uint8Array} digest
 * @param {AbortSignal} signal
 * @param {Moved} [moved]
 */
async function putPast(id, owner, n, bytes, digest, signal, moved) {
  const path = `shares/${id}/parts/${n}/direct`;
  const asked = { token: owner, json: { size: bytes.length, digest: encode(digest) }, signal, tries: api.TRANSFER };
  const request = await api.request("POST", path, readRequest, asked);
  if (!request) return true;
  const put = await attempt(signal, (watched, heard) => ask(request, watched, heard, bytes, moved));
  if (!put) return false;
  const stored = put.ok || put.status === 412; // which is what is there already
  if (!stored) return failed();
  return api.request("PUT", path, api.readNothing, asked).then(succeeded, missing);
}

/**
 * Resolves to whether the piece is there. Throws what the server answers.
 * @param {string} id
 * @param {string} ticket
 * @param {number} n
 * @param {Piece} piece
 * @param {AbortSignal} signal
 * @param {() => void} moved
 */
async function getPast(id, ticket, n, piece, signal, moved) {
  const request = await readOf(id, ticket, n, signal);
  const done = await attempt(signal, async (watched, heard) => {
    const headers = { ...request.headers, Range: piece.range };
    const response = await ask({ ...request, headers }, watched, heard);
    if (response.status !== 206 || !response.headers.get("Content-Range")) throw new TypeError("the store does not answer ranges to pages");
    await piece.read(response, () => {
      heard();
      moved();
    });
    return true;
  });
  if (done) return succeeded();
  reads.delete(`${ticket} ${n}`);
  return false;
}

/**
 * The request that reads a part. One serves for all pieces of it, until it expires.
 * @param {string} id
 * @param {string} ticket
 * @param {number} n
 * @param {AbortSignal} signal
 */
async function readOf(id, ticket, n, signal) {
  const key = `${ticket} ${n}`;
  const known = await reads.get(key);
  if (known && performance.now() < known.at) return known.request;
  const asked = performance.now();
  const coming = api.request("GET", `shares/${id}/parts/${n}/direct`, readTimed, { token: ticket, signal, tries: api.TRANSFER }).then(
    ({ request, lasts }) => ({ at: asked + (lasts - SLACK) * 1000, request }));
  reads.set(key, coming);
  coming.catch(() => reads.delete(key));
  return (await coming).request;
}

/**
 * Makes a request of the store. Resolves to null if that fails, for whatever reason, and throws only what the signal says.
 * @template T
 * @param {AbortSignal} signal
 * @param {(signal: AbortSignal, heard: () => void) => Promise<T>} make
 * @returns {Promise<T | null>}
 */
async function attempt(signal, make) {
  const watch = new Watch(signal);
  try {
    return await make(watch.signal, () => watch.heard());
  } catch {
    signal.throwIfAborted();
    failed();
    return null;
  } finally {
    watch.end();
  }
}

/**
 * @param {Direct} request
 * @param {AbortSignal} signal
 * @param {() => void} heard
 * @param {Bytes} [body]
 * @param {Moved} [moved]
 */
function ask({ method, url, headers }, signal, heard, body, moved) {
  // To another origin a body goes by XMLHttpRequest always: that tells whether it moves, and a slow line is no dead one.
  if (body) {
    return send(url, { method, headers, body, signal }, (bytes) => {
      heard();
      moved?.(bytes);
    });
  }
  return fetch(url, { method, headers, signal, cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" });
}

function succeeded() {
  worked = true;
  failures = 0;
  return true;
}

function failed() {
  failures++;
  return false;
}

/**
 * The store says that it has the part, and the server does not find it there.
 * @param {any} e
 */
function missing(e) {
  if (e.code === "not-ready" || e.code === "wrong-size" || e.code === "digest-mismatch") return failed();
  throw e;
}

/** @param {Response} r */
const readRequest = async (r) => (r.status === 204 ? null : checked(await r.json()));

/** @param {Response} r */
async function readTimed(r) {
  const request = checked(await r.json());
  const now = Date.parse(r.headers.get("Date") ?? "") / 1000; // of the same clock
  return { request, lasts: request.expires - (now || Date.now() / 1000) };
}

/**
 * The policy of this page, not this, is what keeps it from asking anybody but the server and its store.
 * @param {Direct} request
 * @returns {Direct}
 */
function checked(request) {
  const { method, url, headers } = request;
  if ((method === "PUT" || method === "GET") && typeof url === "string" && typeof headers === "object" && headers) return request;
  throw Object.assign(new Error("the server answers what cannot be"), { code: "garbled" });
}
