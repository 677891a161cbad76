// @ts-check
// What is asked again, and when.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as api from "../js/api.js";

test("a server that asks for a pause of years is asked again in a day: a timer for years goes off at once", async (t) => {
  for (const [header, seconds] of [["5", 5], ["99999999999", 86_400], ["1e999", 86_400], ["-7", undefined], ["soon", undefined]]) {
    t.mock.method(globalThis, "fetch", async () => new Response("", { status: 429, headers: { "Retry-After": /** @type {string} */ (header) } }));
    await assert.rejects(api.config(1), { code: "unavailable", retryAfter: seconds });
  }
});

test("what stands in the server's place while it starts again is no word of its own", async (t) => {
  t.mock.method(Math, "random", () => 0);
  t.mock.method(globalThis, "setTimeout", (/** @type {() => void} */ f) => setImmediate(f));
  /** @type {Response[]} */
  const answers = [new Response("404 page not found", { status: 404 }), new Response("<h1>Forbidden</h1>", { status: 403 }),
    Response.json({ state: "open" }), Response.json({ code: "not-found" }, { status: 404 })];
  t.mock.method(globalThis, "fetch", async () => answers.shift());
  assert.deepEqual(await api.getShare("id", "access"), { state: "open" });
  await assert.rejects(api.getShare("id", "access"), { code: "not-found" });
});
