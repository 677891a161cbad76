// @ts-check
// How to open this very share with stock tools, for who does not trust this page, or does not want to need it. The key is shown to who
// asks for it, and to nobody else.

import { site } from "./base.js";
import * as commands from "./commands.js";
import { copies } from "./copy.js";
import { make } from "./dom.js";
import { load, say } from "./messages.js";
import { explain } from "./trouble.js";
import { show } from "./window.js";

/** @import { Step } from "./commands.js" */
/** @import { Remote } from "./remote.js" */
/** @import { Share } from "./types.d.ts" */
/** @import { Manifest } from "../worker/engine.d.ts" */

/**
 * @param {Remote} worker
 * @param {Share} share
 * @param {Manifest} manifest
 */
export async function byHand(worker, { id, password }, { kind }) {
  await load("stock");
    const status = make("p", { class: "unseen", role: "status" });
  const first = make("div", { class: "steps" });
  const key = make("button", { type: "button", class: "quiet", "data-hook": "stock-key" }, say("stock.show"));
  const close = make("button", { type: "button", class: "quiet", "data-hook": "stock-close" }, say("stock.close"));
  const alert = make("p", { class: "alert", role: "alert", "data-hook": "stock-error", hidden: "" });
  const tell = (/** @type {string} */ text) => {
    alert.textContent = text;
    alert.hidden = !text;
  };
  const hidden = () => {
    first.replaceChildren(...commands.byProgram(site, id, password).map((step) => block(step, status)), make("p", { class: "muted" }, say("stock.showing")));
    key.textContent = say("stock.show");
  };
  let shown = false;
  key.addEventListener("click", async () => {
    tell("");
    shown = !shown;
    if (!shown) return hidden();
    key.textContent = say("stock.hide");
    try {
      const keys = await worker.call("keys", []);
      if (!shown) return; // it is not wanted any more
      first.replaceChildren(...commands.byKeys(site, id, keys).map((step) => block(step, status)));
    } catch (e) {
      if (!shown) return;
      shown = false;
      hidden();
      tell(explain(e).whole);
    }
  });
  hidden();
  const rest = commands.rest(kind === "tar").map((step) => block(step, status));
  const dialog = await show("stock", say("stock.open"), make("p", {}, say("stock.lead")), first, make("div", { class: "row" }, key), alert, ...rest,
    make("div", { class: "row" }, close), status);
  close.addEventListener("click", () => dialog.close());
}

/**
 * A step with its commands and a button that copies them.
 * @param {Step} step
 * @param {HTMLElement} status
 */
function block({ name, commands }, status) {
  const title = say(`stock.steps.${name}.title`);
  const code = make("pre", { class: "commands", dir: "ltr", tabindex: "-1", "data-hook": "stock-commands", "data-step": name }, commands);
  const copy = make("button", { type: "button", class: "textual", "data-hook": "stock-copy", "aria-label": say("stock.copyLabel", { step: title }) }, say("stock.copy"));
  copies(copy, code, () => commands, status);
  return make("div", { class: "step" }, make("div", { class: "row" }, make("h3", {}, title), copy), make("p", { class: "muted" }, say(`stock.steps.${name}.text`)), code);
}
