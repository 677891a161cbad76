// @ts-check
// The upload token of this browser, where a server lets only holders of one make shares: kept for as long as the page is open, or until it is
// forgotten. What is kept is sealed under a key that scripts may use but not read (vault.js), as links are, and is as safe as these.

import { answer, openStores, write } from "./database.js";
import * as vault from "./vault.js";

/** @import { Sealed } from "./vault.js" */
/** @typedef {{id: string, key: CryptoKey, sealed: Sealed}} TokenRecord */

const DATABASE = "sealpost upload token";
const TOKENS = "tokens"; // by id, of which there is one
const ID = "token";
const FORM = /^[\w-]{43}$/;

/** Of this page. */
let current = "";

/**
 * @template T
 * @param {(db: IDBDatabase) => Promise<T>} work
 */
async function inDatabase(work) {
  const db = await openStores(DATABASE, 1, { [TOKENS]: "id" });
  return work(db).finally(() => db.close());
}

/** Whether anything was ever kept: a database is not made for asking. */
const any = async () => (await indexedDB.databases()).some(({ name }) => name === DATABASE);

/**
 * What somebody has pasted, without what is around it, or "" if it is no token.
 * @param {string} text
 */
export function read(text) {
  const token = text.replace(/\s/g, "");
  return FORM.test(token) ? token : "";
}

/** The token, or "". */
export async function find() {
  return (current ||= await kept().catch(() => ""));
}

async function kept() {
  if (!(await any())) return "";
  return inDatabase(async (db) => {
    /** @type {TokenRecord | undefined} */
    const record = await answer(db.transaction(TOKENS).objectStore(TOKENS).get(ID));
    return record ? new TextDecoder().decode(await vault.open(record.key, ID, record.sealed)) : "";
  });
}

/**
 * Keeps a token in the place of any other. Where a browser keeps nothing it is kept by the page.
 * @param {string} token
 * @param {boolean} lasting beyond this page
 */
export async function keep(token, lasting) {
  await forget();
  current = token;
  if (!lasting) return;
  const key = await vault.newKey();
  const record = { id: ID, key, sealed: await vault.seal(key, ID, new TextEncoder().encode(token)) };
  await inDatabase((db) => write(db, (store) => store(TOKENS).put(record))).catch(() => {});
}

/** Forgets it, and its key. */
export async function forget() {
  current = "";
  const erase = () => inDatabase((db) => write(db, (store) => store(TOKENS).clear()));
  if (await any().catch(() => false)) await erase().catch(() => {});
}
