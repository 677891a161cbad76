// @ts-check
// Partial downloads: what it takes to go on in another page, after a reload, a crash or a night, with what has arrived of a share,
// without fetching that again and without taking another download.
//
// The bytes lie in the origin's private file system (OPFS), one folder for each share, as they arrived: sealed
// (worker/hoard.js). The key is in the link, and a person brings that along. Beside them there is a record in a
// database: the ticket, sealed under a key of its own (vault.js) which goes with the record; in the clear the share's id, when it
// expires, and the handle of the file that was chosen to save to, where a browser has handles. That is the browser's own object and
// tells the name of its file to whoever may read this origin's storage.
//
// Whoever writes to a folder or reads from it holds the Web Lock of its name, and only one can. What nobody holds and nobody can
// use any more is swept at the next visit.

import { answer, openStores, write } from "./database.js";
import { hold } from "./lock.js";
import * as vault from "./vault.js";

/** @import { Sealed } from "./vault.js" */

/**
 * @typedef {object} Partial what is kept of a share
 * @property {string} ticket
 * @property {FileSystemFileHandle | null} file that was chosen to save to
 *
 * @typedef {object} PartialRecord
 * @property {string} id
 * @property {CryptoKey} key
 * @property {number} expires milliseconds, by this device's clock
 * @property {Sealed} ticket
 * @property {FileSystemFileHandle | null} file
 */

const DATABASE = "sealpost downloads";
const STORE = "downloads"; // by id
const FOLDER = "partial";
const RELEASE = 2500; // milliseconds, for which a page that has just ended may hold its lock
const SLACK = 3600_000; // milliseconds by which clocks may be wrong

const openDatabase = () => openStores(DATABASE, 1, { [STORE]: "id" });

/** @param {string} name */
const lockOf = (name) => `sealpost partial ${name}`;

/** @param {string} id */
const labelOf = (id) => `ticket ${id}`;

/**
 * Takes the lock of a share, or of a name that is nobody else's. Resolves to null while others hold it.
 * @param {string} name
 * @param {boolean} [patient] whether to wait for a page that has just ended
 */
export const claim = (name, patient = true) =>
  hold(lockOf(name), patient ? { signal: AbortSignal.timeout(RELEASE) } : { ifAvailable: true }).catch(() => null);

/**
 * The folder of a share.
 * @param {string} name
 * @param {boolean} create if it is not there; else that throws
 */
export async function folderOf(name, create) {
  const all = await folders(create);
  return all.getDirectoryHandle(name, { create });
}

async function folders(create = false) {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create });
}

/**
 * What is kept of a share, or null.
 * @param {string} id
 * @returns {Promise<Partial | null>}
 */
export async function find(id) {
  if (!(await kept())) return null;
  const db = await openDatabase();
  try {
    /** @type {PartialRecord | undefined} */
    const record = await answer(db.transaction(STORE).objectStore(STORE).get(id));
    if (!record) return null;
    const ticket = await vault.open(record.key, labelOf(id), record.ticket);
    return { ticket: new TextDecoder().decode(ticket), file: record.file };
  } finally {
    db.close();
  }
}

/**
 * Keeps what is needed to go on. The caller holds the lock.
 * @param {string} id
 * @param {number} lasts seconds until nobody can go on with it
 * @param {Partial} partial
 */
export async function keep(id, lasts, { ticket, file }) {
  const key = await vault.newKey();
  const sealed = await vault.seal(key, labelOf(id), new TextEncoder().encode(ticket));
  const record = { id, key, expires: Date.now() + lasts * 1000, ticket: sealed, file };
  const db = await openDatabase();
  try {
    const put = () => write(db, (store) => store(STORE).put(record));
    await put().catch(async (e) => {
      if (!file) throw e;
      record.file = null; // some browsers have handles but do not keep them
      await put();
    });
  } finally {
    db.close();
  }
}

/**
 * Erases all that is kept under a name. The caller holds the lock, and no file is open.
 * @param {string} name
 */
export async function erase(name) {
  await Promise.allSettled([forget(name), remove(name)]); // the next visit sweeps
}

/**
 * Erases the record alone.
 * @param {string} id
 */
export async function forget(id) {
  if (!(await kept())) return;
  const db = await openDatabase();
  await write(db, (store) => store(STORE).delete(id)).finally(() => db.close());
}

/** @param {string} name */
async function remove(name) {
  const all = await folders();
  for (let n = 0; n < 20; n++) { // the end of a worker frees its files a little later
    try {
      return await all.removeEntry(name, { recursive: true });
    } catch (e) {
      if (/** @type {any} */ (e).name === "NotFoundError") return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Erases what earlier visits have left and nobody can go on with. */
export async function sweep() {
  for (const name of new Set([...(await recorded().catch(() => [])), ...(await stored().catch(() => []))])) {
    const release = await claim(name, false);
    if (release) await sweepOne(name).catch(() => {}).finally(release);
  }
}

/** Whether anything was ever recorded: a database is not made for asking. */
const kept = async () => (await indexedDB.databases()).some(({ name }) => name === DATABASE);

/** @returns {Promise<string[]>} */
async function recorded() {
  if (!(await kept())) return [];
  const db = await openDatabase();
  const keys = answer(db.transaction(STORE).objectStore(STORE).getAllKeys());
  return /** @type {Promise<string[]>} */ (keys.finally(() => db.close()));
}

/** Names of folders. Throws if there has never been one. */
async function stored() {
  const names = [];
  for await (const name of (await folders()).keys()) names.push(name);
  return names;
}

/** @param {string} name */
async function sweepOne(name) {
  if (!(await usable(name))) await erase(name);
}

/** @param {string} id */
async function usable(id) {
  if (!(await kept())) return false;
  const db = await openDatabase();
  try {
    /** @type {PartialRecord | undefined} */
    const record = await answer(db.transaction(STORE).objectStore(STORE).get(id));
    return record !== undefined && Date.now() < record.expires + SLACK;
  } finally {
    db.close();
  }
}
