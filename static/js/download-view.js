// @ts-check
// What the download page shows.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { say } from "./messages.js";

/** @import { Share } from "./types.d.ts" */
/** @import { Manifest, OpenedEntry } from "../worker/engine.d.ts" */

const ROWS = 200; // of more, the number is told: a long list would freeze the page and nobody reads it

/**
 * @param {Manifest} manifest
 * @param {(index: number) => void} saveEntry
 */
export function showManifest(manifest, saveEntry) {
  const { entries } = manifest;
  const rows = entries.slice(0, ROWS).map((e, i) => row(e, i, manifest.kind === "tar", saveEntry));
  if (entries.length > ROWS) rows.push(make("li", { class: "muted" }, say("count.more", { n: entries.length - ROWS })));
  const list = hook("entries");
  list.replaceChildren(...rows);
  list.dataset.count = String(entries.length);
  hook("note").textContent = format.prose(manifest.note);
  hook("note").hidden = !manifest.note;
  hook("size").textContent = format.size(manifest.size);
}

/**
 * @param {OpenedEntry} entry
 * @param {number} index
 * @param {boolean} single whether it can be saved by itself
 * @param {(index: number) => void} saveEntry
 */
function row(entry, index, single, saveEntry) {
  const shown = format.name(entry.name);
  const name = make("span", { class: "name", title: shown }, make("bdi", { dir: "ltr" }, shown));
  const type = entry.directory ? say("download.list.folder") : format.name(entry.type);
  if (type) name.append(" ", make("span", { class: "muted small" }, type));
  const row = make("li", { "data-hook": "entry", "data-name": entry.name }, name);
  row.append(make("span", { class: "data muted" }, entry.directory ? "" : format.size(entry.size)));
  if (single && !entry.directory) {
    const button = make("button", { type: "button", class: "textual", "data-hook": "entry-download", "aria-label": say("download.list.saveLabel", { name: shown }) }, say("download.list.save"));
    button.addEventListener("click", () => saveEntry(index));
    row.append(button);
  }
  return row;
}

/**
 * @param {Share} share
 * @param {Manifest} manifest
 */
export function showFacts(share, manifest) {
  const facts = [share.left === null ? say("count.anyDownloads") : say("download.list.left", { n: share.left, max: share.maxDownloads })];
  if (manifest.kind === "tar") facts.push(say("download.list.tar"));
  hook("facts").replaceChildren(...facts.map((fact) => make("span", {}, fact)));
}
