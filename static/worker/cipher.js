// @ts-check
// Seals and opens chunks with the browser's own ChaCha20-Poly1305 where there is one (Chromium), else with the engine's. On two
// cores that makes whole transfers a fifth faster. The browser's is taken only if it does what the engine's does, and it gets the
// key in a form that scripts cannot read.

import { have } from "./load.js";

/** @import { Engine } from "./engine.d.ts" */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {CryptoKey | Uint8Array} Key */

export const CHUNK = 64 << 10;
export const TAG = 16;
const NAME = "ChaCha20-Poly1305";
const FAR = 2 ** 34 + 2 ** 25 + 7; // an index with many bytes

/**
 * The key in the form that cipher() takes, here or in another worker.
 * @param {Engine} engine
 * @param {Uint8Array} raw
 * @returns {Promise<Key>}
 */
export async function cipherKey(engine, raw) {
  trusted ??= test(engine).catch(() => false); // it does not know the name, or the format
  return (await trusted) ? imported(raw) : raw;
}

/** @type {Promise<boolean> | null} */
let trusted = null;

/**
 * @param {Engine} engine
 * @param {Key} key
 */
export const cipher = (engine, key) => (key instanceof CryptoKey ? new BrowserCipher(key) : new EngineCipher(engine, key));

/** @param {Uint8Array} raw */
const imported = (raw) =>
  crypto.subtle.importKey(/** @type {any} */ ("raw-secret"), /** @type {Bytes} */ (raw), NAME, false, ["encrypt", "decrypt"]);

/**
 * Whether the browser's cipher does what the engine's does, for a whole chunk and for the last one.
 * @param {Engine} engine
 */
async function test(engine) {
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const plain = new Uint8Array(CHUNK + 999);
  crypto.getRandomValues(plain.subarray(CHUNK / 2, CHUNK)); // no more at once
  const browser = new BrowserCipher(await imported(raw));
  const [ours, theirs] = [new EngineCipher(engine, raw), browser].map((c) => {
    const out = new Uint8Array(plain.length + 2 * TAG);
    return { out, done: c.seal(plain, FAR, true, out, 0) };
  });
  await theirs.done;
  if (theirs.out.some((byte, i) => byte !== ours.out[i])) return false;
  const opened = new Uint8Array(plain.length);
  const n = await browser.open(theirs.out, FAR, true, opened);
  if (n !== plain.length || opened.some((byte, i) => byte !== plain[i])) return false;
  theirs.out[theirs.out.length - 1] ^= 1;
  return browser.open(theirs.out, FAR, true, opened).then(() => false, () => true);
}

class EngineCipher {
  #engine;
  #cipher;

  /**
   * @param {Engine} engine
   * @param {Uint8Array} key
   */
  constructor(engine, key) {
    this.#engine = engine;
    this.#cipher = engine.newCipher(key);
  }

  /**
   * Seals chunks into out, the first of them at at; what lies outside of it is left out.
   * @param {Bytes} plain
   * @param {number} chunk
   * @param {boolean} last
   * @param {Bytes} out
   * @param {number} at
   */
  seal(plain, chunk, last, out, at) {
    put(have(this.#engine, this.#cipher, plain, () => this.#cipher.seal(plain.length, chunk, last)), out, at);
  }

  /**
   * Opens chunks into out. Returns how many bytes these are.
   * @param {Bytes} sealed
   * @param {number} chunk
   * @param {boolean} last
   * @param {Bytes} out
   */
  open(sealed, chunk, last, out) {
    const opened = have(this.#engine, this.#cipher, sealed, () => this.#cipher.open(sealed.length, chunk, last));
    out.set(opened);
    return opened.length;
  }
}

/** Does the same, in its own time. What it is given to read may be written to again at once. */
class BrowserCipher {
  #key;

  /** @param {CryptoKey} key */
  constructor(key) {
    this.#key = key;
  }

  /**
   * @param {Bytes} plain
   * @param {number} chunk
   * @param {boolean} last
   * @param {Bytes} out
   * @param {number} at
   */
  async seal(plain, chunk, last, out, at) {
    const count = Math.max(last ? 1 : 0, Math.ceil(plain.length / CHUNK));
    await Promise.all(Array.from({ length: count }, async (_, i) => {
      const bytes = plain.subarray(i * CHUNK, (i + 1) * CHUNK);
      if (bytes.length < CHUNK && !(last && i === count - 1)) throw new Error("BUG: a chunk that is not whole");
      const sealed = await crypto.subtle.encrypt({ name: NAME, iv: nonce(chunk + i, last && i === count - 1) }, this.#key, bytes);
      put(new Uint8Array(sealed), out, at + i * (CHUNK + TAG));
    }));
  }

  /**
   * @param {Bytes} sealed
   * @param {number} chunk
   * @param {boolean} last
   * @param {Bytes} out
   */
  async open(sealed, chunk, last, out) {
    const count = Math.max(1, Math.ceil(sealed.length / (CHUNK + TAG)));
    const sizes = await Promise.all(Array.from({ length: count }, async (_, i) => {
      const final = last && i === count - 1;
      const bytes = sealed.subarray(i * (CHUNK + TAG), (i + 1) * (CHUNK + TAG));
      const size = bytes.length - TAG;
      if (size < 0 || (size < CHUNK && !final) || (size === 0 && chunk + i > 0)) throw damaged(chunk + i);
      const opened = await crypto.subtle.decrypt({ name: NAME, iv: nonce(chunk + i, final) }, this.#key, bytes).catch(() => null);
      if (!opened) throw damaged(chunk + i);
      out.set(new Uint8Array(opened), i * CHUNK);
      return size;
    }));
    return sizes.reduce((a, b) => a + b);
  }
}

/** @param {number} chunk */
const damaged = (chunk) => Object.assign(new Error(`chunk ${chunk} is damaged`), { code: "damaged" });

/**
 * age's: the index as 11 bytes, big endian, and whether the chunk is the last.
 * @param {number} chunk
 * @param {boolean} last
 */
function nonce(chunk, last) {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(3, BigInt(chunk));
  iv[11] = last ? 1 : 0;
  return iv;
}

/**
 * Copies what falls into out.
 * @param {Bytes} bytes
 * @param {Bytes} out
 * @param {number} at may be less than 0
 */
function put(bytes, out, at) {
  out.set(bytes.subarray(Math.max(0, -at), Math.max(0, out.length - at)), Math.max(0, Math.min(at, out.length)));
}
