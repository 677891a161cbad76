// @ts-check
// Saving by way of the origin's private file system (OPFS): the bytes are staged in a file that nobody sees, and once they
// are whole the browser is given that file to copy among its downloads. A save that ends early leaves nothing at all.
//
// What is staged is opened, because the browser could not copy it otherwise. So nothing is staged before all of it has arrived and
// is verified, and until then it lies on the disk sealed, as it came (worker/keeper.js): the opened file is there from then until
// the copy must be made (no event tells when it is), or until the next visit if the page is closed before that. Only where there is
// no room for both, or no file that can be written to in place (WebKitGTK), it grows as the bytes arrive.
//
// Each file is named after a lock that its page holds, so a start-up sweeps what nobody holds and touches no other tab's.

import { hold } from "./lock.js";
import { offer } from "./offer.js";
import { Remote } from "./remote.js";

/** @import { Destination } from "./save.js" */

const FOLDER = "saves";
const MARGIN = 32 << 20; // bytes that the browser must have room for beyond the file
const COPY_REST = 60_000; // milliseconds, and for each MiB
const COPY_REST_PER_MIB = 200; // as slow a disk as a memory stick

let failed = false; // what the browser said of its room may have been wrong: another way is better next time

/**
 * @param {string} name
 * @param {number} size
 * @returns {Promise<Destination | null>} null where there is no such file system, or no room in it
 */
export async function viaStage(name, size) {
  if (failed || !(await hasRoom(size))) return null;
  const id = crypto.randomUUID();
  const release = await hold(lockOf(id));
  const worker = new Remote(new URL("../worker/stage.js", import.meta.url));
  const { port1, port2 } = new MessageChannel();
  const wipe = async () => {
    worker.terminate();
    await remove(id);
    release?.();
  };
  try {
    await worker.call("open", [FOLDER, id, port1], { transfer: [port1] });
  } catch {
    await wipe();
    return null;
  }
  let offered = false;
  const whenStaged = async () => {
    const file = await worker.call("staged", []);
    if (!file) return void (failed = true);
    offered = true;
    offer(file, name);
    setTimeout(wipe, COPY_REST + (size / 2 ** 20) * COPY_REST_PER_MIB);
    await worker.call("offered", []);
  };
  whenStaged().catch(() => {}); // the worker was ended
  return {
    way: "stage",
    port: port2,
    begin() {},
    async close() {
      if (!offered) await wipe();
    },
  };
}

/**
 * Whether the browser lets this page keep size more bytes, as far as it tells. Engines that have all the functions may
 * still refuse to run them: WebKit in ephemeral sessions, Firefox in private windows.
 * @param {number} size
 */
async function hasRoom(size) {
  try {
    await navigator.storage.getDirectory();
    const { quota, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
    return quota === undefined || quota - usage > size + MARGIN;
  } catch {
    return false;
  }
}

/** Deletes what earlier visits have left. */
export async function sweep() {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER); // throws if there has never been one
    for await (const name of folder.keys()) {
      const [id] = name.split(".");
      const release = await hold(lockOf(id), { ifAvailable: true });
      if (release) await remove(id).finally(release);
    }
  } catch {}
}

/** @param {string} id */
const lockOf = (id) => `sealpost stage ${id}`;

/**
 * Deletes what may be there of a save.
 * @param {string} id
 */
async function remove(id) {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  await Promise.all([removeFile(folder, id), removeFile(folder, `${id}.stream`)]);
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 */
async function removeFile(folder, name) {
  for (let n = 0; n < 20; n++) { // the end of a worker frees its file a little later
    try {
      return await folder.removeEntry(name);
    } catch (e) {
      if (/** @type {any} */ (e).name === "NotFoundError") return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
