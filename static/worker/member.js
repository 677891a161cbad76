// @ts-check
// A member of a crew (crew.js): a worker with an engine of its own.

import { hold } from "../js/lock.js";
import { loadEngine } from "./load.js";
import { Handover, serve } from "./serve.js";
import { Work } from "./work.js";

/** @import { Bytes } from "./stretch.js" */

/** @type {PromiseWithResolvers<Work>} */
const ready = Promise.withResolvers();
ready.promise.catch(() => {}); // reported by the jobs

serve({
  /**
   * Starts the engine. Returns when this worker holds the lock, which it does for as long as it lives.
   * @param {unknown} _
   * @param {WebAssembly.Module} module
   * @param {string} lock
   */
  async join(_, module, lock) {
    loadEngine(module).then(({ engine }) => ready.resolve(new Work(engine)), ready.reject);
    await hold(lock);
  },

  ...Object.fromEntries(/** @type {const} */ (["compress", "seal", "open", "decompress"]).map((method) => [method,
    /**
     * @param {unknown} _
     * @param {any} job
     * @param {Bytes[]} pieces
     */
    async (_, job, pieces) => {
      const result = await (await ready.promise)[method](job, pieces);
      return new Handover(result, [...result.pieces.map(({ buffer }) => buffer), ...("spent" in result ? result.spent : [])]);
    }])),
});
