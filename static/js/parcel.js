// @ts-check
// What is going to be sent: files and folders by their top-level name, which is unique. Whatever comes a second time under
// the same name is renamed, never merged.

/** @import { Item } from "./types.d.ts" */

/**
 * @typedef {object} Bundle a file, or a folder with all that is in it
 * @property {string} name at the top level
 * @property {boolean} folder
 * @property {Item[]} items
 * @property {number} size
 */

const NAME_LIMIT = 255; // bytes in one part of a path, as in most file systems
const PATH_LIMIT = 4096;

/** @param {string} text */
const size = (text) => new TextEncoder().encode(text).length;

export class Parcel {
  /** @type {Map<string, Bundle>} */
  #bundles = new Map();

  get bundles() {
    return [...this.#bundles.values()];
  }

  get items() {
    return this.bundles.flatMap((b) => b.items);
  }

  get files() {
    return this.bundles.reduce((n, b) => n + countFiles(b), 0);
  }

  get entries() {
    return this.bundles.reduce((n, b) => n + b.items.length, 0);
  }

  get size() {
    return this.bundles.reduce((n, b) => n + b.size, 0);
  }

  get empty() {
    return this.#bundles.size === 0;
  }

  /**
   * Adds items that belong together: those in one folder are one bundle, each other file is its own.
   * @param {Item[]} items
   */
  add(items) {
    /** @type {Map<string, Item[]>} */
    const folders = new Map();
    for (const item of items) {
      const slash = item.name.indexOf("/");
      if (slash < 0) {
        this.#put(item.name, false, [item]);
        continue;
      }
      const top = item.name.slice(0, slash);
      const inside = folders.get(top);
      if (inside) inside.push(item);
      else folders.set(top, [item]);
    }
    for (const [top, inside] of folders) this.#put(top, true, inside);
  }

  /** @param {string} name */
  remove(name) {
    this.#bundles.delete(name);
  }

  clear() {
    this.#bundles.clear();
  }

  /**
   * @param {string} top
   * @param {boolean} folder
   * @param {Item[]} items
   */
  #put(top, folder, items) {
    const name = this.#unique(top, folder);
    const renamed = items.map(({ name: old, file }) => ({ name: name + old.slice(top.length), file }));
    const bytes = items.reduce((n, { file }) => n + (file?.size ?? 0), 0);
    this.#bundles.set(name, { name, folder, items: renamed, size: bytes });
  }

  /**
   * @param {string} top
   * @param {boolean} folder
   */
  #unique(top, folder) {
    const dot = folder ? -1 : top.lastIndexOf(".");
    const [stem, suffix] = dot > 0 && size(top.slice(dot)) < 32 ? [top.slice(0, dot), top.slice(dot)] : [top, ""];
    let name = top;
    for (let n = 2; this.#bundles.has(name); n++) {
      const end = ` (${n})${suffix}`;
      name = shorten(stem, NAME_LIMIT - size(end)) + end;
    }
    return name;
  }
}

/**
 * Shortens text to so many bytes at most.
 * @param {string} text
 * @param {number} limit
 */
function shorten(text, limit) {
  const characters = [...text];
  while (size(characters.join("")) > limit) characters.pop();
  return characters.join("");
}

const NOTE = "note.txt";

/**
 * A note that is sent alone is sealed like a file: to be shown is to be downloaded, and counts. Two of the same text and time are the
 * same.
 * @param {string} text
 * @param {number} [lastModified] milliseconds
 * @returns {Item}
 */
export const noteItem = (text, lastModified = Date.now()) => ({ name: NOTE, file: new File([text], NOTE, { type: "text/plain", lastModified }) });

/** @param {Bundle} b */
export const countFiles = (b) => b.items.reduce((n, { file }) => n + (file ? 1 : 0), 0);

/**
 * Whether the format takes this path (wasm/internal/seal says the same, and has the last word).
 * @param {string} path
 */
export function nameAllowed(path) {
  const parts = path.replace(/\/$/, "").split("/");
  return fits(path, PATH_LIMIT) && parts.every((p) => p !== "" && p !== "." && p !== ".." && !/[\0\\]/.test(p) && fits(p, NAME_LIMIT));
}

/**
 * A character has three bytes at most, so of few there is nothing to count, which a hundred thousand names would feel.
 * @param {string} text
 * @param {number} limit
 */
const fits = (text, limit) => 3 * text.length <= limit || size(text) <= limit;
