// @ts-check
// Writes a save into the origin's private file system for js/save-stage.js: only a worker has files that can be written to
// in place, which is the fast way.

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
    const handle = await (await root.getDirectoryHandle(folder, { create: true })).getFileHandle(id, { create: true });
    const file = await handle.createSyncAccessHandle();
    let at = 0;
    receive(port, {
      write(buffer) {
        const n = file.write(buffer, { at });
        if (n !== buffer.byteLength) throw new DOMException("no room", "QuotaExceededError");
        at += n;
      },
      async finish() {
        file.flush();
        file.close();
        staged.resolve(await handle.getFile());
        await offered.promise;
      },
      discard() {
        file.close();
        staged.resolve(null); // too late to be heard if it was finished
      },
    });
  },

  /** Returns the file once it is whole, or null if it could not be. */
  staged: () => staged.promise,

  /** The page has handed the file to the browser. */
  offered: () => offered.resolve(),
});
