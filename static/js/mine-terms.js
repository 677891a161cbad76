// @ts-check
// The terms of a share that was sent, as a sentence that one edits.

import { make } from "./dom.js";
import * as format from "./format.js";
import { leftOf } from "./keepsake.js";
import { say, sayWith } from "./messages.js";
import { namesOf } from "./mine-view.js";
import { allowances, extensions } from "./terms.js";
import { DOWNLOADS, fit, option } from "./upload-view.js";

/** @import { Config, UpdateShare } from "./types.d.ts" */
/** @import { View } from "./mine-view.js" */

/**
 * Opens the terms of a share, or closes them if they are open.
 * @param {View} view
 * @param {Config} config
 * @param {(terms: UpdateShare) => Promise<void>} save
 */
export function openTerms(view, config, save) {
  const { panel, row: { keepsake } } = view;
  if (panel.querySelector("form")) return close(view);
  const names = namesOf(keepsake);
  const expiry = choice("expiry", `${say("later.terms.expiry")}: ${names}`, [
    option("", say("later.terms.asItIs", { moment: format.moment(keepsake.expires / 1000) }), true),
    ...extensions(keepsake, config, Date.now()).map(({ more, lifetime, most }) =>
      option(lifetime, most ? say("later.terms.most") : say("later.terms.longer", { time: format.span(more) }), false)),
  ]);
  const left = leftOf(keepsake);
  const any = option(left === null ? "" : 0, say("count.anyDownloads"), left === null);
  const downloads = choice("downloads", `${say("later.terms.downloads")}: ${names}`, [
    ...(left === null ? [] : [option("", say("later.terms.more", { n: left }), true)]),
    any,
    ...allowances(keepsake, DOWNLOADS, config.maxDownloads).map(({ more, maxDownloads }) => option(maxDownloads, say("later.terms.more", { n: more }), false)),
  ]);
  const button = make("button", { class: "quiet", "data-hook": "terms-save", "aria-label": `${say("later.terms.save")}: ${names}` }, say("later.terms.save"));
  const cancel = make("button", { type: "button", class: "textual", "data-hook": "terms-cancel", "aria-label": `${say("later.terms.cancel")}: ${names}` }, say("later.terms.cancel"));
  const form = make("form", { "data-hook": "terms" },
    make("p", { class: "terms" }, ...together(sayWith("later.terms.sentence", { expiry, downloads }))),
    make("div", { class: "row" }, button, cancel));
  cancel.addEventListener("click", () => close(view));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const terms = termsOf(form);
    if (!Object.keys(terms).length) return close(view);
    button.disabled = true;
    await save(terms);
    button.disabled = false;
  });
  panel.replaceChildren(form);
  form.querySelector("select")?.focus();
}

/**
 * The same with punctuation in the line of what it follows, which browsers do not see to by themselves.
 * @param {(Node | string)[]} words
 */
function together(words) {
  return words.map((word, i) => {
    if (typeof word === "string") return i ? word.replace(FOLLOWS, "") : word;
    const [mark] = String(words[i + 1] ?? "").match(FOLLOWS) ?? [""];
    return make("span", { class: "slotted" }, word, mark);
  });
}

const FOLLOWS = /^[\p{Po}\p{Pe}\p{Pf}]+/u;

/** @param {View} view */
function close(view) {
  view.panel.replaceChildren();
  view.trouble("");
  view.focus("extend");
}

/**
 * What was changed.
 * @param {HTMLFormElement} form
 * @returns {UpdateShare}
 */
function termsOf(form) {
  const value = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (form.querySelector(`[data-hook=${name}]`)).value;
  return {
    ...(value("expiry") && { lifetime: Number(value("expiry")) }),
    ...(value("downloads") && { maxDownloads: Number(value("downloads")) }),
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {HTMLOptionElement[]} options
 */
function choice(name, label, options) {
  const select = make("select", { "data-hook": name, "aria-label": label }, ...options);
  const slot = make("span", { class: "slot" }, select);
  fit(select);
  select.addEventListener("change", () => fit(select));
  return slot;
}
