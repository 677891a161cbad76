// @ts-check
// Whether this browser keeps the link of what is sent: a choice that lasts, and what the page says of it when all is sent.

import { base } from "./base.js";
import { hook, make, showAlert } from "./dom.js";
import * as kept from "./kept.js";
import { load, say, sayWith } from "./messages.js";
import { explain } from "./trouble.js";
import { choose } from "./upload-view.js";

const CHOICE = "sealpost keep"; // in localStorage

/** Has the choice last from one visit to the next, where the browser keeps anything. What has been chosen by now counts. */
export function remember() {
  const select = /** @type {HTMLSelectElement} */ (hook("keep"));
  const chosen = select.selectedIndex !== 0;
  const store = () => localStorage.setItem(CHOICE, select.value);
  try {
    if (chosen) store();
    else choose(select, localStorage.getItem(CHOICE) ?? select.value);
  } catch {}
  select.addEventListener("change", () => {
    try {
      store();
    } catch {}
  });
}

/** Of which share it says so. */
let current = "";

/** @param {string} id */
export async function showKeeping(id) {
  current = id;
  hook("keeping").replaceChildren();
  await load("keeping");
  const keepsake = await kept.find(id).catch(() => null);
  if (current === id) show(id, keepsake !== null);
}

/**
 * @param {string} id
 * @param {boolean} isKept
 */
function show(id, isKept) {
  if (!isKept) return hook("keeping").replaceChildren(say("keeping.not"));
  const mine = make("a", { href: `${base}/mine` }, say("page.mine"));
  const button = make("button", { type: "button", class: "textual", "data-hook": "unkeep" }, say("keeping.forget"));
  button.addEventListener("click", async () => {
    const trouble = await kept.forget([id]).then(() => "", (e) => explain(e).whole);
    if (trouble) return showAlert(trouble);
    hook("keeping").replaceChildren(say("keeping.forgotten"));
    hook("status").textContent = say("keeping.forgotten");
    hook("copy").focus(); // the button that had the focus is gone
  });
  hook("keeping").replaceChildren(...sayWith("keeping.kept", { mine }), " ", button);
}
