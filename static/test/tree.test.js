// @ts-check
// The tree of a bundle: its folders and their sums, its order, and what is found in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { slices, sorted } from "../js/slices.js";
import { Folder, Tree, fold, leaf } from "../js/tree.js";

/** @import { Order, Row } from "../js/tree.js" */

const step = () => undefined;

/** @param {[name: string, size?: number, modified?: number][]} list */
const entries = (list) => list.map(([name, size = 0, modified = 0]) => ({ name, size, modified, type: "", offset: 0, directory: name.endsWith("/") }));

/** @param {[name: string, size?: number, modified?: number][]} list */
const grown = (list) => Tree.grown(entries(list), "en", step);

/**
 * @param {[name: string, size?: number, modified?: number][]} list
 * @param {Row[]} rows
 */
const told = (list, rows) => rows.map(({ node, folder }) => " ".repeat(folder?.level ?? 0) + (node instanceof Folder ? `${node.name}/` : leaf(list[node][0])));

/** @type {[string, number, number][]} */
const LIST = [
  ["trip/b10.jpg", 10, 100],
  ["trip/b9.jpg", 9, 300],
  ["trip/raw/deep/x.dng", 1000, 50],
  ["trip/Ä.txt", 1, 200],
  ["trip/raw/deep/y.dng", 2000, 0],
  ["trip/notes/", 0, 0],
];

test("folders have what is in them, and one that is alone in another is shown with it", async () => {
  const tree = await grown(LIST);
  assert.equal(tree.base, "trip/");
  assert.equal(tree.folders, 1);
  assert.deepEqual([tree.root.size, tree.root.files, tree.root.modified], [3020, 5, 300]);
  const raw = tree.root.nodes.find((node) => node instanceof Folder);
  assert.ok(raw instanceof Folder);
  assert.deepEqual([raw.name, raw.path, raw.size, raw.files], ["raw/deep", "trip/raw/deep/", 3000, 2]);
  assert.deepEqual(tree.within(raw).sort(), [2, 4]);
  assert.deepEqual(told(LIST, await tree.rows("sent", step)), [" b10.jpg", " b9.jpg", " raw/deep/", " Ä.txt", " notes/"]);
  raw.open = true;
  assert.deepEqual(told(LIST, await tree.rows("sent", step)), [" b10.jpg", " b9.jpg", " raw/deep/", "  x.dng", "  y.dng", " Ä.txt", " notes/"]);
});

test("names are in the order of people, folders first; sizes and dates the largest first", async () => {
  const tree = await grown(LIST);
  const order = async (/** @type {Order} */ o) => told(LIST, await tree.rows(o, step)).map((s) => s.trim());
  assert.deepEqual(await order("name"), ["raw/deep/", "Ä.txt", "b9.jpg", "b10.jpg", "notes/"]);
  assert.deepEqual(await order("size"), ["raw/deep/", "b10.jpg", "b9.jpg", "Ä.txt", "notes/"]);
  assert.deepEqual(await order("date"), ["b9.jpg", "Ä.txt", "b10.jpg", "raw/deep/", "notes/"]);
  assert.deepEqual(await order("sent"), ["b10.jpg", "b9.jpg", "raw/deep/", "Ä.txt", "notes/"]);
});

test("what is searched is found in any part of a path, whatever its case and accents", async () => {
  /** @type {[string][]} */
  const list = [["Grüße/Straße.TXT"], ["grüße/two words.txt"], ["other/GRUSSE.txt"], ["İstanbul/ılık.md"], ["a/ﬁle.bin"]];
  const tree = await grown(list);
  const found = async (/** @type {string} */ words) => (await tree.search(words, "sent", step)).map(({ node }) => node);
  assert.deepEqual(await found("grusse"), [0, 1, 2]);
  assert.deepEqual(await found("GRÜSSE txt"), [0, 1, 2]);
  assert.deepEqual(await found("txt strasse"), [0]);
  assert.deepEqual(await found("  words  two "), [1]);
  assert.deepEqual(await found("istanbul ilik"), [3]);
  assert.deepEqual(await found("file"), [4]);
  assert.deepEqual(await found("nothing"), []);
  assert.equal(fold("ÅNGSTRÖM é"), "angstrom e");
});

test("all folders are open where that is little, else as many as show a file", async () => {
  /** @type {[string][]} */
  const list = Array.from({ length: 40 }, (_, i) => [`${i % 4}/${i}`]);
  const some = await grown(list);
  some.open(44);
  assert.equal((await some.rows("sent", step)).length, 44);
  const few = await grown(list);
  few.open(43);
  assert.deepEqual(told(list, (await few.rows("sent", step)).slice(0, 3)), [" 0/", "  0", "  4"]);
  assert.equal((await few.rows("sent", step)).length, 14);
});

test("a hundred levels are as many", async () => {
  /** @type {[string, number][]} */
  const list = Array.from({ length: 100 }, (_, i) => [`${"d/".repeat(i)}f`, 1]);
  const tree = await grown(list);
  tree.open(1000);
  const rows = await tree.rows("name", step);
  assert.equal(rows.length, 199);
  assert.equal(rows[99].folder?.level, 100);
  assert.equal(tree.root.size, 100);
});

test("what would be too many folders is a list of paths", async () => {
  /** @type {[string][]} */
  const list = Array.from({ length: 300 }, (_, i) => [`${i}/${"a/".repeat(1000)}x`]);
  const tree = await grown(list);
  assert.equal(tree.flat, true);
  assert.equal((await tree.rows("name", step)).length, 300);
});

test("sorting is stable, whatever the length, and lets others have their turn", async () => {
  for (const n of [0, 1, 127, 128, 129, 1000, 5000]) {
    const list = Array.from({ length: n }, (_, i) => ({ i, key: (i * 7919) % 101 }));
    assert.deepEqual(await sorted(list, (a, b) => a.key - b.key, step), list.toSorted((a, b) => a.key - b.key));
  }
  let turns = 0;
  const timer = setInterval(() => turns++);
  const names = Array.from({ length: 20_000 }, (_, i) => `file ${(i * 7919) % 20_011}`);
  const collator = new Intl.Collator("en", { numeric: true });
  const all = await sorted(names, collator.compare, slices(new AbortController().signal));
  clearInterval(timer);
  assert.deepEqual(all, names.toSorted(collator.compare));
  assert.ok(turns > 2, `${turns} turns`);
});

test("work that is not wanted any more ends", async () => {
  const stop = new AbortController();
  const names = Array.from({ length: 200_000 }, (_, i) => `file ${(i * 7919) % 200_003}`);
  setTimeout(() => stop.abort());
  await assert.rejects(sorted(names, new Intl.Collator("en", { numeric: true }).compare, slices(stop.signal)), { name: "AbortError" });
});
