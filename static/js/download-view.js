// @ts-check
// What the download page shows.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { fill } from "./list.js";
import { say, sayWith } from "./messages.js";

/** @import { Kept, Share } from "./types.d.ts" */
/** @import { Manifest, OpenedEntry } from "../worker/engine.d.ts" */

const LONG = 48; // characters, above which a name is too much for a title of full size
const CODE = /^(\t| {2,})\S|[;{}]$/m; // has lines as in a program, whose letters had better be of one width

/**
 * @typedef {object} Ways what can be done with entries
 * @property {(index: number) => void} save
 * @property {boolean} whole whether all has arrived, and single files can be saved
 * @property {(index: number) => void} [preview] looks at one, once that can be done
 * @property {(entry: OpenedEntry) => boolean} [previewable]
 */

/**
 * @param {Manifest} manifest
 * @param {Ways} ways
 */
export function showManifest(manifest, ways) {
  const { entries } = manifest;
  const list = hook("entries");
  fill(list, entries.length, (i) => row(entries[i], manifest.kind === "tar" ? i : null, ways));
  list.dataset.count = String(entries.length);
  if (manifest.note) showNote(manifest.note);
  hook("count").textContent = countFiles(entries);
  hook("size").textContent = format.size(manifest.size);
}

/** @param {string} text */
export function showNote(text) {
  hook("note").textContent = format.prose(text);
  hook("note").toggleAttribute("data-code", CODE.test(text));
  hook("note").hidden = hook("copy-note").hidden = false;
}

/**
 * @param {OpenedEntry} entry
 * @param {number | null} index null if it is not saved by itself
 * @param {Ways} ways
 */
function row(entry, index, { save, whole, preview, previewable }) {
  const shown = format.name(entry.name);
  const leaf = shown.lastIndexOf("/", shown.length - 2) + 1;
  const path = make("bdi", { dir: "ltr" }, make("span", { class: "muted" }, shown.slice(0, leaf)), shown.slice(leaf));
  const name = make("span", { class: "name" }, path);
  if (entry.directory) name.append(" ", make("span", { class: "muted small" }, say("download.list.folder")));
  const row = make("li", { "data-hook": "entry", "data-name": entry.name }, name);
  row.append(make("span", { class: "data muted" }, entry.directory ? "" : format.size(entry.size)));
  if (index === null || entry.directory) return row;
  const act = (/** @type {string} */ hook, /** @type {string} */ label, /** @type {string} */ text, /** @type {(index: number) => void} */ todo) => {
    const button = make("button", { type: "button", class: "textual", "data-hook": hook, "aria-label": label }, text);
    button.disabled = !whole;
    button.addEventListener("click", () => todo(index));
    return button;
  };
  const acts = make("span", { class: "acts" }, act("entry-download", say("download.list.saveLabel", { name: shown }), say("download.list.save"), save));
  if (preview && previewable?.(entry)) acts.prepend(act("preview", say("preview.openLabel", { name: shown }), say("preview.open"), preview));
  row.append(acts);
  return row;
}

/**
 * What of it is on this device, from before.
 * @param {{kept: Kept | null}} now
 * @param {Manifest} manifest
 */
export function showKept({ kept }, { size }) {
  hook("kept").hidden = !kept;
  if (kept) hook("kept-text").textContent = say("download.kept.text", { done: format.size(Math.floor(kept.part * size)), total: format.size(size) });
}

/**
 * What was sent, in a sentence.
 * @param {Manifest} manifest
 */
export function headline({ kind, entries }) {
  if (kind === "note") return [say("download.ready.noteTitle")];
  const name = (/** @type {string} */ s) => make("bdi", { dir: "ltr", class: s.length > LONG ? "name long" : "name" }, format.name(s));
  if (kind === "file") return sayWith("download.ready.fileTitle", { name: name(entries[0].name) });
  const top = entries[0].name.split("/", 1)[0];
  if (entries.every((e) => e.name.startsWith(`${top}/`))) return sayWith("download.ready.folderTitle", { name: name(top) });
  return sayWith("download.ready.title", { files: countFiles(entries) });
}

/** @param {OpenedEntry[]} entries */
const countFiles = (entries) => say("count.files", { n: entries.filter((e) => !e.directory).length });

/**
 * How often a note can be shown.
 * @param {Share} share
 */
function timesLeft({ left }) {
  if (left === null) return "";
  return left === 1 ? say("download.note.once") : say("download.note.left", { n: left });
}

/**
 * What there is to know of a share besides its title: since when it is there and for how long, how often it can be had, what is saved.
 * @param {{state: string, manifest: Manifest | null, over: boolean}} now without a manifest while it is locked
 * @param {Share} share
 * @param {number} seconds that it has left
 */
export function showFacts({ state, manifest, over }, share, seconds) {
  const open = share.state === "open", { kind, entries } = manifest ?? { kind: "", entries: [] };
  /** @type {(Node | string)[]} */
  const facts = [];
  if (kind === "file" && state === "done") facts.push(make("bdi", { dir: "ltr", class: "name" }, format.name(entries[0].name)), format.size(entries[0].size));
  if (over) facts.push(say("download.list.over"));
  else if (kind === "note") facts.push(timesLeft(share));
  else facts.push(share.left === null ? say("count.anyDownloads") : say("download.list.left", { n: share.left, max: share.maxDownloads }));
  if (!manifest && !open) facts.push(say("download.facts.sealed", { moment: format.moment(share.created) }));
  if ((!manifest || state === "done") && !open && !over) facts.push(say("download.facts.open", { time: format.span(Math.max(1, seconds)) }));
  if (!manifest && !open) facts.push(say("download.facts.size", { size: format.size(share.size) }));
  if (open && kind !== "note") facts.push(say("download.facts.begun", { moment: format.moment(share.created) }), say("download.facts.kept", { time: format.span(share.lifetime) }));
  if (kind === "tar") facts.push(say("download.list.tar"));
  if (kind === "tar" && open) facts.push(say("download.following.entries"));
  hook("facts").replaceChildren(...facts.map((fact) => make("span", {}, fact)));
}
