// @ts-check
// Web Locks that are held for as long as something lasts. The browser lets go of a lock by itself when the page that holds
// it ends, however it ends: so a lock also tells others that this page still lives.

/**
 * Resolves to a function that lets go of the lock, or to null where others hold it and options say ifAvailable.
 * @param {string} name
 * @param {LockOptions} [options]
 * @returns {Promise<(() => void) | null>}
 */
export function hold(name, options = {}) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, options, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(() => release(undefined)));
    }).catch(reject);
  });
}
