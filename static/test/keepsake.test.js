// @ts-check
// What is known of a share that was sent, and why it is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keepsakeOf, learnt, leftOf, lost } from "../js/keepsake.js";
import { allowances, extensions } from "../js/terms.js";

/** @import { Keepsake, KeptEntry, Share, Upload } from "../js/types.d.ts" */

const NOW = 1_000_000_000_000;

/** @param {string[]} names @returns {KeptEntry[]} */
const entries = (...names) => names.map((name) => ({ name, size: 10, type: "", lastModified: 0 }));

/** @param {Partial<Upload>} [more] */
const made = (more = {}) => keepsakeOf("id", { fragment: "f", owner: "o", password: false, kind: "tar", entries: entries("a"), lifetime: 3600, maxDownloads: 0, grace: 60, ...more }, NOW);

/** @param {Partial<Share>} [more] @returns {Share} */
const share = (more = {}) => ({
  id: "id", state: "ready", password: false, size: 1, partSize: 1, parts: 1, now: 500, created: 400, expires: 600, lifetime: 100, maxDownloads: 5, left: 3, taken: 2, ...more,
});

test("names are those at the top level, the first of many", () => {
  const { names, more, files, size } = made({ entries: entries("b/1", "a", "b/2/3", "empty/", "c", "d") });
  assert.deepEqual([names, more, files, size], [["b/", "a", "empty/"], 2, 5, 60]);
  const note = made({ kind: "note", entries: entries("note.txt") });
  assert.deepEqual([note.names, note.more, note.files], [[], 0, 0]);
});

test("an upload has its grace and its lifetime; then it is as the server says, by this device's clock", () => {
  assert.equal(made().expires, NOW + 3_660_000);
  const { expires, state, taken, lifetime, created } = learnt(made(), share(), NOW + 7);
  assert.deepEqual([expires, state, taken, lifetime, created], [NOW + 7 + 100_000, "ready", 2, 100, NOW]);
  assert.equal(learnt(made(), share({ state: "open" }), NOW).expires, NOW + 200_000);
});

test("why it is gone is told as far as it can be known", () => {
  const ready = learnt(made(), share(), NOW);
  /** @type {[Keepsake, number, string][]} */
  const cases = [
    [ready, NOW + 100_000, "expired"],
    [ready, NOW + 99_999, "spentOrTakenDown"],
    [{ ...ready, taken: 5 }, NOW, "spent"],
    [{ ...ready, taken: 7 }, NOW, "spent"],
    [{ ...ready, maxDownloads: 0 }, NOW, "takenDown"],
    [made(), NOW, "givenUp"],
  ];
  for (const [keepsake, now, why] of cases) assert.deepEqual([lost(keepsake, now).state, lost(keepsake, now).gone], ["gone", why]);
  assert.equal(lost(ready, NOW, "revoked").gone, "revoked");
});

test("what is left of downloads is never less than none, and unknown where any number is", () => {
  const ready = learnt(made(), share(), NOW);
  assert.deepEqual([leftOf(ready), leftOf({ ...ready, taken: 9 }), leftOf({ ...ready, maxDownloads: 0 })], [3, 0, null]);
});

test("terms are told from now on, and never beyond what the server allows", () => {
  const ready = { ...made(), state: /** @type {const} */ ("ready"), lifetime: 3600, expires: NOW + 600_000 }; // 50 minutes old
  const config = { lifetimes: [300, 3600, 7200], maxLifetime: 7200 };
  assert.deepEqual(extensions(ready, config, NOW), [
    { more: 300, lifetime: 3300, most: false }, { more: 3600, lifetime: 6600, most: false }, { more: 4200, lifetime: 7200, most: true },
  ]);
  assert.deepEqual(extensions({ ...ready, lifetime: 7200, expires: NOW + 7_200_000 }, config, NOW).map(({ lifetime }) => lifetime), [300, 3600, 7200]);
  assert.deepEqual(extensions({ ...ready, lifetime: 7200, expires: NOW + 60_000 }, config, NOW), []);
  const taken = { ...ready, maxDownloads: 5, taken: 2 };
  assert.deepEqual(allowances(taken, [1, 2, 3, 5, 100], 100), [{ more: 1, maxDownloads: 3 }, { more: 2, maxDownloads: 4 }, { more: 5, maxDownloads: 7 }]);
  assert.deepEqual(allowances({ ...taken, maxDownloads: 0 }, [3, 98], 100), [{ more: 3, maxDownloads: 5 }, { more: 98, maxDownloads: 100 }]);
});
