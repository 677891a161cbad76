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

test("what a person decides is not asked again, not even in a transfer; what passes by itself is", async (t) => {
  t.mock.method(globalThis, "setTimeout", (/** @type {() => void} */ f) => setImmediate(f));
  const signal = new AbortController().signal;
  const bytes = new Uint8Array(1);
  for (const [code, status] of /** @type {[string, number][]} */ ([["over-total", 507], ["storage-full", 507], ["daily-bytes", 429], ["upload-token", 401], ["sign-in", 403]])) {
    let asked = 0;
    t.mock.method(globalThis, "fetch", async () => (asked++, Response.json({ code, retryAfter: 1 }, { status })));
    await assert.rejects(api.putPart("id", "owner", 1, bytes, bytes, signal), { code });
    assert.equal(asked, 1, code);
  }
  const answers = [["busy", 503], ["too-many-parts", 429], ["too-many-requests", 429]].map(([code, status]) => Response.json({ code }, { status: Number(status) }));
  t.mock.method(globalThis, "fetch", async () => answers.shift() ?? Response.json({}));
  await api.completeShare("id", "owner", { size: 1, parts: 1 }, signal);
  assert.equal(answers.length, 0);
});

test("a download waits its turn, however many others take at this address, until that is no longer wanted", async (t) => {
  /** @type {number[]} */
  const waits = [];
  t.mock.method(globalThis, "setTimeout", (/** @type {() => void} */ f, /** @type {number} */ ms) => (waits.push(ms), setImmediate(f)));
  const busy = () => Response.json({ code: "too-many-requests", retryAfter: 40 }, { status: 429 });
  const answers = Array.from({ length: 20 }, busy);
  t.mock.method(globalThis, "fetch", async () => answers.shift() ?? Response.json({}));
  await api.takeDownload("id", "reader", "hash", new AbortController().signal);
  assert.equal(answers.length, 0);
  assert.equal(waits.filter((ms) => ms === 40_000).length, 20, "as long as the server says");
  t.mock.method(globalThis, "fetch", async () => Response.json({ code: "no-downloads-left" }, { status: 410 }));
  await assert.rejects(api.takeDownload("id", "reader", "hash", new AbortController().signal), { code: "no-downloads-left" });
  const cancel = new AbortController();
  t.mock.method(globalThis, "fetch", async (/** @type {string} */ _, /** @type {RequestInit} */ { signal }) => {
    signal?.throwIfAborted();
    cancel.abort();
    return busy();
  });
  await assert.rejects(api.takeDownload("id", "reader", "hash", cancel.signal), { name: "AbortError" });
});

test("an upload token is shown where a share is made, if there is one", async (t) => {
  const terms = { access: "", reader: "", owner: "", password: false, size: 1, lifetime: 1, maxDownloads: 0 };
  for (const token of ["token", "", undefined]) {
    let shown;
    t.mock.method(globalThis, "fetch", async (/** @type {string} */ _, /** @type {RequestInit} */ { headers }) => {
      shown = new Headers(headers).get("Authorization");
      return Response.json({});
    });
    await api.createShare(terms, new AbortController().signal, token);
    assert.equal(shown, token ? "Bearer token" : null);
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
