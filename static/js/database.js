// @ts-check
// Databases of the browser as promises: that in which unfinished uploads are kept (journal.js), and others.

const NAME = "sealpost uploads";
const VERSION = 1;

export const UPLOADS = "uploads"; // by id
export const PARTS = "parts"; // by id and number

export const openDatabase = () => openStores(NAME, VERSION, { [UPLOADS]: "id", [PARTS]: ["id", "n"] });

/**
 * Opens a database, and makes it if there is none yet.
 * @param {string} name
 * @param {number} version
 * @param {Record<string, string | string[]>} stores their key paths
 * @returns {Promise<IDBDatabase>}
 */
export async function openStores(name, version, stores) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const [store, keyPath] of Object.entries(stores)) request.result.createObjectStore(store, { keyPath });
  };
  const db = await answer(request);
  db.onversionchange = () => db.close(); // else a newer page would wait for this one
  return db;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Does what change asks for, all or nothing. It is on the disk when the promise resolves, as far as the browser can tell: that
 * is what strict durability is.
 * @param {IDBDatabase} db
 * @param {(store: (name: string) => IDBObjectStore) => void} change
 * @returns {Promise<void>}
 */
export function write(db, change) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(db.objectStoreNames, "readwrite", { durability: "strict" });
    /** @type {DOMException | null} */
    let refused = null;
    // Some engines forget it when the transaction is aborted for it.
    transaction.onerror = ({ target }) => (refused ??= /** @type {IDBRequest} */ (target).error);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(refused ?? transaction.error ?? new Error("the transaction was aborted"));
    try {
      change((name) => transaction.objectStore(name));
    } catch (e) {
      reject(e);
      transaction.abort();
    }
  });
}

/**
 * The keys of all parts of a share.
 * @param {string} id
 */
export const partsOf = (id) => IDBKeyRange.bound([id], [id, []]); // an array comes after every number
