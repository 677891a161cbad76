// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Lanes, ahead } from "../worker/pipeline.js";

test("results keep their order, and no more are begun than there is room for", async () => {
  let running = 0, most = 0;
  const task = (/** @type {number} */ i) => async () => {
    most = Math.max(most, ++running);
    await sleep((i * 7) % 5);
    return i;
  };
  const got = [];
  for await (const i of ahead(3, Array.from({ length: 40 }, (_, i) => task(i)))) {
    running--;
    got.push(i);
    if (i % 9 === 0) await sleep(6); // a slow taker holds them up
  }
  assert.deepEqual(got, Array.from({ length: 40 }, (_, i) => i));
  assert.equal(most, 3);
});

test("a result does not wait for tasks that are yet to come", async () => {
  let goOn = () => {};
  const later = new Promise((resolve) => (goOn = () => resolve(undefined)));
  async function* tasks() {
    yield async () => 1;
    await later;
    yield async () => 2;
  }
  const results = ahead(5, tasks());
  assert.equal((await results.next()).value, 1);
  goOn();
  assert.equal((await results.next()).value, 2);
  assert.equal((await results.next()).done, true);
});

test("a failure comes at its turn, and ends the source", async () => {
  let closed = false;
  function* tasks() {
    try {
      yield async () => 1;
      yield async () => { throw new Error("two"); };
      for (;;) yield async () => 3;
    } finally {
      closed = true;
    }
  }
  const results = ahead(4, tasks());
  assert.equal((await results.next()).value, 1);
  await assert.rejects(results.next(), /two/);
  assert.ok(closed);
});

test("a source that fails, after results that are still good", async () => {
  async function* tasks() {
    yield async () => sleep(5, 1);
    throw new Error("source");
  }
  const results = ahead(4, tasks());
  assert.equal((await results.next()).value, 1);
  await assert.rejects(results.next(), /source/);
});

test("lanes bound what runs, and tell a failure to whoever comes next", async () => {
  const lanes = new Lanes(2);
  let running = 0;
  for (let i = 0; i < 6; i++) {
    await lanes.run(async () => {
      assert.ok(++running <= 2);
      await sleep(2);
      running--;
    });
  }
  await lanes.idle();
  await lanes.run(async () => { throw new Error("lost"); });
  await assert.rejects(lanes.idle(), /lost/);
  await assert.rejects(lanes.run(async () => {}), /lost/);
});
