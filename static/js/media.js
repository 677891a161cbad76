// @ts-check
// Playing through the service worker (worker/sw.js), which answers a player's requests for /media/{id} with ranges of the opened bytes. The
// address means nothing to anybody but this page: for each request the service worker asks this page, which has its download
// worker answer (worker/viewing.js). So a service worker that was stopped and has forgotten everything still answers.

import { base } from "./base.js";
import { Remote } from "./remote.js";
import { borrow } from "./service-worker.js";

/** @import { MediaCall } from "./types.d.ts" */

/**
 * An address at which an entry plays.
 * @typedef {object} Played
 * @property {string} src
 * @property {() => void} close
 */

/**
 * @param {Remote} worker
 * @param {number} index of the entry
 * @param {number} size
 * @param {string} mime as kinds.js found it
 * @param {(e: any) => void} failed is told when the bytes cannot be had
 * @returns {Promise<Played | null>} null if no service worker of this build answers
 */
export async function played(worker, index, size, mime, failed) {
  const borrowed = await borrow();
  if (!borrowed) return null;
  const id = crypto.randomUUID();
  const ping = new Remote(new URL("../worker/ping.js", import.meta.url));
  ping.call("keep", []).catch(() => {});
  const hear = (/** @type {MessageEvent} */ { data, ports: [port] }) => {
    const call = /** @type {MediaCall | null} */ (data);
    if (call?.type !== "media" || call.id !== id) return;
    port.postMessage({ type: "head", size, mime }); // the worker may be busy
    worker.call("play", [index, port], { transfer: [port] }).catch(failed);
  };
  navigator.serviceWorker.addEventListener("message", hear);
  navigator.serviceWorker.startMessages();
  return {
    src: `${base}/media/${id}`,
    close() {
      navigator.serviceWorker.removeEventListener("message", hear);
      ping.terminate();
      borrowed.release();
    },
  };
}
