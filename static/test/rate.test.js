// @ts-check
// What people are told of the time left, over traces of transfers as lines and servers really make them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Estimate } from "../js/rate.js";

const MB = 1e6;
const PART = 8 << 20;
const TICK = 100;

/** @typedef {{t: number, left: number | null, true: number, stalled: boolean, perSecond: number | null}} Seen t and times in seconds */

/**
 * Plays a transfer: at(ms) says how many bytes have moved. It is looked at every 100 ms until all have.
 * @param {number} total
 * @param {(ms: number) => number} at
 * @returns {Seen[]}
 */
function play(total, at) {
  let end = 0;
  while (at(end) < total) end += TICK;
  const estimate = new Estimate(total, 5000);
  /** @type {Seen[]} */
  const seen = [];
  for (let t = 0; t < end; t += TICK) {
    estimate.note(Math.min(total, at(t)), 5000 + t);
    seen.push({ t: t / 1000, true: (end - t) / 1000, ...estimate.tell(5000 + t) });
  }
  return seen;
}

/**
 * The most by which the time left that is shown rises from one moment to a later one, as a share of what it was.
 * @param {Seen[]} seen
 */
function worstRise(seen) {
  let worst = 0, before = /** @type {number | null} */ (null);
  for (const { left } of seen) {
    if (left !== null && before !== null) worst = Math.max(worst, left / before - 1);
    before = left ?? before;
  }
  return worst;
}

/** @param {Seen[]} seen */
function changes(seen) {
  return seen.filter((s, i) => i > 0 && s.left !== seen[i - 1].left).length;
}

/**
 * Asserts that what is shown from a moment on is true, but for a share of it and some seconds.
 * @param {Seen[]} seen
 * @param {number} from seconds
 * @param {number} share
 * @param {number} seconds
 */
function assertTrue(seen, from, share, seconds) {
  for (const s of seen) {
    if (s.t < from) continue;
    assert.notEqual(s.left, null, `nothing is told at ${s.t} s`);
    const off = Math.abs(/** @type {number} */ (s.left) - s.true);
    assert.ok(off <= share * s.true + seconds, `at ${s.t} s: shows ${s.left} s, in truth ${s.true} s`);
  }
}

/** A line of so many bytes per second. @param {number} rate */
const even = (rate) => (/** @type {number} */ ms) => (rate * ms) / 1000;

/** Whole parts only, as many as are sent at once. @param {(ms: number) => number} at @param {number} step */
const inSteps = (at, step) => (/** @type {number} */ ms) => Math.floor(at(ms) / step) * step;

test("nothing is told in the first seconds", () => {
  for (const s of play(100 * MB, even(MB))) {
    if (s.t < 3) assert.deepEqual([s.left, s.perSecond, s.stalled], [null, null, false], `at ${s.t} s`);
    if (s.t > 5) assert.notEqual(s.left, null, `at ${s.t} s`);
  }
});

test("an even line: true, and never a rise", () => {
  const seen = play(120 * MB, even(MB));
  assertTrue(seen, 5, 0.05, 31); // minutes are rounded to whole ones
  assertTrue(seen.filter((s) => s.true < 55), 5, 0.05, 3);
  assert.equal(worstRise(seen), 0);
  const rate = seen[300].perSecond ?? 0;
  assert.ok(Math.abs(rate - MB) < 0.02 * MB, `rate is ${rate}`);
});

test("steps of one part on a line of 1 MB/s", () => {
  const seen = play(40 * PART, inSteps(even(MB), PART));
  assertTrue(seen, 40, 0.2, 31);
  assert.ok(worstRise(seen) <= 0.25, `rises by ${worstRise(seen)}`);
  assert.ok(seen.every((s) => !s.stalled || s.t < PART / MB), "a part that takes its time is no stall");
});

test("three parts at once on a line of 1 MB/s", () => {
  const seen = play(60 * PART, inSteps(even(MB), 3 * PART));
  assertTrue(seen, 80, 0.25, 31);
  assert.ok(worstRise(seen) <= 0.25, `rises by ${worstRise(seen)}`);
});

test("buffers that swallow a quarter of each part at once", () => {
  const part = 3 * PART, buffer = 6 * MB;
  const at = (/** @type {number} */ ms) => {
    const carried = even(MB)(ms), begun = Math.floor(carried / part) * part;
    return Math.min(begun + part, carried + buffer);
  };
  const seen = play(12 * part, at);
  assertTrue(seen, 40, 0.35, 31);
  assert.ok(worstRise(seen) <= 0.35, `rises by ${worstRise(seen)}`);
});

test("a line with jitter: few changes, small rises", () => {
  let seed = 7, n = 0, last = 0;
  const at = (/** @type {number} */ ms) => {
    if (ms === 0) [seed, n, last] = [7, 0, 0];
    for (; last < ms; last += TICK) {
      seed = (seed * 48271) % 2147483647;
      n += (MB / 10) * 2 * (seed / 2147483647); // between nothing and twice the speed
    }
    return n;
  };
  const seen = play(90 * MB, at);
  assertTrue(seen, 10, 0.2, 31);
  assert.ok(worstRise(seen) <= 0.2, `rises by ${worstRise(seen)}`);
  assert.ok(changes(seen) <= 30, `${changes(seen)} changes`);
});

test("a stall of 20 seconds is told as one, and then it goes on as before", () => {
  const at = (/** @type {number} */ ms) => even(MB)(ms < 30_000 ? ms : Math.max(30_000, ms - 20_000));
  const seen = play(120 * MB, at);
  for (const s of seen) {
    if (s.t > 37 && s.t < 50) assert.deepEqual([s.stalled, s.left], [true, null], `at ${s.t} s`);
    if (s.t < 35 || s.t > 51) assert.equal(s.stalled, false, `at ${s.t} s`);
  }
  assertTrue(seen, 51, 0.2, 31);
});

for (const [name, before, after] of /** @type {[string, number, number][]} */ ([["faster", MB, 10 * MB], ["slower", 10 * MB, MB]])) {
  test(`ten times ${name}: true again after a quarter of a minute`, () => {
    const at = (/** @type {number} */ ms) => even(before)(Math.min(ms, 40_000)) + even(after)(Math.max(0, ms - 40_000));
    const seen = play(at(40_000) + 120_000 * (after / 1000), at);
    assertTrue(seen.filter((s) => s.t < 40 && s.t > 5), 5, 10, 31);
    assertTrue(seen, 60, 0.25, 31);
    const settled = seen.filter((s) => s.t >= 60);
    assert.ok(worstRise(settled) <= 0.25, `rises by ${worstRise(settled)}`);
  });
}

test("bytes that are lost are not taken for speed", () => {
  // A try of a part fails half way, and the same bytes are sent again.
  const at = (/** @type {number} */ ms) => even(MB)(ms < 40_000 ? ms : ms - 4_000);
  const seen = play(150 * MB, at);
  assertTrue(seen, 50, 0.2, 31);
  assert.ok(seen.every(({ perSecond }) => perSecond === null || (perSecond > 0 && perSecond < 2 * MB)));
});
