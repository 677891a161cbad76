// @ts-check
// Handles of files and folders, where a browser gives them (Chromium): with them it can read the same files again in another page,
// so that an unfinished upload goes on without choosing anything. That a page may read them has to be allowed again, sometimes,
// by the person.

/** @import { Item } from "./types.d.ts" */

/** Where files came from: their own handle, or that of the folder that was dropped. @type {WeakMap<File, FileSystemHandle>} */
const origins = new WeakMap();

/**
 * Notes where items came from.
 * @param {Item[]} items
 * @param {FileSystemHandle} handle
 */
export function note(items, handle) {
  for (const { file } of items) if (file) origins.set(file, handle);
}

/**
 * The handles that give all items again; none if some have none.
 * @param {Item[]} items
 * @returns {FileSystemHandle[]}
 */
export function handlesOf(items) {
  /** @type {Set<FileSystemHandle>} */
  const all = new Set();
  for (const { file } of items) {
    if (!file) continue;
    const handle = origins.get(file);
    if (!handle) return [];
    all.add(handle);
  }
  return [...all];
}

/**
 * Asks for files. Returns none if the person chose none. Needs a user's gesture.
 * @returns {Promise<Item[]>}
 */
export async function pick() {
  const handles = await globalThis.showOpenFilePicker?.({ multiple: true }).catch((/** @type {any} */ e) => {
    if (e.name === "AbortError") return [];
    throw e;
  });
  return collect(handles ?? []);
}

/**
 * Whether all handles may be read. If asking is true the person is asked, which needs a gesture.
 * @param {FileSystemHandle[]} handles
 * @param {boolean} asking
 */
export async function allowed(handles, asking) {
  for (const handle of handles) {
    const mode = { mode: /** @type {const} */ ("read") };
    const state = await (asking ? handle.requestPermission?.(mode) : handle.queryPermission?.(mode))?.catch(() => "denied");
    if (state !== "granted") return false;
  }
  return true;
}

/**
 * What the handles stand for now.
 * @param {FileSystemHandle[]} handles
 * @returns {Promise<Item[]>}
 */
export async function collect(handles) {
  /** @type {Item[]} */
  const all = [];
  for (const handle of handles) {
    /** @type {Item[]} */
    const items = [];
    await walk(handle, "", items).catch(() => {}); // what is not there any more will be found missing
    note(items, handle);
    for (const item of items) all.push(item);
  }
  return all;
}

/**
 * What is in a folder, or a file.
 * @param {FileSystemHandle} handle
 * @param {string} prefix
 * @param {Item[]} items
 */
async function walk(handle, prefix, items) {
  if (handle.kind === "file") {
    items.push({ name: prefix + handle.name, file: await /** @type {FileSystemFileHandle} */ (handle).getFile() });
    return;
  }
  const path = `${prefix}${handle.name}/`;
  const before = items.length;
  for await (const inside of /** @type {FileSystemDirectoryHandle} */ (handle).values()) await walk(inside, path, items);
  if (items.length === before) items.push({ name: path, file: null });
}
