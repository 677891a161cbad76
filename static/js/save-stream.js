// @ts-check
// Saving through the service worker (worker/sw.js), which answers a request for /save/{id} with the opened bytes: to the browser it
// is an ordinary download, shown with its progress and of any size.
//
// How a download ends that the service worker could not finish is up to the browser. Chromium marks it as failed. WebKitGTK
// keeps what it has under the final name, and so does Firefox when it stops the service worker: the page says then that it is
// not whole. A page that ends in mid-save lets go of its lock, by which the service worker knows and fails the download.

import { base } from "./base.js";
import { hold } from "./lock.js";
import { Remote } from "./remote.js";
import { borrow } from "./service-worker.js";

/** @import { Destination } from "./save.js" */
/** @import { SaveJob } from "./types.d.ts" */

const ANSWER_WAIT = 3000; // milliseconds
const REST = 60_000; // for the frame, and
const SHORT_REST = 5000; // for the service worker, while the browser drains what it was given

/**
 * @param {string} name
 * @param {number} size
 * @param {() => void} interrupted is called when the service worker has been stopped
 * @returns {Promise<Destination | null>} null if no service worker of this build answers
 */
export async function viaStream(name, size, interrupted) {
  const borrowed = await borrow();
  if (!borrowed) return null;
  const id = crypto.randomUUID();
  const letGo = await hold(lockOf(id));
  const data = new MessageChannel();
  const ping = new Remote(new URL("../worker/ping.js", import.meta.url));
  const alive = await ping.call("ready", []).then(() => true, () => false); // a server of another build does not have it
  if (!alive || !(await announce(borrowed.worker, { type: "save", id, name, size, lock: lockOf(id) }, data.port1))) {
    ping.terminate();
    letGo?.();
    borrowed.release();
    return null;
  }
  let closed = false;
  ping.call("watch", [id]).then(() => setTimeout(() => closed || interrupted(), 500), () => {}); // "complete" may be on its way
  const frame = document.createElement("iframe");
  frame.hidden = true;
  return {
    way: "stream",
    port: data.port2,
    begin() {
      // The name is not in the address: should the service worker be gone, the server is asked for it. An iframe starts the
      // download in every engine, where <a download> bypasses the service worker in some.
      frame.src = `${base}/save/${id}`;
      document.body.append(frame);
    },
    async close() {
      closed = true;
      ping.terminate();
      letGo?.();
      setTimeout(borrowed.release, SHORT_REST);
      setTimeout(() => frame.remove(), REST);
    },
  };
}

/** @param {string} id */
const lockOf = (id) => `sealpost save ${id}`;

/**
 * Resolves to whether the service worker answers.
 * @param {ServiceWorker} worker
 * @param {SaveJob} job
 * @param {MessagePort} port
 */
function announce(worker, job, port) {
  const reply = new MessageChannel();
  return new Promise((resolve) => {
    reply.port1.onmessage = () => resolve(true);
    setTimeout(resolve, ANSWER_WAIT, false);
    worker.postMessage(job, [reply.port2, port]);
  });
}
