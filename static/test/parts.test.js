// @ts-check
// What is read at random comes in whole parts, in order and once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FETCH, Parts } from "../worker/parts.js";

const byte = (/** @type {number} */ at) => (at * 7 + (at >> 8)) % 256;

/**
 * @param {number} size
 * @param {number} partSize
 */
function parts(size, partSize) {
  /** @type {[number, number][]} */
  const asked = [];
  let most = 0, now = 0, spared = 0;
  const bring = async (/** @type {number} */ at, /** @type {number} */ n) => {
    asked.push([at, n]);
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve));
    now--;
    return Uint8Array.from({ length: Math.min(n, 1 << 16) }, (_, i) => byte(at + i)); // of a large one not more is looked at
  };
  return { asked, spared: () => spared, most: () => most, parts: new Parts({ size, partSize }, bring, () => spared++) };
}

const wanted = (/** @type {number} */ from, /** @type {number} */ to) => Uint8Array.from({ length: to - from }, (_, i) => byte(from + i));

test("all of a part that is touched is asked for, once", async () => {
  const { asked, parts: p, spared } = parts(4500, 1000);
  assert.equal(p.cost([[1010, 1020], [1990, 2010], [4400, 4500]]), 2500);
  assert.deepEqual(await p.read(4400, 4500, true), wanted(4400, 4500));
  assert.deepEqual(await Promise.all([p.read(1010, 1020), p.read(1990, 2010)]), [wanted(1010, 1020), wanted(1990, 2010)]);
  assert.deepEqual(await p.read(4000, 4010), wanted(4000, 4010));
  assert.equal(p.cost([[1010, 4400]]), 1000);
  await p.rest();
  assert.deepEqual(asked, [[4000, 500], [1000, 1000], [2000, 1000]]);
  p.forget(1000, 1001);
  assert.deepEqual(await p.read(1010, 1020), wanted(1010, 1020));
  assert.deepEqual(asked.slice(3), [[1000, 1000]]);
  assert.equal(spared(), 1);
});

test("a large part comes in pieces, in order, and those that nobody wants are dropped", async () => {
  const { asked, parts: p, spared, most } = parts(4 * FETCH + 100, 4 * FETCH);
  assert.deepEqual(await p.read(2 * FETCH + 5, 2 * FETCH + 9), wanted(2 * FETCH + 5, 2 * FETCH + 9));
  assert.deepEqual(asked.map(([at]) => at / FETCH), [0, 1, 2]);
  await p.rest();
  assert.deepEqual(asked.map(([at]) => at / FETCH), [0, 1, 2, 3]);
  assert.equal(spared(), 3);
  assert.ok(most() <= 3);
});

test("a failure is told to whoever reads, and of what nobody wants to whoever ends", async () => {
  const failing = new Parts({ size: 2 * FETCH, partSize: 2 * FETCH }, async (at) => {
    if (at === 0) throw new Error("broken");
    return new Uint8Array(10);
  }, () => {});
  await assert.rejects(failing.read(0, 1), /broken/);
  const later = new Parts({ size: 2 * FETCH, partSize: 2 * FETCH }, async (at) => {
    if (at === 0) throw new Error("broken");
    return new Uint8Array(10);
  }, () => {});
  assert.equal((await later.read(FETCH, FETCH + 2)).length, 2);
  await assert.rejects(later.rest(), /broken/);
});
