// @ts-check
// Bytes that pass through stretches are neither lost nor changed, and never shared by two who have been handed them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pieces, Stretch, join } from "../worker/stretch.js";

/** @param {number} seed */
const dice = (seed) => (/** @type {number} */ n) => (seed = (seed * 48271) % 2147483647) % n;

/**
 * @param {number} from
 * @param {number} to
 */
const bytes = (from, to) => Uint8Array.from({ length: to - from }, (_, i) => (from + i) % 251);

test("what is taken is what was added, with overlaps", () => {
  for (let seed = 1; seed < 200; seed++) {
    const roll = dice(seed);
    const stretch = new Stretch();
    const all = 1000, keep = roll(3) * 7;
    let added = 0;
    for (let from = 0, end = 0; end < all; ) {
      end = Math.min(all, end + 1 + roll(120));
      while (added < end) {
        const to = Math.min(all, added + roll(90)); // nothing, too
        stretch.add(bytes(added, to));
        added = to;
      }
      const pieces = stretch.take(from, end, end - keep);
      assert.deepEqual(join(pieces), bytes(from, end), `seed ${seed}, ${from} to ${end}`);
      for (const { buffer } of pieces) structuredClone(buffer, { transfer: [buffer] }); // whoever has it makes away with it
      from = Math.max(0, end - keep);
    }
  }
});

test("a buffer that is needed no more is handed over as it is", () => {
  const stretch = new Stretch();
  const [a, b] = [bytes(0, 100), bytes(100, 200)];
  stretch.add(a);
  stretch.add(b);
  const pieces = stretch.take(0, 195);
  assert.deepEqual(pieces.map((p) => p.buffer), [a.buffer, b.buffer]);
  assert.equal(pieces.length, 2);
  structuredClone(b.buffer, { transfer: [b.buffer] });
  assert.deepEqual(join(stretch.take(195, 200)), bytes(195, 200));
});

test("a cleared stretch goes on where it was", () => {
  const stretch = new Stretch();
  stretch.add(bytes(0, 10));
  stretch.clear();
  stretch.add(bytes(10, 20));
  assert.equal(stretch.end, 20);
  assert.deepEqual(join(stretch.take(12, 15)), bytes(12, 15));
});

test("pieces are read across their borders", () => {
  const lengths = [0, 3, 0, 1, 5, 0];
  let at = 0;
  const pieces = new Pieces(lengths.map((n) => bytes(at, (at += n))));
  for (let from = 0; from < 9; from += 2) {
    assert.equal(pieces.left, 9 - from);
    assert.deepEqual(pieces.take(Math.min(2, 9 - from)), bytes(from, Math.min(9, from + 2)));
  }
  assert.equal(pieces.left, 0);
  assert.equal(pieces.take(0).length, 0);
  assert.throws(() => pieces.take(1));
});
