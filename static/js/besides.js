// @ts-check
// What one may do with a share besides saving it: report it, or open it without this page. Each is another script, which comes when
// it is asked for; until this one has come, and where the operator takes no reports, its button is not there. What is gone cannot be
// reported any more: the server would not know who may. Nor can what is still being sent.

import * as api from "./api.js";
import { hook } from "./dom.js";
import { explain } from "./trouble.js";

/** @import { Store } from "./store.js" */
/** @import { Remote } from "./remote.js" */
/** @import { Share } from "./types.d.ts" */
/** @import { Manifest } from "../worker/engine.d.ts" */
/** @typedef {{state: string, error: string, share: Share | null, manifest: Manifest | null, over: boolean}} Now */

/**
 * @param {Store<Now>} store
 * @param {Remote} worker
 */
export function offer(store, worker) {
  const report = hook("report"), byHand = hook("by-hand");
  let recipient = "", asked = false;

  const show = (/** @type {Now} */ { state, share, manifest, over }) => {
    if (share && !asked && (state === "locked" || state === "ready")) ask();
    report.hidden = !recipient || over || share?.state !== "ready";
    byHand.hidden = !share || !manifest || over || share.state === "open" || share.left === 0;
  };

  const ask = async () => {
    asked = true;
    const config = await api.config().catch(() => null);
    recipient = config?.reportRecipient ?? "";
    show(store.value);
  };

  /** Opens a dialog, unless one is open or about to be. */
  const once = async (/** @type {HTMLElement} */ button, /** @type {() => Promise<void>} */ open) => {
    if (report.hasAttribute("aria-busy") || byHand.hasAttribute("aria-busy") || document.querySelector("dialog[open]")) return;
    button.setAttribute("aria-busy", "true");
    await open().catch((e) => store.set({ error: explain(e).whole }));
    button.removeAttribute("aria-busy");
  };

  store.onchange(show);
  report.addEventListener("click", () => once(report, async () => {
    const { manifest } = store.value;
    const script = await import("./report.js").catch(missing);
    await script.report(worker, recipient, manifest !== null);
  }));
  byHand.addEventListener("click", () => once(byHand, async () => {
    const { share, manifest } = store.value;
    if (!share || !manifest) return;
    const script = await import("./stock.js").catch(missing);
    await script.byHand(worker, share, manifest);
  }));
}

/**
 * @param {any} e
 * @returns {never}
 */
function missing(e) {
  throw Object.assign(e, { code: "not-loaded" });
}
