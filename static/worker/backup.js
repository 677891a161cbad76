// @ts-check
// The worker that seals the list of links with a passphrase, and opens it. It is started for that and ended after, for the engine keeps
// the 256 MiB that a passphrase takes (wasm/internal/backup).

import { read, write } from "../js/backup.js";
import { site } from "../js/base.js";
import { Handover, serve } from "./serve.js";
import { loadEngine } from "./load.js";

/** @import { Keepsake } from "../js/types.d.ts" */

const loading = loadEngine();
loading.catch(() => {}); // reported by the call that needs it

serve({
  /**
   * @param {unknown} _
   * @param {string} passphrase
   * @param {Keepsake[]} keepsakes
   */
  async seal(_, passphrase, keepsakes) {
    const { engine } = await loading;
    const file = engine.sealBackup(passphrase, new TextEncoder().encode(write(keepsakes, site, Date.now())));
    return new Handover(file, [file.buffer]);
  },

  /**
   * @param {unknown} _
   * @param {string} passphrase
   * @param {Uint8Array<ArrayBuffer>} file
   */
  async open(_, passphrase, file) {
    const { engine } = await loading;
    const text = new TextDecoder().decode(engine.openBackup(passphrase, file));
    const isFragment = (/** @type {string} */ fragment) => {
      try {
        return engine.openLink(fragment, null).password;
      } catch {
        return null;
      }
    };
    return read(text, { site, now: Date.now(), isFragment });
  },
});
