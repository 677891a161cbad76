// @ts-check
// Ways for opened bytes to reach the disk: through the service worker, which streams, or gathered into a Blob where there is
// none (a private window of some browsers), which has to fit into memory.

import { gather } from "./blob.js";
import { scriptURL } from "./trusted.js";

/** @import { SaveJob } from "./types.d.ts" */

const CONTROL_WAIT = 3000; // milliseconds
const FRAME_REST = 60_000;
export const BLOB_LIMIT = 256 << 20; // a Blob costs two to four times its size

/**
 * @typedef {object} Destination
 * @property {MessagePort} port for the download worker
 * @property {() => void} begin to be called when the first bytes are ready
 * @property {() => void} close
 */

/** @type {Promise<boolean> | undefined} */
let controlled;

/** Resolves to whether a service worker answers for this page. */
export function prepare() {
  controlled ??= register().catch(() => false);
  return controlled;
}

async function register() {
  if (!("serviceWorker" in navigator)) return false;
  await navigator.serviceWorker.register(scriptURL("/sw.js"), { scope: "/", updateViaCache: "none" });
  for (let waited = 0; !navigator.serviceWorker.controller; waited += 30) {
    if (waited > CONTROL_WAIT) return false;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return true;
}

/**
 * Makes a place for size bytes that the person will find as name. interrupted is called when the service worker has been
 * stopped: then what the browser shows as downloaded is not whole, whatever it says.
 * @param {string} name
 * @param {number} size
 * @param {() => void} interrupted
 * @returns {Promise<Destination>}
 */
export async function destination(name, size, interrupted) {
  if (await prepare()) return viaServiceWorker(name, size, interrupted);
  if (size > BLOB_LIMIT) throw Object.assign(new Error("no service worker"), { code: "no-stream", limit: BLOB_LIMIT });
  return gather(name);
}

/**
 * @param {string} name
 * @param {number} size
 * @param {() => void} interrupted
 * @returns {Promise<Destination>}
 */
async function viaServiceWorker(name, size, interrupted) {
  const id = crypto.randomUUID();
  const data = new MessageChannel();
  await announce({ type: "save", id, name, size }, data.port1);
  const ping = new Worker(scriptURL(new URL("../worker/ping.js", import.meta.url)), { type: "module" });
  ping.onmessage = () => setTimeout(interrupted, 500); // "complete" may be on its way
  ping.postMessage(id);
  const frame = document.createElement("iframe");
  frame.hidden = true;
  return {
    port: data.port2,
    begin() {
      // The name is not in the address: should the service worker be gone, the server is asked for it. An iframe starts the
      // download in every engine, where <a download> bypasses the service worker in some.
      frame.src = `/save/${id}`;
      document.body.append(frame);
    },
    close() {
      ping.terminate();
      setTimeout(() => frame.remove(), FRAME_REST);
    },
  };
}

/**
 * @param {SaveJob} job
 * @param {MessagePort} port
 */
function announce(job, port) {
  const reply = new MessageChannel();
  return new Promise((resolve) => {
    reply.port1.onmessage = resolve;
    navigator.serviceWorker.controller?.postMessage(job, [reply.port2, port]);
  });
}
