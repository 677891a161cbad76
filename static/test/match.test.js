// @ts-check
// Finding again what an unfinished upload was begun with.

import assert from "node:assert/strict";
import { test } from "node:test";
import { match } from "../js/match.js";

/**
 * @param {string} name
 * @param {number} size
 * @param {number} lastModified
 */
const item = (name, size, lastModified) => ({ name, file: new File(["x".repeat(size)], name, { lastModified }) });

/**
 * @param {string} name
 * @param {number} size
 * @param {number} lastModified
 */
const entry = (name, size, lastModified) => ({ name, size, type: "", lastModified });

test("the same files, in any order, with others among them", () => {
  const entries = [entry("b/x", 2, 5), entry("b/y", 3, 6), entry("a.txt", 1, 4)];
  const found = match(entries, [item("other", 9, 9), item("a.txt", 1, 4), item("b/y", 3, 6), item("b/x", 2, 5)]);
  assert.deepEqual(found.items.map(({ name, file }) => [name, file?.size]), [["b/x", 2], ["b/y", 3], ["a.txt", 1]]);
  assert.deepEqual(found.missing, []);
});

test("what is missing, and what has changed", () => {
  const entries = [entry("gone", 2, 5), entry("longer", 3, 6), entry("later", 3, 6), entry("same", 1, 4)];
  const found = match(entries, [item("longer", 4, 6), item("later", 3, 7), item("same", 1, 4)]);
  assert.deepEqual(found.items.map(({ name }) => name), ["same"]);
  assert.deepEqual(found.missing.map(({ name }) => name), ["gone", "longer", "later"]);
  assert.deepEqual(found.changed.map(({ name }) => name), ["longer", "later"]);
});

test("what was renamed because two had one name", () => {
  const entries = [entry("a.txt", 2, 5), entry("a (2).txt", 3, 6), entry("f/x", 1, 1), entry("f (3)/x", 1, 2), entry("b (2).txt", 7, 7)];
  const found = match(entries, [item("a.txt", 3, 6), item("a.txt", 2, 5), item("f/x", 1, 2), item("f/x", 1, 1), item("b (2).txt", 7, 7)]);
  assert.deepEqual(found.missing, []);
  assert.deepEqual(found.items.map(({ name, file }) => [name, file?.size, file?.lastModified]),
    [["a.txt", 2, 5], ["a (2).txt", 3, 6], ["f/x", 1, 1], ["f (3)/x", 1, 2], ["b (2).txt", 7, 7]]);
});

test("what has no bytes need not be chosen", () => {
  const found = match([entry("folder/", 0, 0), entry("empty.dat", 0, 77)], []);
  assert.deepEqual(found.missing, []);
  assert.equal(found.items[0].file, null);
  assert.equal(found.items[1].file?.size, 0);
  assert.equal(found.items[1].file?.lastModified, 77); // as it was announced
});
