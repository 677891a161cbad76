// @ts-check
// Who follows a sender hears of each part, and never asks too often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrivals } from "../worker/arrivals.js";

Promise.withResolvers ??= () => { // Node 20 lacks it
  /** @type {any} */
  const o = {};
  o.promise = new Promise((resolve, reject) => Object.assign(o, { resolve, reject }));
  return o;
};

const share = /** @type {any} */ ({ id: "AAAAAAAAAAAAAAAA", state: "open", partSize: 10, size: 100 });

/**
 * A server that gives these answers, one after another, and the last one again and again. In place of one may stand a status.
 * @param {import("node:test").TestContext} t
 * @param {(object | number)[]} answers
 */
function serve(t, answers) {
  /** @type {{query: string, token: string}[]} */
  const asked = [];
  t.mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {any} */ { headers }) => {
    asked.push({ query: url.split("?")[1] ?? "", token: headers.Authorization.split(" ")[1] });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 0) throw new TypeError("no connection");
    if (typeof answer === "number") return Response.json({ code: answer === 404 ? "not-found" : "unavailable" }, { status: answer });
    return Response.json({ state: "open", partSize: 10, size: 100, manifest: true, count: 0, ranges: [], .../** @type {object} */ (answer) });
  });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(Math, "random", () => 0.5);
  globalThis.addEventListener ??= () => {};
  return asked;
}

/**
 * Lets time pass.
 * @param {import("node:test").TestContext} t
 * @param {number} ms
 */
async function pass(t, ms) {
  for (let n = 0; n < ms; n += 250) {
    t.mock.timers.tick(250);
    await new Promise(setImmediate);
  }
}

test("a part is there when one behind it has arrived, or all", async (t) => {
  const asked = serve(t, [{ count: 2, ranges: [[1, 1], [3, 3]] }, { count: 3, ranges: [[1, 3]] }, { state: "ready", size: 25, count: 3, ranges: [[1, 3]] }]);
  const arrivals = new Arrivals(share, "access", null);
  await pass(t, 250);
  assert.deepEqual([1, 2, 3].map((n) => arrivals.has(n)), [true, false, false]);
  assert.equal(arrivals.part, 0.2);
  await pass(t, 1000);
  assert.deepEqual([1, 2, 3].map((n) => arrivals.has(n)), [true, true, false]);
  await arrivals.until(() => arrivals.has(2));
  const whole = arrivals.until(() => arrivals.whole);
  await pass(t, 1000);
  await whole;
  assert.equal(arrivals.size, 25);
  assert.deepEqual(asked.map(({ query }) => query), ["", "wait=20&seen=2", "wait=20&seen=3"]);
  await pass(t, 60_000);
  assert.equal(asked.length, 3);
});

test("the longer there is no news, the seldomer it is asked", async (t) => {
  const asked = serve(t, [{}]);
  const arrivals = new Arrivals(share, "access", null);
  await pass(t, 10 * 60_000);
  assert.ok(asked.length > 20 && asked.length < 45, `${asked.length} questions`);
  arrivals.end();
  await assert.rejects(arrivals.until(() => false), { code: "ended" });
});

test("a server that cannot be reached only takes time", async (t) => {
  serve(t, [{ count: 1, ranges: [[1, 1]] }, 0, 503, 0, { state: "ready", count: 1, ranges: [[1, 1]] }]);
  const arrivals = new Arrivals(share, "access", null);
  const heard = [];
  arrivals.listeners.add(() => heard.push(arrivals.heard));
  const whole = arrivals.until(() => arrivals.whole);
  await pass(t, 120_000);
  await whole;
  assert.deepEqual(heard, [true, false, false, false, true]);
});

test("a ticket that has ended is not the end of the share; that the share is gone is", async (t) => {
  const asked = serve(t, [404, { count: 1, ranges: [[1, 1]] }, 404]);
  const arrivals = new Arrivals(share, "access", "ticket");
  const whole = arrivals.until(() => arrivals.whole);
  const told = assert.rejects(whole, { code: "given-up" });
  await pass(t, 120_000);
  await told;
  assert.deepEqual(asked.map(({ token }) => token), ["ticket", "access", "access"]);
});
