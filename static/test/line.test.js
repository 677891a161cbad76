// @ts-check
// A connection that says nothing is given up, and none that does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Watch, receiveAll } from "../js/line.js";

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

test("an answer of unknown size is heard of while it arrives", async () => {
  /** @type {number[]} */
  const heard = [];
  const parts = [new Uint8Array([1, 2]), new Uint8Array([3])];
  const body = new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part) controller.enqueue(part);
      else controller.close();
    },
  });
  assert.deepEqual([...(await receiveAll(new Response(body), (n) => heard.push(n)))], [1, 2, 3]);
  assert.deepEqual(heard, [2, 3]);
  assert.equal((await receiveAll(new Response(null), () => {})).length, 0);
});
