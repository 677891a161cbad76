// @ts-check
// Makes a QR code, for pages that have no other worker with the engine. It is ended after that.

import { loadEngine } from "./load.js";
import { serve } from "./serve.js";

serve({
  /**
   * @param {unknown} _
   * @param {string} text
   */
  async encode(_, text) {
    return (await loadEngine()).engine.qr(text);
  },
});
