// @ts-check
// What is kept in the browser's storage is sealed under a key that scripts may use but not read.
//
// So neither a script that reads the storage, nor whoever comes by a copy of a part of it, learns anything, and what is
// sealed is gone when its key is erased. It is no protection against the one who has the whole profile of the browser, for the
// browser keeps the key in there: what is kept is as safe as the disk of the device.

/** @typedef {{iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer}} Sealed */

export const newKey = () =>
  /** @type {Promise<CryptoKey>} */ (crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]));

/**
 * Seals bytes. They are opened under the same label only, so that nothing can be put in another's place.
 * @param {CryptoKey} key
 * @param {string} label
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Sealed>}
 */
export async function seal(key, label, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt(how(iv, label), key, bytes) };
}

/**
 * @param {CryptoKey} key
 * @param {string} label
 * @param {Sealed} sealed
 */
export async function open(key, label, { iv, data }) {
  return new Uint8Array(await crypto.subtle.decrypt(how(iv, label), key, data));
}

/**
 * @param {Uint8Array<ArrayBuffer>} iv
 * @param {string} label
 */
const how = (iv, label) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(label) });
