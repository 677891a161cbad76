// @ts-check
// What the upload page shows.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { fill } from "./list.js";
import { say } from "./messages.js";
import { countFiles } from "./parcel.js";

/** @import { Config } from "./types.d.ts" */
/** @import { Bundle, Parcel } from "./parcel.js" */

export const DOWNLOADS = [1, 2, 3, 5, 10, 20, 50, 100];

/**
 * @param {Parcel} parcel
 * @param {(name: string) => void} remove
 */
export function showParcel(parcel, remove) {
  const { bundles } = parcel;
  fill(hook("list"), bundles.length, (i) => row(bundles[i], remove));
  // WebKit would read the words of its own button as well, if the name came from the label.
  hook("files").setAttribute("aria-label", parcel.empty ? say("upload.drop.files") : say("upload.drop.moreFiles"));
  hook("folder").setAttribute("aria-label", parcel.empty ? say("upload.drop.folder") : say("upload.drop.moreFolder"));
  hook("count").textContent = parcel.empty ? "" : say("count.files", { n: parcel.files });
  hook("total").textContent = parcel.empty ? "" : format.size(parcel.size);
}

/**
 * @param {Bundle} bundle
 * @param {(name: string) => void} remove
 */
function row(bundle, remove) {
  const shown = format.name(bundle.name);
  const name = make("span", { class: "name" }, make("bdi", { dir: "ltr" }, bundle.folder ? `${shown}/` : shown));
  if (bundle.folder) name.append(" ", make("span", { class: "muted small" }, folderText(countFiles(bundle))));
  const button = make("button", { type: "button", class: "remove", "aria-label": say("upload.list.remove", { name: shown }) }, "×");
  button.addEventListener("click", () => remove(bundle.name));
  const line = make("li", { "data-hook": "file", "data-name": bundle.name }, name, make("span", { class: "data muted" }, format.size(bundle.size)), button);
  line.toggleAttribute("data-folder", bundle.folder);
  return line;
}

/** @param {number} n files */
const folderText = (n) => (n === 0 ? say("upload.list.emptyFolder") : say("count.files", { n }));

/** @param {Config} config */
export function showTerms({ lifetimes, defaultLifetime, maxDownloads }) {
  hook("expiry").replaceChildren(...lifetimes.map((seconds) => option(seconds, format.span(seconds), seconds === defaultLifetime)));
  const counts = DOWNLOADS.filter((n) => n <= maxDownloads);
  hook("downloads").replaceChildren(option(0, say("count.anyDownloads"), true), ...counts.map((n) => option(n, say("count.downloads", { n }), false)));
  for (const select of [hook("expiry"), hook("downloads"), hook("keep")]) {
    fit(select);
    select.addEventListener("change", () => fit(select));
  }
}

/**
 * Chooses what has this value, if it can be chosen.
 * @param {HTMLSelectElement} select
 * @param {number | string} value
 */
export function choose(select, value) {
  const wanted = String(value);
  if (![...select.options].some((option) => option.value === wanted)) return;
  select.value = wanted;
  fit(select);
}

/**
 * Makes a choice as wide as what is chosen (css/sentence.css).
 * @param {HTMLElement} select
 */
export function fit(select) {
  const slot = select.parentElement;
  if (slot && select instanceof HTMLSelectElement) slot.dataset.text = select.selectedOptions[0].text;
}

/**
 * @param {number | string} value
 * @param {string} label
 * @param {boolean} selected
 */
export function option(value, label, selected) {
  const element = make("option", { value: String(value) }, label);
  element.selected = selected;
  return element;
}
