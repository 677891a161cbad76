// @ts-check
// How often an address may do what it may not. It is kept in the memory of this isolate; others keep their own.

const MAX_KEYS = 1 << 14; // of a generation

/** @typedef {Map<string, {tokens: number, at: number}>} Generation */

/** @type {Generation} */
let young = new Map();
/** @type {Generation} forgotten when the young one is full, so that a flood of keys can free others early but not fill memory */
let old = new Map();

export const limits = {
  /**
   * Counts one event for key and returns 0, or how many ms to wait until there may be one.
   * @param {string} key @param {number} perMinute as many are allowed at once to begin with
   */
  wait(key, perMinute) {
    const now = Date.now();
    const burst = Math.max(1, Math.floor(perMinute));
    const perMs = perMinute / 60_000;
    const bucket = young.get(key) ?? old.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * perMs);
    bucket.at = now;
    if (young.size >= MAX_KEYS) [young, old] = [new Map(), young];
    young.set(key, bucket);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perMs;
    bucket.tokens--;
    return 0;
  },
};
