// @ts-check
// Keeps the service worker alive while it streams a download, from a worker of its own because timers of hidden pages are
// slowed. Firefox stops a service worker after 30 idle seconds, a streaming answer or not; a fetch that it answers is
// activity, and the answer tells whether it still knows the download.

import { base } from "../js/base.js";
import { serve } from "./serve.js";

const EVERY = 10_000; // milliseconds

serve({
  /** Returns once this worker is there. */
  ready() {},

  /**
   * Returns when the service worker does not know the download any more.
   * @param {unknown} _
   * @param {string} id
   */
  async watch(_, id) {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      const answer = await fetch(`${base}/sw/ping?id=${id}`, { cache: "no-store" }).then((r) => r.text(), () => "");
      if (answer !== "" && answer !== "yes") return; // whatever else answers is the server, so there is no service worker any more
    }
  },

  /** Keeps it alive while something plays, of which it knows nothing between two requests. Does not return. */
  async keep() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      await fetch(`${base}/sw/ping`, { cache: "no-store" }).catch(() => {});
    }
  },
});
