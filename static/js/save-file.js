// @ts-check
// Saving to a file that the person chooses in the browser's dialog. The browser writes to a neighbour of that file and swaps
// the two when all is there, so a save that ends early leaves an empty file at most.

import { receive } from "./receive.js";

/** @import { Destination } from "./save.js" */

/**
 * Asks where to save. It has to be called while the person's click still counts. Resolves to null when the person closed
 * the dialog, and to undefined where there is none.
 * @param {string} name
 * @returns {Promise<FileSystemFileHandle | null | undefined>}
 */
export async function askForFile(name) {
  try {
    return await window.showSaveFilePicker?.({ id: "sealpost", startIn: "downloads", suggestedName: name });
  } catch (e) {
    return /** @type {any} */ (e).name === "AbortError" ? null : undefined; // forbidden here, by a policy for example
  }
}

/**
 * Whether a file that was chosen in another page is there and may be written; the person may be asked, which needs a click.
 * @param {FileSystemFileHandle} handle
 */
export async function mayWrite(handle) {
  try {
    if ((await handle.requestPermission?.({ mode: "readwrite" })) === "denied") return false;
    await handle.getFile();
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {FileSystemFileHandle} handle
 * @returns {Promise<Destination>}
 */
export async function viaFile(handle) {
  const out = await handle.createWritable().catch(async () => {
    await removeEmpty(handle).catch(() => {});
    throw Object.assign(new Error("the file may not be written"), { code: "not-written" });
  });
  const { port1, port2 } = new MessageChannel();
  const close = receive(port1, {
    write: (buffer) => out.write(buffer),
    finish: () => out.close(),
    async discard() {
      await out.abort().catch(() => {}); // a stream that failed has aborted itself
      await removeEmpty(handle);
    },
  });
  return { way: "file", port: port2, begin() {}, close };
}

/**
 * Removes the empty file that the dialog has made, which says nothing to anybody.
 * @param {FileSystemFileHandle} handle
 */
async function removeEmpty(handle) {
  if ((await handle.getFile()).size === 0) await handle.remove?.();
}
