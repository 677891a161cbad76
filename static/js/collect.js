// @ts-check
// Files and folders as browsers hand them over: chosen, dropped or pasted.

/** @import { Item } from "./types.d.ts" */

/** Whether this browser gives handles of files that it can keep (handles.js). */
export const givesHandles = "showOpenFilePicker" in globalThis;

/**
 * What a file input holds. A folder chosen with webkitdirectory comes as its files, with paths; its empty folders are lost.
 * @param {Iterable<File>} files
 * @returns {Item[]}
 */
export const fromFiles = (files) => Array.from(files, (file) => ({ name: file.webkitRelativePath || file.name, file }));

/**
 * What was dropped or pasted, folders with all that is in them. An empty folder is an item of its own.
 * @param {DataTransfer} data
 * @returns {Promise<Item[]>}
 */
export async function fromTransfer(data) {
  // All entries have to be taken at once: the transfer is emptied when the event is over.
  const taken = Array.from(data.items).filter((i) => i.kind === "file").map((i) => ({
    entry: i.webkitGetAsEntry(),
    file: i.getAsFile(),
    handle: givesHandles ? i.getAsFileSystemHandle?.().catch(() => null) : null,
  }));
  /** @type {Item[]} */
  const all = [];
  for (const { entry, file, handle } of taken) {
    /** @type {Item[]} */
    const items = [];
    if (entry?.isDirectory) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), "", items);
    else if (file) items.push({ name: file.name, file });
    const origin = await handle;
    if (origin) (await import("./handles.js")).note(items, origin);
    for (const item of items) all.push(item);
  }
  return all;
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {string} prefix
 * @param {Item[]} items
 */
async function walk(folder, prefix, items) {
  const path = `${prefix}${folder.name}/`;
  const entries = await children(folder).catch(() => unread(path));
  if (!entries.length) items.push({ name: path, file: null });
  for (const entry of entries) {
    if (entry.isDirectory) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), path, items);
    else items.push({ name: path + entry.name, file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)).catch(() => unread(path + entry.name)) });
  }
}

/**
 * @param {string} file
 * @returns {never}
 */
function unread(file) {
  throw Object.assign(new Error(`failed to read ${file}`), { code: "unreadable", file });
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function children(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) { // a reader gives a hundred or so at a time, and none at the end
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/**
 * Whether the file cannot be read, as is the case with the pseudo-files by which some engines stand for a folder: they have
 * the size of nothing or of a directory's record. Only files of such sizes are tried.
 * @param {File} file
 */
export async function unreadable(file) {
  if (file.size % 4096 !== 0 || file.size > 1 << 20) return false;
  const some = file.size ? file.slice(0, 1) : file; // a slice of nothing can always be read
  return some.arrayBuffer().then(() => false, () => true);
}
