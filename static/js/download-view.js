// @ts-check
// What the download page shows.

import { hook, make } from "./dom.js";
import * as format from "./format.js";
import { fill } from "./list.js";
import { load, say, sayWith } from "./messages.js";

/** @import { Kept, Share } from "./types.d.ts" */
/** @import { Manifest, OpenedEntry } from "../worker/engine.d.ts" */

const LONG = 48; // characters, above which a name is too much for a title of full size
const CODE = /^(\t| {2,})\S|[;{}]$/m; // has lines as in a program, whose letters had better be of one width

const FEW = 8; // entries without folders, of which each has its line and nothing else is needed

/** @typedef {{name: string, indices: number[]}} Some entries, to be saved as an archive of that name */

/**
 * @typedef {object} Actions what can be done with entries
 * @property {(what: number | Some) => void} save
 * @property {boolean} whole whether all has arrived, and single files can be saved
 * @property {(index: number) => void} [preview]
 * @property {(entry: OpenedEntry) => boolean} [previewable] whether there is something to be looked at
 */

/** @type {{Entries: typeof import("./entries.js").Entries, grown: import("./entries.js").Grown} | null} */
let large = null;
/** @type {import("./entries.js").Entries | null} */
let tree = null;

/**
 * Gets ready to show a manifest: many entries, or folders, need more than a few files do. If that does not arrive they are a list.
 * @param {Manifest | null} manifest
 */
export async function prepare(manifest) {
  if (!manifest || manifest === large?.grown.manifest) return;
  const { entries } = manifest;
  tree?.end();
  large = tree = null;
  if (entries.length <= FEW && new Set(entries.map(({ name }) => name.slice(0, leafAt(name)))).size <= 1) return;
  try {
    const [{ Entries, grow }] = await Promise.all([import("./entries.js"), load("entries")]);
    large = { Entries, grown: await grow(manifest) };
  } catch {}
}

/**
 * @param {Manifest} manifest
 * @param {Actions} actions
 */
export function showManifest(manifest, actions) {
  const { entries } = manifest;
  showEntries(manifest, actions);
  hook("entries").dataset.count = String(entries.length);
  if (manifest.note) showNote(manifest.note);
  hook("count").textContent = countFiles(entries);
  hook("size").textContent = format.size(manifest.size);
}

/**
 * @param {Manifest} manifest
 * @param {Actions} actions
 */
export function showEntries(manifest, actions) {
  if (tree) return tree.update(actions);
  if (large?.grown.manifest === manifest) tree = new large.Entries(large.grown, actions);
  else fill(hook("entries"), manifest.entries.length, (i) => row(manifest, i, actions));
}

/** @param {string} text */
export function showNote(text) {
  hook("note").textContent = format.prose(text);
  hook("note").toggleAttribute("data-code", CODE.test(text));
  hook("note").hidden = hook("copy-note").hidden = false;
}

/**
 * The row of an entry.
 * @param {Manifest} manifest
 * @param {number} index
 * @param {Actions} actions
 * @param {string} [as] how much of its path is shown; all, if it is not given
 */
export function row({ kind, entries }, index, { save, whole, preview, previewable }, as = entries[index].name) {
  const entry = entries[index];
  const shown = format.name(as);
  const leaf = leafAt(shown);
  const path = make("bdi", { dir: "ltr" }, make("span", { class: "muted" }, shown.slice(0, leaf)), shown.slice(leaf));
  const name = make("span", { class: "name" }, path);
  if (entry.directory) name.append(" ", make("span", { class: "muted small" }, say("download.list.folder")));
  const row = make("li", { "data-hook": "entry", "data-name": entry.name }, name);
  row.append(make("span", { class: "data muted" }, entry.directory ? "" : format.size(entry.size)));
  const acts = make("span", { class: "acts" });
  const add = (/** @type {string} */ hook, /** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) => {
    const button = make("button", { type: "button", class: "textual", "data-hook": hook, "aria-label": label }, text);
    button.disabled = !whole;
    button.addEventListener("click", act);
    acts.append(button);
  };
  if (preview && previewable?.(entry) && !entry.directory) add("preview", say("preview.open"), say("preview.openLabel", { name: shown }), () => preview(index));
  if (kind === "tar" && !entry.directory) add("entry-download", say("download.list.save"), say("download.list.saveLabel", { name: shown }), () => save(index));
  if (acts.hasChildNodes()) row.append(acts);
  return row;
}

/**
 * Where the last part of a path begins.
 * @param {string} path
 */
const leafAt = (path) => path.lastIndexOf("/", path.length - 2) + 1;

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
 * @param {{state: string, manifest: Manifest | null, over: boolean, fetched: number}} now without a manifest while it is locked; with the
 *   sealed bytes that were needed for what was taken out of it last
 * @param {Share} share
 * @param {number} seconds that it has left
 */
export function showFacts({ state, manifest, over, fetched }, share, seconds) {
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
  if (fetched) facts.unshift(tellFetched(fetched, share));
  hook("facts").replaceChildren(...facts.map((fact) => make("span", {}, fact)));
}

/**
 * How much had to be fetched for what is taken out of a share.
 * @param {number} fetched
 * @param {Share} share
 */
export const tellFetched = (fetched, { size }) => say("download.list.fetched", { done: format.size(fetched), total: format.size(size) });
