// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import { DIGEST, Frames } from "../js/frames.js";

/** @param {number} n */
const digest = (n) => new Uint8Array(DIGEST).fill(n & 255).with(0, n >> 8);

test("frames are what they were, also after they were packed in pieces", () => {
  const frames = new Frames(), again = new Frames();
  for (let i = 0; i < 1000; i++) frames.add(digest(i), i * 4_000_000);
  for (const [from, to] of [[0, 0], [0, 1], [1, 700], [700, 1000]]) again.unpack(frames.pack(from, to));
  assert.equal(again.count, 1000);
  for (let i = 0; i < 1000; i++) {
    assert.equal(again.size(i), i * 4_000_000);
    assert.ok(again.matches(i, digest(i)));
    assert.ok(!again.matches(i, digest(i + 1)));
  }
});

test("what is not whole, or not there, is refused", () => {
  const frames = new Frames();
  assert.throws(() => frames.unpack(new Uint8Array(35)));
  assert.throws(() => frames.add(new Uint8Array(31), 1));
  assert.throws(() => frames.size(0));
  assert.throws(() => frames.matches(0, digest(0)));
});
