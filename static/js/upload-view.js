// @ts-check
// What the upload page shows.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { say } from "./messages.js";
import { countFiles } from "./parcel.js";

/** @import { Config } from "./types.d.ts" */
/** @import { Bundle, Parcel } from "./parcel.js" */

const ROWS = 200;
const DOWNLOADS = [1, 2, 3, 5, 10, 20, 50, 100];

/**
 * @param {Parcel} parcel
 * @param {(name: string) => void} remove
 */
export function showParcel(parcel, remove) {
  const { bundles } = parcel;
  const rows = bundles.slice(0, ROWS).map((b) => row(b, remove));
  if (bundles.length > ROWS) rows.push(make("li", { class: "muted" }, say("count.more", { n: bundles.length - ROWS })));
  hook("list").replaceChildren(...rows);
  hook("total").textContent = parcel.empty ? "" : say("upload.list.total", { files: say("count.files", { n: parcel.files }), size: format.size(parcel.size) });
}

/**
 * @param {Bundle} bundle
 * @param {(name: string) => void} remove
 */
function row(bundle, remove) {
  const shown = format.name(bundle.name);
  const name = make("span", { class: "name", title: shown }, make("bdi", { dir: "ltr" }, bundle.folder ? `${shown}/` : shown));
  if (bundle.folder) name.append(" ", make("span", { class: "muted small" }, folderText(countFiles(bundle))));
  const button = make("button", { type: "button", "aria-label": say("upload.list.remove", { name: shown }) }, "×");
  button.addEventListener("click", () => remove(bundle.name));
  return make("li", { "data-hook": "file", "data-name": bundle.name }, name, make("span", { class: "data muted" }, format.size(bundle.size)), button);
}

/** @param {number} n files */
const folderText = (n) => (n === 0 ? say("upload.list.emptyFolder") : say("count.files", { n }));

/** @param {Config} config */
export function showTerms({ lifetimes, defaultLifetime, maxDownloads }) {
  hook("expiry").replaceChildren(...lifetimes.map((seconds) => option(seconds, format.span(seconds), seconds === defaultLifetime)));
  const counts = DOWNLOADS.filter((n) => n <= maxDownloads);
  hook("downloads").replaceChildren(option(0, say("count.anyDownloads"), true), ...counts.map((n) => option(n, say("count.downloads", { n }), false)));
}

/**
 * @param {number} value
 * @param {string} label
 * @param {boolean} selected
 */
function option(value, label, selected) {
  const element = make("option", { value: String(value) }, label);
  element.selected = selected;
  return element;
}
