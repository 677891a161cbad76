// @ts-check
// A connection that says nothing is given up, and none that does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Piece, Watch } from "../js/line.js";

test("a silent connection is given up, after a while", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const watch = new Watch();
  t.mock.timers.tick(29_999);
  assert.equal(watch.signal.aborted, false);
  t.mock.timers.tick(1);
  assert.ok(watch.signal.reason instanceof TypeError, "it counts as a broken connection");
});

test("one that says something now and then is not", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const watch = new Watch();
  for (let i = 0; i < 10; i++) {
    t.mock.timers.tick(20_000);
    watch.heard();
  }
  assert.equal(watch.signal.aborted, false);
  watch.end();
  t.mock.timers.tick(60_000);
  assert.equal(watch.signal.aborted, false, "nor is one that has ended");
});

test("whoever asked may still end it", () => {
  const asked = new AbortController();
  const watch = new Watch(asked.signal);
  asked.abort(new Error("cancelled"));
  assert.equal(watch.signal.reason.message, "cancelled");
  watch.end();
});

/**
 * An answer that brings bytes from so many on, in twos.
 * @param {number[]} bytes
 * @param {number | null} from null: all of them, whatever was asked for
 * @param {boolean} [broken] at its end
 */
function answer(bytes, from, broken = false) {
  const rest = bytes.slice(from ?? 0);
  const body = new ReadableStream({
    pull(controller) {
      if (rest.length) controller.enqueue(new Uint8Array(rest.splice(0, 2)));
      else if (broken) controller.error(new TypeError("the connection broke"));
      else controller.close();
    },
  });
  return new Response(body, from === null ? {} : { status: 206, headers: { "Content-Range": `bytes ${from}-${bytes.length - 1}/99` } });
}

test("a piece goes on from the byte that has arrived, however the answer before it ended", async () => {
  const piece = new Piece(10, new Uint8Array(7));
  assert.equal(piece.range, "bytes=10-16");
  const part = Array.from({ length: 17 }, (_, i) => i);
  /** @type {number[]} */
  const heard = [];
  const read = (/** @type {Response} */ r) => piece.read(r, (n) => heard.push(n));
  await assert.rejects(read(answer(part.slice(0, 12), 10, true)), /broke/);
  assert.equal(piece.range, "bytes=12-16");
  await assert.rejects(read(answer(part.slice(0, 13), 12)), /cut/);
  assert.equal(piece.range, "bytes=13-16");
  await assert.rejects(read(answer(part, 14)), /another range/);
  assert.deepEqual([...(await read(answer(part, 13)))], part.slice(10));
  assert.deepEqual(heard, [2, 3, 5, 7]);
});

test("whoever sends the whole part all the same is listened to", async () => {
  const piece = new Piece(3, new Uint8Array(4));
  await assert.rejects(piece.read(answer([0, 1, 2, 3, 4], null), () => {}), /cut/);
  assert.equal(piece.filled, 2);
  const whole = Array.from({ length: 12 }, (_, i) => i);
  assert.deepEqual([...(await piece.read(answer(whole, null), () => {}))], [3, 4, 5, 6]);
});
