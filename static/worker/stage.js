// @ts-check
// Writes a save into the origin's private file system for js/save-stage.js: only a worker has files that can be written to
// in place, which is the fast way where there is one.

import { receive } from "../js/receive.js";
import { serve } from "./serve.js";

/** @type {PromiseWithResolvers<File | null>} */
const staged = Promise.withResolvers();
/** @type {PromiseWithResolvers<void>} */
const offered = Promise.withResolvers();

serve({
  /**
   * Opens a new file and begins to write to it what comes through port.
   * @param {unknown} _
   * @param {string} folder
   * @param {string} id
   * @param {MessagePort} port
   */
  async open(_, folder, id, port) {
    const root = await navigator.storage.getDirectory();
    const { handle, out } = await create(await root.getDirectoryHandle(folder, { create: true }), id);
    receive(port, {
      write: (buffer) => out.write(buffer),
      async finish() {
        await out.close();
        staged.resolve(await handle.getFile());
        await offered.promise;
      },
      async discard() {
        staged.resolve(null); // too late to be heard if it was finished
        await out.abort();
      },
    });
  },

  /** Returns the file once it is whole, or null if it could not be. */
  staged: () => staged.promise,

  /** The page has handed the file to the browser. */
  offered: () => offered.resolve(),
});

/**
 * Makes a file, and what writes to it.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} id
 */
async function create(folder, id) {
  try {
    const handle = await folder.getFileHandle(id, { create: true });
    return { handle, out: inPlace(await handle.createSyncAccessHandle()) };
  } catch { // WebKitGTK cannot, and keeps the file locked for having tried
    const handle = await folder.getFileHandle(`${id}.stream`, { create: true });
    return { handle, out: await handle.createWritable() };
  }
}

/**
 * A file that is written to in place, with the functions of a stream.
 * @param {FileSystemSyncAccessHandle} file
 */
function inPlace(file) {
  let at = 0;
  return {
    /** @param {ArrayBuffer} buffer */
    write(buffer) {
      const n = file.write(buffer, { at });
      if (n !== buffer.byteLength) throw new DOMException("no room", "QuotaExceededError");
      at += n;
    },
    close() {
      file.flush();
      file.close();
    },
    abort: () => file.close(),
  };
}
