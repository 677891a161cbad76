// @ts-check
// The links of this browser: what it keeps of each share that it has sent, until that expires. For the page and for workers.
//
// All of it is sealed (vault.js), keys, owner's tokens and names, under one key that scripts may use but not read, but for the
// share's id and the time at which it expires: so that it can be erased without being opened. Erased is what has expired, at each
// visit to whichever page, and while a page is open.
//
// What is kept here is as safe as the disk of the device and as the page that is served: who has the whole profile of the browser has
// the key, too, and a script of this origin can use it. Where a browser keeps nothing, nothing is kept, and all of this throws.

import { answer, openStores, write } from "./database.js";
import * as vault from "./vault.js";

/** @import { Keepsake } from "./types.d.ts" */
/** @import { Sealed } from "./vault.js" */

/**
 * @typedef {object} KeptRecord
 * @property {string} id
 * @property {number} expires milliseconds, by this device's clock
 * @property {Sealed} sealed
 */

const DATABASE = "sealpost shares";
const SHARES = "shares"; // by id
const KEYS = "keys"; // by id, of which there is one
const KEY = "key";

/** @param {string} id */
const labelOf = (id) => `share ${id}`;

/**
 * @template T
 * @param {(db: IDBDatabase) => Promise<T>} work
 */
async function inDatabase(work) {
  const db = await openStores(DATABASE, 1, { [SHARES]: "id", [KEYS]: "id" });
  return work(db).finally(() => db.close());
}

/** Whether anything was ever kept: a database is not made for asking. */
const any = async () => (await indexedDB.databases()).some(({ name }) => name === DATABASE);

/**
 * The key of all records, made when it is needed first.
 * @param {IDBDatabase} db
 * @returns {Promise<CryptoKey>}
 */
async function keyOf(db) {
  const get = () => answer(db.transaction(KEYS).objectStore(KEYS).get(KEY));
  const known = await get();
  if (known) return known.key;
  const record = { id: KEY, key: await vault.newKey() };
  await write(db, (store) => store(KEYS).add(record)).catch((e) => {
    if (e.name !== "ConstraintError") throw e; // another tab has made one
  });
  return (await get()).key;
}

/**
 * @param {CryptoKey} key
 * @param {Keepsake} keepsake
 * @returns {Promise<KeptRecord>}
 */
async function seal(key, keepsake) {
  const { id, expires } = keepsake;
  return { id, expires, sealed: await vault.seal(key, labelOf(id), new TextEncoder().encode(JSON.stringify(keepsake))) };
}

/**
 * @param {CryptoKey} key
 * @param {KeptRecord} record
 * @returns {Promise<Keepsake>}
 */
const open = async (key, { id, sealed }) => JSON.parse(new TextDecoder().decode(await vault.open(key, labelOf(id), sealed)));

/**
 * Keeps shares, in the place of what was kept of them.
 * @param {Keepsake[]} keepsakes
 */
export const put = (keepsakes) => inDatabase(async (db) => {
  const key = await keyOf(db);
  const records = await Promise.all(keepsakes.map((keepsake) => seal(key, keepsake)));
  await write(db, (store) => records.forEach((record) => store(SHARES).put(record)));
});

/**
 * Writes a share anew that is kept, and nothing if it was forgotten meanwhile.
 * @param {Keepsake} keepsake
 */
export const update = (keepsake) => inDatabase(async (db) => {
  const record = await seal(await keyOf(db), keepsake);
  await write(db, (store) => {
    const found = store(SHARES).getKey(record.id);
    found.onsuccess = () => void (found.result !== undefined && store(SHARES).put(record));
  });
});

/**
 * All that has not expired, the newest first. What cannot be opened any more is erased.
 * @returns {Promise<Keepsake[]>}
 */
export async function list() {
  if (!(await any())) return [];
  await sweep();
  return inDatabase(async (db) => {
    const key = await keyOf(db);
    /** @type {KeptRecord[]} */
    const records = await answer(db.transaction(SHARES).objectStore(SHARES).getAll());
    const opened = await Promise.all(records.map((record) => open(key, record).catch(() => null)));
    const broken = records.filter((_, i) => !opened[i]).map(({ id }) => id);
    if (broken.length) await erase(db, broken);
    return opened.filter((keepsake) => keepsake !== null).sort((a, b) => b.created - a.created);
  });
}

/**
 * What is kept of a share, or null.
 * @param {string} id
 * @returns {Promise<Keepsake | null>}
 */
export async function find(id) {
  if (!(await any())) return null;
  return inDatabase(async (db) => {
    /** @type {KeptRecord | undefined} */
    const record = await answer(db.transaction(SHARES).objectStore(SHARES).get(id));
    return record ? open(await keyOf(db), record) : null;
  });
}

/**
 * Forgets shares. The server is told nothing.
 * @param {string[]} ids
 */
export async function forget(ids) {
  if (await any()) await inDatabase((db) => erase(db, ids));
}

/**
 * Forgets all that is kept, the key with it.
 */
export async function forgetAll() {
  if (!(await any())) return;
  await inDatabase((db) => write(db, (store) => [SHARES, KEYS].forEach((name) => store(name).clear())));
}

/**
 * @param {IDBDatabase} db
 * @param {string[]} ids
 */
const erase = (db, ids) => write(db, (store) => ids.forEach((id) => store(SHARES).delete(id)));

/**
 * Erases what has expired. Returns when the next will, in milliseconds by this device's clock, or Infinity.
 * @returns {Promise<number>}
 */
export async function sweep() {
  if (!(await any())) return Infinity;
  return inDatabase(async (db) => {
    /** @type {KeptRecord[]} */
    const records = await answer(db.transaction(SHARES).objectStore(SHARES).getAll());
    const now = Date.now();
    const over = records.filter(({ expires }) => !(expires > now)).map(({ id }) => id);
    if (over.length) await erase(db, over);
    return records.reduce((next, { expires }) => (expires > now ? Math.min(next, expires) : next), Infinity);
  });
}

/** Whether this browser keeps anything for this page. */
export const possible = () => inDatabase(keyOf).then(() => true, () => false);
