// @ts-check
// Pausing a transfer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Gate } from "../worker/gate.js";

Promise.withResolvers ??= () => { // Node 20 lacks it
  /** @type {any} */
  const o = {};
  o.promise = new Promise((resolve, reject) => Object.assign(o, { resolve, reject }));
  return o;
};

const never = new AbortController().signal;

/** A request that ends when it is told to, or aborted. */
function requests() {
  /** @type {{end: (v?: any) => void, fail: (e: any) => void}[]} */
  const made = [];
  const request = (/** @type {AbortSignal} */ signal) => new Promise((resolve, reject) => {
    made.push({ end: resolve, fail: reject });
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return { made, request };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

test("what is on its way is interrupted, and made again when the gate opens", async () => {
  const gate = new Gate(), { made, request } = requests();
  const passed = gate.pass(request, never);
  await tick();
  gate.shut();
  await tick();
  assert.equal(made.length, 1); // not before it is open
  gate.open();
  await tick();
  assert.equal(made.length, 2);
  made[1].end("through");
  assert.equal(await passed, "through");
});

test("what fails by itself is not made again", async () => {
  const gate = new Gate(), { made, request } = requests();
  const passed = gate.pass(request, never);
  await tick();
  made[0].fail(new Error("refused"));
  await assert.rejects(passed, /refused/);
});

test("who waits before the gate can give up", async () => {
  const gate = new Gate(), { made, request } = requests();
  const cancel = new AbortController();
  gate.shut();
  gate.shut();
  const passed = gate.pass(request, cancel.signal);
  await tick();
  cancel.abort(new Error("cancelled"));
  await assert.rejects(passed, /cancelled/);
  await assert.rejects(gate.pass(request, cancel.signal), /cancelled/);
  assert.equal(made.length, 0);
});
